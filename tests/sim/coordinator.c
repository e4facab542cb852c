/* The coordinator: values changed by compare and set, leases, a watch; away at times, and then
 * nobody knows what became of a change. */

#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

enum { LEASE_US = 6 * SECOND, TRUST_MS = 4000, PATIENCE_US = 1 * SECOND };

struct request {
    struct copy_change change;
    uint64_t number, lease;
    enum hy_err err;
    struct copy_state state;
    uint64_t revision;
};

static struct lease *find_lease(struct coordinator *c, uint64_t id)
{
    for (size_t i = 0; id != 0 && i < sizeof c->leases / sizeof *c->leases; i++)
        if (c->leases[i].id == id)
            return &c->leases[i];
    return NULL;
}

/* ---- the watch ---- */

struct view {
    struct copy_state state;
    uint64_t revision;
};

static void see(struct sim *sim, struct event *event)
{
    const struct view *view = event->data;

    node_view(sim, event->node, &view->state, view->revision);
}

static void show(struct sim *sim, int node)
{
    struct pipe *pipe = &sim->pipe[NODES_MAX][node];
    bool holds = pipe->holds;
    struct view *view = malloc(sizeof *view);
    uint64_t at;

    if (view == NULL)
        abort();
    *view = (struct view){sim->coordinator.state, sim->coordinator.revision};
    pipe->holds = true; /* a watch goes on where it was */
    at = net_arrival_us(sim, NODES_MAX, node);
    pipe->holds = holds;
    sim_after(sim, at - sim->now_us,
              &(struct event){.fn = see, .node = node, .life = sim->node[node].life, .data = view});
}

static void changed(struct sim *sim)
{
    sim->coordinator.revision++;
    for (int i = 0; i < sim->nodes; i++)
        if (sim->node[i].up)
            show(sim, i);
}

/* ---- changes ---- */

static enum hy_err test(const struct coordinator *c, const struct copy_change *change)
{
    const struct copy_state *s = &c->state;
    bool absent = change->leader_created == 0;

    if (change->kind == CHANGE_TAKE)
        absent = true;
    if (absent ? s->led : (!s->led || s->leader_created != change->leader_created))
        return HY_EEXIST;
    if (change->kind == CHANGE_DROP)
        return HY_OK;
    if (change->state_there ? (!s->there || s->changed != change->state_changed) : s->there)
        return HY_EEXIST;
    return HY_OK;
}

static void put_state(struct coordinator *c, const struct copy_change *change)
{
    c->state.there = true;
    c->state.changed = c->revision + 1;
    c->state.epoch = change->epoch;
    c->state.set = change->set;
    memcpy(c->state.heir, change->heir, sizeof c->state.heir);
}

static void put_key(struct sim *sim, int node, uint64_t epoch, uint64_t lease)
{
    struct coordinator *c = &sim->coordinator;

    if (!c->state.led)
        c->state.leader_created = c->revision + 1;
    c->state.led = true;
    memcpy(c->state.leader, sim->node[node].name, sizeof c->state.leader);
    c->state.leader_epoch = epoch;
    c->key_lease = lease;
}

static enum hy_err apply(struct sim *sim, int node, const struct request *request)
{
    struct coordinator *c = &sim->coordinator;
    const struct copy_change *change = &request->change;
    bool leased = change->kind == CHANGE_TAKE || change->kind == CHANGE_CLAIM;
    enum hy_err err = test(c, change);

    if (leased && find_lease(c, request->lease) == NULL)
        return HY_ECLOSED;
    if (err != HY_OK)
        return err;
    if (change->kind == CHANGE_TAKE || change->kind == CHANGE_SET || change->kind == CHANGE_RELEASE)
        put_state(c, change);
    if (leased)
        put_key(sim, node, change->epoch, request->lease);
    else if (change->kind != CHANGE_SET)
        c->state.led = false;
    changed(sim);
    SIM_SAY(sim, "coordinator: change %d of %s, epoch %lu, %zu in sync", change->kind,
            sim->node[node].name, change->epoch, c->state.set.count);
    faults_changed(sim, node);
    return HY_OK;
}

static void done(struct sim *sim, struct event *event)
{
    struct node *node = &sim->node[event->node];
    const struct request *request = event->data;

    if (request->number != node->change_number)
        return; /* it gave up before */
    node->change_number = 0;
    if (request->err == HY_OK)
        node_view(sim, event->node, &request->state, request->revision);
    copy_changed(node->copy, node_clock_ms(sim, node), request->err);
}

static void answer(struct sim *sim, int node, unsigned life, const struct request *request)
{
    uint64_t at = net_arrival_us(sim, NODES_MAX, node);
    struct request *copy;

    if (at == 0)
        return;
    copy = malloc(sizeof *copy);
    if (copy == NULL)
        abort();
    *copy = *request;
    copy->state = sim->coordinator.state;
    copy->revision = sim->coordinator.revision;
    sim_after(sim, at - sim->now_us,
              &(struct event){.fn = done, .node = node, .life = life, .data = copy});
}

static void decide(struct sim *sim, struct event *event)
{
    struct request *request = event->data;

    if (sim->now_us < sim->coordinator.down_until_us) {
        if (sim_chance(sim, 50)) {
            sim->coordinator.under_way--;
            return;
        }
        sim_after(sim, sim->coordinator.down_until_us - sim->now_us, event); /* a little later */
        event->data = NULL;
        return;
    }
    sim->coordinator.under_way--;
    request->err = apply(sim, event->from, request);
    answer(sim, event->from, (unsigned)event->a, request);
}

static void gave_up(struct sim *sim, struct event *event)
{
    struct node *node = &sim->node[event->node];

    if (node->change_number != event->a)
        return;
    node->change_number = 0;
    copy_changed(node->copy, node_clock_ms(sim, node), HY_ETIMEOUT);
}

void coordinator_change(struct sim *sim, int node, const struct copy_change *change)
{
    struct node *n = &sim->node[node];
    uint64_t at = net_arrival_us(sim, node, NODES_MAX);
    struct request *request = calloc(1, sizeof *request);

    if (request == NULL)
        abort();
    request->change = *change;
    request->number = n->change_number = ++sim->changes;
    request->lease = n->lease;
    sim_after(sim, PATIENCE_US,
              &(struct event){.fn = gave_up, .node = node, .life = n->life, .a = request->number});
    sim->coordinator.under_way += at != 0;
    if (at == 0)
        free(request);
    else
        sim_after(
            sim, at - sim->now_us,
            &(struct event){.fn = decide, .node = -1, .from = node, .a = n->life, .data = request});
}

/* ---- leases ---- */

static void end_lease(struct sim *sim, struct lease *lease)
{
    struct coordinator *c = &sim->coordinator;

    if (c->state.led && c->key_lease == lease->id) {
        c->state.led = false;
        SIM_SAY(sim, "coordinator: the lease of %s is over", c->state.leader);
        changed(sim);
    }
    lease->id = 0;
}

static void look_at_leases(struct sim *sim, struct event *event)
{
    struct coordinator *c = &sim->coordinator;

    for (size_t i = 0; i < sizeof c->leases / sizeof *c->leases; i++)
        if (c->leases[i].id != 0 && sim->now_us >= c->leases[i].until_us &&
            sim->now_us >= c->down_until_us)
            end_lease(sim, &c->leases[i]);
    sim_after(sim, 50 * MS, event);
}

static uint64_t grant(struct sim *sim)
{
    struct coordinator *c = &sim->coordinator;

    for (size_t i = 0; i < sizeof c->leases / sizeof *c->leases; i++)
        if (c->leases[i].id == 0) {
            c->leases[i] = (struct lease){++c->leases_made, sim->now_us + LEASE_US};
            return c->leases_made;
        }
    return 0;
}

/* a: the lease, 0: a new one is wanted; b: when it was asked, by the node's clock; c: whether it
 * was there. */
static void renewed(struct sim *sim, struct event *event)
{
    struct node *node = &sim->node[event->node];

    if (event->c == 0) {
        if (node->lease == event->a) {
            node->lease = 0;
            node->trusted_until_ms = 0;
            copy_lease_lost(node->copy, node_clock_ms(sim, node));
        }
        return;
    }
    if (node->lease != 0 && node->lease != event->a)
        return;
    node->lease = event->a;
    if (event->b + TRUST_MS > node->trusted_until_ms)
        node->trusted_until_ms = event->b + TRUST_MS;
}

static void on_renew(struct sim *sim, struct event *event)
{
    struct coordinator *c = &sim->coordinator;
    struct lease *lease = find_lease(c, event->a);
    struct event back = *event;
    uint64_t at;

    back.data = NULL;
    back.fn = renewed;
    back.node = event->from;
    back.life = (unsigned)event->c;
    back.c = 1;
    if (sim->now_us < c->down_until_us)
        return;
    if (event->a == 0)
        back.a = grant(sim);
    else if (lease != NULL)
        lease->until_us = sim->now_us + LEASE_US;
    else
        back.c = 0;
    at = net_arrival_us(sim, NODES_MAX, event->from);
    if (at != 0)
        sim_after(sim, at - sim->now_us, &back);
}

static void renew(struct sim *sim, struct event *event)
{
    struct node *node = &sim->node[event->node];
    uint64_t at = net_arrival_us(sim, event->node, NODES_MAX);

    if (at != 0)
        sim_after(sim, at - sim->now_us,
                  &(struct event){.fn = on_renew,
                                  .node = -1,
                                  .from = event->node,
                                  .a = node->lease,
                                  .b = node_clock_ms(sim, node),
                                  .c = node->life});
    sim_after(sim, node->lease == 0 ? 300 * MS : 1 * SECOND, event);
}

/* A process that starts again ends the lease of the one before, if it gets through. */
static void revoke(struct sim *sim, struct event *event)
{
    struct lease *lease = find_lease(&sim->coordinator, event->a);

    if (lease != NULL && sim->now_us >= sim->coordinator.down_until_us)
        end_lease(sim, lease);
}

void coordinator_start(struct sim *sim, int node)
{
    struct node *n = &sim->node[node];
    struct event once = {.fn = renew, .node = node, .life = n->life};

    if (sim->coordinator.leases_made == 0 && n->life == 1 && node == 0)
        sim_after(sim, 0, &(struct event){.fn = look_at_leases, .node = -1});
    if (n->lease != 0 && sim_chance(sim, 70))
        sim_after(sim, 1 * MS, &(struct event){.fn = revoke, .node = -1, .a = n->lease});
    n->lease = 0;
    n->trusted_until_ms = 0;
    n->change_number = 0;
    n->view = 0;
    sim_after(sim, 0, &once);
    show(sim, node);
}

/* Back with a new leader of its own, it gives every lease its whole time again; or it does not. */
void coordinator_down(struct sim *sim, uint64_t for_us)
{
    struct coordinator *c = &sim->coordinator;

    c->down_until_us = sim->now_us + for_us;
    if (sim_chance(sim, 50))
        for (size_t i = 0; i < sizeof c->leases / sizeof *c->leases; i++)
            c->leases[i].until_us = c->down_until_us + LEASE_US;
}
