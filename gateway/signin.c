#include "gateway/signin.h"

#include <stdlib.h>
#include <string.h>

#include "common/body.h"
#include "common/clock.h"
#include "common/codes.h"
#include "common/log.h"
#include "common/usersig.h"
#include "gateway/audience.h"
#include "gateway/lease.h"
#include "gateway/session.h"
#include "gateway/token.h"
#include "gateway/tries.h"
#include "gateway/worker.h"

/* What is under way for a session; it goes with the answer, or with the link. */
struct sign_in {
    struct worker *worker;
    struct session *session;
    uint64_t frame_id;
    uint64_t call;
    bool resume;
    char *nick, *face; /* NULL: not known */
};

static void forget(struct sign_in *s)
{
    s->session->begun = NULL;
    free(s->nick);
    free(s->face);
    free(s);
}

bool signin_forget(struct worker *worker, struct session *session)
{
    struct sign_in *s = session->begun;
    bool over = !s->resume;

    hy_bus_cancel(upstream_bus(worker->upstream), s->call);
    forget(s);
    return over;
}

static void refuse(struct worker *worker, struct link *link, uint64_t frame_id, bool resume,
                   uint32_t code, const char *info)
{
    struct parcel *parcel =
        parcel_frame(frame_id, code, info != NULL && info[0] != '\0' ? info : hy_code_text(code),
                     HY__FRAME__BODY_SIGN_IN_RES, NULL);

    hy_add(resume ? worker->metrics->resumes_failed : worker->metrics->sign_ins_failed, 1);
    link_send(link, &parcel);
}

/* Give up a session that has begun; the link stays and may try again until its deadline. */
static void fail(struct sign_in *s, uint32_t code, const char *info)
{
    struct worker *worker = s->worker;
    struct session *session = s->session;
    struct link *link = links_find(worker->links, session->link);
    uint64_t frame_id = s->frame_id;
    bool resume = s->resume;

    lease_remove(worker->leases, session);
    forget(s);
    session_free(&session);
    if (link == NULL)
        return;
    link_set_session(link, NULL);
    refuse(worker, link, frame_id, resume, code, info);
}

/* ---- the last step: the answer ---- */

static void answer(struct sign_in *s, struct link *link)
{
    const struct worker *worker = s->worker;
    struct session *session = s->session;
    Hy__SignInRes res = HY__SIGN_IN_RES__INIT;
    struct token token = {.session_id = session->id,
                          .opened_ms = session->opened_ms,
                          .issued_ms = hy_wall_ms(),
                          .expires_s = session->expires_s,
                          .app = session->app,
                          .platform = session->platform};
    uint8_t sealed[TOKEN_MAX];
    struct parcel *parcel;

    memcpy(token.user, session->user, strlen(session->user) + 1);
    memcpy(token.device_id, session_device(session), strlen(session_device(session)) + 1);
    res.identifier = session->user;
    res.resume_token.len = token_seal(&token, worker->secret, sealed);
    res.resume_token.data = sealed;
    res.heartbeat_ms = (uint32_t)worker->limits.heartbeat_ms;
    res.resume_grace_ms = (uint32_t)worker->limits.resume_grace_ms;
    res.server_time_ms = token.issued_ms;
    res.max_frame_bytes = worker->limits.max_frame_bytes;
    res.resumed = s->resume;
    if (s->nick != NULL)
        res.nick = s->nick;
    if (s->face != NULL)
        res.face = s->face;
    res.session_id = session->id;
    parcel = parcel_frame(s->frame_id, 0, NULL, HY__FRAME__BODY_SIGN_IN_RES, &res.base);
    link_send(link, &parcel);
}

/* When a ticket that is good until expires_s runs out, on the steady clock. */
static uint64_t expiry_ms(uint64_t expires_s)
{
    uint64_t wall_ms = hy_wall_ms();

    if (expires_s >= UINT64_MAX / 1000 - 1)
        return UINT64_MAX;
    if ((expires_s + 1) * 1000 <= wall_ms)
        return hy_steady_ms();
    return hy_steady_ms() + (expires_s + 1) * 1000 - wall_ms;
}

static void succeed(struct sign_in *s)
{
    struct worker *worker = s->worker;
    struct session *session = s->session;
    struct link *link = links_find(worker->links, session->link);

    if (audience_admit(worker->audience, session) != HY_OK) {
        fail(s, HY_CODE_BUSY, NULL);
        return;
    }
    hy_add(s->resume ? worker->metrics->resumes_ok : worker->metrics->sign_ins_ok, 1);
    hy_add(worker->metrics->sessions, 1);
    link_ready(link, expiry_ms(session->expires_s), worker->epoch);
    session->begun = NULL; /* from here it is a session, also when the answer finds no room */
    lease_opened(worker->leases, session);
    answer(s, link);
    free(s->nick);
    free(s->face);
    free(s);
}

static void on_opened(void *arg, enum hy_err err, const struct hy_record *record)
{
    struct sign_in *s = arg;
    struct worker *worker = s->worker;
    const Hy__SessionOpened *opened = NULL;

    if (err == HY_OK)
        opened = hy__session_opened__unpack(&worker->arena.pb, record->len, record->payload);
    if (opened == NULL)
        fail(s, err == HY_OK ? HY_CODE_UNAVAILABLE : upstream_code(err), NULL);
    else if (opened->code != 0)
        fail(s, opened->code, opened->info);
    else
        succeed(s);
    hy_arena_reset(&worker->arena);
}

/* The session counts in the lease from here: presence has it as soon as it reads the record. */
static void open_place(struct sign_in *s)
{
    Hy__SessionOpen msg = HY__SESSION_OPEN__INIT;
    Hy__Session session;

    lease_add(s->worker->leases, s->session);
    session_describe(s->session, &session);
    msg.session = &session;
    msg.resume = s->resume;
    s->call = upstream_presence(s->worker->upstream, s->session->slot, HY__BUS_KIND__PRESENCE_OPEN,
                                0, &msg.base, on_opened, s);
}

static void take_account(struct sign_in *s, const Hy__SignInAnswer *account)
{
    if (account->code != 0) {
        fail(s, account->code, account->info);
        return;
    }
    s->nick = strdup(account->nick);
    s->face = strdup(account->face);
    open_place(s);
}

static void on_account(void *arg, enum hy_err err, const struct hy_record *record)
{
    struct sign_in *s = arg;
    struct worker *worker = s->worker;
    const Hy__SignInAnswer *account = NULL;

    if (err == HY_OK)
        account = hy__sign_in_answer__unpack(&worker->arena.pb, record->len, record->payload);
    if (account == NULL)
        fail(s, err == HY_OK ? HY_CODE_UNAVAILABLE : upstream_code(err), NULL);
    else
        take_account(s, account);
    hy_arena_reset(&worker->arena);
}

/* ---- the first step: the rules ---- */

static uint32_t check_app(const struct worker *worker, uint32_t sdkappid, const Hy__App **app)
{
    *app = hy_apps_find(upstream_apps(worker->upstream), sdkappid);
    if (*app == NULL && hy_apps_version(upstream_apps(worker->upstream)) == 0)
        return HY_CODE_UNAVAILABLE; /* the list has not been read yet */
    if (*app == NULL || (*app)->state == 2)
        return HY_CODE_APP_UNKNOWN;
    return (*app)->state == 0 ? 0 : HY_CODE_APP_DISABLED;
}

static uint32_t check_fields(const Hy__SignInReq *req)
{
    size_t device_len = strlen(req->device_id);

    if (!hy_account_ok(req->identifier))
        return HY_CODE_ACCOUNT_PARAM;
    if (device_len > TOKEN_DEVICE_MAX || !hy_utf8(req->device_id, device_len))
        return HY_CODE_PARAM;
    return req->platform > HY__PLATFORM__PLATFORM_MINI_PROGRAM ? HY_CODE_PARAM : 0;
}

static uint32_t check_ticket(struct worker *worker, const Hy__SignInReq *req, const Hy__App *app,
                             struct hy_usersig *sig)
{
    struct hy_usersig_keys keys = {(const char *const *)app->keys, app->n_keys,
                                   (const char *const *)app->public_keys, app->n_public_keys};
    uint64_t now = hy_loop_now_ms(worker->loop);
    uint32_t code;

    if (!tries_allow(worker->tries, req->sdkappid, req->identifier, now,
                     worker->limits.sign_in_tries)) {
        hy_add(worker->metrics->rate_limited[GATEWAY_LIMIT_SIGN_IN], 1);
        return HY_CODE_SIG_TRIES;
    }
    code = hy_usersig_verify(req->usersig, strlen(req->usersig), req->sdkappid, req->identifier,
                             &keys, hy_wall_ms() / 1000, sig);
    if (code != 0)
        tries_fail(worker->tries, req->sdkappid, req->identifier, now);
    return code;
}

/* Hang a new session, not signed in yet, on the link. */
static struct sign_in *begin(struct worker *worker, struct link *link, uint64_t frame_id,
                             struct session *session, const Hy__App *app)
{
    struct sign_in *s = session == NULL ? NULL : calloc(1, sizeof *s);

    if (s == NULL) {
        session_free(&session);
        return NULL;
    }
    *s = (struct sign_in){.worker = worker, .session = session, .frame_id = frame_id};
    session->begun = s;
    session->link = link_handle(link);
    session->multi_device = (uint8_t)app->multi_device;
    link_set_session(link, session);
    return s;
}

static bool taken(struct worker *worker, struct link *link, const Hy__Frame *frame, bool resume)
{
    if (link_session(link) == NULL)
        return false;
    refuse(worker, link, frame->id, resume, HY_CODE_PARAM,
           "this link is signed in, or about to be; open another one");
    return true;
}

void signin_begin(struct worker *worker, struct link *link, const Hy__Frame *frame)
{
    const Hy__SignInReq *req = frame->sign_in;
    const Hy__App *app = NULL;
    struct hy_usersig sig = {0};
    Hy__SignInCall msg = HY__SIGN_IN_CALL__INIT;
    struct session *session;
    struct sign_in *s;
    uint32_t code;

    if (taken(worker, link, frame, false))
        return;
    code = check_app(worker, req->sdkappid, &app);
    if (code == 0)
        code = check_fields(req);
    if (code == 0)
        code = check_ticket(worker, req, app, &sig);
    if (code != 0) {
        refuse(worker, link, frame->id, false, code, NULL);
        return;
    }
    session = session_make(req->sdkappid, req->identifier, req->device_id);
    s = begin(worker, link, frame->id, session, app);
    if (s == NULL) {
        refuse(worker, link, frame->id, false, HY_CODE_BUSY, NULL);
        return;
    }
    session->id = (hy_random64() >> 11) | 1; /* 53 bits: exact in JavaScript */
    session->opened_ms = hy_wall_ms();
    session->expires_s = sig.expires_s;
    session->platform = (uint8_t)req->platform;
    msg.app = session->app;
    msg.user = session->user;
    msg.sig_time_s = sig.time_s;
    s->call = upstream_router(worker->upstream, session->slot, HY__BUS_KIND__ROUTER_SIGN_IN, 0,
                              &msg.base, on_account, s);
}

static uint32_t check_token(const struct worker *worker, const Hy__ResumeReq *req,
                            struct token *token, const Hy__App **app)
{
    uint32_t code;

    if (token_open(req->resume_token.data, req->resume_token.len, worker->secret, token) != HY_OK)
        return HY_CODE_SESSION_OVER;
    code = check_app(worker, token->app, app);
    if (code != 0)
        return code;
    return token->expires_s < hy_wall_ms() / 1000 ? HY_CODE_SIG_EXPIRED : 0;
}

void signin_resume(struct worker *worker, struct link *link, const Hy__Frame *frame)
{
    struct token token;
    const Hy__App *app = NULL;
    struct session *session;
    struct sign_in *s;
    uint32_t code;

    if (taken(worker, link, frame, true))
        return;
    code = check_token(worker, frame->resume, &token, &app);
    if (code != 0) {
        refuse(worker, link, frame->id, true, code, NULL);
        return;
    }
    session = session_make(token.app, token.user, token.device_id);
    s = begin(worker, link, frame->id, session, app);
    if (s == NULL) {
        refuse(worker, link, frame->id, true, HY_CODE_BUSY, NULL);
        return;
    }
    session->id = token.session_id;
    session->opened_ms = token.opened_ms;
    session->expires_s = token.expires_s;
    session->platform = token.platform;
    s->resume = true;
    open_place(s);
}
