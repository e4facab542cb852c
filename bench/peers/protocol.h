/* protocol - what a driver has to know of a peer's protocol. */

#ifndef BENCH_PEERS_PROTOCOL_H
#define BENCH_PEERS_PROTOCOL_H

#include <sys/types.h>

#include "bench/peers/link.h"
#include "bench/stamp.h"

struct protocol {
    const char *name;
    /* Does the server acknowledge a message to its sender? Else it counts as acknowledged when it
     * is received. */
    bool acks;
    /* The connection stands: begin to sign in. load_online() or load_refused() follows. */
    void (*greet)(struct link *link);
    /* Take whole packets from the front. Gives the bytes taken, -1: not what a server may say. */
    ssize_t (*take)(struct link *link, const uint8_t *bytes, size_t len);
    /* Send text to user number to, or to the room (TO_ROOM). */
    void (*send)(struct link *link, uint32_t to, const char text[static STAMP_TEXT]);
    /* Tell the server that this idle link lives. */
    void (*beat)(struct link *link);
    /* Ask for the page of history before link->cursor. load_row() for each message and load_page()
     * at the end follow. NULL: the peer has no history. */
    void (*page)(struct link *link);
    /* Say goodbye before the connection is closed; NULL: just close it. */
    void (*leave)(struct link *link);
};

extern const struct protocol mqtt_protocol, xmpp_protocol;

#endif
