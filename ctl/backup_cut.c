/* Leading all stores through a backup (store/backup.h). */

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "ctl/backup_job.h"
#include "ctl/files.h"

enum {
    ANSWER_MS = 10000, /* a store that says nothing for so long is not there */
    LOOK_MS = 50,
    HOLD_MS = 5000,  /* shards tell each other nothing for so long at most */
    QUIET_MS = 1000, /* what is under way ends within this */
    CATCH_UP_MS = 3000,
};

#define OP(name) HY__BACKUP_REQ__OP__##name
#define STATE(name) HY__BACKUP_RES__STATE__##name

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

void backup_heed_signals(void)
{
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
}

/* ---- asking ---- */

void backup_drop_answers(struct backup_job *j)
{
    for (size_t i = 0; i < STORES_MOST; i++) {
        if (j->answers[i] != NULL)
            hy__backup_res__free_unpacked(j->answers[i], NULL);
        j->answers[i] = NULL;
    }
}

static enum hy_err complain(const struct backup_job *j, enum stores_whom whom)
{
    enum hy_err err = HY_OK;

    for (size_t i = 0; i < stores_count(j->stores); i++) {
        const Hy__BackupRes *res = j->answers[i];
        const char *why = NULL;

        if (j->results[i] != HY_OK)
            why = "it does not answer; is it up (hongyanctl status)?";
        else if (res->code != 0)
            why = *res->info != '\0' ? res->info : "it takes no backups";
        else if (whom == STORES_COPIES && res->state == STATE(FAILED))
            why = res->why;
        if (why == NULL)
            continue;
        fprintf(stderr, "hongyanctl: %s: %s\n", stores_name(j->stores, whom, i), why);
        err = j->results[i] != HY_OK ? j->results[i] : HY_EBUSY;
    }
    return err;
}

/* Ask one of each shard; keep_from: by shard, may be NULL. */
static enum hy_err ask_some(struct backup_job *j, enum stores_whom whom, Hy__BackupReq__Op op,
                            const uint32_t *keep_from)
{
    Hy__BackupReq reqs[STORES_MOST];
    char paths[STORES_MOST][4096];

    backup_drop_answers(j);
    for (size_t i = 0; i < stores_count(j->stores); i++) {
        uint32_t shard = stores_number(j->stores, i);

        hy__backup_req__init(&reqs[i]);
        files_path(paths[i], "%s/shard-%u", j->path, shard);
        reqs[i].op = op;
        reqs[i].run = whom == STORES_COPIES ? j->run : (char *)"";
        reqs[i].path = paths[i];
        reqs[i].rate_bytes = (uint64_t)j->options->rate_mb << 20;
        reqs[i].hold_ms = HOLD_MS;
        reqs[i].keep_from = keep_from != NULL ? keep_from[shard] : 0;
    }
    stores_backup(j->stores, whom, reqs, ANSWER_MS, j->results, j->answers);
    return complain(j, whom);
}

static enum hy_err ask(struct backup_job *j, enum stores_whom whom, Hy__BackupReq__Op op)
{
    return ask_some(j, whom, op, NULL);
}

static void show_progress(const struct backup_job *j)
{
    static const char *const names[] = {"idle",    "flushing", "ready", "cutting",
                                        "copying", "done",     "failed"};
    uint64_t bytes = 0, ms = hy_steady_ms() - j->began_ms;
    int state = STATE(DONE);

    if (!isatty(STDERR_FILENO))
        return;
    for (size_t i = 0; i < stores_count(j->stores); i++) {
        bytes += j->answers[i]->written;
        if ((int)j->answers[i]->state < state)
            state = (int)j->answers[i]->state;
    }
    fprintf(stderr, "\r%-9s %8.1f MB written, %" PRIu64 " s ", names[state], (double)bytes / 1e6,
            ms / 1000);
}

static bool all_reached(const struct backup_job *j, Hy__BackupRes__State state)
{
    for (size_t i = 0; i < stores_count(j->stores); i++)
        if (j->answers[i]->state < state)
            return false;
    return true;
}

/* Until all copies have come so far. */
static enum hy_err wait_for(struct backup_job *j, Hy__BackupRes__State state)
{
    enum hy_err err = HY_OK;

    while (err == HY_OK && !all_reached(j, state)) {
        stores_rest(j->stores, LOOK_MS);
        if (interrupted) {
            fputs("hongyanctl: interrupted\n", stderr);
            return HY_ECLOSED;
        }
        err = ask(j, STORES_COPIES, OP(STATUS));
        if (err == HY_OK)
            show_progress(j);
    }
    return err;
}

/* ---- cutting ---- */

static bool all_held(const struct backup_job *j)
{
    for (size_t i = 0; i < stores_count(j->stores); i++)
        if (!j->answers[i]->held)
            return false;
    return true;
}

/* As the leaders answered last: they still lead, in the reign that was noted. */
static bool same_reigns(const struct backup_job *j)
{
    for (size_t i = 0; i < stores_count(j->stores); i++)
        if (!j->answers[i]->leads || j->answers[i]->reign != j->reigns[i])
            return false;
    return true;
}

/* What the leaders have written is to be in the backup. */
static enum hy_err note_places(struct backup_job *j)
{
    for (size_t i = 0; i < stores_count(j->stores); i++) {
        if (!j->answers[i]->leads)
            return HY_EEXIST;
        j->reigns[i] = j->answers[i]->reign;
        j->latest[i] = j->answers[i]->latest;
    }
    return HY_OK;
}

/* No shard tells another anything any more; *held false: some still does. */
static enum hy_err hold(struct backup_job *j, bool *held)
{
    uint64_t end = hy_steady_ms() + QUIET_MS;
    bool alone = stores_count(j->stores) == 1;
    enum hy_err err = ask(j, STORES_LEADERS, alone ? OP(STATUS) : OP(HOLD));

    while (err == HY_OK && !alone && !all_held(j) && hy_steady_ms() < end) {
        stores_rest(j->stores, 5);
        err = ask(j, STORES_LEADERS, OP(STATUS));
    }
    *held = err == HY_OK && (alone || all_held(j));
    return err == HY_OK ? note_places(j) : err;
}

static bool all_have(const struct backup_job *j)
{
    for (size_t i = 0; i < stores_count(j->stores); i++)
        if (j->answers[i]->reign != j->reigns[i] || j->answers[i]->latest < j->latest[i])
            return false;
    return true;
}

/* Copies have what their leaders had. */
static enum hy_err catch_up(struct backup_job *j)
{
    uint64_t end = hy_steady_ms() + CATCH_UP_MS;
    enum hy_err err = ask(j, STORES_COPIES, OP(STATUS));

    while (err == HY_OK && !all_have(j) && hy_steady_ms() < end) {
        stores_rest(j->stores, 5);
        err = ask(j, STORES_COPIES, OP(STATUS));
    }
    return err == HY_OK && !all_have(j) ? HY_EEXIST : err;
}

static enum hy_err cut(struct backup_job *j)
{
    uint64_t began_ms = hy_steady_ms();
    bool alone = stores_count(j->stores) == 1, held = alone;
    enum hy_err err = hold(j, &held);

    if (err == HY_OK)
        err = catch_up(j);
    if (err == HY_OK)
        err = ask(j, STORES_COPIES, OP(CUT));
    if (err == HY_OK)
        err = wait_for(j, STATE(COPYING));
    if (err == HY_OK)
        err = ask(j, STORES_LEADERS, alone ? OP(STATUS) : OP(RELEASE));
    if (err == HY_OK && !same_reigns(j))
        err = HY_EEXIST;
    j->together = held && (alone || hy_steady_ms() - began_ms < HOLD_MS);
    if (err == HY_OK && !backup_map_fixed(j)) {
        fputs("hongyanctl: slots moved, or etcd was away, while the shards were cut\n", stderr);
        err = HY_EBUSY;
    }
    return err == HY_OK ? ask(j, STORES_COPIES, OP(STATUS)) : err;
}

/* Who cuts a copy that lost its leader then may lack what was acknowledged. */
static enum hy_err check_places(const struct backup_job *j)
{
    for (size_t i = 0; i < stores_count(j->stores); i++) {
        const Hy__BackupRes *res = j->answers[i];

        if (res->epoch == j->reigns[i] && res->sequence >= j->latest[i])
            continue;
        fprintf(stderr, "hongyanctl: %s was not what its leader was; take another backup\n",
                stores_name(j->stores, STORES_COPIES, i));
        return HY_EBUSY;
    }
    return HY_OK;
}

enum hy_err backup_copy(struct backup_job *j)
{
    enum hy_err err = ask(j, STORES_COPIES, OP(BEGIN));

    if (err == HY_OK)
        err = wait_for(j, STATE(READY));
    if (err == HY_OK)
        err = cut(j);
    if (err == HY_OK)
        err = wait_for(j, STATE(DONE));
    if (isatty(STDERR_FILENO))
        fputs("\n", stderr);
    return err == HY_OK ? check_places(j) : err;
}

enum hy_err backup_keep(struct backup_job *j, const uint32_t *keep_from)
{
    enum hy_err err;

    snprintf(j->run + strlen(j->run), sizeof j->run - strlen(j->run), "-keep");
    err = ask_some(j, STORES_COPIES, OP(KEEP), keep_from);
    return err == HY_OK ? wait_for(j, STATE(DONE)) : err;
}

/* What they say does not matter any more. */
void backup_stop(struct backup_job *j)
{
    Hy__BackupReq reqs[STORES_MOST];

    for (int whom = 0; whom < STORES_WHOM; whom++) {
        backup_drop_answers(j);
        for (size_t i = 0; i < stores_count(j->stores); i++) {
            hy__backup_req__init(&reqs[i]);
            reqs[i].op = OP(STOP);
            reqs[i].run = whom == STORES_COPIES ? j->run : (char *)"";
        }
        stores_backup(j->stores, (enum stores_whom)whom, reqs, 1000, j->results, j->answers);
    }
}
