/* A replica in the test's hands, in place of the one the store has: its marks pass and its reign
 * ends when the test says so, and what had not passed can be lost. */

#ifndef STORE_REPLICA_TEST_H
#define STORE_REPLICA_TEST_H

#include "store_fixture.h"

#include "store/key.h"
#include "store/replica.h"
#include "store/value.h"

struct replica {
    struct replica_config config;
    struct replica_events events;
    void *ctx;
    struct db *db;
    uint64_t epoch, mark, passed;
    uint64_t commit; /* as a follower knows it */
    bool held;       /* marks pass when the test says so; else at once */
    char leader[64], safe[80];
};

/* The one that was opened last. */
static struct replica *fake;

static const struct key_home epoch_home = {KEY_SLOT_SHARD, 0};

static enum hy_err epoch_last(struct db *db, uint64_t *epoch)
{
    struct key first, end;
    struct key_parts parts;
    struct db_scan *scan;
    size_t len;
    enum hy_err err;

    *epoch = 0;
    key_head(&first, epoch_home, KEY_EPOCH);
    end = first;
    key_after(&end);
    err = db_scan_open(db, FAMILY_DEFAULT, &first, &end, true, &scan);
    if (err != HY_OK)
        return err;
    if (db_scan_seek_back(scan, NULL)) {
        const uint8_t *key = db_scan_key(scan, &len);

        if (key_parse(key, len, &parts) == HY_OK)
            *epoch = parts.number;
    }
    err = db_scan_err(scan);
    db_scan_close(&scan);
    return err;
}

static void epoch_put(struct db *db, struct db_batch *batch, uint64_t epoch)
{
    uint8_t bytes[8];
    struct key key;

    key_number(&key, epoch_home, KEY_EPOCH, epoch);
    value_put_u64(bytes, db_latest(db) + 1);
    db_batch_put(batch, FAMILY_DEFAULT, &key, bytes, sizeof bytes);
}

enum hy_err replica_open(const struct replica_config *config, const struct replica_events *events,
                         void *ctx, struct replica **replica, char why[static 256])
{
    fake = calloc(1, sizeof *fake);
    assert_non_null(fake);
    fake->config = *config;
    fake->events = *events;
    fake->ctx = ctx;
    *replica = fake;
    if (db_open(&config->db, &fake->db, why) != HY_OK)
        return HY_EIO;
    fake->events.open(ctx, fake->db);
    return HY_OK;
}

static void fake_lead(void)
{
    struct db_batch *batch;

    assert_int_equal(db_batch_open(fake->db, &batch), HY_OK);
    epoch_put(fake->db, batch, ++fake->epoch);
    assert_int_equal(db_write(fake->db, batch), HY_OK);
    db_batch_close(&batch);
    fake->leader[0] = '\0';
    assert_int_equal(fake->events.lead(fake->ctx, fake->db, fake->epoch), HY_OK);
}

enum hy_err replica_start(struct replica *replica, char why[static 256])
{
    (void)why;
    assert_int_equal(epoch_last(replica->db, &replica->epoch), HY_OK);
    fake_lead();
    return HY_OK;
}

void replica_close(struct replica **replica)
{
    char command[128];

    if (*replica == NULL)
        return;
    (*replica)->events.open((*replica)->ctx, NULL);
    db_close(&(*replica)->db);
    if (*(*replica)->safe != '\0') {
        snprintf(command, sizeof command, "rm -rf %s", (*replica)->safe);
        assert_int_equal(system(command), 0);
    }
    free(*replica);
    *replica = NULL;
}

bool replica_leads(const struct replica *replica)
{
    return *replica->leader == '\0';
}

const char *replica_leader(const struct replica *replica)
{
    return replica->leader;
}

uint64_t replica_epoch(const struct replica *replica)
{
    return replica->epoch;
}

enum hy_err replica_broken(const struct replica *replica)
{
    (void)replica;
    return HY_OK;
}

enum hy_err replica_write(struct replica *replica, struct db_batch *batch)
{
    return db_write(replica->db, batch);
}

uint64_t replica_mark(struct replica *replica)
{
    return ++replica->mark;
}

bool replica_passed(const struct replica *replica, uint64_t mark)
{
    return !replica->held || mark <= replica->passed;
}

void replica_turn(struct replica *replica)
{
    (void)replica;
}

void replica_tick(struct replica *replica)
{
    (void)replica;
}

void replica_set_fault(struct replica *replica, enum hy_err (*fault)(void *arg), void *arg)
{
    db_set_fault(replica->db, fault, arg);
}

bool replica_stalled(const struct replica *replica)
{
    (void)replica;
    return false;
}

void replica_coordinated(struct replica *replica, const struct hy_coord_value *value)
{
    (void)replica;
    (void)value;
}

void replica_lease_lost(struct replica *replica)
{
    (void)replica;
}

bool replica_record(struct replica *replica, struct hy_peer *peer, const struct hy_record *record)
{
    (void)replica;
    (void)peer;
    (void)record;
    return false;
}

enum hy_err replica_hand_over(struct replica *replica, const char *to, bool leaving)
{
    (void)replica;
    (void)to;
    (void)leaving;
    return HY_EDENIED;
}

void replica_look(const struct replica *replica, struct replica_view *view)
{
    *view = (struct replica_view){.role = "leading",
                                  .epoch = replica->epoch,
                                  .latest = db_latest(replica->db),
                                  .commit = replica->commit,
                                  .insync = 1,
                                  .streaming = *replica->leader != '\0'};
}

void replica_each_follower(const struct replica *replica, replica_follower_fn *fn, void *arg)
{
    (void)replica;
    (void)fn;
    (void)arg;
}

/* ---- what tests say ---- */

static void fake_run(const char *format, const char *a, const char *b)
{
    char command[256];

    snprintf(command, sizeof command, format, a, b);
    assert_int_equal(system(command), 0);
}

/* All that was written until now is safe, and passes. */
static inline void fake_pass(void)
{
    const char *dir = fake->config.db.dir;

    snprintf(fake->safe, sizeof fake->safe, "%s-safe", dir);
    fake_run("rm -rf %s", fake->safe, "");
    fake_run("cp -r %s %s", dir, fake->safe); /* what is written is in its files */
    fake->passed = fake->mark;
    fake->events.passed(fake->ctx, fake->passed);
}

/* From now on nothing passes by itself. */
static inline void fake_hold(void)
{
    fake->held = true;
    fake_pass();
}

/* Another leads. */
static inline void fake_follow(const char *leader)
{
    snprintf(fake->leader, sizeof fake->leader, "%s", leader);
    fake->events.follow(fake->ctx, leader);
}

/* This one leads again, without what had not passed: nobody else had it. */
static inline void fake_lose_tail(void)
{
    fake_follow("");
    fake->events.open(fake->ctx, NULL);
    db_close(&fake->db);
    fake_run("rm -rf %s/*", fake->config.db.dir, "");
    fake_run("cp -r %s/* %s", fake->safe, fake->config.db.dir);
    char why[256];
    assert_int_equal(db_open(&fake->config.db, &fake->db, why), HY_OK);
    fake->events.open(fake->ctx, fake->db);
    fake->mark += 1000;
    fake_lead();
}

#endif
