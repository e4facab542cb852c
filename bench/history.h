/* history - the inside of S6, shared by its own files: what was filled, pages, lists, backlogs.
 *
 * Readers are users 0..pairs-1, and so are writers, under other names. Conversation k of reader r
 * is with writer (r + k) % pairs; its messages are 1..depth, each stamped with its place. */

#ifndef BENCH_HISTORY_H
#define BENCH_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/crowd.h"
#include "bench/engine.h"
#include "bench/field.h"
#include "bench/stamp.h"
#include "common/err.h"

enum { HISTORY_PAGE = 20, HISTORY_NAME = 40 };

struct history_options {
    struct bench_common common;
    int64_t pairs, window, rate, pace_us, depth, convs;
    bool cold;
};

/* The ctx of all plans. */
struct history {
    const struct history_options *options;
    char writers[20], readers[20]; /* prefixes that nobody had before */
    uint32_t people, convs;
    uint64_t depth;
    uint64_t messages, backlogs; /* of backlogs, in the measured time */
};

/* Conversation k of a reader. */
uint32_t history_writer_of(const struct history *h, uint32_t reader, uint32_t k);

/* What the messages of a conversation must look like. */
struct history_conv {
    char from[HISTORY_NAME], to[HISTORY_NAME];
    size_t from_len, to_len;
    uint64_t stream;
};
void history_conv(const struct history *h, uint32_t writer, uint32_t reader,
                  struct history_conv *conv);

/* The body of the message at a place. */
void history_body(const struct history_conv *conv, uint64_t seq, uint8_t body[static STAMP_BYTES]);

/* Is it the message at place seq of the conversation, content and all? */
bool history_is(const struct history_conv *conv, struct span msg, uint64_t seq);

/* Fill every conversation, and make the readers' accounts. */
enum hy_err history_fill(const struct bench *bench, struct history *h) HY_CHECKED;

/* Pages and lists: each its own run of the engine, with bench->result. Warm pages are asked for at
 * random, cold ones each once, until there are no more. */
enum hy_err history_pages(struct bench *bench, struct history *h) HY_CHECKED;
enum hy_err history_lists(struct bench *bench, struct history *h) HY_CHECKED;

/* Readers come back as new clients, some at a time: each pulls everything. */
enum hy_err history_backlogs(struct bench *bench, struct history *h) HY_CHECKED;

#endif
