/* log - events with facts, one line each on stderr, logfmt or JSON.
 *
 * The event's name stays when its words change: hy_log_warn("link.dropped", "user=%s owed_bytes=%zu",
 * ...). Facts are key=value in logfmt; put text in double quotes. Never message bodies. Lines with
 * the same event from the same place come at most 20 a second; the next one then carries
 * suppressed=N. Any thread. */

#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>

#include "common/err.h"

enum hy_log_level { HY_LOG_DEBUG, HY_LOG_INFO, HY_LOG_WARN, HY_LOG_ERROR };

/* Name this process in every line; json selects JSON lines. */
void hy_log_open(const char *component, const char *name, enum hy_log_level level, bool json);

/* Act at once (A16). */
void hy_log_set_level(enum hy_log_level level);

/* "debug", "info", "warn", "error". HY_ECONFIG: none of them. */
enum hy_err hy_log_level_parse(const char *text, enum hy_log_level *level) HY_CHECKED;

/* Lines written so far at a level; for metrics. */
unsigned long hy_log_lines(enum hy_log_level level);

void hy_log_write(enum hy_log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

extern _Atomic(enum hy_log_level) hy_log_threshold; /* read by the macros only */

#define HY_LOG(level, ...)                   \
    do {                                     \
        if ((level) >= hy_log_threshold)     \
            hy_log_write(level, __VA_ARGS__); \
    } while (0)
#define hy_log_debug(...) HY_LOG(HY_LOG_DEBUG, __VA_ARGS__)
#define hy_log_info(...) HY_LOG(HY_LOG_INFO, __VA_ARGS__)
#define hy_log_warn(...) HY_LOG(HY_LOG_WARN, __VA_ARGS__)
#define hy_log_error(...) HY_LOG(HY_LOG_ERROR, __VA_ARGS__)

#endif
