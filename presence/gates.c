/* What gateway workers ask: sessions that open and close, leases, registrations. */

#include <string.h>

#include "common/codes.h"
#include "common/log.h"
#include "presence/device.h"
#include "presence/inner.h"

enum {
    DEVICE_ID_MAX = 64,
    OPENING_MS = 5000, /* the deadline of a call: longer no opening is under way */
};

static struct worker *worker_of(struct presence *p, struct hy_peer *peer)
{
    struct worker *worker = hy_peer_data(peer);

    if (worker == NULL) {
        worker = workers_make(&p->workers, hy_peer_name(peer), hy_loop_now_ms(p->loop));
        hy_peer_set_data(peer, worker);
        if (worker != NULL)
            worker->up = true;
    }
    return worker;
}

/* ---- a session opens ---- */

static unsigned mode_of(const struct presence *p, const Hy__Session *session)
{
    const Hy__App *app = hy_apps_find(routers_apps(p->routers), session->app);

    return app != NULL ? app->multi_device : session->multi_device;
}

/* The first session that may not stay beside the new one, or NULL. */
static struct session *rival(const struct user *user, unsigned mode, const Hy__Session *fresh,
                             enum device_verdict *verdict)
{
    const struct device new_device = {(int)fresh->platform, fresh->device_id};

    for (struct session *s = user->sessions; s != NULL; s = s->next) {
        const struct device old = {s->platform, s->device};

        if (s->id == fresh->session_id || s->state == SESSION_OVER)
            continue;
        *verdict = device_judge(mode, &old, &new_device);
        if (*verdict != DEVICE_STAYS)
            return s;
    }
    return NULL;
}

static void kick_rivals(struct presence *p, struct user *user, unsigned mode,
                        const Hy__Session *fresh)
{
    enum device_verdict verdict;
    struct session *old;

    while ((old = rival(user, mode, fresh, &verdict)) != NULL) {
        Hy__KickedNotice notice = HY__KICKED_NOTICE__INIT;

        notice.why = verdict == DEVICE_SAME ? HY__KICKED_NOTICE__WHY__SAME_DEVICE
                                            : HY__KICKED_NOTICE__WHY__OTHER_DEVICE;
        notice.code = HY_CODE_KICKED_BY_DEVICE;
        notice.info = (char *)hy_code_text(HY_CODE_KICKED_BY_DEVICE);
        notice.by_platform = fresh->platform;
        presence_kick(p, user, old, &notice);
    }
}

/* A resume of a session that is not known here: good only while this process can not know better,
 * which is after its start, after slots came from other processes, and for users whom another
 * process looked after. */
static bool may_be_unknown(const struct presence *p, const Hy__Session *s)
{
    uint64_t since_ms = p->started_ms > p->gained_ms ? p->started_ms : p->gained_ms;

    return hy_loop_now_ms(p->loop) - since_ms < p->grace_ms + p->warm_ms ||
           !presence_owns(p, s->app, s->user);
}

/* A link that is no session's any more, perhaps half dead. If its client is there after all, it
 * resumes. */
static void drop_link(struct presence *p, const struct worker *worker, uint64_t id, uint64_t link)
{
    struct hy_peer *peer = hy_bus_find(p->bus, worker->name);
    Hy__KickedNotice notice = HY__KICKED_NOTICE__INIT;
    Hy__KickSession kick = HY__KICK_SESSION__INIT;

    notice.why = HY__KICKED_NOTICE__WHY__TIMEOUT;
    notice.code = HY_CODE_HEARTBEAT;
    notice.info = (char *)hy_code_text(HY_CODE_HEARTBEAT);
    kick.session_id = id;
    kick.link = link;
    kick.notice = &notice;
    if (peer != NULL)
        (void)!hy_bus_send_pb(peer, HY__BUS_KIND__GATEWAY_KICK, 0, &kick.base);
}

static uint32_t resume(struct presence *p, struct user *user, struct worker *worker,
                       const Hy__Session *s)
{
    struct session *old = session_find(user, s->session_id);
    enum device_verdict verdict;

    if (old != NULL && old->state == SESSION_OVER)
        return HY_CODE_SESSION_OVER;
    if (old == NULL)
        return may_be_unknown(p, s) && rival(user, mode_of(p, s), s, &verdict) == NULL
                   ? 0
                   : HY_CODE_SESSION_OVER;
    if (old->state == SESSION_LIVES && (old->worker != worker || old->link != s->link))
        drop_link(p, old->worker, old->id, old->link);
    return 0;
}

static uint32_t place(struct presence *p, struct user *user, struct worker *worker,
                      const Hy__Session *s)
{
    struct session *session = session_find(user, s->session_id);
    struct session_start start = {s->session_id, (int)s->platform, s->device_id};

    if (session != NULL)
        session_bind(p->sessions, user, session, worker, s->link);
    else if (session_begin(p->sessions, user, &start, worker, s->link) == NULL)
        return HY_CODE_BUSY;
    return 0;
}

static void answer_opened(struct presence *p, struct hy_peer *peer, const struct hy_record *record,
                          uint32_t code)
{
    Hy__SessionOpened opened = HY__SESSION_OPENED__INIT;

    opened.code = code;
    opened.info = (char *)hy_code_text(code);
    hy_add(p->refused, 1);
    hy_bus_answer_pb(peer, record->kind, record->id, &opened.base);
}

bool gates_open(struct presence *p, struct hy_peer *peer, const struct hy_record *record)
{
    Hy__SessionOpen *open = hy__session_open__unpack(&p->arena.pb, record->len, record->payload);
    struct worker *worker = worker_of(p, peer);
    uint32_t code = HY_CODE_BUSY;

    if (open == NULL || open->session == NULL || *open->session->user == '\0' ||
        strlen(open->session->device_id) > DEVICE_ID_MAX)
        return false;
    const Hy__Session *s = open->session;
    struct user *user = sessions_make(p->sessions, s->app, s->user);

    if (worker == NULL || user == NULL) {
        answer_opened(p, peer, record, code);
        return true;
    }
    sessions_pin(user);
    code = 0;
    const struct session *known = session_find(user, s->session_id);

    if (open->resume)
        code = resume(p, user, worker, s);
    else if (known != NULL && known->state == SESSION_OVER)
        code = HY_CODE_SESSION_OVER; /* an old request, late */
    else
        kick_rivals(p, user, mode_of(p, s), s);
    if (code == 0)
        code = place(p, user, worker, s);
    if (code == 0) {
        struct hy_reply reply = hy_bus_reply_to(peer, record);

        watch_reply(p->watch, user, &reply);
    } else {
        answer_opened(p, peer, record, code);
    }
    sessions_unpin(p->sessions, user);
    return true;
}

bool gates_close(struct presence *p, struct hy_peer *peer, const struct hy_record *record)
{
    Hy__SessionClose *close = hy__session_close__unpack(&p->arena.pb, record->len, record->payload);
    struct worker *worker = worker_of(p, peer);

    if (close == NULL)
        return false;
    struct user *user = sessions_find(p->sessions, close->app, close->user);
    struct session *session = user != NULL ? session_find(user, close->session_id) : NULL;

    /* Another worker may have it by now. */
    if (session != NULL && session->state == SESSION_LIVES && session->worker == worker &&
        session->link == close->link) {
        sessions_pin(user);
        if (close->signed_out)
            session_end(p->sessions, user, session, hy_loop_now_ms(p->loop));
        else
            session_lose(p->sessions, user, session, hy_loop_now_ms(p->loop));
        sessions_unpin(p->sessions, user);
    }
    hy_bus_answer(peer, record->kind, record->id, NULL, 0);
    return true;
}

/* ---- leases and registration ---- */

static void ask_register(struct presence *p, const struct worker *worker)
{
    struct hy_peer *peer = hy_bus_find(p->bus, worker->name);

    if (peer != NULL && hy_bus_send(peer, HY__BUS_KIND__GATEWAY_REGISTER, 0, NULL, 0) == HY_OK)
        hy_log_info("worker.register_asked", "worker=%s sessions=%u", worker->name,
                    worker->tally.count);
}

bool gates_lease(struct presence *p, struct hy_peer *peer, const struct hy_record *record)
{
    Hy__Lease *lease = hy__lease__unpack(&p->arena.pb, record->len, record->payload);
    struct worker *worker = worker_of(p, peer);

    if (lease == NULL)
        return false;
    if (worker == NULL)
        return true;
    const struct tally theirs = {lease->sessions, lease->digest};

    /* Nothing there, nothing here: as good as registered. */
    if (theirs.count == 0 && worker->tally.count == 0)
        worker->registered = true;
    if (lease_renew(&worker->lease, &theirs, &worker->tally, hy_loop_now_ms(p->loop)))
        ask_register(p, worker);
    return true;
}

/* opened: at the other process that knows about the user, just now. */
static void take_over(struct presence *p, struct worker *worker, const Hy__Session *s, bool opened)
{
    struct user *user = *s->user != '\0' ? sessions_make(p->sessions, s->app, s->user) : NULL;
    struct session *known = user != NULL ? session_find(user, s->session_id) : NULL;

    if (user == NULL || strlen(s->device_id) > DEVICE_ID_MAX)
        return;
    if (known != NULL && known->state == SESSION_OVER) {
        /* The gateway missed the kick. */
        Hy__KickedNotice notice = HY__KICKED_NOTICE__INIT;

        notice.why = HY__KICKED_NOTICE__WHY__OTHER_DEVICE;
        notice.code = HY_CODE_KICKED_BY_DEVICE;
        session_bind(p->sessions, user, known, worker, s->link);
        presence_kick(p, user, known, &notice);
    } else if (known == NULL || known->state != SESSION_LIVES || known->worker == worker ||
               opened) {
        (void)!place(p, user, worker,
                     s); /* without memory the next lease differs, and asks again */
    } else {
        drop_link(p, worker, s->session_id, s->link); /* it lives elsewhere */
    }
}

struct leaving {
    struct presence *presence;
    const struct worker *worker;
    bool all; /* or those that its registration did not name */
};

/* A session whose opening was not answered yet when the worker wrote its list is not on it. If one
 * is spared that is gone indeed, the next leases differ and it is asked again. */
static bool leaves(const struct leaving *l, const struct session *s)
{
    uint32_t age_ms = (uint32_t)hy_loop_now_ms(l->presence->loop) - s->bound_ms;

    if (s->state != SESSION_LIVES || s->worker != l->worker)
        return false;
    return l->all || (s->epoch != l->worker->epoch && age_ms > OPENING_MS);
}

static void leave(void *arg, struct user *user)
{
    const struct leaving *l = arg;
    struct presence *p = l->presence;
    bool owned = presence_owns(p, user->app, user->name);

    sessions_pin(user);
    for (struct session *s = user->sessions, *next; s != NULL; s = next) {
        next = s->next;
        if (!leaves(l, s))
            continue;
        /* A user of another process went back there: he is not offline. */
        if (owned)
            session_lose(p->sessions, user, s, hy_loop_now_ms(p->loop));
        else
            session_forget(p->sessions, user, s);
    }
    sessions_unpin(p->sessions, user);
}

bool gates_register(struct presence *p, struct hy_peer *peer, const struct hy_record *record)
{
    Hy__Register *reg = hy__register__unpack(&p->arena.pb, record->len, record->payload);
    struct worker *worker = worker_of(p, peer);

    if (reg == NULL)
        return false;
    if (worker == NULL)
        return true;
    if (reg->first)
        worker->epoch++;
    for (size_t i = 0; i < reg->n_sessions; i++)
        take_over(p, worker, reg->sessions[i], reg->opened);
    if (reg->last) {
        sessions_each(p->sessions, leave, &(struct leaving){p, worker, false});
        worker->registered = true;
        hy_log_info("worker.registered", "worker=%s sessions=%u", worker->name,
                    worker->tally.count);
    }
    lease_heard(&worker->lease, hy_loop_now_ms(p->loop));
    hy_bus_answer(peer, record->kind, record->id, NULL, 0);
    return true;
}

void gates_peer(struct presence *p, struct hy_peer *peer, enum hy_peer_event event)
{
    struct worker *worker = workers_find(&p->workers, hy_peer_name(peer));

    if (event == HY_PEER_DOWN) {
        hy_peer_set_data(peer, NULL);
        if (worker != NULL)
            worker->up = false;
        return;
    }
    hy_peer_set_data(peer, NULL);
    worker = worker_of(p, peer);
    if (worker == NULL)
        return;
    worker->up = true;
    lease_heard(&worker->lease, hy_loop_now_ms(p->loop));
    if (event == HY_PEER_RESTARTED) /* its links went with it */
        sessions_each(p->sessions, leave, &(struct leaving){p, worker, true});
    worker->registered = false;
    ask_register(p, worker);
}

void gates_recount(struct presence *p)
{
    uint64_t now_ms = hy_loop_now_ms(p->loop);

    for (struct worker *w = p->workers.first; w != NULL; w = w->next) {
        lease_heard(&w->lease, now_ms);
        w->registered = false;
        ask_register(p, w);
    }
}

void gates_tick(struct presence *p, uint64_t now_ms)
{
    for (struct worker *w = p->workers.first; w != NULL; w = w->next) {
        if (w->tally.count == 0 || !lease_over(&w->lease, now_ms, p->lease_ms))
            continue;
        hy_log_warn("worker.lost", "worker=%s sessions=%u", w->name, w->tally.count);
        sessions_each(p->sessions, leave, &(struct leaving){p, w, true});
    }
    workers_tidy(&p->workers);
}
