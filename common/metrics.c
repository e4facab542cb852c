#include "common/metrics.h"

#include <dirent.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/log.h"

#ifndef HY_REVISION
#define HY_REVISION "unknown"
#endif

enum type { COUNTER, GAUGE, HISTOGRAM_US, HISTOGRAM_COUNT };

static const char *const type_names[] = {"counter", "gauge", "histogram", "histogram"};

/* Upper bounds of the buckets but the last, which is +Inf. */
static const uint64_t bounds_us[HY_HIST_BUCKETS - 1] = {
    500,    1000,   2500,   5000,    10000,   25000,   50000,
    100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000,
};
static const char *const le_us[HY_HIST_BUCKETS] = {
    "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1",
    "0.25",   "0.5",   "1",      "2.5",   "5",    "10",    "+Inf",
};
static const char *const le_count[HY_HIST_BUCKETS] = {
    "1",   "2",   "4",    "8",    "16",   "32",   "64",   "128",
    "256", "512", "1024", "2048", "4096", "8192", "+Inf",
};

struct series {
    struct series *next;
    const char *labels;
    union {
        struct hy_metric metric;
        struct hy_histogram histogram;
    };
};

struct family {
    struct family *next;
    const char *name, *help;
    enum type type;
    struct series *series, **end;
};

struct scrape {
    struct scrape *next;
    void (*fn)(void *arg);
    void *arg;
};

/* Families sorted by name; nothing is ever removed, so pointers into them stay good. */
static struct family *families;
static struct scrape *scrapes;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *must_calloc(size_t bytes)
{
    void *memory = calloc(1, bytes);

    if (memory == NULL)
        abort();
    return memory;
}

/* ---- making ---- */

static struct family *family_find(const char *name, enum type type, const char *help)
{
    struct family **at = &families, *f = NULL;

    while (*at != NULL && strcmp((*at)->name, name) < 0)
        at = &(*at)->next;
    if (*at != NULL && strcmp((*at)->name, name) == 0) {
        if ((*at)->type != type)
            abort(); /* one name, two types: ours to fix */
        return *at;
    }
    f = must_calloc(sizeof *f);
    f->name = name;
    f->help = help;
    f->type = type;
    f->end = &f->series;
    f->next = *at;
    *at = f;
    return f;
}

static struct series *series_find(const char *name, const char *labels, enum type type,
                                  const char *help)
{
    struct family *family = NULL;
    struct series *s = NULL;

    pthread_mutex_lock(&lock);
    family = family_find(name, type, help);
    for (s = family->series; s != NULL && strcmp(s->labels, labels) != 0;)
        s = s->next;
    if (s == NULL) {
        s = must_calloc(sizeof *s);
        s->labels = labels;
        *family->end = s;
        family->end = &s->next;
    }
    pthread_mutex_unlock(&lock);
    return s;
}

struct hy_metric *hy_counter(const char *name, const char *labels, const char *help)
{
    return &series_find(name, labels, COUNTER, help)->metric;
}

struct hy_metric *hy_gauge(const char *name, const char *labels, const char *help)
{
    return &series_find(name, labels, GAUGE, help)->metric;
}

struct hy_histogram *hy_histogram_us(const char *name, const char *labels, const char *help)
{
    return &series_find(name, labels, HISTOGRAM_US, help)->histogram;
}

struct hy_histogram *hy_histogram_count(const char *name, const char *labels, const char *help)
{
    return &series_find(name, labels, HISTOGRAM_COUNT, help)->histogram;
}

void hy_metrics_on_scrape(void (*fn)(void *arg), void *arg)
{
    struct scrape *scrape = must_calloc(sizeof *scrape);

    scrape->fn = fn;
    scrape->arg = arg;
    pthread_mutex_lock(&lock);
    scrape->next = scrapes;
    scrapes = scrape;
    pthread_mutex_unlock(&lock);
}

/* ---- observing ---- */

static void observe(struct hy_histogram *histogram, unsigned bucket, uint64_t value)
{
    atomic_fetch_add_explicit(&histogram->bucket[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum, value, memory_order_relaxed);
}

void hy_observe_us(struct hy_histogram *histogram, uint64_t us)
{
    unsigned bucket = 0;

    while (bucket < HY_HIST_BUCKETS - 1 && us > bounds_us[bucket])
        bucket++;
    observe(histogram, bucket, us);
}

/* Bucket i ends at 2^i. */
void hy_observe_count(struct hy_histogram *histogram, uint64_t n)
{
    unsigned bucket = n <= 1 ? 0 : 64 - (unsigned)__builtin_clzll(n - 1);

    observe(histogram, bucket < HY_HIST_BUCKETS ? bucket : HY_HIST_BUCKETS - 1, n);
}

/* ---- writing ---- */

/* Appends until memory fails, then does nothing more. */
struct out {
    struct hy_buf *buf;
    enum hy_err err;
};

__attribute__((format(printf, 2, 3))) static void put(struct out *out, const char *format, ...)
{
    char text[1024];
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (len < 0 || (size_t)len >= sizeof text)
        len = 0; /* our names and labels are far shorter */
    if (out->err == HY_OK)
        out->err = hy_buf_put(out->buf, text, (size_t)len);
}

static void put_head(struct out *out, const char *name, const char *type, const char *help)
{
    put(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_number(struct out *out, const char *name, const char *labels, int64_t value)
{
    if (labels[0] != '\0')
        put(out, "%s{%s} %" PRId64 "\n", name, labels, value);
    else
        put(out, "%s %" PRId64 "\n", name, value);
}

static void put_histogram(struct out *out, const struct family *family, const struct series *s)
{
    bool us = family->type == HISTOGRAM_US;
    const char *comma = s->labels[0] != '\0' ? "," : "";
    const char *open = s->labels[0] != '\0' ? "{" : "", *close = s->labels[0] != '\0' ? "}" : "";
    uint64_t count = 0, sum = atomic_load_explicit(&s->histogram.sum, memory_order_relaxed);

    for (int i = 0; i < HY_HIST_BUCKETS; i++) {
        count += atomic_load_explicit(&s->histogram.bucket[i], memory_order_relaxed);
        put(out, "%s_bucket{%s%sle=\"%s\"} %" PRIu64 "\n", family->name, s->labels, comma,
            us ? le_us[i] : le_count[i], count);
    }
    put(out, "%s_sum%s%s%s %.17g\n", family->name, open, s->labels, close,
        us ? (double)sum / 1e6 : (double)sum);
    put(out, "%s_count%s%s%s %" PRIu64 "\n", family->name, open, s->labels, close, count);
}

static void put_family(struct out *out, const struct family *family)
{
    put_head(out, family->name, type_names[family->type], family->help);
    for (const struct series *s = family->series; s != NULL; s = s->next) {
        if (family->type == COUNTER || family->type == GAUGE)
            put_number(out, family->name, s->labels,
                       atomic_load_explicit(&s->metric.value, memory_order_relaxed));
        else
            put_histogram(out, family, s);
    }
}

static void put_logs(struct out *out)
{
    static const char *const labels[] = {"level=\"debug\"", "level=\"info\"", "level=\"warn\"",
                                         "level=\"error\""};

    put_head(out, "hongyan_log_messages_total", "counter", "Lines written to the log");
    for (int i = HY_LOG_DEBUG; i <= HY_LOG_ERROR; i++)
        put_number(out, "hongyan_log_messages_total", labels[i], (int64_t)hy_log_lines(i));
}

/* ---- process_* ---- */

static int64_t count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int64_t count = -3; /* ".", ".." and this directory */

    if (dir == NULL)
        return 0;
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count;
}

static double boot_time_s(void)
{
    FILE *file = fopen("/proc/stat", "re");
    char line[256];
    double seconds = 0;

    if (file == NULL)
        return 0;
    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "btime %lf", &seconds) == 1)
            break;
    }
    fclose(file);
    return seconds;
}

/* The fields of /proc/self/stat that we show; false when it cannot be read. */
struct stat_fields {
    double cpu_s, start_s;
    int64_t virtual_bytes, resident_bytes;
};

static bool read_stat(struct stat_fields *fields)
{
    FILE *file = fopen("/proc/self/stat", "re");
    char line[1024], *after = NULL;
    unsigned long user, system, virtual_bytes;
    unsigned long long start;
    long resident, tick = sysconf(_SC_CLK_TCK);
    bool got = file != NULL && fgets(line, sizeof line, file) != NULL;

    if (file != NULL)
        fclose(file);
    after = got ? strrchr(line, ')') : NULL; /* the name may hold spaces */
    if (after == NULL ||
        sscanf(after + 1,
               " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d "
               "%llu %lu %ld",
               &user, &system, &start, &virtual_bytes, &resident) != 5)
        return false;
    fields->cpu_s = (double)(user + system) / (double)tick;
    fields->start_s = boot_time_s() + (double)start / (double)tick;
    fields->virtual_bytes = (int64_t)virtual_bytes;
    fields->resident_bytes = (int64_t)resident * sysconf(_SC_PAGESIZE);
    return true;
}

static void put_gauge(struct out *out, const char *name, const char *help, int64_t value)
{
    put_head(out, name, "gauge", help);
    put_number(out, name, "", value);
}

static void put_process(struct out *out)
{
    struct rlimit files;
    struct stat_fields fields;

    put_gauge(out, "process_open_fds", "Number of open file descriptors", count_fds());
    if (getrlimit(RLIMIT_NOFILE, &files) == 0)
        put_gauge(out, "process_max_fds", "Maximum number of open file descriptors",
                  (int64_t)files.rlim_cur);
    if (!read_stat(&fields))
        return;
    put_head(out, "process_cpu_seconds_total", "counter", "User and system CPU time spent");
    put(out, "process_cpu_seconds_total %.2f\n", fields.cpu_s);
    put_gauge(out, "process_virtual_memory_bytes", "Virtual memory size", fields.virtual_bytes);
    put_gauge(out, "process_resident_memory_bytes", "Resident memory size", fields.resident_bytes);
    put_head(out, "process_start_time_seconds", "gauge", "Start time since the Unix epoch");
    put(out, "process_start_time_seconds %.2f\n", fields.start_s);
}

enum hy_err hy_metrics_write(struct hy_buf *buf)
{
    struct out out = {buf, HY_OK};
    struct scrape *scrape = NULL;

    pthread_mutex_lock(&lock);
    scrape = scrapes; /* new ones come before it: what follows never changes */
    pthread_mutex_unlock(&lock);
    for (; scrape != NULL; scrape = scrape->next)
        scrape->fn(scrape->arg); /* not under the lock: it may make series */
    put_head(&out, "hongyan_build_info", "gauge", "Version of this program");
    put_number(&out, "hongyan_build_info",
               "version=\"" HY_VERSION "\",revision=\"" HY_REVISION "\"", 1);
    put_logs(&out);
    pthread_mutex_lock(&lock);
    for (const struct family *family = families; family != NULL; family = family->next)
        put_family(&out, family);
    pthread_mutex_unlock(&lock);
    put_process(&out);
    return out.err;
}
