/* Clients: each does one thing after the other, appends or reads, and asks again until it is told.
 */

#include <string.h>

#include "tests/sim/sim.h"

enum { PATIENCE_US = 700 * MS };

static void ask(struct sim *sim, int number);

/* Some only read, and stay with a node whether it leads or not: who leads no more has readers. */
static bool stays(const struct sim *sim, int number)
{
    return sim->readers && number >= CLIENTS / 2;
}

static void elsewhere(struct sim *sim, int number)
{
    if (!stays(sim, number) || sim_chance(sim, 5))
        sim->clients[number].asks = (int)sim_random(sim, (uint64_t)sim->nodes);
}

static void gave_up(struct sim *sim, struct event *event)
{
    struct client *c = &sim->clients[event->from];

    if (c->idle || c->call != event->b)
        return;
    elsewhere(sim, event->from);
    ask(sim, event->from);
}

/* A read that is asked again is another read; an append stays what it is. */
static void ask(struct sim *sim, int number)
{
    struct client *c = &sim->clients[number];
    struct node *node = &sim->node[c->asks];

    c->call = ++sim->calls;
    if (c->op == 0)
        c->told_before = sim->truth.told;
    sim_after(sim, PATIENCE_US,
              &(struct event){.fn = gave_up, .node = -1, .from = number, .b = c->call});
    if (node->up)
        sim_after(sim, sim_between(sim, 50, 1 * MS),
                  &(struct event){.fn = node_request,
                                  .node = c->asks,
                                  .life = node->life,
                                  .a = (uint64_t)number,
                                  .b = c->call,
                                  .c = c->op});
}

static void begin(struct sim *sim, struct event *event)
{
    struct client *c = &sim->clients[event->from];

    c->idle = true;
    if (sim->stopping)
        return;
    c->idle = false;
    c->op = !stays(sim, event->from) && sim_chance(sim, 65) ? ++sim->ops : 0;
    c->told_before = sim->truth.told;
    ask(sim, event->from);
}

static void again(struct sim *sim, struct event *event)
{
    if (!sim->clients[event->from].idle && sim->clients[event->from].call == event->b)
        ask(sim, event->from);
}

void client_answer(struct sim *sim, int node, const struct pending *p, bool ok)
{
    struct client *c = &sim->clients[p->client];

    if (ok && p->read && p->call == c->call)
        truth_read(sim, node, p, c->told_before);
    if (ok && !p->read)
        truth_appended(sim, node, p, p->op == c->op ? c->told_before : 0);
    if (c->idle || (p->read ? p->call != c->call : p->op != c->op))
        return;
    if (ok) {
        c->call = ++sim->calls; /* whatever comes yet is of no use */
        c->op = 0;
        c->idle = true;
        sim_after(sim, sim_between(sim, 1 * MS, 80 * MS),
                  &(struct event){.fn = begin, .node = -1, .from = p->client});
    } else if (p->call == c->call) {
        elsewhere(sim, p->client);
        sim_after(sim, 40 * MS,
                  &(struct event){.fn = again, .node = -1, .from = p->client, .b = c->call});
    }
}

void clients_start(struct sim *sim)
{
    for (int i = 0; i < CLIENTS; i++)
        sim_after(sim, sim_random(sim, 100 * MS),
                  &(struct event){.fn = begin, .node = -1, .from = i});
}
