/* edges - where logs begin, remembered: a page tells the lowest place that is kept, and nearly all
 * pages ask about conversations that others asked about before.
 *
 * Rows of a log go from its old end only, as they expire, and new ones come at the other end. So
 * the row that was the first to be shown at or after a place stays it until it has expired itself,
 * which its time tells. Another database than the one that was looked at: begin with empty edges.
 *
 * Belongs to one thread. What is not found is looked up by convlog_since() and noted. */

#ifndef STORE_EDGES_H
#define STORE_EDGES_H

#include <stdbool.h>
#include <stdint.h>

#include "store/convlog.h"

enum { EDGES = 4096 }; /* remembered, 56 bytes each; two that fall together replace each other */

struct edge {
    uint64_t conversation; /* 0 and first.seq 0: none */
    uint64_t low;
    uint64_t floor_ms;          /* as it was then */
    struct convlog_place first; /* the first row at or after low that was not older */
    uint32_t app;
    uint16_t slot;
    uint8_t conv_type;
};

/* The lowest place at or after low that is not older than floor_ms, if that is known. */
bool edges_find(const struct edge edges[static EDGES], const struct convlog *log, uint64_t low,
                uint64_t floor_ms, uint64_t *seq);

void edges_note(struct edge edges[static EDGES], const struct convlog *log, uint64_t low,
                uint64_t floor_ms, struct convlog_place first);

#endif
