/* table - see table.h. */

#include "bench/table.h"

#include <inttypes.h>

static void row(FILE *out, const char *name)
{
    fprintf(out, "%-28s ", name);
}

static double ms(uint64_t us)
{
    return (double)us / 1000;
}

static void print_latency(FILE *out, const char *name, const struct hist *hist)
{
    if (name == NULL || hist->count == 0)
        return;
    row(out, name);
    fprintf(out, "p50 %.2f ms, p99 %.2f ms, p99.9 %.2f ms, max %.2f ms\n",
            ms(hist_quantile(hist, .5)), ms(hist_quantile(hist, .99)),
            ms(hist_quantile(hist, .999)), ms(hist->max_us));
}

static void print_counts(FILE *out, const struct result *r)
{
    if (r->sent == 0)
        return;
    row(out, "messages");
    fprintf(out,
            "sent %" PRIu64 ", acked %" PRIu64 ", failed %" PRIu64 ", unanswered %" PRIu64 "\n",
            r->sent, r->acked, r->failed, r->unanswered);
    row(out, "deliveries");
    fprintf(out,
            "delivered %" PRIu64 ", lost %" PRIu64 ", doubled %" PRIu64 ", reordered %" PRIu64 "\n",
            r->delivered, r->lost, r->doubled, r->reordered);
}

static void print_cpu(FILE *out, const struct result *r)
{
    if (r->operations == 0)
        return;
    row(out, "CPU per operation");
    fprintf(out, "server %.2f us, driver %.2f us (%.2f user, %.2f system)\n",
            result_per_operation(r, usage_cpu_all_us(&r->server)),
            result_per_operation(r, r->driver_user_us + r->driver_system_us),
            result_per_operation(r, r->driver_user_us),
            result_per_operation(r, r->driver_system_us));
    for (int i = 0; i < USAGE_KINDS; i++) {
        if (usage_cpu_us(&r->server, (enum usage_kind)i) == 0)
            continue;
        row(out, "  of the server");
        fprintf(out, "%-9s %.2f us (%.2f user, %.2f system), %.3f context switches\n",
                usage_names[i],
                result_per_operation(r, usage_cpu_us(&r->server, (enum usage_kind)i)),
                result_per_operation(r, r->server.of[i].user_us),
                result_per_operation(r, r->server.of[i].system_us),
                result_per_operation(r, r->server.of[i].switches));
    }
    row(out, "cores used");
    fprintf(out, "server %.2f, driver %.2f (%" PRIu32 " workers)\n",
            (double)usage_cpu_all_us(&r->server) / 1e6 / r->seconds,
            (double)(r->driver_user_us + r->driver_system_us) / 1e6 / r->seconds, r->workers);
    if (r->server.disk_bytes > 0) {
        row(out, "written to disk");
        fprintf(out, "%.0f B per operation\n", result_per_operation(r, r->server.disk_bytes));
    }
}

void table_print(const char *scenario, const struct result *r, FILE *out)
{
    row(out, "scenario");
    fprintf(out, "%s: %s\n", scenario, r->title);
    row(out, "durability");
    fprintf(out, "%s\n", r->durability);
    row(out, "measured for");
    fprintf(out, "%.1f s, after %.1f s of warm-up\n", r->seconds, r->warm_up_s);
    if (r->operations > 0) {
        row(out, "rate");
        fprintf(out, "%.0f %s/s\n", result_rate(r), r->unit);
    }
    print_latency(out, r->latency_from, &r->latency);
    print_latency(out, "due to acknowledgement", &r->ack);
    print_counts(out, r);
    print_cpu(out, r);
    if (r->links > 0) {
        row(out, "memory per link");
        fprintf(out, "%.0f B resident, over %" PRIu64 " links\n",
                (double)r->rss_bytes / (double)r->links, r->links);
    }
    for (uint32_t i = 0; i < r->figure_count; i++) {
        row(out, r->figures[i].label);
        fprintf(out, "%.*f %s\n", r->figures[i].value < 100 ? 2 : 0, r->figures[i].value,
                r->figures[i].unit);
    }
}
