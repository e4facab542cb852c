/* A process that holds a copy: the steps of store/replica, bound to what is simulated here. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

uint64_t node_clock_ms(const struct sim *sim, const struct node *node)
{
    return node->clock_offset_ms + sim->now_us / MS * node->clock_ppm / 1000000;
}

/* An output of the steps: the process may die right here, before it happens. */
bool node_fails(struct sim *sim, struct node *node)
{
    (void)sim;
    if (node->fuse > 0 && --node->fuse == 0)
        node->doomed = true;
    return node->doomed;
}

static void after(struct node *node, uint64_t delay_us, event_fn *fn, uint64_t a)
{
    sim_after(node->sim, delay_us,
              &(struct event){
                  .fn = fn, .node = node->number, .life = node->life, .a = a, .b = node->reach});
}

static int find(const struct sim *sim, const char *name)
{
    for (int i = 0; i < sim->nodes; i++)
        if (strcmp(sim->node[i].name, name) == 0)
            return i;
    abort();
}

/* ---- the database ---- */

static void open_database(struct sim *sim, struct event *event)
{
    struct node *node = &sim->node[event->node];
    struct disk *disk = &node->disk;
    struct epochs epochs = {0};
    struct copy_disk now = {.epochs = &epochs,
                            .latest = log_latest(&disk->log),
                            .rebuilding = disk->marker,
                            .place_count = disk->checkpoint_count};

    if (event->b != node->reach)
        return;
    for (size_t i = 0; i < disk->log.count; i++)
        if (disk->log.entries[i].reign != 0 &&
            epochs_add(&epochs, disk->log.entries[i].reign, disk->log.entries[i].first) != HY_OK)
            truth_fail(sim, "reigns of %s are out of order", node->name);
    for (size_t i = 0; i < disk->checkpoint_count; i++)
        now.places[i] = log_place(&disk->checkpoints[i]);
    node->open = true;
    copy_opened(node->copy, node_clock_ms(sim, node), &now);
    epochs_clear(&epochs);
}

static void close_database(struct node *node)
{
    node->open = false;
    node->reach++;
    disk_crash(node->sim, &node->disk);
}

static void say_closed(struct sim *sim, struct event *event)
{
    struct node *node = &sim->node[event->node];

    if (event->b == node->reach)
        copy_closed(node->copy, node_clock_ms(sim, node));
}

static enum hy_err fail_database(struct node *node)
{
    close_database(node);
    after(node, 0, say_closed, 0);
    after(node, sim_between(node->sim, 100 * MS, SECOND), open_database, 0);
    return HY_EIO;
}

static enum hy_err append(struct node *node, const struct entry *entry)
{
    if (!node->open)
        return HY_EIO;
    if (node->io_fails) {
        node->io_fails = false;
        return fail_database(node);
    }
    if (entry->first != log_latest(&node->disk.log) + 1)
        truth_fail(node->sim, "%s was to write at a place that is not its end", node->name);
    log_add(&node->disk.log, entry);
    return HY_OK;
}

/* ---- outputs ---- */

static enum hy_err out_send(void *ctx, const char *to, const struct msg *msg)
{
    struct node *node = ctx;

    if (node_fails(node->sim, node))
        return HY_ECLOSED;
    if (msg->kind == MSG_BATCH && !node->sim->healing && sim_chance(node->sim, 1))
        return HY_EBUSY;
    net_send(node->sim, node->number, find(node->sim, to), msg);
    return HY_OK;
}

static void no_lease(struct sim *sim, struct event *event)
{
    struct node *node = &sim->node[event->node];

    copy_changed(node->copy, node_clock_ms(sim, node), HY_ECLOSED);
}

static void out_change(void *ctx, const struct copy_change *change)
{
    struct node *node = ctx;

    if (node_fails(node->sim, node))
        return;
    if (node->change_number != 0)
        truth_fail(node->sim, "%s asks for two changes at once", node->name);
    if (node->lease == 0 && (change->kind == CHANGE_TAKE || change->kind == CHANGE_CLAIM))
        after(node, 0, no_lease, 0);
    else
        coordinator_change(node->sim, node->number, change);
}

static uint64_t out_trusted(void *ctx)
{
    return ((struct node *)ctx)->trusted_until_ms;
}

static const struct entry *readable(const struct node *node, uint64_t first)
{
    const struct log *log = &node->disk.log;
    const struct entry *entry = log_find(log, first);

    if (entry == NULL || entry->first != first ||
        (size_t)(log->entries + log->count - entry) > node->disk.kept)
        return NULL;
    return entry;
}

static bool out_reaches(void *ctx, uint64_t first)
{
    return readable(ctx, first) != NULL;
}

static void read_done(struct sim *sim, struct event *event)
{
    struct node *node = &sim->node[event->node];

    node->reading = event->a;
    copy_readable(node->copy, node_clock_ms(sim, node), sim->node[event->c].name);
}

static enum hy_err out_read(void *ctx, const char *to, uint64_t first, struct batch_ref *batch)
{
    struct node *node = ctx;
    const struct entry *entry = readable(node, first);

    if (entry == NULL)
        return HY_ENOTFOUND;
    if (node->reading != first && sim_chance(node->sim, 10)) {
        sim_after(node->sim, sim_between(node->sim, 100, 5 * MS),
                  &(struct event){.fn = read_done,
                                  .node = node->number,
                                  .life = node->life,
                                  .a = first,
                                  .c = (uint64_t)find(node->sim, to)});
        return HY_EBUSY;
    }
    *batch = (struct batch_ref){entry->first, entry->count, entry->reign, (const uint8_t *)entry,
                                sizeof *entry};
    return HY_OK;
}

static enum hy_err out_write(void *ctx, const struct batch_ref *batch)
{
    struct node *node = ctx;
    struct entry entry;

    if (node_fails(node->sim, node))
        return HY_EIO;
    memcpy(&entry, batch->bytes, sizeof entry);
    return append(node, &entry);
}

static void synced(struct sim *sim, struct event *event)
{
    struct node *node = &sim->node[event->node];
    struct disk *disk = &node->disk;
    const struct entry *last;

    if (event->b != node->reach || event->a == 0)
        return;
    if (event->a > disk->synced)
        disk->synced = event->a;
    last = &disk->log.entries[event->a - 1];
    copy_synced(node->copy, node_clock_ms(sim, node), last->first + last->count - 1);
}

static void out_sync(void *ctx)
{
    struct node *node = ctx;
    struct sim *sim = node->sim;
    uint64_t delay = sim_between(sim, 50, 2 * MS);

    if (node_fails(sim, node))
        return;
    if (node->disk.slow_until_us > sim->now_us)
        delay += node->disk.slow_until_us - sim->now_us;
    after(node, delay, synced, node->disk.log.count);
}

static void gone_back(struct sim *sim, struct event *event)
{
    struct node *node = &sim->node[event->node];

    if (event->b != node->reach)
        return;
    log_copy(&node->disk.log, &node->disk.checkpoints[event->a]);
    node->disk.synced = node->disk.log.count;
    SIM_SAY(sim, "%s went back to %lu", node->name, log_latest(&node->disk.log));
    after(node, sim_between(sim, 1 * MS, 300 * MS), open_database, 0);
}

static void out_go_back(void *ctx, size_t checkpoint)
{
    struct node *node = ctx;

    if (node_fails(node->sim, node))
        return;
    node->disk.marker = true;
    close_database(node);
    after(node, sim_between(node->sim, 1 * MS, 300 * MS), gone_back, checkpoint);
}

static bool reached(struct sim *sim, int a, int b)
{
    return sim->pipe[a][b].cut_until_us <= sim->now_us &&
           sim->pipe[b][a].cut_until_us <= sim->now_us;
}

static void fetched(struct sim *sim, struct event *event)
{
    struct node *node = &sim->node[event->node];
    struct log log = {.entries = event->data, .count = event->c};

    if (event->b != node->reach)
        return;
    log_copy(&node->disk.log, &log);
    node->disk.synced = node->disk.log.count;
    SIM_SAY(sim, "%s fetched a copy up to %lu", node->name, log_latest(&node->disk.log));
    after(node, sim_between(sim, 1 * MS, 300 * MS), open_database, 0);
}

static void fetching(struct sim *sim, struct event *event)
{
    struct node *node = &sim->node[event->node];
    struct node *leader = &sim->node[event->a];
    struct log log = {0};

    if (event->b != node->reach)
        return;
    if (!leader->up || !leader->open || !copy_leads(leader->copy) ||
        !reached(sim, node->number, leader->number)) {
        after(node, 100 * MS, open_database, 0);
        return;
    }
    log_copy(&log, &leader->disk.log);
    sim_after(sim, sim_between(sim, 10 * MS, 2 * SECOND),
              &(struct event){.fn = fetched,
                              .node = node->number,
                              .life = node->life,
                              .b = node->reach,
                              .c = log.count,
                              .data = log.entries});
}

static void out_fetch(void *ctx, const char *leader)
{
    struct node *node = ctx;

    if (node_fails(node->sim, node))
        return;
    node->disk.marker = true;
    close_database(node);
    after(node, 1 * MS, fetching, (uint64_t)find(node->sim, leader));
}

static void out_whole(void *ctx)
{
    struct node *node = ctx;

    if (!node_fails(node->sim, node))
        node->disk.marker = false;
}

/* A write of the leader: here, to the followers, then synced. */
static enum hy_err lead_write(struct node *node, const struct entry *entry)
{
    struct batch_ref batch = {entry->first, entry->count, entry->reign, NULL, sizeof *entry};
    enum hy_err err = append(node, entry);

    if (err != HY_OK)
        return err;
    copy_wrote(node->copy, node_clock_ms(node->sim, node), &batch);
    out_sync(node);
    return HY_OK;
}

static enum hy_err out_lead(void *ctx, uint64_t epoch)
{
    struct node *node = ctx;
    struct entry row = {.first = log_latest(&node->disk.log) + 1, .count = 1, .reign = epoch};

    if (node_fails(node->sim, node))
        return HY_EIO;
    truth_leads(node->sim, node->number, epoch);
    node->pending_count = 0;
    return lead_write(node, &row);
}

static void out_follow(void *ctx, const char *leader)
{
    struct node *node = ctx;

    SIM_SAY(node->sim, "%s does not lead, but \"%s\"", node->name, leader);
    for (size_t i = 0; i < node->pending_count; i++)
        client_answer(node->sim, node->number, &node->pending[i], false);
    node->pending_count = 0;
}

static void out_passed(void *ctx, uint64_t mark)
{
    struct node *node = ctx;
    size_t left = 0;

    (void)mark;
    if (node_fails(node->sim, node))
        return;
    truth_passed(node->sim, node->number);
    for (size_t i = 0; i < node->pending_count; i++)
        if (copy_passed(node->copy, node->pending[i].mark))
            client_answer(node->sim, node->number, &node->pending[i], true);
        else
            node->pending[left++] = node->pending[i];
    node->pending_count = left;
}

static const struct copy_out outputs = {
    .send = out_send,
    .change = out_change,
    .trusted_until_ms = out_trusted,
    .read = out_read,
    .reaches = out_reaches,
    .write = out_write,
    .sync = out_sync,
    .go_back = out_go_back,
    .fetch = out_fetch,
    .whole = out_whole,
    .lead = out_lead,
    .follow = out_follow,
    .passed = out_passed,
};

/* ---- requests ---- */

void node_request(struct sim *sim, struct event *event)
{
    struct node *node = &sim->node[event->node];
    uint64_t now = node_clock_ms(sim, node);
    struct pending p = {.client = (int)event->a, .call = event->b, .op = event->c};
    const struct entry *had;

    if (!node->open || !copy_leads(node->copy) || copy_stalled(node->copy, now) ||
        node->pending_count == PENDING_MAX) {
        client_answer(sim, node->number, &p, false);
        return;
    }
    p.read = p.op == 0;
    p.seq = log_latest(&node->disk.log);
    had = p.read ? NULL : log_op(&node->disk.log, p.op);
    if (had != NULL) {
        p.seq = had->first;
    } else if (!p.read) {
        struct entry entry = {
            .first = p.seq + 1, .count = (uint32_t)sim_between(sim, 1, 3), .op = p.op};

        p.seq = entry.first;
        if (node_fails(sim, node) || lead_write(node, &entry) != HY_OK)
            return; /* who asked hears nothing */
    }
    p.mark = copy_mark(node->copy, now);
    if (copy_passed(node->copy, p.mark))
        client_answer(sim, node->number, &p, true);
    else
        node->pending[node->pending_count++] = p;
}

/* ---- life ---- */

static void tick(struct sim *sim, struct event *event)
{
    struct node *node = &sim->node[event->node];

    copy_tick(node->copy, node_clock_ms(sim, node));
    sim_after(sim, 50 * MS, event);
}

static void checkpoint(struct sim *sim, struct event *event)
{
    struct node *node = &sim->node[event->node];

    if (node->open)
        disk_checkpoint(&node->disk);
    sim_after(sim, sim_between(sim, SECOND, 4 * SECOND), event);
}

void node_view(struct sim *sim, int number, const struct copy_state *state, uint64_t revision)
{
    struct node *node = &sim->node[number];

    if (revision <= node->view && node->view != 0)
        return;
    node->view = revision;
    copy_coordinated(node->copy, node_clock_ms(sim, node), state);
}

void node_start(struct sim *sim, int number)
{
    struct node *node = &sim->node[number];
    struct copy_config config = {.min_insync = sim->min_insync,
                                 .follower_timeout_ms = 2000,
                                 .reboot_wait_ms = UINT32_MAX,
                                 .number = sim_random(sim, 1ull << 60)};

    if (node->up)
        return;
    node->up = true;
    node->life++;
    node->reach++;
    node->open = false;
    node->doomed = false;
    node->fuse = 0;
    node->io_fails = false;
    node->reading = 0;
    node->paused_until_us = 0;
    node->pending_count = 0;
    snprintf(config.me.node, sizeof config.me.node, "%s", node->name);
    snprintf(config.me.db, sizeof config.me.db, "db%u", node->disk.db);
    snprintf(config.me.boot, sizeof config.me.boot, "boot%u", node->disk.boot);
    if (copy_open(&config, &outputs, node, &node->copy) != HY_OK)
        abort();
    for (int i = 0; i < sim->nodes; i++)
        copy_peer(node->copy, node_clock_ms(sim, node), sim->node[i].name);
    SIM_SAY(sim, "%s starts, database db%u up to %lu%s", node->name, node->disk.db,
            log_latest(&node->disk.log), node->disk.marker ? ", being rebuilt" : "");
    coordinator_start(sim, number);
    after(node, sim_between(sim, 10 * MS, 300 * MS), open_database, 0);
    after(node, sim_random(sim, 50 * MS), tick, 0);
    after(node, sim_between(sim, 1, SECOND), checkpoint, 0);
}

void node_crash(struct sim *sim, int number)
{
    struct node *node = &sim->node[number];

    if (!node->up)
        return;
    node->up = false;
    node->open = false;
    node->doomed = false;
    copy_close(&node->copy);
    disk_crash(sim, &node->disk);
    SIM_SAY(sim, "%s crashes, up to %lu is left", node->name, log_latest(&node->disk.log));
}

static void start_again(struct sim *sim, struct event *event)
{
    if (sim->node[event->from].life == event->a)
        node_start(sim, event->from);
}

void node_after_event(struct sim *sim, int number)
{
    struct node *node = &sim->node[number];

    if (node->up && !node->doomed)
        copy_turn(node->copy, node_clock_ms(sim, node));
    if (!node->up || !node->doomed)
        return;
    node_crash(sim, number);
    sim_after(sim, sim_between(sim, 20 * MS, 3 * SECOND),
              &(struct event){.fn = start_again, .node = -1, .from = number, .a = node->life});
}
