/* stamp - the body of each message: its stream, its number in it, and when it was due. */

#ifndef BENCH_STAMP_H
#define BENCH_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STAMP_TEXT = 100, STAMP_BYTES = 106 }; /* an encoded Body: a text of 100 bytes */

struct stamp {
    uint64_t stream, number, due_us;
};

/* Write a body that carries stamp. */
void stamp_write(const struct stamp *stamp, uint8_t body[static STAMP_BYTES]);

/* Read it back; false: not one of ours. */
bool stamp_read(const uint8_t *body, size_t len, struct stamp *stamp);

/* The same as the text alone, for servers that know nothing of a Body. */
void stamp_text_write(const struct stamp *stamp, char text[static STAMP_TEXT]);
bool stamp_text_read(const char *text, size_t len, struct stamp *stamp);

#endif
