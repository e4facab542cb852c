/* send_core - what send.c, send_encode.c and send_tell.c share. For these only. */

#ifndef ROUTER_SEND_CORE_H
#define ROUTER_SEND_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster.pb-c.h"
#include "common/arena.h"
#include "common/buf.h"
#include "common/bus.h"
#include "common/metrics.h"
#include "router/msgbytes.h"
#include "router/parts.h"
#include "router/told.h"

/* One message of the call. */
struct piece {
    size_t msg, len; /* its encoding in send->bytes */
    bool stored;     /* goes to the store; else only to who is online */
};

struct send {
    struct send *next, *prev;
    struct parts *parts;
    struct hy_reply reply;
    struct hy_arena arena;
    struct hy_buf bytes; /* the AppendReq; messages stay here while the store decides */
    const Hy__SendCall *call;
    struct user_wait from, to;
    unsigned waits;
    struct piece *pieces;
    Hy__SendResult *results;
    uint64_t asked_us;
    Hy__AppendRes
        group; /* for messages that nobody keeps: what the store would have said of the group */
    void (*on_group)(struct send *send, uint32_t code);
};

struct sends {
    struct send *running, *spare;
    unsigned spare_count;
    struct hy_buf frame; /* of the message being told */
    struct hy_metric *results[2][4], *inflight;
    struct hy_histogram *store_us, *c2c_fanout;
    struct told told;
};

/* Is it to a group? */
static inline bool send_to_group(const struct send *send)
{
    return send->call->conv_type == HY__CONV_TYPE__CONV_GROUP;
}

/* What message i is made of. */
struct msgbytes send_msg(const struct send *send, size_t i);

/* Encode the AppendReq with the pieces that are to be stored, into send->bytes. False: no memory.
 */
bool send_encode(struct send *send);

/* Encode piece i alone behind what is in send->bytes. False: no memory. */
bool send_encode_piece(struct send *send, size_t i);

/* Note which pieces are to be stored; returns how many are not. */
size_t send_sort(struct send *send);

/* Find out whether the sender may say something unstored in this group; on_known gets 0 or a code.
 */
void send_ask_group(struct send *send, void (*on_known)(struct send *send, uint32_t code));

/* Push message i, completed by tail; res is what the store said of the group. */
void send_tell(struct send *send, size_t i, const Hy__AppendRes *res,
               const struct msgbytes_tail *tail);

#endif
