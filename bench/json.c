/* json - see json.h. */

#include "bench/json.h"

#include <stdio.h>

static void put(json_t *root, const char *key, double value)
{
    json_object_set_new(root, key, json_real(value));
}

static void put_count(json_t *root, const char *key, uint64_t value)
{
    json_object_set_new(root, key, json_integer((json_int_t)value));
}

static void put_text(json_t *root, const char *key, const char *text)
{
    json_object_set_new(root, key, json_string(text != NULL ? text : ""));
}

static void put_quantiles(json_t *root, const char *prefix, const struct hist *hist)
{
    static const struct {
        const char *name;
        double q;
    } quantiles[] = {{"p50", .5}, {"p90", .9}, {"p99", .99}, {"p999", .999}};
    char key[32];

    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++) {
        snprintf(key, sizeof key, "%s%s_ms", prefix, quantiles[i].name);
        put(root, key, (double)hist_quantile(hist, quantiles[i].q) / 1000);
    }
    snprintf(key, sizeof key, "%smax_ms", prefix);
    put(root, key, (double)hist->max_us / 1000);
}

static void put_counts(json_t *root, const struct result *r)
{
    put_count(root, "operations", r->operations);
    put_count(root, "sent", r->sent);
    put_count(root, "acked", r->acked);
    put_count(root, "failed", r->failed);
    put_count(root, "unanswered", r->unanswered);
    put_count(root, "delivered", r->delivered);
    put_count(root, "lost", r->lost);
    put_count(root, "doubled", r->doubled);
    put_count(root, "reordered", r->reordered);
}

static void put_cpu(json_t *root, const struct result *r)
{
    put(root, "server_cpu_us_per_op", result_per_operation(r, usage_cpu_all_us(&r->server)));
    put(root, "driver_cpu_us_per_op",
        result_per_operation(r, r->driver_user_us + r->driver_system_us));
    put(root, "driver_user_us_per_op", result_per_operation(r, r->driver_user_us));
    put(root, "driver_system_us_per_op", result_per_operation(r, r->driver_system_us));
    for (int i = 0; i < USAGE_KINDS; i++) {
        char key[48];

        snprintf(key, sizeof key, "%s_user_us_per_op", usage_names[i]);
        put(root, key, result_per_operation(r, r->server.of[i].user_us));
        snprintf(key, sizeof key, "%s_system_us_per_op", usage_names[i]);
        put(root, key, result_per_operation(r, r->server.of[i].system_us));
    }
    put(root, "server_switches_per_op", result_per_operation(r, usage_switches(&r->server)));
    put(root, "disk_bytes_per_op", result_per_operation(r, r->server.disk_bytes));
    put(root, "server_cores",
        r->seconds > 0 ? (double)usage_cpu_all_us(&r->server) / 1e6 / r->seconds : 0);
    put(root, "driver_cores",
        r->seconds > 0 ? (double)(r->driver_user_us + r->driver_system_us) / 1e6 / r->seconds : 0);
}

static json_t *column(const struct result *r, double (*of)(const struct point *point, int kind),
                      int kind)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < r->point_count; i++)
        json_array_append_new(list, json_real(of(&r->points[i], kind)));
    return list;
}

static double of_at(const struct point *point, int kind)
{
    (void)kind;
    return point->at_s;
}

static double of_rate(const struct point *point, int kind)
{
    (void)kind;
    return point->rate;
}

static double of_p50(const struct point *point, int kind)
{
    (void)kind;
    return point->p50_ms;
}

static double of_p99(const struct point *point, int kind)
{
    (void)kind;
    return point->p99_ms;
}

static double of_max(const struct point *point, int kind)
{
    (void)kind;
    return point->max_ms;
}

static double of_cpu(const struct point *point, int kind)
{
    return point->cpu[kind];
}

static double of_driver(const struct point *point, int kind)
{
    (void)kind;
    return point->driver_cpu;
}

static json_t *series(const struct result *r)
{
    json_t *out = json_object();

    json_object_set_new(out, "at_s", column(r, of_at, 0));
    json_object_set_new(out, "rate_per_s", column(r, of_rate, 0));
    json_object_set_new(out, "p50_ms", column(r, of_p50, 0));
    json_object_set_new(out, "p99_ms", column(r, of_p99, 0));
    json_object_set_new(out, "max_ms", column(r, of_max, 0));
    for (int i = 0; i < USAGE_KINDS; i++) {
        char key[32];

        snprintf(key, sizeof key, "%s_cores", usage_names[i]);
        json_object_set_new(out, key, column(r, of_cpu, i));
    }
    json_object_set_new(out, "driver_cores", column(r, of_driver, 0));
    return out;
}

/* [at most ms, how many] for each bucket that is not empty. */
static json_t *distribution(const struct hist *hist)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < HIST_BUCKETS; i++)
        if (hist->bucket[i] > 0)
            json_array_append_new(list, json_pack("[f, I]", (double)hist_bucket_us(i) / 1000,
                                                  (json_int_t)hist->bucket[i]));
    return list;
}

json_t *json_of_result(const char *scenario, const struct result *r)
{
    json_t *root = json_object();

    if (root == NULL)
        return NULL;
    put_text(root, "scenario", scenario);
    put_text(root, "title", r->title);
    put_text(root, "durability", r->durability);
    put_text(root, "unit", r->unit);
    put_text(root, "latency_from", r->latency_from);
    put(root, "warm_up_s", r->warm_up_s);
    put(root, "seconds", r->seconds);
    put_count(root, "workers", r->workers);
    put(root, "rate_per_s", result_rate(r));
    put_quantiles(root, "", &r->latency);
    put_quantiles(root, "ack_", &r->ack);
    put_counts(root, r);
    put_cpu(root, r);
    put_count(root, "links", r->links);
    put(root, "rss_bytes_per_link", r->links == 0 ? 0 : (double)r->rss_bytes / (double)r->links);
    put(root, "kernel_bytes_per_link",
        r->links == 0 ? 0 : (double)r->kernel_bytes / (double)r->links);
    for (uint32_t i = 0; i < r->figure_count; i++)
        put(root, r->figures[i].key, r->figures[i].value);
    json_object_set(root, "settings", r->settings);
    json_object_set(root, "environment", r->environment);
    json_object_set_new(root, "series", series(r));
    json_object_set_new(root, "latency_distribution", distribution(&r->latency));
    return root;
}
