/* msgbytes - a message as bytes: encoded once, kept while the store decides, completed with seq and
 * time, and wrapped into the Frame that clients get. Pure. */

#ifndef ROUTER_MSGBYTES_H
#define ROUTER_MSGBYTES_H

#include <stddef.h>
#include <stdint.h>

#include "client.pb-c.h"

/* What the encoding of a message is made of. */
struct msgbytes {
    Hy__ConvType conv_type;
    const char *from, *to, *nick, *face;
    const Hy__SendReq *req;
    uint32_t rest_seq;
};

/* What the store adds. */
struct msgbytes_tail {
    const char *name_card;
    uint64_t seq, time_ms;
};

/* Flags that a sender may set; the others are the server's. */
enum { MSGBYTES_FLAGS = 0xff };

/* The most bytes msgbytes_put() writes. */
size_t msgbytes_bound(const struct msgbytes *msg);

/* Write an encoded Msg without seq and time at out; returns its end. */
uint8_t *msgbytes_put(uint8_t *out, const struct msgbytes *msg);

/* The same in every try of one message, other in another message: the content, without what the
 * server adds and may have changed since. */
uint64_t msgbytes_hash(const Hy__SendReq *req);

/* The most bytes msgbytes_frame() writes for a message of len bytes. */
size_t msgbytes_frame_bound(size_t len, const struct msgbytes_tail *tail);

/* Write a Frame with a MsgNotice of this one message, completed by tail; returns its end. *whole is
 * where the completed Msg lies in it, and *whole_len its length. */
uint8_t *msgbytes_frame(uint8_t *out, const uint8_t *msg, size_t len,
                        const struct msgbytes_tail *tail, const uint8_t **whole, size_t *whole_len);

#endif
