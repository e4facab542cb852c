/* stamp - the text of 100 bytes that every message of a peer's benchmark carries: whose it is, its
 * number in that stream, and when it was due. The same text as in hongyan-bench's messages. */

#ifndef BENCH_PEERS_STAMP_H
#define BENCH_PEERS_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STAMP_TEXT = 100 };

struct stamp {
    uint64_t stream, number, due_us;
};

void stamp_write(const struct stamp *stamp, char text[static STAMP_TEXT]);

/* Read it back; false: not one of ours. */
bool stamp_read(const char *text, size_t len, struct stamp *stamp);

#endif
