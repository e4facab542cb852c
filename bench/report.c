/* report - see report.h. */

#include "bench/report.h"

#include <inttypes.h>
#include <jansson.h>

static double per_operation(const struct report *r, uint64_t value)
{
    return r->operations == 0 ? 0 : (double)value / (double)r->operations;
}

static double quantile_ms(const struct hist *hist, double q)
{
    return hist == NULL ? 0 : (double)hist_quantile(hist, q) / 1000.0;
}

static double per_second(const struct report *r)
{
    return r->seconds > 0 ? (double)r->operations / r->seconds : 0;
}

static double rss_per_link(const struct report *r)
{
    return r->links == 0 ? 0 : (double)r->rss_bytes / (double)r->links;
}

static void print_table(const struct report *r, FILE *out)
{
    fprintf(out, "%-28s %s\n", "scenario", r->scenario);
    fprintf(out, "%-28s %s\n", "durability", r->durability);
    fprintf(out, "%-28s %.1f s\n", "measured for", r->seconds);
    fprintf(out, "%-28s %.0f /s\n", "rate", per_second(r));
    if (r->latency != NULL)
        fprintf(out, "%-28s p50 %.2f ms, p99 %.2f ms, max %.2f ms\n", r->latency_from,
                quantile_ms(r->latency, .5), quantile_ms(r->latency, .99),
                (double)r->latency->max_us / 1000.0);
    if (r->ack != NULL)
        fprintf(out, "%-28s p50 %.2f ms, p99 %.2f ms\n", "send to acknowledgement",
                quantile_ms(r->ack, .5), quantile_ms(r->ack, .99));
    fprintf(out,
            "%-28s sent %" PRIu64 ", acked %" PRIu64 ", failed %" PRIu64 ", delivered %" PRIu64
            ", lost %" PRIu64 ", doubled %" PRIu64 ", reordered %" PRIu64 "\n",
            "messages", r->sent, r->acked, r->failed, r->delivered, r->lost, r->doubled,
            r->reordered);
    fprintf(out, "%-28s server %.1f us, driver %.1f us\n", "CPU per operation",
            per_operation(r, r->server_cpu_us), per_operation(r, r->driver_cpu_us));
    if (r->links > 0)
        fprintf(out, "%-28s %.0f B of gateway RSS over %" PRIu64 " links (kernel: %.0f B)\n",
                "memory per idle link", rss_per_link(r), r->links,
                (double)r->kernel_bytes / (double)r->links);
}

static enum hy_err write_json(const struct report *r, const char *file)
{
    json_t *root = json_pack(
        "{s:s, s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, "
        "s:f, s:I}",
        "scenario", r->scenario, "durability", r->durability, "seconds", r->seconds, "rate_per_s",
        per_second(r), "p50_ms", quantile_ms(r->latency, .5), "p99_ms",
        quantile_ms(r->latency, .99), "ack_p50_ms", quantile_ms(r->ack, .5), "ack_p99_ms",
        quantile_ms(r->ack, .99), "sent", (json_int_t)r->sent, "acked", (json_int_t)r->acked,
        "failed", (json_int_t)r->failed, "delivered", (json_int_t)r->delivered, "lost",
        (json_int_t)r->lost, "doubled", (json_int_t)r->doubled, "reordered",
        (json_int_t)r->reordered, "server_cpu_us_per_op", per_operation(r, r->server_cpu_us),
        "driver_cpu_us_per_op", per_operation(r, r->driver_cpu_us), "rss_bytes_per_link",
        rss_per_link(r), "links", (json_int_t)r->links);
    int failed = root == NULL || json_dump_file(root, file, JSON_INDENT(2)) != 0;

    json_decref(root);
    if (failed) {
        fprintf(stderr, "%s: cannot be written\n", file);
        return HY_EIO;
    }
    return HY_OK;
}

enum hy_err report_write(const struct report *report, FILE *out, const char *json_file)
{
    print_table(report, out);
    return json_file == NULL ? HY_OK : write_json(report, json_file);
}
