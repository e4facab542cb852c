/* html - see html.h. */

#include "bench/html.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/plot.h"

/* Light and dark follow the reader's system. The colours of series keep apart for those who see
 * few colours, and on both grounds. */
static const char head[] =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<title>Hongyan benchmark</title>\n<style>\n"
    ":root { color-scheme: light dark; --ground: #ffffff; --panel: #f6f7f9; --ink: #1b1f24;\n"
    "  --soft: #5b6470; --rule: #dfe3e8; --s0: #2563eb; --s1: #d9480f; --s2: #0f8a5f; --s3: "
    "#8b3fc7;\n"
    "  --s4: #b7791f; --bad: #c92a2a; }\n"
    "@media (prefers-color-scheme: dark) { :root { --ground: #14171b; --panel: #1d2127;\n"
    "  --ink: #e6e9ed; --soft: #9aa4b1; --rule: #323943; --s0: #6ea0ff; --s1: #ff9462; --s2: "
    "#45cf9b;\n"
    "  --s3: #c592f2; --s4: #e5b252; --bad: #ff7b7b; } }\n"
    "body { margin: 0 auto; max-width: 1000px; padding: 24px; background: var(--ground);\n"
    "  color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }\n"
    "h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 40px 0 4px; }\n"
    "h3 { font-size: 14px; margin: 20px 0 2px; font-weight: 600; }\n"
    "p.note { color: var(--soft); margin: 0 0 12px; }\n"
    ".wide { overflow-x: auto; }\n"
    "table { border-collapse: collapse; font-variant-numeric: tabular-nums; }\n"
    "th, td { padding: 4px 12px 4px 0; text-align: right; border-bottom: 1px solid var(--rule);\n"
    "  vertical-align: top; }\n"
    "th { color: var(--soft); font-weight: 500; } .text { text-align: left; }\n"
    ".bad { color: var(--bad); font-weight: 600; }\n"
    ".cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: "
    "10px; }\n"
    ".card { background: var(--panel); border-radius: 8px; padding: 10px 14px; }\n"
    ".card b { display: block; font-size: 21px; font-weight: 600; }\n"
    ".card span { color: var(--soft); font-size: 13px; }\n"
    ".plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(440px, 1fr)); gap: 4px "
    "24px; }\n"
    "@media (max-width: 500px) { .plots { grid-template-columns: 1fr; } }\n"
    "svg { width: 100%; height: auto; } .axis { fill: var(--soft); font-size: 12px; }\n"
    ".grid { stroke: var(--rule); } .line { fill: none; stroke-width: 2; stroke-linejoin: round; "
    "}\n"
    ".begin { stroke: var(--soft); stroke-dasharray: 4 4; } .bar { fill: var(--s0); }\n"
    ".dot { fill: transparent; } .dot:hover { fill: var(--soft); }\n"
    ".s0 { stroke: var(--s0); } .s1 { stroke: var(--s1); } .s2 { stroke: var(--s2); }\n"
    ".s3 { stroke: var(--s3); } .s4 { stroke: var(--s4); }\n"
    "details { margin: 12px 0; } summary { cursor: pointer; color: var(--soft); }\n"
    "</style>\n</head>\n<body>\n";

/* ---- reading a run ---- */

static const char *text_of(const json_t *run, const char *key)
{
    const char *text = json_string_value(json_object_get(run, key));

    return text != NULL ? text : "";
}

static double number_of(const json_t *run, const char *key)
{
    return json_number_value(json_object_get(run, key));
}

/* The numbers of an array; free() them. *count is lowered to how many there are. */
static double *numbers_of(const json_t *list, size_t *count)
{
    size_t n = json_array_size(list);
    double *out = calloc(n > 0 ? n : 1, sizeof *out);

    if (out == NULL)
        n = 0;
    for (size_t i = 0; i < n; i++)
        out[i] = json_number_value(json_array_get(list, i));
    if (n < *count)
        *count = n;
    return out;
}

/* ---- tables ---- */

static void cell(const char *text, FILE *out)
{
    fputs("<td class=\"text\">", out);
    html_text(text, out);
    fputs("</td>", out);
}

static void number_cell(double value, const char *class, FILE *out)
{
    char text[24];

    plot_number(value, text);
    fprintf(out, "<td class=\"%s\">%s</td>", class, text);
}

static void count_cell(const json_t *run, const char *key, FILE *out)
{
    number_cell(number_of(run, key), number_of(run, key) > 0 ? "bad" : "", out);
}

static void print_summary(const json_t *runs, FILE *out)
{
    const json_t *run = NULL;
    size_t i = 0;

    fputs("<div class=\"wide\"><table>\n<tr><th class=\"text\">run</th><th "
          "class=\"text\">durability</th>"
          "<th>operations/s</th><th>p50 ms</th><th>p99 ms</th><th>server CPU µs</th>"
          "<th>driver CPU µs</th><th>lost</th><th>doubled</th><th>reordered</th></tr>\n",
          out);
    json_array_foreach(runs, i, run)
    {
        fprintf(out, "<tr><td class=\"text\"><a href=\"#run%zu\">", i);
        html_text(text_of(run, "scenario"), out);
        fputs(": ", out);
        html_text(text_of(run, "title"), out);
        fputs("</a></td>", out);
        cell(text_of(run, "durability"), out);
        number_cell(number_of(run, "rate_per_s"), "", out);
        number_cell(number_of(run, "p50_ms"), "", out);
        number_cell(number_of(run, "p99_ms"), "", out);
        number_cell(number_of(run, "server_cpu_us_per_op"), "", out);
        number_cell(number_of(run, "driver_cpu_us_per_op"), "", out);
        count_cell(run, "lost", out);
        count_cell(run, "doubled", out);
        count_cell(run, "reordered", out);
        fputs("</tr>\n", out);
    }
    fputs("</table></div>\n", out);
}

static void print_value(const json_t *value, FILE *out)
{
    const char *key = NULL;
    json_t *inner = NULL;
    char text[32];

    if (json_is_string(value)) {
        html_text(json_string_value(value), out);
    } else if (json_is_object(value)) {
        json_object_foreach((json_t *)(uintptr_t)value, key, inner)
        {
            html_text(key, out);
            fputc(' ', out);
            print_value(inner, out);
            fputs("; ", out);
        }
    } else if (json_is_true(value)) {
        fputs("yes", out);
    } else {
        snprintf(text, sizeof text, "%.10g", json_number_value(value));
        fputs(text, out);
    }
}

/* All texts and numbers of an object, one a row. */
static void print_object(const json_t *object, FILE *out)
{
    const char *key = NULL;
    json_t *value = NULL;

    fputs("<table>\n", out);
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        if (json_is_array(value) ||
            (json_is_object(value) && json_object_get(value, "at_s") != NULL))
            continue;
        fputs("<tr>", out);
        cell(key, out);
        fputs("<td class=\"text\">", out);
        print_value(value, out);
        fputs("</td></tr>\n", out);
    }
    fputs("</table>\n", out);
}

/* ---- plots ---- */

struct wanted {
    const char *key, *name;
};

static void print_plot(const json_t *series, const char *title, const char *unit, bool log_y,
                       const struct wanted *wanted, size_t wanted_count, FILE *out)
{
    size_t count = json_array_size(json_object_get(series, "at_s"));
    struct plot plot = {.title = title, .y_unit = unit, .log_y = log_y};
    double *columns[PLOT_SERIES] = {NULL}, *x = numbers_of(json_object_get(series, "at_s"), &count);

    for (size_t i = 0; i < wanted_count && i < PLOT_SERIES; i++) {
        columns[i] = numbers_of(json_object_get(series, wanted[i].key), &count);
        plot.series[plot.series_count++] = (struct plot_series){wanted[i].name, columns[i]};
    }
    plot.x = x;
    plot.count = count;
    if (count >= 2) {
        fputs("<div><h3>", out);
        html_text(title, out);
        fputs("</h3>", out);
        plot_lines(&plot, out);
        fputs("</div>\n", out);
    }
    for (size_t i = 0; i < PLOT_SERIES; i++)
        free(columns[i]);
    free(x);
}

static void print_distribution(const json_t *list, FILE *out)
{
    size_t count = json_array_size(list), used = 0;
    double *x = calloc(count + 1, sizeof *x), *weight = calloc(count + 1, sizeof *weight);

    for (size_t i = 0; x != NULL && weight != NULL && i < count; i++) {
        const json_t *pair = json_array_get(list, i);

        x[used] = json_number_value(json_array_get(pair, 0));
        weight[used] = json_number_value(json_array_get(pair, 1));
        used += x[used] > 0;
    }
    if (used > 0) {
        fputs("<div><h3>Latency, distribution</h3>", out);
        plot_bars("Latency, distribution", x, weight, used, out);
        fputs("</div>\n", out);
    }
    free(x);
    free(weight);
}

static void print_plots(const json_t *run, FILE *out)
{
    static const struct wanted rate[] = {{"rate_per_s", "rate"}};
    static const struct wanted latency[] = {
        {"p50_ms", "p50"}, {"p99_ms", "p99"}, {"max_ms", "max"}};
    static const struct wanted cpu[] = {{"gateway_cores", "gateway"},
                                        {"router_cores", "router"},
                                        {"store_cores", "store"},
                                        {"presence_cores", "presence"},
                                        {"driver_cores", "driver"}};
    const json_t *series = json_object_get(run, "series");

    fputs("<div class=\"plots\">\n", out);
    if (number_of(run, "operations") > 0)
        print_plot(series, "Rate", "operations/s", false, rate, 1, out);
    if (number_of(run, "p99_ms") > 0)
        print_plot(series, "Latency, each second", "ms", true, latency, 3, out);
    print_distribution(json_object_get(run, "latency_distribution"), out);
    print_plot(series, "CPU", "cores", false, cpu, 5, out);
    fputs("</div>\n", out);
}

/* ---- a run ---- */

static void card(const char *name, double value, const char *unit, const char *class, FILE *out)
{
    char text[24];

    plot_number(value, text);
    fprintf(out, "<div class=\"card\"><b class=\"%s\">%s ", class, text);
    html_text(unit, out);
    fputs("</b><span>", out);
    html_text(name, out);
    fputs("</span></div>\n", out);
}

static void print_cards(const json_t *run, FILE *out)
{
    double wrong = number_of(run, "lost") + number_of(run, "doubled") + number_of(run, "reordered");

    fputs("<div class=\"cards\">\n", out);
    if (number_of(run, "operations") > 0)
        card(text_of(run, "unit"), number_of(run, "rate_per_s"), "/s", "", out);
    if (number_of(run, "p99_ms") > 0) {
        card("median", number_of(run, "p50_ms"), "ms", "", out);
        card("99th percentile", number_of(run, "p99_ms"), "ms", "", out);
    }
    if (number_of(run, "operations") > 0) {
        card("server CPU per operation", number_of(run, "server_cpu_us_per_op"), "µs", "", out);
        card("driver CPU per operation", number_of(run, "driver_cpu_us_per_op"), "µs", "", out);
    }
    if (number_of(run, "links") > 0)
        card("gateway memory per link", number_of(run, "rss_bytes_per_link"), "B", "", out);
    if (number_of(run, "sent") > 0)
        card("lost, doubled or reordered", wrong, "", wrong > 0 ? "bad" : "", out);
    fputs("</div>\n", out);
}

static void print_run(const json_t *run, size_t i, FILE *out)
{
    fprintf(out, "<section id=\"run%zu\">\n<h2>", i);
    html_text(text_of(run, "scenario"), out);
    fputs(": ", out);
    html_text(text_of(run, "title"), out);
    fputs("</h2>\n<p class=\"note\">", out);
    fprintf(out, "%.0f s measured after %.0f s of warm-up; durability: ", number_of(run, "seconds"),
            number_of(run, "warm_up_s"));
    html_text(text_of(run, "durability"), out);
    if (text_of(run, "latency_from")[0] != '\0') {
        fputs("; latency: ", out);
        html_text(text_of(run, "latency_from"), out);
    }
    fputs("</p>\n", out);
    print_cards(run, out);
    print_plots(run, out);
    fputs("<details><summary>Environment</summary>\n", out);
    print_object(json_object_get(run, "environment"), out);
    fputs("</details>\n<details><summary>Settings</summary>\n", out);
    print_object(json_object_get(run, "settings"), out);
    fputs("</details>\n<details><summary>All figures</summary>\n", out);
    print_object(run, out);
    fputs("</details>\n</section>\n", out);
}

void html_print(const json_t *runs, FILE *out)
{
    const json_t *run = NULL;
    size_t i = 0;

    fputs(head, out);
    fputs("<h1>Hongyan benchmark</h1>\n<p class=\"note\">", out);
    html_text(text_of(json_object_get(json_array_get(runs, 0), "environment"), "date"), out);
    fputs(" · server and driver share the machine unless the environment says otherwise</p>\n",
          out);
    print_summary(runs, out);
    fputs("<h3>Environment</h3>\n<div class=\"wide\">", out);
    print_object(json_object_get(json_array_get(runs, 0), "environment"), out);
    fputs("</div>\n", out);
    json_array_foreach(runs, i, run) print_run(run, i, out);
    fputs("</body>\n</html>\n", out);
}

enum hy_err html_write(const char *file, const json_t *runs)
{
    FILE *out = fopen(file, "w");
    bool good = out != NULL;

    if (good) {
        html_print(runs, out);
        good = ferror(out) == 0;
        good = fclose(out) == 0 && good;
    }
    if (!good)
        fprintf(stderr, "%s: cannot be written\n", file);
    return good ? HY_OK : HY_EIO;
}
