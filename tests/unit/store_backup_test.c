/* Backups of a running shard, and databases made from them. */

#include "store_shards.h"

#include <errno.h>
#include <sys/mount.h>
#include <unistd.h>

#include "common/backupset.h"
#include "store/restore.h"

enum { WAIT_MS = 60000, HOLD_MS = 10000 };

struct place { /* a shard, and a folder for its backups */
    struct fixture *f;
    char folder[64];
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);

    fixture_backup_program = HY_BACKUP;
    strcpy(p->folder, "/tmp/hongyan-backup-test-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    p->f = fixture_open(0, 1);
    *state = p;
    return 0;
}

static void remove_all(const char *path)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", path);
    assert_int_equal(system(command), 0);
}

static int teardown(void **state)
{
    struct place *p = *state;

    fixture_close(p->f);
    remove_all(p->folder);
    free(p);
    return 0;
}

/* ---- asking ---- */

struct ask {
    Hy__BackupReq__Op op;
    const char *run, *folder;
    uint64_t rate;
    uint32_t keep_from;
};

#define OP(name) HY__BACKUP_REQ__OP__##name
#define STATE(name) HY__BACKUP_RES__STATE__##name

/* The texts are good until the next one. */
static Hy__BackupRes ask(struct fixture *f, struct ask ask)
{
    Hy__BackupReq req = HY__BACKUP_REQ__INIT;
    Hy__BackupRes res = HY__BACKUP_RES__INIT;

    req.op = ask.op;
    req.run = (char *)ask.run;
    req.path = ask.folder == NULL ? (char *)"" : (char *)ask.folder;
    req.rate_bytes = ask.rate;
    req.keep_from = ask.keep_from;
    req.hold_ms = HOLD_MS;
    store_backup(f->store, &req, &res);
    return res;
}

/* Turn the shard until its backup has come so far, or has failed. */
static Hy__BackupRes wait_state(struct fixture *f, const char *run, Hy__BackupRes__State state)
{
    const struct timespec moment = {0, 2000000};
    uint64_t end = hy_steady_ms() + WAIT_MS;
    Hy__BackupRes res = ask(f, (struct ask){.op = OP(STATUS), .run = run});

    while (res.state < state && hy_steady_ms() < end) {
        store_turn(f->store);
        nanosleep(&moment, NULL);
        res = ask(f, (struct ask){.op = OP(STATUS), .run = run});
    }
    return res;
}

static void begin(struct fixture *f, const char *run, const char *folder, uint64_t rate)
{
    Hy__BackupRes res =
        ask(f, (struct ask){.op = OP(BEGIN), .run = run, .folder = folder, .rate = rate});

    assert_int_equal(res.code, 0);
}

/* All of it. */
static Hy__BackupRes back_up(struct fixture *f, const char *run, const char *folder)
{
    begin(f, run, folder, 0);
    wait_state(f, run, STATE(READY));
    ask(f, (struct ask){.op = OP(CUT), .run = run});
    return wait_state(f, run, STATE(DONE));
}

static Hy__BackupRes good_backup(struct fixture *f, const char *run, const char *folder)
{
    Hy__BackupRes res = back_up(f, run, folder);

    if (res.state != STATE(DONE))
        fail_msg("%s", res.why);
    return res;
}

static void fill(struct fixture *f, int first, int count, size_t len)
{
    char *text = malloc(len + 1);
    unsigned random = 1;

    for (int i = first; i < first + count; i++) {
        char id[16];

        for (size_t at = 0; at < len; at++)
            text[at] = (char)('a' + (random = random * 1103515245u + 12345u) / 65536 % 26);
        text[len] = '\0';
        snprintf(id, sizeof id, "%d", i);
        fixture_say(f, (struct say){.from = "anna", .to = "ben", .id = id, .text = text});
        if (i % 100 == 99)
            store_turn(f->store);
    }
    free(text);
    store_turn(f->store);
}

/* How many things are damaged in backup id. */
static int damages(const char *folder, uint32_t id)
{
    struct hy_backup_set set;
    uint64_t bytes = 0;
    char why[256];
    int bad = 0;

    if (hy_backup_set_read(folder, id, &set, why) != HY_OK)
        return 1;
    for (size_t i = 0; i < set.count; i++)
        bad += hy_backup_file_check(folder, &set.files[i], NULL, &bytes, why) != HY_OK;
    hy_backup_set_free(&set);
    return bad;
}

static bool exists(const char *folder, uint32_t id)
{
    char path[128];

    snprintf(path, sizeof path, "%s/meta/%u", folder, id);
    return access(path, F_OK) == 0;
}

/* ---- tests ---- */

static void a_second_backup_copies_only_what_is_new(void **state)
{
    struct place *p = *state;
    Hy__BackupRes res;

    fill(p->f, 0, 3000, 1000);
    res = good_backup(p->f, "1", p->folder);
    assert_int_equal(res.id, 1);
    assert_true(res.bytes > 1000000 && res.copied == res.bytes);
    assert_true(res.epoch == 1 && res.sequence > 3000);
    fill(p->f, 3000, 10, 1000);
    res = good_backup(p->f, "2", p->folder);
    assert_int_equal(res.id, 2);
    assert_true(res.bytes > 1000000 && res.copied < 100000);
    assert_int_equal(damages(p->folder, 1) + damages(p->folder, 2), 0);
    assert_int_not_equal(access(p->f->dir, F_OK), -1);
}

static void flip_a_byte(const char *path)
{
    FILE *file = fopen(path, "r+b");
    int byte;

    assert_non_null(file);
    assert_int_equal(fseek(file, 20, SEEK_SET), 0);
    byte = fgetc(file);
    assert_int_equal(fseek(file, 20, SEEK_SET), 0);
    fputc(byte ^ 1, file);
    fclose(file);
}

static void a_flipped_byte_is_found_in_every_file(void **state)
{
    struct place *p = *state;
    struct hy_backup_set set;
    char path[256], why[256];

    fill(p->f, 0, 100, 100);
    good_backup(p->f, "1", p->folder);
    assert_int_equal(hy_backup_set_read(p->folder, 1, &set, why), HY_OK);
    assert_true(set.count > 3);
    for (size_t i = 0; i < set.count; i++) {
        if (strstr(set.files[i].name, "CURRENT") != NULL)
            continue; /* shorter than that */
        snprintf(path, sizeof path, "%s/%s", p->folder, set.files[i].name);
        flip_a_byte(path);
        assert_int_equal(damages(p->folder, 1), 1);
        flip_a_byte(path);
        assert_int_equal(damages(p->folder, 1), 0);
    }
    snprintf(path, sizeof path, "%s/%s", p->folder, set.files[0].name);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(damages(p->folder, 1), 1);
    hy_backup_set_free(&set);
}

static void a_second_one_is_refused_while_the_first_goes_on(void **state)
{
    struct place *p = *state;
    Hy__BackupRes res;

    begin(p->f, "1", p->folder, 0);
    begin(p->f, "1", p->folder, 0); /* the same again, as when an answer was lost */
    res = ask(p->f, (struct ask){.op = OP(BEGIN), .run = "2", .folder = p->folder});
    assert_int_equal(res.code, HY_CODE_BUSY);
    assert_string_equal(res.info, "another backup is under way");
    assert_int_equal(wait_state(p->f, "1", STATE(READY)).state, STATE(READY));
    res = ask(p->f, (struct ask){.op = OP(CUT), .run = "2"});
    assert_int_equal(res.code, HY_CODE_PARAM);
    ask(p->f, (struct ask){.op = OP(CUT), .run = "1"});
    assert_int_equal(wait_state(p->f, "1", STATE(DONE)).state, STATE(DONE));
    good_backup(p->f, "2", p->folder);
}

static void one_that_is_stopped_leaves_nothing_and_the_next_works(void **state)
{
    struct place *p = *state;
    char path[128];
    Hy__BackupRes res;

    fill(p->f, 0, 3000, 1000);
    begin(p->f, "1", p->folder, 100000); /* it would take half a minute */
    wait_state(p->f, "1", STATE(READY));
    ask(p->f, (struct ask){.op = OP(CUT), .run = "1"});
    assert_int_equal(wait_state(p->f, "1", STATE(COPYING)).state, STATE(COPYING));
    ask(p->f, (struct ask){.op = OP(STOP), .run = "1"});
    res = wait_state(p->f, "1", STATE(DONE));
    assert_int_equal(res.state, STATE(FAILED));
    assert_string_equal(res.why, "told to stop");
    assert_false(exists(p->folder, 1));
    snprintf(path, sizeof path, "%s/backup", p->f->dir);
    assert_int_equal(access(path, F_OK), -1);
    res = good_backup(p->f, "2", p->folder);
    assert_int_equal(damages(p->folder, res.id), 0);
}

/* As after kill -9: the store goes in the middle and takes its process along. */
static void a_store_that_goes_ends_its_backup(void **state)
{
    struct place *p = *state;
    Hy__BackupRes res;

    fill(p->f, 0, 3000, 1000);
    begin(p->f, "1", p->folder, 100000);
    wait_state(p->f, "1", STATE(READY));
    ask(p->f, (struct ask){.op = OP(CUT), .run = "1"});
    wait_state(p->f, "1", STATE(COPYING));
    fixture_restart(p->f);
    assert_false(exists(p->folder, 1));
    res = good_backup(p->f, "2", p->folder);
    assert_int_equal(damages(p->folder, res.id), 0);
}

static void old_ones_go_and_the_others_stay_whole(void **state)
{
    struct place *p = *state;
    Hy__BackupRes res;

    for (int i = 0; i < 4; i++) {
        char run[16];

        snprintf(run, sizeof run, "%d", i);
        fill(p->f, i * 100, 100, 1000);
        good_backup(p->f, run, p->folder);
    }
    res =
        ask(p->f, (struct ask){.op = OP(KEEP), .run = "keep", .folder = p->folder, .keep_from = 3});
    assert_int_equal(res.code, 0);
    assert_int_equal(wait_state(p->f, "keep", STATE(DONE)).state, STATE(DONE));
    assert_false(exists(p->folder, 1) || exists(p->folder, 2));
    assert_int_equal(damages(p->folder, 3) + damages(p->folder, 4), 0);
}

static void a_full_disk_fails_the_backup_and_not_the_shard(void **state)
{
    struct place *p = *state;
    Hy__BackupRes res;

    if (geteuid() != 0 || mount("none", p->folder, "tmpfs", 0, "size=1m") != 0)
        skip();
    fill(p->f, 0, 3000, 1000);
    res = back_up(p->f, "1", p->folder);
    assert_int_equal(res.state, STATE(FAILED));
    assert_non_null(strstr(res.why, "No space left"));
    assert_false(exists(p->folder, 1));
    assert_null(store_ready(p->f->store));
    assert_int_equal(fixture_said(p->f, (struct say){.from = "anna", .to = "ben"}).code, 0);
    assert_int_equal(mount("none", p->folder, "tmpfs", MS_REMOUNT, "size=64m"), 0);
    res = good_backup(p->f, "2", p->folder);
    assert_int_equal(damages(p->folder, res.id), 0);
    assert_int_equal(umount(p->folder), 0);
}

/* Between HOLD and RELEASE nothing is told, and nothing is forgotten that was. */
static void while_held_no_shard_is_told_anything(void **state)
{
    struct shards *both;
    char a[32], b[32];
    void *shards = NULL;
    Hy__BackupRes res;

    (void)state;
    shards_setup(&shards);
    both = shards;
    meet(both, a, b);
    both->shard[0]->now_ms += 60000;
    say(both, a, b, "on its way");
    assert_true(wait_to_send(both->shard[0]));
    res = ask(both->shard[0], (struct ask){.op = OP(HOLD), .run = "1"});
    assert_false(res.held); /* that one has yet to be answered */
    deliver(both, true);
    assert_true(ask(both->shard[0], (struct ask){.op = OP(STATUS), .run = "1"}).held);
    both->shard[0]->now_ms += 60000;
    say(both, a, b, "waits");
    assert_false(wait_to_send(both->shard[0]));
    ask(both->shard[0], (struct ask){.op = OP(RELEASE), .run = "1"});
    assert_true(wait_to_send(both->shard[0]));
    deliver(both, true);
    shards_teardown(&shards);
}

/* ---- restoring ---- */

struct wanted {
    const struct restore_source *sources;
    size_t count;
    uint32_t shards;
    bool loose, moved;
    uint32_t copies;
};

static enum hy_err restore(struct wanted wanted, const char *to, struct restore_result *result,
                           char why[static 256])
{
    struct restore_run runs[2] = {{0, 0}, {8192, 1}};
    struct restore_config config = {.to = to,
                                    .sources = wanted.sources,
                                    .source_count = wanted.count,
                                    .runs = runs,
                                    .run_count = wanted.count,
                                    .shards = wanted.shards,
                                    .copies = wanted.copies,
                                    .check = true,
                                    .loose = wanted.loose,
                                    .moved = wanted.moved};

    return restore_all(&config, result, why);
}

/* A shard over what was restored; the fixture takes the directory along. copy: "" or its letter. */
static struct fixture *open_copy(const char *to, uint32_t shard, uint32_t shards, const char *copy)
{
    struct fixture *f = fixture_open(shard, shards);
    char command[256];

    store_close(&f->store);
    snprintf(command, sizeof command, "rm -rf '%s' && mv '%s/store-%u%s' '%s'", f->dir, to, shard,
             copy, f->dir);
    assert_int_equal(system(command), 0);
    fixture_start(f);
    return f;
}

static struct fixture *open_restored(const char *to, uint32_t shard, uint32_t shards)
{
    return open_copy(to, shard, shards, "");
}

static void one_shard_becomes_three(void **state)
{
    struct place *p = *state;
    uint32_t owner = hy_slot_shard(hy_slot_pair(FIXTURE_APP, "anna", "ben"), 3);
    struct restore_source source = {".", 1};
    struct restore_result result;
    struct fixture *f;
    char to[80], why[256];
    Hy__HistoryRes *page;

    fill(p->f, 0, 1000, 100);
    good_backup(p->f, "1", p->folder);
    snprintf(to, sizeof to, "%s/restored", p->folder);
    assert_int_equal(chdir(p->folder), 0);
    if (restore((struct wanted){.sources = &source, .count = 1, .shards = 3}, to, &result, why) !=
        HY_OK)
        fail_msg("%s", why);
    assert_int_equal(result.epoch, 1 + RESTORE_EPOCHS);
    assert_true(result.rows > 2000);
    assert_int_equal(result.stray, 0);
    assert_int_equal(chdir("/"), 0);
    f = open_restored(to, owner, 3);
    page = fixture_page(f, (struct page){.user = "ben", .peer = "anna", .count = 20});
    assert_int_equal(page->last_seq, 1000);
    assert_int_equal(page->n_msgs, 20);
    DROP(page);
    assert_int_equal(fixture_unread(f, "ben", "anna", false), 1000);
    fill(f, 999, 1, 10); /* a retry is still known */
    page = fixture_page(f, (struct page){.user = "ben", .peer = "anna", .count = 20});
    assert_int_equal(page->last_seq, 1000);
    DROP(page);
    assert_int_equal(fixture_said(f, (struct say){.from = "anna", .to = "ben"}).seq, 1001);
    fixture_close(f);
}

/* Two shards that both have all rows, as after slots went there and back: each keeps its own. */
static void rows_of_slots_that_moved_away_stay_behind(void **state)
{
    struct place *p = *state;
    struct restore_source sources[] = {{p->folder, 1}, {p->folder, 1}};
    struct restore_result once, moved;
    char to[80], why[256];

    fill(p->f, 0, 1000, 100);
    good_backup(p->f, "1", p->folder);
    snprintf(to, sizeof to, "%s/once", p->folder);
    if (restore((struct wanted){.sources = sources, .count = 1, .shards = 3}, to, &once, why) !=
        HY_OK)
        fail_msg("%s", why);
    snprintf(to, sizeof to, "%s/moved", p->folder);
    if (restore((struct wanted){.sources = sources, .count = 2, .shards = 2, .moved = true}, to,
                &moved, why) != HY_OK)
        fail_msg("%s", why);
    assert_true(once.rows > 2000);
    assert_int_equal(moved.rows, once.rows);
    assert_int_equal(moved.stray, once.rows);
}

static void every_copy_has_all(void **state)
{
    struct place *p = *state;
    struct restore_source source = {p->folder, 1};
    struct restore_result result;
    char to[80], why[256], letter[] = "a";

    fill(p->f, 0, 1000, 100);
    good_backup(p->f, "1", p->folder);
    snprintf(to, sizeof to, "%s/restored", p->folder);
    if (restore((struct wanted){.sources = &source, .count = 1, .shards = 1, .copies = 3}, to,
                &result, why) != HY_OK)
        fail_msg("%s", why);
    for (; letter[0] <= 'c'; letter[0]++) {
        struct fixture *f = open_copy(to, 0, 1, letter);
        Hy__HistoryRes *page =
            fixture_page(f, (struct page){.user = "ben", .peer = "anna", .count = 20});

        assert_int_equal(page->last_seq, 1000);
        DROP(page);
        /* what one writes no other sees, though they share files */
        assert_int_equal(fixture_said(f, (struct say){.from = "anna", .to = "ben"}).seq, 1001);
        fixture_close(f);
    }
}

static void a_damaged_backup_is_not_restored(void **state)
{
    struct place *p = *state;
    struct restore_source source = {p->folder, 1};
    struct restore_result result;
    struct hy_backup_set set;
    char to[80], path[256], why[256];

    fill(p->f, 0, 1000, 100);
    good_backup(p->f, "1", p->folder);
    assert_int_equal(hy_backup_set_read(p->folder, 1, &set, why), HY_OK);
    for (size_t i = 0; i < set.count; i++) {
        snprintf(path, sizeof path, "%s/%s", p->folder, set.files[i].name);
        if (hy_backup_file_table(&set.files[i]))
            flip_a_byte(path);
    }
    hy_backup_set_free(&set);
    for (uint32_t shards = 1; shards <= 3; shards += 2) {
        snprintf(to, sizeof to, "%s/restored-%u", p->folder, shards);
        assert_int_equal(restore((struct wanted){.sources = &source, .count = 1, .shards = shards},
                                 to, &result, why),
                         HY_ECORRUPT);
        assert_non_null(strstr(why, "damaged"));
    }
}

/* Shards that were cut at different times: shard 1 (users) before and after what shard 0
 * (conversations) says. */
static void indexes_are_mended_after_a_loose_cut(void **state)
{
    struct place *p = *state;
    struct shards *both;
    struct restore_source sources[2];
    struct restore_result result;
    char folders[2][80], to[80], why[256], a[32], b[32], owner[32];
    char group[32] = "walkers";
    void *shards = NULL;
    const char *users[1] = {b};

    shards_setup(&shards);
    both = shards;
    for (int i = 0; hy_slot_shard(hy_slot_group(FIXTURE_APP, group), 2) != 0; i++)
        snprintf(group, sizeof group, "walkers%d", i);
    user_of(0, "carl", owner);
    meet(both, a, b);
    for (uint32_t i = 0; i < 2; i++) {
        snprintf(folders[i], sizeof folders[i], "%s/shard-%u", p->folder, i);
        sources[i] = (struct restore_source){folders[i], 1};
    }
    /* The users' shard is cut, then a group is made and told: behind and missing. */
    good_backup(both->shard[1], "1", folders[1]);
    assert_int_equal(fixture_group(both->shard[0], "Public", group, owner, 1, users), 0);
    assert_true(wait_to_send(both->shard[0]));
    deliver(both, true);
    both->shard[0]->now_ms += 60000;
    say(both, a, b, "again");
    assert_true(wait_to_send(both->shard[0]));
    deliver(both, true);
    for (uint64_t end = hy_steady_ms() + 500; hy_steady_ms() < end;) /* the outbox forgets */
        store_turn(both->shard[0]->store);
    good_backup(both->shard[0], "1", folders[0]);
    /* And again the other way round: users know of what the conversations have yet to do. */
    both->shard[0]->now_ms += 60000;
    say(both, a, b, "once more");
    assert_true(wait_to_send(both->shard[0]));
    deliver(both, true);
    assert_int_equal(fixture_moved(both->shard[0], false,
                                   (struct move){.group = group, .user = b, .admin = true}),
                     0);
    assert_true(wait_to_send(both->shard[0]));
    deliver(both, true);
    good_backup(both->shard[1], "2", folders[1]);

    snprintf(to, sizeof to, "%s/behind", p->folder);
    if (restore((struct wanted){.sources = sources, .count = 2, .shards = 2, .loose = true}, to,
                &result, why) != HY_OK)
        fail_msg("%s", why);
    assert_int_equal(result.index.missing, 1);
    assert_int_equal(result.index.behind, 2);
    assert_int_equal(result.index.ahead, 0);
    assert_int_equal(result.index.repaired, 3);

    sources[1].id = 2;
    snprintf(to, sizeof to, "%s/ahead", p->folder);
    if (restore((struct wanted){.sources = sources, .count = 2, .shards = 2}, to, &result, why) !=
        HY_OK)
        fail_msg("%s", why);
    assert_int_equal(result.index.ahead, 3); /* both sides of the pair, and who left */
    assert_int_equal(result.index.behind, 0);
    assert_int_equal(result.index.repaired, 3);
    shards_teardown(&shards);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_second_backup_copies_only_what_is_new),
        T(a_flipped_byte_is_found_in_every_file),
        T(a_second_one_is_refused_while_the_first_goes_on),
        T(one_that_is_stopped_leaves_nothing_and_the_next_works),
        T(a_store_that_goes_ends_its_backup),
        T(old_ones_go_and_the_others_stay_whole),
        T(a_full_disk_fails_the_backup_and_not_the_shard),
        T(while_held_no_shard_is_told_anything),
        T(one_shard_becomes_three),
        T(rows_of_slots_that_moved_away_stay_behind),
        T(every_copy_has_all),
        T(a_damaged_backup_is_not_restored),
        T(indexes_are_mended_after_a_loose_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
