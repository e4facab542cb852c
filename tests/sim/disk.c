/* Disks: a log whose newest entries a crash may take, checkpoints, a marker. */

#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

void log_add(struct log *log, const struct entry *entry)
{
    if (log->count == log->room) {
        log->room = log->room == 0 ? 64 : 2 * log->room;
        log->entries = realloc(log->entries, log->room * sizeof *log->entries);
        if (log->entries == NULL)
            abort();
    }
    log->entries[log->count++] = *entry;
}

void log_copy(struct log *to, const struct log *from)
{
    struct log copy = {0};

    for (size_t i = 0; i < from->count; i++)
        log_add(&copy, &from->entries[i]);
    free(to->entries);
    *to = copy;
}

void log_clear(struct log *log)
{
    free(log->entries);
    *log = (struct log){0};
}

uint64_t log_latest(const struct log *log)
{
    const struct entry *last = log->count == 0 ? NULL : &log->entries[log->count - 1];

    return last == NULL ? 0 : last->first + last->count - 1;
}

struct place log_place(const struct log *log)
{
    struct place place = {0, log_latest(log)};

    for (size_t i = log->count; i > 0 && place.epoch == 0; i--)
        place.epoch = log->entries[i - 1].reign;
    return place;
}

const struct entry *log_find(const struct log *log, uint64_t seq)
{
    size_t low = 0, high = log->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (log->entries[middle].first + log->entries[middle].count <= seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low < log->count && log->entries[low].first <= seq ? &log->entries[low] : NULL;
}

const struct entry *log_op(const struct log *log, uint64_t op)
{
    for (size_t i = log->count; i > 0; i--)
        if (log->entries[i - 1].reign == 0 && log->entries[i - 1].op == op)
            return &log->entries[i - 1];
    return NULL;
}

/* What was not synced is there up to some point. What is there when it is opened again was
 * written to a file of rows, synced. */
void disk_crash(struct sim *sim, struct disk *disk)
{
    disk->log.count = sim_between(sim, disk->synced, disk->log.count);
    disk->synced = disk->log.count;
}

/* After a loss of power it lacks the end of what it had confirmed, too. */
void disk_tear(struct sim *sim, struct disk *disk)
{
    size_t lost = sim_between(sim, 1, 12);

    disk->log.count -= lost < disk->log.count ? lost : disk->log.count;
    disk->synced = disk->log.count;
    disk->boot++;
}

void disk_wipe(struct sim *sim, struct disk *disk)
{
    struct disk was = *disk;

    disk_close(disk);
    disk->kept = was.kept;
    disk->boot = was.boot;
    disk->db = (unsigned)++sim->dbs;
}

void disk_checkpoint(struct disk *disk)
{
    if (disk->log.count == 0)
        return;
    log_clear(&disk->checkpoints[CHECKPOINTS - 1]);
    memmove(disk->checkpoints + 1, disk->checkpoints,
            (CHECKPOINTS - 1) * sizeof *disk->checkpoints);
    disk->checkpoints[0] = (struct log){0};
    log_copy(&disk->checkpoints[0], &disk->log);
    if (disk->checkpoint_count < CHECKPOINTS)
        disk->checkpoint_count++;
}

void disk_close(struct disk *disk)
{
    log_clear(&disk->log);
    for (size_t i = 0; i < CHECKPOINTS; i++)
        log_clear(&disk->checkpoints[i]);
    *disk = (struct disk){0};
}
