/* stamp - the body of each message: its stream, its number in it, and when it was due. */

#ifndef BENCH_STAMP_H
#define BENCH_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STAMP_BYTES = 106 }; /* an encoded Body: a text of 100 bytes */

struct stamp {
    uint64_t stream, number, due_us;
};

/* Write a body that carries stamp. */
void stamp_write(const struct stamp *stamp, uint8_t body[static STAMP_BYTES]);

/* Read it back; false: not one of ours. */
bool stamp_read(const uint8_t *body, size_t len, struct stamp *stamp);

#endif
