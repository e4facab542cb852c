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
    struct hy_peer *peer;
    uint64_t digest;
    uint64_t call; /* of the Register under way; 0: none */
    uint32_t count;
    uint32_t cursor; /* of links_next(), for the next chunk */
    bool last;       /* the chunk under way is the last */
    bool again;      /* asked for once more meanwhile */
    bool moved;      /* sessions came or went with their owner; for leases_moved() */
};

struct leases {
    struct worker *worker;
    size_t count;
    struct lease leases[];
};

enum hy_err leases_open(struct worker *worker, struct leases **leases)
{
    size_t count = upstream_presence_count(worker->upstream);
    struct leases *l = calloc(1, sizeof *l + count * sizeof l->leases[0]);

    if (l == NULL)
        return HY_ENOMEM;
    l->worker = worker;
    l->count = count;
    for (size_t i = 0; i < count; i++) {
        l->leases[i].all = l;
        l->leases[i].peer = upstream_presence_at(worker->upstream, i);
    }
    *leases = l;
    return HY_OK;
}

void leases_close(struct leases **leases)
{
    struct leases *l = *leases;

    if (l == NULL)
        return;
    *leases = NULL;
    for (size_t i = 0; i < l->count; i++)
        if (l->leases[i].call != 0)
            hy_bus_cancel(upstream_bus(l->worker->upstream), l->leases[i].call);
    free(l);
}

static int16_t index_of(const struct leases *leases, const struct hy_peer *peer)
{
    for (size_t i = 0; peer != NULL && i < leases->count; i++)
        if (leases->leases[i].peer == peer)
            return (int16_t)i;
    return -1;
}

/* Count a session in (by 1) or out (by -1) where it is leased. */
static void weigh(struct leases *leases, const struct session *session, int by)
{
    struct lease *lease;

    if (session->presence < 0)
        return;
    lease = &leases->leases[session->presence];
    lease->count += (uint32_t)by;
    lease->digest ^= hy_mix64(session->id ^ session->link);
}

void lease_add(struct leases *leases, struct session *session)
{
    struct hy_peer *peer = upstream_presence_of(leases->worker->upstream, session->slot);

    session->leased = true;
    session->presence = index_of(leases, peer);
    weigh(leases, session, 1);
}

void lease_remove(struct leases *leases, struct session *session)
{
    if (!session->leased)
        return;
    weigh(leases, session, -1);
    session->leased = false;
    session->presence = -1;
}

void leases_send(struct leases *leases)
{
    for (size_t i = 0; i < leases->count; i++) {
        struct lease *lease = &leases->leases[i];
        Hy__Lease msg = HY__LEASE__INIT;

        msg.sessions = lease->count;
        msg.digest = lease->digest;
        if (hy_peer_up(lease->peer)) /* a lost lease is made up for by the next */
            (void)!hy_bus_send_pb(lease->peer, HY__BUS_KIND__PRESENCE_LEASE, 0, &msg.base);
    }
}

/* ---- registering ---- */

static void send_chunk(struct lease *lease, bool first);

static void on_registered(void *arg, enum hy_err err, const struct hy_record *answer)
{
    struct lease *lease = arg;
    bool again = lease->again;

    (void)answer;
    lease->call = 0;
    if (err == HY_OK && !lease->last && !again)
        send_chunk(lease, false);
    else if (again)
        lease_register(lease->all, lease->peer);
    /* after an error the digest differs, and presence asks again */
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
        if (session == NULL || session->presence < 0 || session->begun != NULL ||
            &leases->leases[session->presence] != lease)
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
                           .peer = lease->peer,
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
    int16_t i = index_of(leases, presence);
    struct lease *lease;

    if (i < 0)
        return;
    lease = &leases->leases[i];
    if (lease->call != 0) {
        lease->again = true;
        return;
    }
    lease->again = lease->last = false;
    lease->cursor = 0;
    send_chunk(lease, true);
}

/* Give a session to the presence process that owns its user now. */
static void move(struct leases *leases, struct session *session)
{
    int16_t now = index_of(leases, upstream_presence_of(leases->worker->upstream, session->slot));
    int16_t was = session->presence;

    if (was == now)
        return;
    weigh(leases, session, -1);
    session->presence = now;
    weigh(leases, session, 1);
    if (was >= 0)
        leases->leases[was].moved = true;
    if (now >= 0)
        leases->leases[now].moved = true;
}

void leases_moved(struct leases *leases)
{
    uint32_t cursor = 0;
    struct link *link;

    while ((link = links_next(leases->worker->links, &cursor)) != NULL)
        if (link_session(link) != NULL && link_session(link)->leased)
            move(leases, link_session(link));
    for (size_t i = 0; i < leases->count; i++) {
        struct lease *lease = &leases->leases[i];

        if (lease->moved && hy_peer_up(lease->peer))
            lease_register(leases, lease->peer);
        lease->moved = false;
    }
}
