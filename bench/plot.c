/* plot - see plot.h. */

#include "bench/plot.h"

#include <math.h>
#include <string.h>

enum {
    WIDTH = 720,
    HEIGHT = 240,
    LEFT = 56,
    RIGHT = 12,
    TOP = 26,
    BOTTOM = 24,
    BARS = 72,
    Y_TICKS = 5,
    X_TICKS = 8,
    MOST_TICKS = 400, /* of a scale that some file asks for */
};

void html_text(const char *text, FILE *out)
{
    for (; text != NULL && *text != '\0'; text++) {
        switch (*text) {
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '&':
            fputs("&amp;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        case '\'':
            fputs("&#39;", out);
            break;
        default:
            fputc(*text, out);
            break;
        }
    }
}

double plot_step(double span, int most)
{
    double power = 0, rough = span / most;

    if (!(span > 0) || !isfinite(span))
        return 1;
    power = pow(10, floor(log10(rough)));
    if (rough <= power)
        return power;
    return rough <= 2 * power ? 2 * power : rough <= 5 * power ? 5 * power : 10 * power;
}

void plot_number(double value, char out[static 24])
{
    static const struct {
        double from;
        const char *suffix;
    } sizes[] = {{1e9, "G"}, {1e6, "M"}, {1e3, "k"}, {0, ""}};
    size_t i = 0;

    while (fabs(value) < sizes[i].from)
        i++;
    snprintf(out, 24, "%.3g%s", sizes[i].from > 0 ? value / sizes[i].from : value, sizes[i].suffix);
}

/* A range of values laid over a range of pixels. */
struct scale {
    double low, high;
    double from, to;
    bool logarithmic;
};

static double at(const struct scale *s, double value)
{
    double low = s->low, high = s->high;

    if (s->logarithmic) {
        low = log10(low);
        high = log10(high);
        value = log10(value);
    }
    return high > low ? s->from + (value - low) / (high - low) * (s->to - s->from) : s->from;
}

static bool shown(const struct scale *s, double value)
{
    return isfinite(value) && (!s->logarithmic || value > 0);
}

static void open_svg(const char *title, FILE *out)
{
    fprintf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, HEIGHT);
    html_text(title, out);
    fputs("\"><title>", out);
    html_text(title, out);
    fputs("</title>\n", out);
}

static void label(FILE *out, double x, double y, const char *anchor, const char *text)
{
    fprintf(out, "<text class=\"axis\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
    html_text(text, out);
    fputs("</text>\n", out);
}

static void y_tick(const struct scale *y, double value, FILE *out)
{
    char text[24];
    double line = at(y, value);

    plot_number(value, text);
    fprintf(out, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>\n", LEFT,
            WIDTH - RIGHT, line, line);
    label(out, LEFT - 6, line + 4, "end", text);
}

/* Whole steps from 0 to span, as many as an axis may have. */
static int steps_in(double span, double step)
{
    double steps = floor(span / step + 1e-6);

    return steps >= 0 && steps <= MOST_TICKS ? (int)steps : 0;
}

/* Decades of a logarithmic scale. */
static int decades(const struct scale *s)
{
    return steps_in(log10(s->high) - log10(s->low), 1);
}

static void y_axis(const struct scale *y, FILE *out)
{
    double step = plot_step(y->high - y->low, Y_TICKS);
    int ticks = y->logarithmic ? decades(y) : steps_in(y->high - y->low, step);

    for (int i = 0; i <= ticks; i++)
        y_tick(y, y->logarithmic ? y->low * pow(10, i) : y->low + i * step, out);
}

static void x_tick(const struct scale *x, double value, const char *unit, FILE *out)
{
    char text[24], all[40];
    double line = at(x, value);

    plot_number(value, text);
    snprintf(all, sizeof all, "%s %s", text, unit);
    fprintf(out, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>\n", line, line,
            HEIGHT - BOTTOM, HEIGHT - BOTTOM + 4);
    if (line > WIDTH - RIGHT - 20) /* it would be cut off */
        label(out, WIDTH - 2, HEIGHT - 6, "end", all);
    else
        label(out, line, HEIGHT - 6, "middle", all);
}

/* From 0 to a round number above all; logarithmic: whole decades around all. */
static struct scale y_scale(const struct plot *plot)
{
    struct scale y = {.from = HEIGHT - BOTTOM, .to = TOP, .logarithmic = plot->log_y};
    double low = INFINITY, high = 0, step = 0;

    for (size_t s = 0; s < plot->series_count; s++) {
        for (size_t i = 0; i < plot->count; i++) {
            double value = plot->series[s].y[i];

            if (!shown(&y, value))
                continue;
            low = fmin(low, value);
            high = fmax(high, value);
        }
    }
    if (plot->log_y) {
        y.low = isfinite(low) && low > 0 ? pow(10, floor(log10(low))) : 1;
        y.high = high > y.low ? pow(10, ceil(log10(high))) : y.low * 10;
        return y;
    }
    step = plot_step(high > 0 ? high : 1, Y_TICKS);
    y.high = ceil((high > 0 ? high : 1) / step) * step;
    return y;
}

static void legend(const struct plot *plot, FILE *out)
{
    double x = WIDTH - RIGHT;

    for (size_t s = plot->series_count; s-- > 0 && plot->series_count > 1;) {
        const char *name = plot->series[s].name;

        x -= 7.0 * (double)strlen(name);
        label(out, x, 14, "start", name);
        fprintf(out, "<line class=\"line s%zu\" x1=\"%.1f\" x2=\"%.1f\" y1=\"10\" y2=\"10\"/>\n", s,
                x - 20, x - 5);
        x -= 34;
    }
}

static void draw_line(const struct plot *plot, size_t s, const struct scale *x,
                      const struct scale *y, FILE *out)
{
    const double *values = plot->series[s].y;

    fprintf(out, "<polyline class=\"line s%zu\" points=\"", s);
    for (size_t i = 0; i < plot->count; i++)
        if (shown(y, values[i]))
            fprintf(out, "%.1f,%.1f ", at(x, plot->x[i]), at(y, values[i]));
    fputs("\"/>\n", out);
    for (size_t i = 0; i < plot->count; i++) {
        char text[24];

        if (!shown(y, values[i]))
            continue;
        plot_number(values[i], text);
        fprintf(out, "<circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"6\"><title>",
                at(x, plot->x[i]), at(y, values[i]));
        html_text(plot->series[s].name, out);
        fprintf(out, ": %s ", text);
        html_text(plot->y_unit, out);
        fprintf(out, " at %.0f s</title></circle>\n", plot->x[i]);
    }
}

void plot_lines(const struct plot *plot, FILE *out)
{
    struct scale y = y_scale(plot);
    struct scale x = {.from = LEFT, .to = WIDTH - RIGHT};
    double step = 1, first = 0;

    if (plot->count < 2)
        return;
    x.low = plot->x[0];
    x.high = plot->x[plot->count - 1];
    step = plot_step(x.high - x.low, X_TICKS);
    open_svg(plot->title, out);
    label(out, 4, 14, "start", plot->y_unit);
    y_axis(&y, out);
    first = ceil(x.low / step);
    for (int i = 0; i <= steps_in(x.high - first * step, step); i++)
        x_tick(&x, first + i == 0 ? 0 : (first + i) * step, "s", out); /* no -0 */
    if (x.low < 0 && x.high > 0)
        fprintf(out,
                "<line class=\"begin\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"><title>the "
                "measured time begins</title></line>\n",
                at(&x, 0), at(&x, 0), TOP, HEIGHT - BOTTOM);
    for (size_t s = 0; s < plot->series_count; s++)
        draw_line(plot, s, &x, &y, out);
    legend(plot, out);
    fputs("</svg>\n", out);
}

void plot_bars(const char *title, const double *x, const double *weight, size_t count, FILE *out)
{
    struct scale xs = {.from = LEFT, .to = WIDTH - RIGHT, .logarithmic = true};
    struct scale ys = {.from = HEIGHT - BOTTOM, .to = TOP};
    double bars[BARS] = {0}, all = 0, width = (double)(WIDTH - RIGHT - LEFT) / BARS;

    if (count == 0)
        return;
    xs.low = pow(10, floor(log10(x[0])));
    xs.high = pow(10, ceil(log10(x[count - 1]) + 1e-9));
    for (size_t i = 0; i < count; i++) {
        double place = (at(&xs, x[i]) - LEFT) / width;
        int bar = place < 0 ? 0 : place >= BARS ? BARS - 1 : (int)place;

        bars[bar] += weight[i];
        all += weight[i];
    }
    for (int i = 0; i < BARS; i++)
        ys.high = fmax(ys.high, bars[i] * 100 / all);
    open_svg(title, out);
    label(out, 4, 14, "start", "% of all");
    y_axis(&ys, out);
    for (int i = 0; i <= decades(&xs); i++)
        x_tick(&xs, xs.low * pow(10, i), "ms", out);
    for (int i = 0; i < BARS; i++) {
        double top = at(&ys, bars[i] * 100 / all);

        if (bars[i] > 0)
            fprintf(out,
                    "<rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\">"
                    "<title>%.2f %%</title></rect>\n",
                    LEFT + i * width + 0.5, top, width - 1, HEIGHT - BOTTOM - top,
                    bars[i] * 100 / all);
    }
    fputs("</svg>\n", out);
}
