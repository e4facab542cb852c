/* One seed: faults for a while, then none until all is well again, or it never gets well. */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

enum { FAULTS_US = 15 * SECOND, CALM_US = 3 * SECOND, PATIENCE_US = 90 * SECOND };

void sim_say(const struct sim *sim, const char *format, ...)
{
    va_list args;

    printf("%10.6f ", (double)sim->now_us / SECOND);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

static void setup(struct sim *sim, uint64_t seed, bool verbose)
{
    static const struct {
        int nodes;
        size_t min;
    } shapes[] = {{3, 2}, {3, 2}, {3, 2}, {3, 1}, {2, 1}, {2, 2}, {5, 2}, {5, 3}, {1, 1}};
    size_t shape;

    memset(sim, 0, sizeof *sim);
    sim->state = seed * 0x2545f4914f6cdd1d + 1;
    sim->verbose = verbose;
    shape = sim_random(sim, sizeof shapes / sizeof *shapes);
    sim->nodes = shapes[shape].nodes;
    sim->min_insync = shapes[shape].min;
    sim->severity = (unsigned)sim_between(sim, 1, 10);
    sim->readers = sim_chance(sim, 50);
    sim->coordinator.state.known = true;
    sim->coordinator.revision = 1;
    for (int i = 0; i < sim->nodes; i++) {
        struct node *node = &sim->node[i];

        node->sim = sim;
        node->number = i;
        node->name[0] = (char)('a' + i);
        node->clock_offset_ms = 10000 + sim_random(sim, 1000000);
        node->clock_ppm = (unsigned)sim_between(sim, 950000, 1050000);
        node->disk.db = (unsigned)++sim->dbs;
        node->disk.kept = sim_chance(sim, 50) ? SIZE_MAX : sim_between(sim, 5, 100);
    }
    SIM_SAY(sim, "%d copies, min_insync %zu, severity %u", sim->nodes, sim->min_insync,
            sim->severity);
}

static void heal(struct sim *sim)
{
    sim->healing = true;
    memset(sim->pipe, 0, sizeof sim->pipe);
    sim->coordinator.down_until_us = 0;
    for (int i = 0; i < sim->nodes; i++) {
        struct node *node = &sim->node[i];

        node->paused_until_us = 0;
        node->disk.slow_until_us = 0;
        node->io_fails = false;
        node->fuse = 0;
        node_start(sim, i);
    }
    SIM_SAY(sim, "all faults end");
}

static bool well(const struct sim *sim)
{
    int leaders = 0;

    for (int i = 0; i < CLIENTS; i++)
        if (!sim->clients[i].idle)
            return false;
    for (int i = 0; i < sim->nodes; i++) {
        const struct node *node = &sim->node[i];

        if (!node->up || !node->open || node->disk.marker ||
            node->disk.log.count != sim->node[0].disk.log.count)
            return false;
        leaders += copy_leads(node->copy);
    }
    return leaders == 1 && sim->coordinator.state.set.count == (size_t)sim->nodes;
}

static void say_all(const struct sim *sim)
{
    for (int i = 0; i < CLIENTS; i++)
        SIM_SAY(sim, "client %d: %s, append %lu", i, sim->clients[i].idle ? "idle" : "waits",
                sim->clients[i].op);
    for (int i = 0; i < sim->nodes; i++) {
        const struct node *node = &sim->node[i];
        struct copy_view v = {0};

        if (!node->up)
            continue;
        copy_look(node->copy, &v);
        SIM_SAY(sim,
                "%s: %s%s%s epoch %lu latest %lu durable %lu commit %lu, %zu in sync, %zu wait",
                node->name, node->open ? "" : "(closed) ", v.rebuilding ? "(rebuilding) " : "",
                v.role, v.epoch, v.latest, v.durable, v.commit, v.insync, node->pending_count);
    }
}

static void run_until(struct sim *sim, uint64_t until_us)
{
    while (!sim->truth.failed && sim->now_us < until_us && sim_step(sim))
        continue;
}

static void close_all(struct sim *sim)
{
    for (size_t i = 0; i < sim->queue.count; i++)
        free(sim->queue.heap[i].data);
    free(sim->queue.heap);
    for (int i = 0; i < sim->nodes; i++) {
        copy_close(&sim->node[i].copy);
        disk_close(&sim->node[i].disk);
    }
    free(sim->truth.ops);
    free(sim->truth.epochs);
}

void sim_run(uint64_t seed, bool verbose, struct sim_result *result)
{
    static struct sim sim;

    setup(&sim, seed, verbose);
    for (int i = 0; i < sim.nodes; i++)
        node_start(&sim, i);
    clients_start(&sim);
    faults_start(&sim);
    run_until(&sim, FAULTS_US);
    heal(&sim);
    run_until(&sim, FAULTS_US + CALM_US);
    sim.stopping = true;
    while (!sim.truth.failed && !well(&sim)) {
        run_until(&sim, sim.now_us + 100 * MS);
        if (sim.now_us <= PATIENCE_US)
            continue;
        truth_fail(&sim, "it does not get well");
        sim.truth.unwell = true;
    }
    if (sim.truth.failed)
        say_all(&sim);
    if (!sim.truth.failed)
        truth_end(&sim);
    *result = (struct sim_result){.failed = sim.truth.failed && !sim.truth.unwell,
                                  .unwell = sim.truth.unwell,
                                  .events = sim.events,
                                  .appended = sim.truth.appended,
                                  .reads = sim.truth.reads,
                                  .reigns = sim.truth.reigns,
                                  .seconds = sim.now_us / SECOND};
    snprintf(result->why, sizeof result->why, "%s", sim.truth.why);
    close_all(&sim);
}
