#include "common/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"

enum { LINE_MAX_BYTES = 4096, FACTS_MAX = 3072, PLACES = 256, PER_SECOND = 20 };

static const char *const level_names[] = {"debug", "info", "warn", "error"};
enum { LEVELS = sizeof level_names / sizeof level_names[0] };

_Atomic(enum hy_log_level) hy_log_threshold = HY_LOG_INFO;

static char component_name[32] = "hongyan", process_name[64];
static bool as_json;
static atomic_ulong lines[LEVELS];

/* How often each place has written in this second. A place is its literals' addresses. */
static struct place {
    const char *event, *format;
    uint64_t second;
    unsigned written, suppressed;
} places[PLACES];
static pthread_mutex_t places_lock = PTHREAD_MUTEX_INITIALIZER;

void hy_log_open(const char *component, const char *name, enum hy_log_level level, bool json)
{
    snprintf(component_name, sizeof component_name, "%s", component);
    snprintf(process_name, sizeof process_name, "%s", name);
    as_json = json;
    hy_log_set_level(level);
}

void hy_log_set_level(enum hy_log_level level)
{
    atomic_store_explicit(&hy_log_threshold, level, memory_order_relaxed);
}

enum hy_err hy_log_level_parse(const char *text, enum hy_log_level *level)
{
    for (int i = 0; i < LEVELS; i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *level = (enum hy_log_level)i;
            return HY_OK;
        }
    }
    return HY_ECONFIG;
}

unsigned long hy_log_lines(enum hy_log_level level)
{
    return atomic_load_explicit(&lines[level], memory_order_relaxed);
}

/* ---- how often ---- */

/* May this place write now? *suppressed is how many lines it kept back since its last one. Two
 * places that share a row take it from each other: they may then write more, never less. */
static bool admit(const char *event, const char *format, unsigned *suppressed)
{
    uint64_t second = hy_steady_ms() / 1000;
    uintptr_t mix = ((uintptr_t)event * 31 + (uintptr_t)format) * 0x9e3779b97f4a7c15u;
    struct place *place = &places[mix >> 56];
    bool may = true;

    pthread_mutex_lock(&places_lock);
    if (place->event != event || place->format != format)
        *place = (struct place){.event = event, .format = format, .second = second};
    if (place->second != second) {
        place->second = second;
        place->written = 0;
    }
    may = place->written < PER_SECOND;
    if (may) {
        place->written++;
        *suppressed = place->suppressed;
        place->suppressed = 0;
    } else {
        place->suppressed++;
    }
    pthread_mutex_unlock(&places_lock);
    return may;
}

/* ---- one line ---- */

struct line {
    char text[LINE_MAX_BYTES];
    size_t len; /* room for the closing brace and newline is always left */
};

static void put_char(struct line *line, char c)
{
    if (line->len < sizeof line->text - 4)
        line->text[line->len++] = c;
}

static void put_text(struct line *line, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        put_char(line, text[i]);
}

/* Inside double quotes; JSON's escapes serve logfmt too. */
static void put_escaped(struct line *line, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        char hex[8];

        if (line->len > sizeof line->text - 16)
            return; /* no half escape */
        if (c == '"' || c == '\\') {
            put_char(line, '\\');
            put_char(line, (char)c);
        } else if (c < 0x20 || c == 0x7f) {
            snprintf(hex, sizeof hex, "\\u%04x", c);
            put_text(line, hex, 6);
        } else {
            put_char(line, (char)c);
        }
    }
}

static bool is_plain(const char *value, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)value[i];

        if (c <= 0x20 || c == 0x7f || c == '"' || c == '=' || c == '\\')
            return false;
    }
    return len > 0;
}

/* Would JSON take it as a number? Leading zeros and the like stay text. */
static bool is_number(const char *value, size_t len)
{
    size_t i = len > 0 && value[0] == '-', digits = 0;

    if (len - i > 1 && value[i] == '0' && value[i + 1] != '.')
        return false;
    for (; i < len && value[i] >= '0' && value[i] <= '9'; i++)
        digits++;
    if (digits == 0 || digits > 15)
        return false;
    if (i < len && value[i] == '.') {
        size_t fraction = ++i;

        for (; i < len && value[i] >= '0' && value[i] <= '9'; i++)
            ;
        if (i == fraction)
            return false;
    }
    return i == len;
}

static void put_fact(struct line *line, const char *key, size_t key_len, const char *value,
                     size_t len)
{
    bool bare = as_json ? is_number(value, len) : is_plain(value, len);

    if (as_json) {
        put_char(line, line->len == 0 ? '{' : ',');
        put_char(line, '"');
        put_escaped(line, key, key_len);
        put_text(line, "\":", 2);
    } else {
        if (line->len > 0)
            put_char(line, ' ');
        put_text(line, key, key_len);
        put_char(line, '=');
    }
    if (bare) {
        put_text(line, value, len);
        return;
    }
    put_char(line, '"');
    put_escaped(line, value, len);
    if (line->len < sizeof line->text - 3)
        line->text[line->len++] = '"';
}

static void put_pair(struct line *line, const char *key, const char *value)
{
    put_fact(line, key, strlen(key), value, strlen(value));
}

static bool begins_fact(const char *text)
{
    size_t key_len = strspn(text + 1, "abcdefghijklmnopqrstuvwxyz0123456789_");

    return *text == ' ' && key_len > 0 && text[1 + key_len] == '=';
}

/* The end of a value: at a space, or for a quoted one at a quote before the next fact or the end,
 * so that a quote inside a name does not end it. */
static const char *value_end(const char *value)
{
    const char *end = value;

    if (*value != '"')
        return value + strcspn(value, " ");
    for (end = value + 1; *end != '\0'; end++) {
        if (*end == '"' && (end[1] == '\0' || begins_fact(end + 1)))
            break;
    }
    return end;
}

/* Split "key=value key=\"a value\"" and write each; words without = go under "text". */
static void put_facts(struct line *line, const char *facts)
{
    while (*(facts += strspn(facts, " ")) != '\0') {
        size_t key_len = strcspn(facts, "= ");
        const char *value = facts + key_len + 1, *end = NULL;

        if (facts[key_len] != '=' || key_len == 0) {
            put_fact(line, "text", 4, facts, strlen(facts));
            return;
        }
        end = value_end(value);
        if (*value == '"')
            put_fact(line, facts, key_len, value + 1, (size_t)(end - value - 1));
        else
            put_fact(line, facts, key_len, value, (size_t)(end - value));
        facts = *end == '"' ? end + 1 : end;
    }
}

static void put_time(struct line *line)
{
    struct timespec now;
    struct tm parts;
    char text[64];
    size_t len;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    len = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(text + len, sizeof text - len, ".%06ldZ", now.tv_nsec / 1000);
    put_pair(line, "ts", text);
}

static void finish(struct line *line)
{
    if (as_json)
        line->text[line->len++] = '}';
    line->text[line->len++] = '\n';
    /* One write a line, so that threads do not mix theirs. */
    while (write(STDERR_FILENO, line->text, line->len) < 0 && errno == EINTR)
        ;
}

void hy_log_write(enum hy_log_level level, const char *event, const char *format, ...)
{
    struct line line = {.len = 0};
    char facts[FACTS_MAX], count[16];
    unsigned suppressed = 0;
    va_list args;

    if (!admit(event, format, &suppressed))
        return;
    va_start(args, format);
    vsnprintf(facts, sizeof facts, format, args);
    va_end(args);
    put_time(&line);
    put_pair(&line, "level", level_names[level]);
    put_pair(&line, "msg", event);
    put_pair(&line, "component", component_name);
    if (process_name[0] != '\0')
        put_pair(&line, "name", process_name);
    put_facts(&line, facts);
    if (suppressed > 0) {
        snprintf(count, sizeof count, "%u", suppressed);
        put_pair(&line, "suppressed", count);
    }
    finish(&line);
    atomic_fetch_add_explicit(&lines[level], 1, memory_order_relaxed);
}
