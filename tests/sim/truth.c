/* The checker: what clients were told, against what the logs hold.
 *
 * Every append that was told, and everything a read saw, is in every later leader's log, at its
 * place; an append is there once; a read sees all that was told before it began; one leader at most
 * commits in an epoch; what is told is on the disks of min_insync copies; in the end all logs are
 * the same. */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

void truth_fail(struct sim *sim, const char *format, ...)
{
    va_list args;
    int n;

    if (sim->truth.failed)
        return;
    sim->truth.failed = true;
    n = snprintf(sim->truth.why, sizeof sim->truth.why,
                 "at %.3f s: ", (double)sim->now_us / SECOND);
    va_start(args, format);
    vsnprintf(sim->truth.why + n, sizeof sim->truth.why - (size_t)n, format, args);
    va_end(args);
    SIM_SAY(sim, "FAILED %s", sim->truth.why);
}

static uint64_t what(const struct entry *entry)
{
    return entry->reign != 0 ? (1ull << 32) + entry->reign + 1 : entry->op + 1;
}

static uint64_t *place(struct truth *t, uint64_t seq)
{
    if (seq >= t->room) {
        size_t room = 2 * seq + 64;

        t->epochs = realloc(t->epochs, room * sizeof *t->epochs);

        t->ops = realloc(t->ops, room * sizeof *t->ops);
        if (t->ops == NULL || t->epochs == NULL)
            abort();
        memset(t->ops + t->room, 0, (room - t->room) * sizeof *t->ops);
        t->room = room;
    }
    return &t->ops[seq];
}

/* All of this log up to seq was seen, and may never change. */
static void saw(struct sim *sim, const struct node *node, uint64_t seq)
{
    for (size_t i = node->disk.log.count; i > 0; i--) {
        const struct entry *entry = &node->disk.log.entries[i - 1];
        uint64_t *known = place(&sim->truth, entry->first);

        if (entry->first > seq)
            continue;
        if (*known == what(entry))
            return; /* and so is all before it: logs were compared when it was told */
        if (*known != 0) {
            truth_fail(sim, "%s holds another row at %lu than was told", node->name, entry->first);
            return;
        }
        *known = what(entry);
        sim->truth.epochs[entry->first] = node->lead_epoch;
    }
}

static void told(struct sim *sim, const struct node *node, uint64_t seq)
{
    saw(sim, node, seq);
    if (seq > sim->truth.told)
        sim->truth.told = seq;
}

/* Not so when a disk, or its end, was just lost, which is nobody's fault. */
static void check_copies(struct sim *sim, uint64_t seq, uint64_t op)
{
    size_t copies = 0;

    if (sim->truth.wiped_us != 0 && sim->now_us < sim->truth.wiped_us + 10 * SECOND)
        return;
    for (int i = 0; i < sim->nodes; i++) {
        const struct disk *disk = &sim->node[i].disk;
        const struct entry *entry = log_find(&disk->log, seq);

        copies += entry != NULL && entry->op == op && entry->reign == 0 &&
                  (size_t)(entry - disk->log.entries) < disk->synced;
    }
    if (copies < sim->min_insync)
        truth_fail(sim, "append %lu at %lu was told with %zu copies on disks", op, seq, copies);
}

void truth_appended(struct sim *sim, int number, const struct pending *p, uint64_t told_before)
{
    const struct node *node = &sim->node[number];
    const struct entry *entry = log_find(&node->disk.log, p->seq);

    if (entry == NULL || entry->op != p->op || entry->reign != 0) {
        truth_fail(sim, "%s tells of append %lu, which it does not hold", node->name, p->op);
        return;
    }
    if (p->seq <= told_before)
        truth_fail(sim, "append %lu came to %lu, before %lu that was told before it began", p->op,
                   p->seq, told_before);
    check_copies(sim, p->seq, p->op);
    told(sim, node, p->seq);
    sim->truth.appended++;
}

void truth_read(struct sim *sim, int number, const struct pending *p, uint64_t told_before)
{
    if (p->seq < told_before)
        truth_fail(sim, "a read at %s saw up to %lu, and %lu had been told before it began",
                   sim->node[number].name, p->seq, told_before);
    told(sim, &sim->node[number], p->seq);
    sim->truth.reads++;
}

/* Does the log hold all that was told in reigns before this one, and every append once? (Who learns
 * late that it took over leads when others already do; it can tell nothing.) */
static void check_log(struct sim *sim, const struct node *node, uint64_t epoch)
{
    const struct log *log = &node->disk.log;
    struct truth *t = &sim->truth;
    uint8_t *seen = calloc(sim->ops + 1, 1);

    if (seen == NULL)
        abort();
    for (uint64_t seq = 1; seq < t->room; seq++) {
        const struct entry *entry = t->ops[seq] == 0 ? NULL : log_find(log, seq);

        if (t->ops[seq] != 0 && t->epochs[seq] < epoch &&
            (entry == NULL || entry->first != seq || what(entry) != t->ops[seq]))
            truth_fail(sim, "%s leads without what was told at %lu", node->name, seq);
    }
    for (size_t i = 0; i < log->count; i++) {
        const struct entry *entry = &log->entries[i];

        if (entry->reign == 0 && seen[entry->op]++ > 0)
            truth_fail(sim, "append %lu is twice in the log of %s", entry->op, node->name);
    }
    free(seen);
}

void truth_leads(struct sim *sim, int number, uint64_t epoch)
{
    SIM_SAY(sim, "%s leads in epoch %lu, from %lu on", sim->node[number].name, epoch,
            log_latest(&sim->node[number].disk.log) + 1);
    sim->truth.reigns++;
    sim->node[number].lead_epoch = epoch;
    check_log(sim, &sim->node[number], epoch);
}

void truth_passed(struct sim *sim, int number)
{
    struct copy_view view;
    int *by;

    copy_look(sim->node[number].copy, &view);
    by = &sim->truth.committed_by[view.epoch % 4096];
    if (*by != 0 && *by != number + 1)
        truth_fail(sim, "%s and %s both commit in epoch %lu", sim->node[*by - 1].name,
                   sim->node[number].name, view.epoch);
    *by = number + 1;
}

void truth_end(struct sim *sim)
{
    const struct log *first = &sim->node[0].disk.log;

    for (int i = 0; i < sim->nodes; i++) {
        const struct log *log = &sim->node[i].disk.log;

        check_log(sim, &sim->node[i], UINT64_MAX);
        if (log->count != first->count ||
            (log->count > 0 &&
             memcmp(log->entries, first->entries, log->count * sizeof *log->entries) != 0))
            truth_fail(sim, "in the end the logs of a and %s differ", sim->node[i].name);
    }
}
