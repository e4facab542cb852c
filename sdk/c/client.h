/* client - the inside of a hongyan_client, shared by its own files only. */

#ifndef SDK_C_CLIENT_H
#define SDK_C_CLIENT_H

#include "sdk/c/call.h"
#include "sdk/c/conv.h"
#include "sdk/c/hongyan.h"
#include "sdk/c/pump.h"
#include "sdk/c/wire.h"

enum {
    CLIENT_REQUEST_MS = 10000,
    CLIENT_SEND_MS = 60000,
    CLIENT_MAX_QUEUED = 4096,
    CLIENT_BACKOFF_MS = 10000,
    CLIENT_TICK_MS = 500, /* deadlines are looked at this often */
};

struct hongyan_client {
    struct pump *pump;
    struct hongyan_config config; /* with the defaults filled in; texts point into text */
    char *text;                   /* one block */
    const char **addresses;
    SSL_CTX *tls; /* NULL: plain TCP */

    /* link and session; session.c */
    struct wire *wire;
    struct hy_timer *timer;
    uint64_t wake_ms;  /* when the timer rings */
    uint64_t state_ms; /* connect again, give up connecting, or beat: as the state says */
    uint64_t session_id;
    uint64_t sign_in_id; /* frame id of the sign-in under way */
    uint8_t *token;      /* to resume with; NULL: sign in */
    size_t token_len;
    uint32_t heartbeat_ms, server_heartbeat_ms;
    uint32_t tries; /* to connect, since the last success */
    uint32_t address_at;
    enum hongyan_state state;
    bool signed_in; /* on this link */
    bool resumed;   /* this link resumed the session */

    /* questions; request.c and sender.c */
    struct calls calls;
    uint64_t next_id;
    uint64_t retry_ms; /* a send may be tried again then; UINT64_MAX: none waits */

    /* streams; sync.c and pull.c */
    struct convs convs;
    struct conv *hungry, *hungry_last; /* to be pulled, in order */
    uint64_t since_ms;                 /* the server's clock when the first session began */
    uint64_t list_ms; /* ask for the conversation list then; UINT64_MAX: not wanted */
    uint64_t list_start_ms;
    uint32_t pulls; /* under way */
    uint32_t list_tries;
    bool listing, list_again;
    bool began; /* the first list was taken over: streams begin */

    uint64_t rooms_ms; /* join live rooms again then; UINT64_MAX: none waits */

    unsigned depth; /* callbacks under way: free later */
    bool closed, paused;
};

/* Around everything that may call back: a close in a callback frees at the outermost leave. After a
 * callback, look at c->closed. */
void client_enter(struct hongyan_client *c);
void client_leave(struct hongyan_client *c);

/* Ring the timer at steady at_ms or before. */
void client_wake(struct hongyan_client *c, uint64_t at_ms);

uint64_t client_now(const struct hongyan_client *c);

/* ---- request.c ---- */

/* Send what waits for the link: right after a sign-in. */
void client_send_waiting(struct hongyan_client *c);

/* The link is gone: what may be asked again waits, the rest ends with TIMEOUT. */
void client_calls_lost(struct hongyan_client *c);

/* End all with TIMEOUT. */
void client_calls_end(struct hongyan_client *c);

/* An answer came. */
void client_answer(struct hongyan_client *c, const Hy__Frame *frame);

/* End the calls whose deadline passed, and send those whose time to be tried again has come. */
void client_calls_tick(struct hongyan_client *c, uint64_t now_ms);

/* ---- sender.c ---- */

/* Send what may go in this lane now. */
void sender_pump(struct hongyan_client *c, struct conv *conv);

/* A send was answered, or will not be (frame NULL). Frees call. */
void sender_answered(struct hongyan_client *c, struct call *call, const Hy__Frame *frame);

/* End a send without an answer: TIMEOUT. Frees call. */
void sender_gave_up(struct hongyan_client *c, struct call *call);

/* ---- session.c ---- */

/* Begin to connect. */
void session_start(struct hongyan_client *c);

/* A frame of the gateway that is no answer to a call: session or notice. False: it is one. */
bool session_frame(struct hongyan_client *c, const Hy__Frame *frame);

/* The timer. */
void session_tick(struct hongyan_client *c, uint64_t now_ms);

/* The link is gone, or to be dropped: come back after a pause of at least wait_ms. */
void session_lost(struct hongyan_client *c, uint32_t code, const char *info, uint64_t wait_ms);

/* Go to a state and tell. */
void session_tell(struct hongyan_client *c, const struct hongyan_change *change);

/* ---- sync.c: what comes, and where streams begin ---- */

/* Signed in, or pushes may be lost: ask for the conversation list. */
void sync_start(struct hongyan_client *c);

/* A push. */
void sync_message(struct hongyan_client *c, const Hy__Msg *msg);

/* A send of ours got its place. */
void sync_own(struct hongyan_client *c, struct conv *conv, const Hy__Msg *msg);

/* A group is over, or a new one may come with its name: its stream begins anew. */
void sync_forget(struct hongyan_client *c, const char *group);

/* If the type is that of a live room: nothing of it is in the history. */
void sync_live(struct hongyan_client *c, const char *group, const char *type);

/* Ask for the list if that is due, and pull. Lowers *next_ms to when there is more to do. */
void sync_tick(struct hongyan_client *c, uint64_t now_ms, uint64_t *next_ms);

/* Show a message, whatever its place. */
void sync_show(struct hongyan_client *c, const Hy__Msg *msg);

/* Show what was kept and is next now. */
void sync_drain(struct hongyan_client *c, struct conv *conv);

/* Ours have their place in the count, and are shown only if that is wanted. */
bool sync_is_shown(const struct hongyan_client *c, const struct conv *conv, const Hy__Msg *msg);

/* Where the stream of a conversation begins that the client hears of only after its first list. */
void sync_begin(struct hongyan_client *c, struct conv *conv, const Hy__Conv *info);

/* ---- pull.c: what is missing ---- */

/* Ask for what is missing in this conversation, if something is, after wait_ms. */
void pull_queue(struct hongyan_client *c, struct conv *conv, uint64_t wait_ms);

/* The same, after a moment in which it may come by itself. */
void pull_look(struct hongyan_client *c, struct conv *conv);

/* Ask what is due. Lowers *next_ms to when there is more to do. */
void pull_due(struct hongyan_client *c, uint64_t now_ms, uint64_t *next_ms);

/* ---- rooms.c: the live rooms this client sits in ---- */

/* Signed in again, maybe at a gateway that knows nothing of our seats: join them all again. */
void rooms_lost(struct hongyan_client *c);

/* Join what is due. Lowers *next_ms to when there is more to do. */
void rooms_tick(struct hongyan_client *c, uint64_t now_ms, uint64_t *next_ms);

/* The answer to a call, if it is about a room. */
void rooms_learn(struct hongyan_client *c, const struct call *call, const Hy__Frame *answer);

/* Put out, or the room is no more. */
void rooms_left(struct hongyan_client *c, const char *group);

#endif
