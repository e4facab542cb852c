/* A replica in the test's hands, in place of the one the store has: its marks pass and its reign
 * ends when the test says so, and what had not passed can be lost. */

#ifndef STORE_REPLICA_TEST_H
#define STORE_REPLICA_TEST_H

#include "store_fixture.h"

#include "store/epoch.h"
#include "store/replica.h"

struct replica {
    struct replica_config config;
    struct replica_events events;
    void *ctx;
    struct db *db;
    uint64_t epoch, mark, passed;
    bool held; /* marks pass when the test says so; else at once */
    char leader[64], safe[80];
};

/* The one that was opened last. */
static struct replica *fake;

enum hy_err replica_open(const struct replica_config *config, const struct replica_events *events,
                         void *ctx, struct replica **replica, char why[static 256])
{
    fake = calloc(1, sizeof *fake);
    assert_non_null(fake);
    fake->config = *config;
    fake->events = *events;
    fake->ctx = ctx;
    *replica = fake;
    return db_open(&config->db, &fake->db, why);
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
    db_close(&fake->db);
    fake_run("rm -rf %s/*", fake->config.db.dir, "");
    fake_run("cp -r %s/* %s", fake->safe, fake->config.db.dir);
    char why[256];
    assert_int_equal(db_open(&fake->config.db, &fake->db, why), HY_OK);
    fake->mark += 1000;
    fake_lead();
}

#endif
