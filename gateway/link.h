/* link - a client's connection, from accept to the last byte; and all of a worker's links.
 *
 * A link reads frames (TCP, TLS) or WebSocket messages and hands each to the worker; what is sent
 * to it during a turn leaves in one write at the end of the turn. It holds no buffer while it is
 * idle. A handle names a link for ever: a stale one finds nothing. One worker's loop. */

#ifndef GATEWAY_LINK_H
#define GATEWAY_LINK_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.pb-c.h"
#include "common/err.h"
#include "common/loop.h"
#include "gateway/metrics.h"
#include "gateway/parcel.h"
#include "gateway/settings.h"

struct link;
struct links;
struct session;
struct ssl_st;

enum link_state {
    LINK_FREE,
    LINK_UPGRADING, /* WebSocket: the handshake has not come */
    LINK_OPEN,      /* frames flow; not signed in */
    LINK_READY,     /* signed in */
    LINK_CLOSING,   /* writes what it owes, then closes; what comes in is thrown away */
    LINK_GONE,      /* closed; the memory is used again after this turn */
};

/* Why links end: name for metrics and logs, what the client is told (KickedNotice.why, code; 0: no
 * notice) and the WebSocket close code (0: none; 3000-3499 come back, 3500-3999 do not). */
#define LINK_ENDS(X)                                                                               \
    X(NONE, "none", 0, 0, 0)                                                                       \
    X(CLIENT, "client", 0, 0, 1000)                                                                \
    X(NETWORK, "network", 0, 0, 0)                                                                 \
    X(SIGNED_OUT, "signed_out", 0, 0, 1000)                                                        \
    X(RESUMED, "resumed", 0, 0, 1000)                                                              \
    X(KICKED, "kicked", HY__KICKED_NOTICE__WHY__UNKNOWN, 0, 3500)                                  \
    X(APP, "app_disabled", HY__KICKED_NOTICE__WHY__APP_DISABLED, HY_CODE_APP_DISABLED, 3502)       \
    X(SIG_EXPIRED, "sig_expired", HY__KICKED_NOTICE__WHY__SIG_EXPIRED, HY_CODE_SIG_EXPIRED_ONLINE, \
      3501)                                                                                        \
    X(SLOW, "slow", HY__KICKED_NOTICE__WHY__SLOW, HY_CODE_SLOW_READER, 3000)                       \
    X(HEARTBEAT, "heartbeat", HY__KICKED_NOTICE__WHY__TIMEOUT, HY_CODE_HEARTBEAT, 3001)            \
    X(SIGN_IN_LATE, "sign_in_timeout", HY__KICKED_NOTICE__WHY__TIMEOUT, HY_CODE_LOGIN_TIMEOUT,     \
      3002)                                                                                        \
    X(STALLED, "stalled", HY__KICKED_NOTICE__WHY__TIMEOUT, HY_CODE_FRAME_MALFORMED, 3003)          \
    X(MALFORMED, "malformed", HY__KICKED_NOTICE__WHY__PROTOCOL, HY_CODE_FRAME_MALFORMED, 1007)     \
    X(TOO_BIG, "too_big", HY__KICKED_NOTICE__WHY__PROTOCOL, HY_CODE_FRAME_TOO_BIG, 1009)           \
    X(TEXT, "text", HY__KICKED_NOTICE__WHY__PROTOCOL, HY_CODE_FRAME_MALFORMED, 1003)               \
    X(WEBSOCKET, "websocket", 0, 0, 1002)                                                          \
    X(HANDSHAKE, "handshake", 0, 0, 0)                                                             \
    X(MEMORY, "memory", 0, 0, 1011)                                                                \
    X(DRAIN, "drain", 0, 0, 1012)

#define LINK_END_ENUM(name, text, why, code, close) LINK_END_##name,
enum link_end { LINK_ENDS(LINK_END_ENUM) LINK_END_COUNT };

struct link_handler {
    /* An encoded Frame (not yet checked). bytes are lent. The link may end in here. */
    void (*frame)(void *ctx, struct link *link, const uint8_t *bytes, size_t len);
    /* The link begins to close; called once, in whatever state it was. */
    void (*ended)(void *ctx, struct link *link, enum link_end why);
};

/* limits and metrics stay the caller's, and may change in place. */
enum hy_err links_open(struct hy_loop *loop, const struct limits *limits,
                       const struct gateway_metrics *metrics, const struct link_handler *handler,
                       void *ctx, struct links **links) HY_CHECKED;

/* Close all links at once; ended is not called. NULL is fine. */
void links_close(struct links **links);

/* After limits changed. */
void links_limits_changed(struct links *links);

/* Begin a link on a connected, non-blocking socket. Takes fd and ssl, also when it fails. */
enum hy_err link_open(struct links *links, int fd, struct ssl_st *ssl,
                      enum gateway_transport transport, const struct sockaddr *from) HY_CHECKED;

/* Links that are not yet gone. */
size_t links_count(const struct links *links);

/* The link of a handle; NULL if it is closing or gone. */
struct link *links_find(struct links *links, uint64_t handle);

/* Walk the links that are neither closing nor gone: *cursor is 0 at first; NULL at the end. Links
 * may end and come meanwhile. */
struct link *links_next(struct links *links, uint32_t *cursor);

uint64_t link_handle(const struct link *link);
enum link_state link_state(const struct link *link);

/* Who is signed in, or about to; NULL: nobody. Lent by the session's owner. */
struct session *link_session(const struct link *link);
void link_set_session(struct link *link, struct session *session);

/* The link is signed in now, until expires_ms of the steady clock at most; epoch is the resync
 * epoch its client is up to date with. */
void link_ready(struct link *link, uint64_t expires_ms, uint32_t epoch);
uint32_t link_epoch(const struct link *link);
void link_set_epoch(struct link *link, uint32_t epoch);

/* May it make one more request now? */
bool link_allow(struct link *link);

/* The client's address; IPv4 as ::ffff:a.b.c.d. */
const struct in6_addr *link_ip(const struct link *link);

/* Send a parcel; takes the reference, NULL counts as out of memory. A link that would owe too much
 * is ended (SLOW), its session can be resumed. */
void link_send(struct link *link, struct parcel **parcel);

/* Does it owe more than half of what it may? */
bool link_lags(const struct link *link);

/* End a link: tell the client why (notice, or what the table says), write what is owed, close;
 * after 2 s in any case. A link that is closing is left alone. */
void link_end(struct link *link, enum link_end why, const Hy__KickedNotice *notice);

#endif
