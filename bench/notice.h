/* notice - the bodies of pushed messages, found in an encoded Frame without decoding it.
 *
 * A driver takes hundreds of thousands of deliveries a second and wants but the stamp in each. */

#ifndef BENCH_NOTICE_H
#define BENCH_NOTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void notice_fn(void *arg, const uint8_t *body, size_t len);

/* Call fn with the body of each message of a MsgNotice, lent. false: it is another kind of Frame,
 * or not well-formed; then fn may have been called for what came before. */
bool notice_each(const uint8_t *frame, size_t len, notice_fn *fn, void *arg);

#endif
