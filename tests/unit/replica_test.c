/* Copies of a shard on real databases and a real bus, in one loop; the coordinator is played. */

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/bus.h"
#include "common/log.h"
#include "store/replica.h"
#include "tests/unit/coord_fake.h"

enum { NODES = 3, SHARD = 3, PATIENCE_MS = 60000 };

struct node {
    struct world *world;
    char name[32], dir[128], endpoint[128];
    struct hy_bus *bus;
    struct hy_coord *coord;
    struct replica *replica;
    struct db *db; /* while it leads */
    uint64_t epoch, passed;
    bool deaf; /* what others say does not arrive */
    size_t checkpoint_bytes, ring_bytes;
};

struct world {
    char dir[64], logs[80];
    struct hy_loop *loop;
    struct node nodes[NODES];
    uint32_t min_insync;
    unsigned rows;    /* written so far */
    uint64_t shunned; /* the boot of a process that nobody hears */
    bool unread;      /* coordinators of those that start have not read all */
};

/* ---- the store's part ---- */

static enum hy_err on_lead(void *ctx, struct db *db, uint64_t epoch)
{
    struct node *n = ctx;

    n->db = db;
    n->epoch = epoch;
    return HY_OK;
}

static void on_follow(void *ctx, const char *leader)
{
    (void)leader;
    ((struct node *)ctx)->db = NULL;
}

static void on_passed(void *ctx, uint64_t mark)
{
    ((struct node *)ctx)->passed = mark;
}

static const struct replica_events events = {on_lead, on_follow, on_passed, NULL};

/* ---- nodes ---- */

static void on_record(void *ctx, struct hy_peer *peer, const struct hy_record *record)
{
    struct node *n = ctx;

    if (n->replica != NULL && !n->deaf && hy_peer_boot(peer) != n->world->shunned)
        assert_true(replica_record(n->replica, peer, record));
}

static void on_value(void *ctx, const struct hy_coord_value *value)
{
    struct node *n = ctx;

    if (n->replica != NULL)
        replica_coordinated(n->replica, value);
}

static void on_turn(void *arg)
{
    struct node *n = arg;

    if (n->replica != NULL)
        replica_turn(n->replica);
}

static void start(struct world *w, int i)
{
    struct node *n = &w->nodes[i];
    const struct hy_bus_handler handler = {.record = on_record};
    const struct hy_coord_handler coord_handler = {.changed = on_value};
    struct hy_bus_config bus = {.name = n->name,
                                .component = "store",
                                .cluster_id = "test",
                                .bind = "tcp://127.0.0.1:*",
                                .curve_dir = HY_BUS_PLAIN};
    struct replica_config config = {.db = {.dir = n->dir,
                                           .log_dir = w->logs,
                                           .block_cache_bytes = 1 << 20,
                                           .write_buffer_bytes = 4 << 20},
                                    .loop = w->loop,
                                    .name = n->name,
                                    .shard = SHARD,
                                    .min_insync = w->min_insync,
                                    .ring_bytes = n->ring_bytes,
                                    .checkpoint_bytes = n->checkpoint_bytes};
    char why[256] = "", key[64], text[256];

    n->deaf = false;
    assert_int_equal(hy_bus_open(w->loop, &bus, &handler, n, &n->bus), HY_OK);
    n->coord = fake_open(w->loop, &coord_handler, n);
    n->coord->unread = w->unread;
    config.bus = n->bus;
    config.coord = n->coord;
    snprintf(key, sizeof key, "node/store/%s", n->name);
    snprintf(text, sizeof text, "{\"endpoint\":\"%s\",\"shard\":%d}", hy_bus_endpoint(n->bus),
             SHARD);
    fake_put(key, text, n->coord);
    fake_tell(fake_find(key, false));
    if (replica_open(&config, &events, n, &n->replica, why) != HY_OK ||
        replica_start(n->replica, why) != HY_OK)
        fail_msg("%s", why);
    assert_int_equal(hy_loop_on_turn(w->loop, on_turn, n), HY_OK);
}

/* As if it were killed: nobody is told, nothing is handed over. */
static void stop(struct world *w, int i)
{
    struct node *n = &w->nodes[i];

    hy_loop_off_turn(w->loop, on_turn, n);
    replica_close(&n->replica);
    n->db = NULL;
    fake_close(n->coord);
    hy_bus_close(&n->bus);
}

static struct world *open_world(uint32_t min_insync)
{
    struct world *w = calloc(1, sizeof *w);

    assert_non_null(w);
    memset(&fake, 0, sizeof fake);
    strcpy(w->dir, "/tmp/hongyan-replica-test-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->logs, sizeof w->logs, "%s/logs", w->dir);
    assert_int_equal(hy_loop_open(&w->loop), HY_OK);
    w->min_insync = min_insync;
    for (int i = 0; i < NODES; i++) {
        struct node *n = &w->nodes[i];

        n->world = w;
        snprintf(n->name, sizeof n->name, "store-3%c", 'a' + i);
        snprintf(n->dir, sizeof n->dir, "%s/%c", w->dir, 'a' + i);
    }
    return w;
}

static void close_world(struct world *w)
{
    char command[128];

    for (int i = 0; i < NODES; i++)
        if (w->nodes[i].replica != NULL)
            stop(w, i);
    hy_loop_close(&w->loop);
    snprintf(command, sizeof command, "rm -rf '%s'", w->dir);
    assert_int_equal(system(command), 0);
    free(w);
}

#define UNTIL(w, condition)                                                                        \
    do {                                                                                           \
        uint64_t end_ = hy_steady_ms() + PATIENCE_MS;                                              \
        while (!(condition)) {                                                                     \
            assert_true(hy_steady_ms() < end_);                                                    \
            hy_loop_turn((w)->loop, 5);                                                            \
        }                                                                                          \
    } while (0)

/* ---- what happens ---- */

/* In the youngest reign: who was deposed may not know it. */
static struct node *leader(struct world *w)
{
    struct node *youngest = NULL;

    for (int i = 0; i < NODES; i++) {
        struct node *n = &w->nodes[i];

        if (n->replica != NULL && n->db != NULL && replica_leads(n->replica) &&
            (youngest == NULL || n->epoch > youngest->epoch))
            youngest = n;
    }
    return youngest;
}

static struct replica_view look(const struct node *n)
{
    struct replica_view v = {0};

    if (n->replica != NULL)
        replica_look(n->replica, &v);
    return v;
}

static bool same(struct world *w, size_t insync)
{
    const struct node *l = leader(w);
    struct replica_view first;

    if (l == NULL)
        return false;
    first = look(l);
    for (int i = 0; i < NODES; i++) {
        struct replica_view v = look(&w->nodes[i]);

        if (w->nodes[i].replica != NULL && (v.durable != first.durable || v.rebuilding))
            return false;
    }
    return first.insync == insync && first.commit == first.latest;
}

static void row_key(struct key *key, unsigned number)
{
    key_log(key, (struct key_home){7, 1}, KEY_LOG_C2C, 1, number);
}

/* Write rows in one batch; gives the mark. */
static uint64_t append(struct node *n, unsigned rows, size_t bytes)
{
    struct db_batch *batch;
    char *value = calloc(1, bytes + 1);

    assert_non_null(value);
    memset(value, 'a' + n->name[7] - 'a', bytes);
    assert_int_equal(db_batch_open(n->db, &batch), HY_OK);
    for (unsigned i = 0; i < rows; i++) {
        struct key key;

        row_key(&key, ++n->world->rows);
        db_batch_put(batch, FAMILY_LOG, &key, value, bytes);
    }
    assert_int_equal(replica_write(n->replica, batch), HY_OK);
    db_batch_close(&batch);
    free(value);
    return replica_mark(n->replica);
}

static void append_and_pass(struct world *w, unsigned batches, unsigned rows, size_t bytes)
{
    for (unsigned i = 0; i < batches; i++) {
        struct node *l = leader(w);
        uint64_t mark = append(l, rows, bytes);

        UNTIL(w, replica_passed(l->replica, mark));
    }
}

/* Is this row in the database of the leader, written by that node? */
static bool holds(struct node *l, unsigned number, char by)
{
    struct key key;
    struct db_value value;
    bool good;

    row_key(&key, number);
    if (db_get(l->db, FAMILY_LOG, &key, &value) != HY_OK)
        return false;
    good = value.len > 0 && value.data[0] == by;
    db_drop(&value);
    return good;
}

/* Each copy leads in turn and is asked for all rows. */
static void check_all_hold(struct world *w, unsigned from, unsigned to, char by)
{
    for (int i = 0; i < NODES; i++) {
        struct node *l;

        UNTIL(w, same(w, NODES));
        l = leader(w);
        if (l != &w->nodes[i]) {
            assert_int_equal(replica_hand_over(l->replica, w->nodes[i].name, false), HY_OK);
            UNTIL(w, leader(w) == &w->nodes[i]);
        }
        for (unsigned n = from; n <= to; n++)
            assert_true(holds(&w->nodes[i], n, by));
    }
}

static void start_all(struct world *w)
{
    for (int i = 0; i < NODES; i++)
        start(w, i);
    UNTIL(w, same(w, NODES));
}

static void copies_hold_what_the_leader_wrote(void **state)
{
    struct world *w = open_world(2);
    char by;

    (void)state;
    start_all(w);
    by = leader(w)->name[7];
    append_and_pass(w, 50, 3, 100);
    check_all_hold(w, 1, 150, by);
    close_world(w);
}

static void a_lone_copy_of_several_tells_nothing(void **state)
{
    struct world *w = open_world(2);
    uint64_t mark;

    (void)state;
    start(w, 0);
    UNTIL(w, leader(w) != NULL);
    mark = append(leader(w), 1, 10);
    UNTIL(w, replica_stalled(w->nodes[0].replica));
    assert_false(replica_passed(w->nodes[0].replica, mark));
    start(w, 1); /* it comes, and takes it all */
    UNTIL(w, replica_passed(w->nodes[0].replica, mark));
    assert_false(replica_stalled(w->nodes[0].replica));
    close_world(w);
}

/* What is not there may only not have been read yet. */
static void a_copy_acts_when_all_values_were_read(void **state)
{
    struct world *w = open_world(1);
    uint64_t end_ms = hy_steady_ms() + 300;

    (void)state;
    w->unread = true;
    start(w, 0);
    while (hy_steady_ms() < end_ms) {
        hy_loop_turn(w->loop, 5);
        assert_null(leader(w));
    }
    w->nodes[0].coord->unread = false;
    UNTIL(w, leader(w) != NULL);
    close_world(w);
}

static void another_leads_when_the_leader_dies(void **state)
{
    struct world *w = open_world(2);
    struct node *old;
    char by;

    (void)state;
    start_all(w);
    old = leader(w);
    by = old->name[7];
    append_and_pass(w, 20, 1, 10);
    stop(w, (int)(old - w->nodes));
    UNTIL(w, leader(w) != NULL);
    assert_true(leader(w)->epoch > old->epoch);
    for (unsigned n = 1; n <= 20; n++)
        assert_true(holds(leader(w), n, by));
    append_and_pass(w, 1, 1, 10);
    start(w, (int)(old - w->nodes));
    check_all_hold(w, 1, 20, by);
    close_world(w);
}

static bool has(const struct node *n, const char *what)
{
    char pattern[160];
    glob_t found = {0};
    bool there;

    snprintf(pattern, sizeof pattern, "%s/%s", n->dir, what);
    there = glob(pattern, 0, NULL, &found) == 0;
    globfree(&found);
    return there;
}

static bool has_checkpoint(const struct node *n)
{
    return has(n, "checkpoints/*");
}

/* RocksDB ends the process when it cannot write its own log: found by the laboratory (replicated,
 * seed 49), when a disk was full as a checkpoint was looked at. */
static void databases_log_where_they_are_told(void **state)
{
    struct world *w = open_world(2);
    struct node *n;

    (void)state;
    for (int i = 0; i < NODES; i++)
        w->nodes[i].checkpoint_bytes = 10000;
    start_all(w);
    n = leader(w);
    append_and_pass(w, 20, 5, 1000);
    UNTIL(w, has_checkpoint(n));
    assert_true(has(n, "../logs/*_making_LOG*"));
    assert_true(has(n, "../logs/*_db_LOG*"));
    assert_false(has(n, "LOG*") || has(n, "*/LOG*") || has(n, "*/*/LOG*"));
    close_world(w);
}

/* Rows that only the dead leader had give way, by a local checkpoint or by a copy of everything. */
static void roll_back(size_t checkpoint_bytes)
{
    struct world *w = open_world(2);
    struct node *old;
    unsigned before;
    char by;

    for (int i = 0; i < NODES; i++)
        w->nodes[i].checkpoint_bytes = checkpoint_bytes;
    start_all(w);
    old = leader(w);
    by = old->name[7];
    append_and_pass(w, 20, 5, 1000);
    UNTIL(w, checkpoint_bytes == 0 || has_checkpoint(old));
    append_and_pass(w, 5, 1, 10);
    w->shunned = hy_peer_boot(hy_bus_find(w->nodes[old == w->nodes ? 1 : 0].bus, old->name));
    before = w->rows;
    append(old, 7, 10); /* nobody hears of it */
    stop(w, (int)(old - w->nodes));
    w->rows = before;
    UNTIL(w, leader(w) != NULL);
    assert_false(holds(leader(w), before + 1, by));
    append_and_pass(w, 3, 1, 10); /* other rows of the same numbers */
    start(w, (int)(old - w->nodes));
    check_all_hold(w, 1, before, by);
    for (int i = 0; i < NODES; i++)
        assert_false(holds(leader(w), before + 1, by));
    close_world(w);
}

static void a_tail_nobody_had_gives_way_to_a_checkpoint(void **state)
{
    (void)state;
    roll_back(10000);
}

static void without_a_checkpoint_everything_is_copied(void **state)
{
    (void)state;
    roll_back(0);
}

static void who_was_away_is_fed_from_the_log(void **state)
{
    struct world *w = open_world(2);
    struct node *l;
    int away;
    char by;

    (void)state;
    for (int i = 0; i < NODES; i++)
        w->nodes[i].ring_bytes = 20000;
    start_all(w);
    l = leader(w);
    by = l->name[7];
    away = l == &w->nodes[0] ? 1 : 0;
    append_and_pass(w, 5, 1, 100);
    stop(w, away);
    append_and_pass(w, 300, 2, 1000);
    start(w, away);
    check_all_hold(w, 6, 605, by);
    close_world(w);
}

static void a_reign_is_handed_over_without_a_loss(void **state)
{
    struct world *w = open_world(2);
    struct node *l;
    uint64_t mark;

    (void)state;
    start_all(w);
    l = leader(w);
    mark = append(l, 1, 10);
    assert_int_equal(replica_hand_over(l->replica, "", true), HY_OK);
    assert_false(replica_leads(l->replica));    /* decides no more ... */
    UNTIL(w, replica_passed(l->replica, mark)); /* ... and what it decided passes */
    UNTIL(w, leader(w) != NULL && leader(w) != l);
    assert_true(holds(leader(w), 1, l->name[7]));
    UNTIL(w, same(w, NODES)); /* it stays as a follower, so it is in sync again */
    close_world(w);
}

/* Its lease ended and another leads, but it does not know. */
static void who_was_deposed_tells_nothing(void **state)
{
    struct world *w = open_world(2);
    struct node *old;
    uint64_t read, write;

    (void)state;
    start_all(w);
    old = leader(w);
    old->deaf = true;
    old->coord->away = true;
    fake_end_lease(old->coord);
    read = replica_mark(old->replica);
    write = append(old, 1, 10);
    UNTIL(w, leader(w) != NULL && leader(w) != old);
    append_and_pass(w, 1, 1, 10);
    assert_true(replica_leads(old->replica));
    assert_false(replica_passed(old->replica, read));
    assert_false(replica_passed(old->replica, write));
    old->deaf = false; /* it is refused, and steps down */
    UNTIL(w, !replica_leads(old->replica));
    assert_false(replica_passed(old->replica, write));
    close_world(w);
}

/* The coordinator is away: reads wait for a beat that all confirm, nothing more. */
static void without_a_lease_the_shard_works_on(void **state)
{
    struct world *w = open_world(2);
    uint64_t read;

    (void)state;
    start_all(w);
    for (int i = 0; i < NODES; i++)
        w->nodes[i].coord->away = true;
    append_and_pass(w, 20, 1, 10);
    read = replica_mark(leader(w)->replica);
    assert_false(replica_passed(leader(w)->replica, read));
    UNTIL(w, replica_passed(leader(w)->replica, read));
    close_world(w);
}

static enum hy_err full(void *arg)
{
    (void)arg;
    return HY_EIO;
}

static void a_failed_disk_makes_another_lead(void **state)
{
    struct world *w = open_world(2);
    struct node *old;
    struct db_batch *batch;
    struct key key;

    (void)state;
    start_all(w);
    old = leader(w);
    append_and_pass(w, 3, 1, 10);
    replica_set_fault(old->replica, full, NULL);
    assert_int_equal(db_batch_open(old->db, &batch), HY_OK);
    row_key(&key, 1000);
    db_batch_put(batch, FAMILY_LOG, &key, "x", 1);
    assert_int_equal(replica_write(old->replica, batch), HY_EIO);
    db_batch_close(&batch);
    replica_set_fault(old->replica, NULL, NULL);
    UNTIL(w, leader(w) != NULL && leader(w) != old);
    assert_true(holds(leader(w), 3, old->name[7]));
    UNTIL(w, same(w, NODES)); /* it opened again, and follows */
    close_world(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_hold_what_the_leader_wrote),
        cmocka_unit_test(a_lone_copy_of_several_tells_nothing),
        cmocka_unit_test(a_copy_acts_when_all_values_were_read),
        cmocka_unit_test(another_leads_when_the_leader_dies),
        cmocka_unit_test(databases_log_where_they_are_told),
        cmocka_unit_test(a_tail_nobody_had_gives_way_to_a_checkpoint),
        cmocka_unit_test(without_a_checkpoint_everything_is_copied),
        cmocka_unit_test(who_was_away_is_fed_from_the_log),
        cmocka_unit_test(a_reign_is_handed_over_without_a_loss),
        cmocka_unit_test(who_was_deposed_tells_nothing),
        cmocka_unit_test(without_a_lease_the_shard_works_on),
        cmocka_unit_test(a_failed_disk_makes_another_lead),
    };

    if (getenv("REPLICA_LOG") == NULL)
        hy_log_set_level(HY_LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
