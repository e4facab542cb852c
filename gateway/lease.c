#include "gateway/lease.h"

#include <stdlib.h>

#include "cluster.pb-c.h"
#include "common/slot.h"
#include "gateway/session.h"
#include "gateway/worker.h"

enum { CHUNK = 1000 }; /* sessions in one Register */

/* The sessions of one presence process. */
struct lease {
    struct leases *all;
    int presence; /* its number */
    uint64_t digest;
    uint64_t call; /* of the Register under way; 0: none */
    uint32_t count;
    uint32_t cursor; /* of links_next(), for the next chunk */
    bool last;       /* the chunk under way is the last */
    bool again;      /* asked for once more meanwhile */
    bool moved;      /* sessions came or went with their owner; for leases_moved() */
    bool registered; /* it has been told of all, since it came up */
};

struct leases {
    struct worker *worker;
    size_t count;
    struct lease **leases; /* by number; NULL: none yet */
};

enum hy_err leases_open(struct worker *worker, struct leases **leases)
{
    struct leases *l = calloc(1, sizeof *l);

    if (l == NULL)
        return HY_ENOMEM;
    l->worker = worker;
    *leases = l;
    return HY_OK;
}

void leases_close(struct leases **leases)
{
    struct leases *l = *leases;

    if (l == NULL)
        return;
    *leases = NULL;
    for (size_t i = 0; i < l->count; i++) {
        if (l->leases[i] != NULL && l->leases[i]->call != 0)
            hy_bus_cancel(upstream_bus(l->worker->upstream), l->leases[i]->call);
        free(l->leases[i]);
    }
    free(l->leases);
    free(l);
}

/* The lease at a presence process; NULL: no such process. */
static struct lease *lease_at(struct leases *leases, int i)
{
    size_t count = (size_t)i + 1;

    if (i < 0)
        return NULL;
    if (count > leases->count) {
        leases->leases = realloc(leases->leases, count * sizeof(struct lease *));
        if (leases->leases == NULL)
            abort(); /* a few bytes for each process of the cluster */
        for (; leases->count < count; leases->count++)
            leases->leases[leases->count] = NULL;
    }
    if (leases->leases[i] == NULL) {
        leases->leases[i] = calloc(1, sizeof(struct lease));
        if (leases->leases[i] == NULL)
            abort();
        leases->leases[i]->all = leases;
        leases->leases[i]->presence = i;
    }
    return leases->leases[i];
}

static struct hy_peer *peer_of(const struct lease *lease)
{
    return upstream_presence_at(lease->all->worker->upstream, lease->presence);
}

static bool is_up(const struct lease *lease)
{
    return peer_of(lease) != NULL && hy_peer_up(peer_of(lease));
}

/* Count a session in (by 1) or out (by -1) at a presence process. */
static void weigh(struct leases *leases, int presence, const struct session *session, int by)
{
    struct lease *lease = lease_at(leases, presence);

    if (lease == NULL)
        return;
    lease->count += (uint32_t)by;
    lease->digest ^= hy_mix64(session->id ^ session->link);
}

void lease_add(struct leases *leases, struct session *session)
{
    struct upstream *upstream = leases->worker->upstream;

    session->leased = true;
    session->presence = (int16_t)upstream_presence_of(upstream, session->slot);
    session->other = (int16_t)upstream_presence_other(upstream, session->slot);
    weigh(leases, session->presence, session, 1);
    weigh(leases, session->other, session, 1);
}

void lease_remove(struct leases *leases, struct session *session)
{
    if (!session->leased)
        return;
    weigh(leases, session->presence, session, -1);
    weigh(leases, session->other, session, -1);
    session->leased = false;
    session->presence = session->other = -1;
}

void leases_send(struct leases *leases)
{
    for (size_t i = 0; i < leases->count; i++) {
        const struct lease *lease = leases->leases[i];
        Hy__Lease msg = HY__LEASE__INIT;

        if (lease == NULL || !is_up(lease))
            continue;
        msg.sessions = lease->count;
        msg.digest = lease->digest;
        /* a lost lease is made up for by the next */
        (void)!hy_bus_send_pb(peer_of(lease), HY__BUS_KIND__PRESENCE_LEASE, 0, &msg.base);
    }
}

/* ---- registering ---- */

static void send_chunk(struct lease *lease, bool first);

static void begin(struct lease *lease)
{
    if (lease->call != 0) {
        lease->again = true;
        return;
    }
    lease->again = lease->last = lease->registered = false;
    lease->cursor = 0;
    send_chunk(lease, true);
}

static void on_registered(void *arg, enum hy_err err, const struct hy_record *answer)
{
    struct lease *lease = arg;
    bool again = lease->again;

    (void)answer;
    lease->call = 0;
    if (err == HY_OK && !lease->last && !again)
        send_chunk(lease, false);
    else if (again)
        begin(lease);
    else
        lease->registered = err == HY_OK; /* if not, the digest differs, and presence asks again */
}

static size_t gather(struct lease *lease, Hy__Session *sessions, Hy__Session **list)
{
    struct leases *leases = lease->all;
    size_t n = 0;

    while (n < CHUNK) {
        struct link *link = links_next(leases->worker->links, &lease->cursor);
        const struct session *session = link == NULL ? NULL : link_session(link);

        if (link == NULL) {
            lease->last = true;
            break;
        }
        if (session == NULL || !session->leased || session->begun != NULL ||
            (session->presence != lease->presence && session->other != lease->presence))
            continue;
        session_describe(session, &sessions[n]);
        list[n] = &sessions[n];
        n++;
    }
    return n;
}

/* Chunks go one after the other: a late first one would make presence forget the rest. */
static void send_chunk(struct lease *lease, bool first)
{
    struct worker *worker = lease->all->worker;
    struct hy_call call = {.kind = HY__BUS_KIND__PRESENCE_REGISTER,
                           .peer = peer_of(lease),
                           .done = on_registered,
                           .arg = lease};
    Hy__Session *sessions = malloc(CHUNK * sizeof *sessions);
    Hy__Session **list = malloc(CHUNK * sizeof(Hy__Session *));
    Hy__Register msg = HY__REGISTER__INIT;

    if (sessions != NULL && list != NULL) {
        msg.n_sessions = gather(lease, sessions, list);
        msg.sessions = list;
        msg.first = first;
        msg.last = lease->last;
        lease->call = hy_bus_call_pb(upstream_bus(worker->upstream), &call, &msg.base);
    }
    free(list);
    free(sessions);
}

void lease_register(struct leases *leases, struct hy_peer *presence)
{
    int i = upstream_presence_index(leases->worker->upstream, presence);

    if (i >= 0)
        begin(lease_at(leases, i));
}

void lease_peer(struct leases *leases, const struct hy_peer *presence)
{
    struct lease *lease =
        lease_at(leases, upstream_presence_index(leases->worker->upstream, presence));

    if (lease != NULL)
        lease->registered = false;
}

static void on_told(void *arg, enum hy_err err, const struct hy_record *answer)
{
    (void)arg;
    (void)err; /* the digest differs */
    (void)answer;
}

static void tell_opened(struct leases *leases, int presence, const struct session *session)
{
    struct hy_call call = {.kind = HY__BUS_KIND__PRESENCE_REGISTER,
                           .peer = upstream_presence_at(leases->worker->upstream, presence),
                           .done = on_told};
    Hy__Session described, *list[] = {&described};
    Hy__Register msg = HY__REGISTER__INIT;

    if (call.peer == NULL)
        return;
    session_describe(session, &described);
    msg.n_sessions = 1;
    msg.sessions = list;
    msg.opened = true;
    hy_bus_call_pb(upstream_bus(leases->worker->upstream), &call, &msg.base);
}

void lease_opened(struct leases *leases, const struct session *session)
{
    if (!session->leased || session->other < 0)
        return;
    tell_opened(leases, session->presence, session); /* the owner may have changed meanwhile */
    tell_opened(leases, session->other, session);
}

/* Give a session to a presence process that knows about its user now, in place of another. */
static void give(struct leases *leases, const struct session *session, int was, int now)
{
    weigh(leases, was, session, -1);
    weigh(leases, now, session, 1);
    if (was >= 0)
        lease_at(leases, was)->moved = true;
    if (now >= 0)
        lease_at(leases, now)->moved = true;
}

static void move(struct leases *leases, struct session *session)
{
    struct upstream *upstream = leases->worker->upstream;
    int16_t owner = (int16_t)upstream_presence_of(upstream, session->slot);
    int16_t other = (int16_t)upstream_presence_other(upstream, session->slot);

    if (owner == session->other && other == session->presence) {
        session->presence = owner; /* they change places: both know him */
        session->other = other;
        return;
    }
    if (session->presence != owner && session->other == owner) { /* the other one is alone now */
        session->other = session->presence;
        session->presence = owner;
    }
    if (session->presence != owner)
        give(leases, session, session->presence, owner);
    if (session->other != other)
        give(leases, session, session->other, other);
    session->presence = owner;
    session->other = other;
}

void leases_moved(struct leases *leases)
{
    uint32_t cursor = 0;
    struct link *link;

    while ((link = links_next(leases->worker->links, &cursor)) != NULL)
        if (link_session(link) != NULL && link_session(link)->leased)
            move(leases, link_session(link));
    for (size_t i = 0; i < leases->count; i++) {
        struct lease *lease = leases->leases[i];

        if (lease == NULL)
            continue;
        if (lease->moved && is_up(lease))
            begin(lease);
        lease->moved = false;
    }
}

bool leases_done(struct leases *leases, int presence, enum hy_node_state state)
{
    const struct lease *of = lease_at(leases, presence);

    if (state == HY_NODE_JOINING)
        return of != NULL && of->registered && of->call == 0;
    for (size_t i = 0; i < leases->count && state == HY_NODE_LEAVING; i++) {
        const struct lease *lease = leases->leases[i];

        if (lease != NULL && lease != of && is_up(lease) && lease->count > 0 &&
            (lease->call != 0 || !lease->registered))
            return false;
    }
    return true;
}
