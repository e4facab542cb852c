/* What goes wrong, drawn from the seed. */

#include <stdio.h>

#include "tests/sim/sim.h"

static int any_node(struct sim *sim)
{
    return (int)sim_random(sim, (uint64_t)sim->nodes);
}

static int leader(struct sim *sim)
{
    for (int i = 0; i < sim->nodes; i++)
        if (sim->node[i].up && copy_leads(sim->node[i].copy))
            return i;
    return any_node(sim);
}

/* Leaders are where it hurts. */
static int victim(struct sim *sim)
{
    return sim_chance(sim, 50) ? leader(sim) : any_node(sim);
}

static void start(struct sim *sim, struct event *event)
{
    node_start(sim, event->from);
}

static void restart_after(struct sim *sim, int node, uint64_t delay_us)
{
    sim_after(sim, delay_us, &(struct event){.fn = start, .node = -1, .from = node});
}

static uint64_t some_time(struct sim *sim)
{
    return sim_chance(sim, 60) ? sim_between(sim, 10 * MS, 500 * MS)
                               : sim_between(sim, 500 * MS, 9 * SECOND);
}

static void crash(struct sim *sim)
{
    int node = victim(sim);

    node_crash(sim, node);
    sim->node[node].disk.boot += sim_chance(sim, 30);
    restart_after(sim, node, some_time(sim));
}

static void crash_all(struct sim *sim)
{
    bool reboots = sim_chance(sim, 50);

    for (int i = 0; i < sim->nodes; i++) {
        node_crash(sim, i);
        sim->node[i].disk.boot += reboots;
        restart_after(sim, i, some_time(sim));
    }
}

/* Somewhere among its next steps. */
static void crash_soon(struct sim *sim)
{
    sim->node[victim(sim)].fuse = (unsigned)sim_between(sim, 1, 40);
}

/* A disk, or the end of what it confirmed, may be lost while another member, whole, is left of
 * those the coordinator counts: one that the leader, if it is the leader's disk, has not just told
 * to go back. */
static bool may_lose(const struct sim *sim, int node)
{
    const struct copy_state *s = &sim->coordinator.state;
    const struct node *lost = &sim->node[node];
    bool leads = lost->up && copy_leads(lost->copy);
    uint64_t acked, behind_ms;
    int others = 0;

    if (!s->there || sim->coordinator.under_way > 0)
        return false;
    for (size_t k = 0; k < s->set.count; k++)
        for (int i = 0; i < sim->nodes; i++) {
            struct copy_id id = {0};
            const struct node *n = &sim->node[i];

            snprintf(id.node, sizeof id.node, "%s", n->name);
            snprintf(id.db, sizeof id.db, "db%u", n->disk.db);
            snprintf(id.boot, sizeof id.boot, "boot%u", n->disk.boot);
            others += i != node && copy_id_ran_on(&id, &s->set.ids[k]) && !n->disk.marker &&
                      (!leads || copy_follower(lost->copy, n->name, 0, &acked, &behind_ms));
        }
    return others > 0;
}

static void wipe(struct sim *sim)
{
    int node = any_node(sim);

    if (!may_lose(sim, node) || sim_chance(sim, 50))
        return;
    node_crash(sim, node);
    disk_wipe(sim, &sim->node[node].disk);
    sim->truth.wiped_us = sim->now_us;
    SIM_SAY(sim, "%s loses its disk", sim->node[node].name);
    restart_after(sim, node, some_time(sim));
}

static void tear(struct sim *sim)
{
    int node = victim(sim);

    if (!may_lose(sim, node))
        return;
    node_crash(sim, node);
    disk_tear(sim, &sim->node[node].disk);
    sim->truth.wiped_us = sim->now_us;
    SIM_SAY(sim, "%s loses the end of its log, up to %lu is left", sim->node[node].name,
            log_latest(&sim->node[node].disk.log));
    restart_after(sim, node, some_time(sim));
}

static void pause_node(struct sim *sim)
{
    bool for_long = sim_chance(sim, 30); /* until another leads */
    struct node *node = &sim->node[for_long ? leader(sim) : victim(sim)];

    node->paused_until_us =
        sim->now_us + (for_long ? sim_between(sim, 6500 * MS, 11 * SECOND) : some_time(sim));
    SIM_SAY(sim, "%s is stopped until %.3f s", node->name, (double)node->paused_until_us / SECOND);
}

static void cut(struct sim *sim, int from, int to, uint64_t for_us)
{
    struct pipe *pipe = &sim->pipe[from][to];

    pipe->cut_until_us = sim->now_us + for_us;
    pipe->holds = sim_chance(sim, 50);
    SIM_SAY(sim, "cut from %d to %d for %.3f s", from, to, (double)for_us / SECOND);
}

static int any_end(struct sim *sim) /* a node or the coordinator */
{
    return sim_chance(sim, 25) ? NODES_MAX : any_node(sim);
}

static void cut_one_way(struct sim *sim)
{
    int from = any_end(sim), to = any_end(sim);

    if (from != to)
        cut(sim, from, to, some_time(sim));
}

static void isolate(struct sim *sim)
{
    int node = victim(sim);
    uint64_t for_us = some_time(sim);
    bool from_coordinator = sim_chance(sim, 60);

    for (int i = 0; i <= NODES_MAX; i++) {
        if (i == node || (i >= sim->nodes && i < NODES_MAX) ||
            (i == NODES_MAX && !from_coordinator))
            continue;
        cut(sim, i, node, for_us);
        cut(sim, node, i, for_us);
    }
}

static void from_coordinator(struct sim *sim)
{
    int node = leader(sim);
    uint64_t for_us = sim_between(sim, 3 * SECOND, 9 * SECOND);

    cut(sim, NODES_MAX, node, for_us);
    cut(sim, node, NODES_MAX, for_us);
}

static void reconnect(struct sim *sim)
{
    struct pipe *pipe = &sim->pipe[any_node(sim)][any_node(sim)];

    pipe->connection++;
    pipe->last_us = sim->now_us;
}

static void coordinator_away(struct sim *sim)
{
    uint64_t for_us = some_time(sim);

    coordinator_down(sim, for_us);
    SIM_SAY(sim, "the coordinator is away for %.3f s", (double)for_us / SECOND);
}

static void slow_disk(struct sim *sim)
{
    sim->node[victim(sim)].disk.slow_until_us = sim->now_us + some_time(sim);
}

static void disk_fails(struct sim *sim)
{
    sim->node[victim(sim)].io_fails = true;
}

static void hand_over(struct sim *sim)
{
    struct node *node = &sim->node[leader(sim)];
    bool leaving = sim_chance(sim, 50);

    if (node->up && node->paused_until_us <= sim->now_us &&
        copy_hand_over(node->copy, node_clock_ms(sim, node), "", leaving) == HY_OK) {
        SIM_SAY(sim, "%s hands over%s", node->name, leaving ? ", leaving" : "");
        node_after_event(sim, node->number);
    }
}

static const struct {
    void (*happens)(struct sim *sim);
    unsigned often;
} faults[] = {
    {crash, 14},           {crash_soon, 14}, {crash_all, 2},        {wipe, 4},
    {pause_node, 8},       {isolate, 6},     {cut_one_way, 10},     {reconnect, 10},
    {slow_disk, 4},        {disk_fails, 4},  {coordinator_away, 4}, {hand_over, 6},
    {from_coordinator, 5}, {tear, 5},
};

static void happen(struct sim *sim, struct event *event)
{
    uint64_t sum = 0, pick;

    if (sim->healing)
        return;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sum += faults[i].often;
    pick = sim_random(sim, sum);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        if (pick < faults[i].often) {
            faults[i].happens(sim);
            break;
        }
        pick -= faults[i].often;
    }
    sim_after(sim, sim_between(sim, 20 * MS, 6 * SECOND / sim->severity), event);
}

/* Between a change and the moment that its author learns of it is where mistakes are: at times all
 * but one node die or are cut off then. */
void faults_changed(struct sim *sim, int node)
{
    int left = any_node(sim);
    uint64_t for_us = sim_between(sim, SECOND, 8 * SECOND);

    if (sim->healing || !sim_chance(sim, 10))
        return;
    SIM_SAY(sim, "all but %s are hit while %s changes the state", sim->node[left].name,
            sim->node[node].name);
    sim->node[left].disk.slow_until_us = sim->now_us;
    for (int i = 0; i < sim->nodes; i++) {
        if (i == left)
            continue;
        if (sim_chance(sim, 50)) {
            sim->node[i].fuse = (unsigned)sim_between(sim, 1, 6);
        } else {
            cut(sim, i, left, for_us);
            cut(sim, left, i, for_us);
            cut(sim, NODES_MAX, i, for_us);
            cut(sim, i, NODES_MAX, for_us);
        }
    }
}

void faults_start(struct sim *sim)
{
    if (sim->severity > 0)
        sim_after(sim, sim_between(sim, 0, 3 * SECOND), &(struct event){.fn = happen, .node = -1});
}
