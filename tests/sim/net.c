/* The network: in order within a connection; connections break, what was under way is lost or comes
 * late, ways are cut in one direction. */

#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

uint64_t net_arrival_us(struct sim *sim, int from, int to)
{
    struct pipe *pipe = &sim->pipe[from][to];
    uint64_t at = sim->now_us + sim_between(sim, 20, 400);

    if (sim_chance(sim, 2) && !sim->healing)
        at += sim_between(sim, 1 * MS, 300 * MS);
    if (pipe->cut_until_us > at) {
        if (!pipe->holds)
            return 0;
        at = pipe->cut_until_us;
    }
    if (at <= pipe->last_us)
        at = pipe->last_us + 1;
    pipe->last_us = at;
    return at;
}

static void arrive(struct sim *sim, struct event *event)
{
    struct node *node = &sim->node[event->node];
    const struct pipe *pipe = &sim->pipe[event->from][event->node];
    const struct msg *msg = event->data;

    if (!node->up || (event->a != pipe->connection && event->b < 70))
        return;
    copy_received(node->copy, node_clock_ms(sim, node), sim->node[event->from].name, msg);
}

void net_send(struct sim *sim, int from, int to, const struct msg *msg)
{
    uint64_t at = net_arrival_us(sim, from, to);
    struct msg *copy;

    if (at == 0 || !sim->node[to].up)
        return;
    copy = malloc(sizeof *copy + sizeof(struct entry));
    if (copy == NULL)
        abort();
    *copy = *msg;
    if (msg->kind == MSG_BATCH) {
        memcpy(copy + 1, msg->batch.bytes, sizeof(struct entry));
        copy->batch.bytes = (const uint8_t *)(copy + 1);
    }
    sim_after(sim, at - sim->now_us,
              &(struct event){.fn = arrive,
                              .node = to,
                              .life = sim->node[to].life,
                              .from = from,
                              .a = sim->pipe[from][to].connection,
                              .b = sim_random(sim, 100),
                              .data = copy});
}
