#include "gateway/session.h"

#include <stdlib.h>
#include <string.h>

#include "common/slot.h"
#include "gateway/address.h"
#include "gateway/audience.h"
#include "gateway/lease.h"
#include "gateway/send.h"
#include "gateway/signin.h"
#include "gateway/worker.h"

struct session *session_make(uint32_t app, const char *user, const char *device_id)
{
    size_t user_len = strlen(user), device_len = strlen(device_id);
    struct session *s = calloc(1, sizeof *s + user_len + device_len + 2);

    if (s == NULL)
        return NULL;
    s->app = app;
    s->slot = hy_slot_user(app, user);
    s->presence = s->other = -1;
    s->user_len = (uint8_t)user_len;
    memcpy(s->user, user, user_len + 1);
    memcpy(s->user + user_len + 1, device_id, device_len + 1);
    return s;
}

void session_free(struct session **session)
{
    struct session *s = *session;

    if (s == NULL)
        return;
    *session = NULL;
    wheel_clear(&s->grace);
    free(s);
}

const char *session_device(const struct session *session)
{
    return session->user + session->user_len + 1;
}

void session_describe(const struct session *session, Hy__Session *out)
{
    hy__session__init(out);
    out->app = session->app;
    out->user = (char *)(uintptr_t)session->user;
    out->session_id = session->id;
    out->link = session->link;
    out->platform = (Hy__Platform)session->platform;
    out->device_id = (char *)(uintptr_t)session_device(session);
    out->opened_ms = session->opened_ms;
    out->multi_device = session->multi_device;
}

void session_caller(const struct session *session, const struct link *link, bool in_room,
                    Hy__Caller *out)
{
    hy__caller__init(out);
    out->app = session->app;
    out->user = (char *)(uintptr_t)session->user;
    out->session_id = session->id;
    out->platform = (Hy__Platform)session->platform;
    out->in_room = in_room;
    out->client_ip = address_bytes(link_ip(link));
}

/* Losing it does no harm: the lease's digest tells the difference. */
static void on_closed(void *arg, enum hy_err err, const struct hy_record *answer)
{
    (void)arg;
    (void)err;
    (void)answer;
}

static void tell_presence(struct worker *worker, const struct session *session, bool signed_out)
{
    Hy__SessionClose msg = HY__SESSION_CLOSE__INIT;
    struct hy_call other = {.kind = HY__BUS_KIND__PRESENCE_CLOSE,
                            .peer = upstream_presence_at(worker->upstream, session->other),
                            .done = on_closed};

    msg.app = session->app;
    msg.user = (char *)(uintptr_t)session->user;
    msg.session_id = session->id;
    msg.link = session->link;
    msg.signed_out = signed_out;
    upstream_presence(worker->upstream, session->slot, HY__BUS_KIND__PRESENCE_CLOSE, 0, &msg.base,
                      on_closed, NULL);
    if (other.peer != NULL)
        hy_bus_call_pb(upstream_bus(worker->upstream), &other, &msg.base);
}

/* The session is over with its link, and cannot be resumed. */
static bool ends_session(enum link_end why)
{
    return why == LINK_END_SIGNED_OUT || why == LINK_END_KICKED || why == LINK_END_SIG_EXPIRED ||
           why == LINK_END_APP;
}

void session_ended(struct worker *worker, struct session *session, enum link_end why)
{
    bool over = ends_session(why);
    bool begun = session->begun != NULL;

    if (begun)
        over |= signin_forget(worker, session);
    send_free(session);
    /* A presence process that ended it knows; but of two, only that one does. */
    if (session->leased && why != LINK_END_RESUMED &&
        (why != LINK_END_KICKED || session->other >= 0))
        tell_presence(worker, session, over);
    lease_remove(worker->leases, session);
    session->link = 0;
    if (begun) {
        session_free(&session); /* it was never anyone's */
        return;
    }
    hy_add(worker->metrics->sessions, -1);
    audience_lost(worker->audience, session, over ? 0 : worker->limits.resume_grace_ms);
}
