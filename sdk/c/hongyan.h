/* hongyan - the client library: one hongyan_client is one signed-in user on one device.
 *
 * Any number of clients share one hy_loop; a client has no thread, and an idle one costs a few
 * hundred bytes and a socket. Call everything from the loop's thread; callbacks come from there.
 *
 * The library connects, signs in, beats, and after a loss of the link comes back by itself:
 * full-jitter back-off, the next address of the list, the resume token, then a sync. Sends that
 * were not answered are sent again with the same client id and in the same order, so each appears
 * once (I2).
 *
 * on_message() sees each conversation as one stream: ascending seq, nothing twice and nothing left
 * out (I3) from the moment of the first ONLINE (or from the backlog asked for). Lost pushes are
 * found by seq and pulled. What this client itself sent is part of the count, and is shown with
 * deliver_own.
 *
 * Live rooms have no history to pull from. Those joined by a request of this client are joined
 * again on each new link, and what the room still tells of the time between is shown.
 *
 * All text is UTF-8 and copied; pointers handed to callbacks are lent for the call. */

#ifndef SDK_C_HONGYAN_H
#define SDK_C_HONGYAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.pb-c.h"
#include "common/err.h"
#include "common/loop.h"

struct hongyan_client;

enum hongyan_state {
    HONGYAN_OFFLINE,    /* no link; waiting to try again */
    HONGYAN_CONNECTING, /* connecting, or signing in */
    HONGYAN_ONLINE, /* signed in; for the first time also: it is known where each stream begins */
    HONGYAN_KICKED, /* over: kicked, or the sign-in was refused. Only hongyan_close() is left */
};

/* What happened, with the new state. */
struct hongyan_change {
    enum hongyan_state state;
    Hy__KickedNotice__Why why; /* KICKED: by whom; UNKNOWN when the sign-in was refused */
    uint32_t code;    /* KICKED, OFFLINE: why, of common/codes.h; 0 when the link just broke */
    const char *info; /* a sentence, never NULL */
    bool resumed;     /* ONLINE: the old session goes on */
};

/* Where the stream of a conversation that exists at the first sign-in begins. */
enum hongyan_backlog {
    HONGYAN_FROM_NOW,    /* with what comes after the first ONLINE */
    HONGYAN_FROM_UNREAD, /* with the first message after the read mark */
    HONGYAN_FROM_FIRST,  /* with the oldest that is kept */
};

/* What a client tells its user. Any may be NULL. Closing the client in a callback is fine. */
struct hongyan_events {
    void (*state)(void *ctx, const struct hongyan_change *change);
    void (*message)(void *ctx, const Hy__Msg *msg);
    void (*read)(void *ctx, const Hy__ReadNotice *notice);
    void (*conv)(void *ctx, const Hy__ConvNotice *notice);
    void (*profile)(void *ctx, const Hy__ProfileNotice *notice);
    void (*system)(void *ctx, const Hy__SystemNotice *notice);
};

struct hongyan_config {
    const char *const *addresses; /* "host:port" of gateways; a random one first. Names are looked
                                     up with getaddrinfo(), which may block */
    size_t address_count;
    const char *source; /* numeric address to connect from; NULL = as the system chooses */
    bool tls;
    bool insecure;       /* TLS: accept any certificate */
    bool tls_in_full;    /* TLS: never resume: nobody can tell that links are the same app's */
    const char *ca_file; /* TLS: PEM of who may sign; NULL = the system's */

    uint32_t sdkappid;
    const char *identifier;
    const char *usersig;
    Hy__Platform platform;
    const char *device_id; /* NULL = "" */

    uint32_t heartbeat_ms; /* 0 = as the server says; never slower than that */
    uint32_t request_ms;   /* deadline of a request; 0 = 10,000 */
    uint32_t send_ms;      /* how long a send is retried; 0 = 60,000, UINT32_MAX = for ever */
    uint32_t send_window;  /* sends under way per conversation; 0 = 1, which alone keeps the order
                              when one of them fails for a while */
    uint32_t max_queued;   /* requests and sends that may wait for answers; 0 = 4,096 */
    uint32_t backoff_ms;   /* the longest pause between two tries to connect; 0 = 10,000 */
    bool no_reconnect;     /* a lost link ends in OFFLINE for good */
    bool raw;              /* no sync, no order: on_message shows pushes as they come */
    /* raw: an encoded Frame that came while signed in, before it is decoded. True: it was taken,
     * and nobody else sees it. May be NULL. */
    bool (*raw_frame)(void *ctx, const uint8_t *bytes, size_t len);
    bool deliver_own; /* on_message shows what this client sent too, in its place (nick, face
                         and name_card are empty unless it came back from the history) */
    enum hongyan_backlog backlog;

    struct hongyan_events events;
    void *ctx;
};

/* Make a client and begin to connect. config is copied. HY_ECONFIG: an address, sdkappid or
 * identifier is missing or ill-formed, or ca_file does not load. */
enum hy_err hongyan_open(struct hy_loop *loop, const struct hongyan_config *config,
                         struct hongyan_client **client) HY_CHECKED;

/* Close the link and free everything; done callbacks that wait are called with HY_CODE_TIMEOUT,
 * others no more. The session can be resumed by nobody: it ends by itself after the grace time; see
 * hongyan_sign_out(). NULL is fine. */
void hongyan_close(struct hongyan_client **client);

enum hongyan_state hongyan_state(const struct hongyan_client *client);
const char *hongyan_identifier(const struct hongyan_client *client);
uint64_t hongyan_session_id(const struct hongyan_client *client);

/* How a send ended: 0 with its place and time, or a code and a sentence. HY_CODE_TIMEOUT: not
 * known. */
struct hongyan_sent {
    uint32_t code;
    const char *info;
    const char *client_id;
    uint64_t seq, time_ms;
};
typedef void hongyan_sent_fn(void *arg, const struct hongyan_sent *sent);

/* One message to send. */
struct hongyan_message {
    Hy__ConvType conv_type;
    const char *to;
    const uint8_t *body; /* an encoded Body */
    size_t body_len;
    const char *text;      /* or, with body NULL: a text */
    const char *client_id; /* NULL or "": a new one */
    uint32_t random;       /* 0 = a new one */
    uint32_t flags;        /* MsgFlag bits */
    uint32_t priority;
    const uint8_t *cloud_custom_data;
    size_t cloud_custom_data_len;
};

/* Send, now or when there is a link again, until it is answered or send_ms passed. BUSY, TIMEOUT
 * and UNAVAILABLE are tried again inside. done (may be NULL) is called once, later. HY_EBUSY:
 * max_queued; HY_ETOOBIG: client_id is over 64 bytes; HY_ECLOSED: the client is KICKED. */
enum hy_err hongyan_send(struct hongyan_client *client, const struct hongyan_message *message,
                         hongyan_sent_fn *done, void *arg) HY_CHECKED;

/* hongyan_send() of a text. */
enum hy_err hongyan_send_text(struct hongyan_client *client, Hy__ConvType conv_type, const char *to,
                              const char *text, hongyan_sent_fn *done, void *arg) HY_CHECKED;

/* The answer to a request. answer is NULL when there was none (code TIMEOUT); else its body is that
 * of the answer's kind when code is 0. */
typedef void hongyan_answer_fn(void *arg, uint32_t code, const char *info, const Hy__Frame *answer);

/* Ask anything of proto/client.proto: fill the body and body_case of a Frame; the id is made here.
 * Waits for the link if there is none. When the link goes before the answer, what is harmless to
 * ask twice is asked again, the rest ends with HY_CODE_TIMEOUT: the outcome is not known. done may
 * be NULL. HY_EBUSY: max_queued; HY_ECLOSED: the client is KICKED. */
enum hy_err hongyan_request(struct hongyan_client *client, const Hy__Frame *frame,
                            hongyan_answer_fn *done, void *arg) HY_CHECKED;

/* raw_frame took the answer to a request: the one with this id of the Frame. Its done is called now,
 * with answer NULL. */
void hongyan_answered(struct hongyan_client *client, uint64_t id, uint32_t code);

/* hongyan_request() of a page of history. from_seq and newer as in HistoryReq. */
enum hy_err hongyan_history(struct hongyan_client *client, Hy__ConvType conv_type, const char *peer,
                            uint64_t from_seq, bool newer, uint32_t count, hongyan_answer_fn *done,
                            void *arg) HY_CHECKED;

/* hongyan_request() of the conversation list. */
enum hy_err hongyan_conv_list(struct hongyan_client *client, hongyan_answer_fn *done,
                              void *arg) HY_CHECKED;

/* hongyan_request() that marks everything up to seq as read (0: all). */
enum hy_err hongyan_read(struct hongyan_client *client, Hy__ConvType conv_type, const char *peer,
                         uint64_t seq, hongyan_answer_fn *done, void *arg) HY_CHECKED;

/* End the session at the server; then KICKED is told with code 0. */
enum hy_err hongyan_sign_out(struct hongyan_client *client) HY_CHECKED;

/* Ask for the conversation list now and fill what is missing, as after a Pong with resync. */
void hongyan_sync(struct hongyan_client *client);

/* For tests: cut the link as a network would; the client comes back as after any loss. */
void hongyan_cut(struct hongyan_client *client);

/* For tests: stop or go on reading what the server sends. Beats go on. */
void hongyan_pause(struct hongyan_client *client, bool paused);

/* Elements of a text message, packed as a Body. Append to *out at most what fits in size; returns
 * the length, or 0 when it does not fit. */
size_t hongyan_text_body(const char *text, size_t len, uint8_t *out, size_t size);

/* The text of an encoded body: all its text elements one after another, others shown as "[image]"
 * and the like. Always NUL-terminated; returns the length, cut to what fits. */
size_t hongyan_body_text(const uint8_t *body, size_t len, char *out, size_t size);

#endif
