/* hongyanctl backup: lead all stores through one backup (store/backup.h), then write what makes it
 * one (ctl/manifest.h). */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/backupset.h"
#include "common/clock.h"
#include "ctl/backup_keys.h"
#include "ctl/commands.h"
#include "ctl/files.h"
#include "ctl/manifest.h"
#include "ctl/stores.h"

enum {
    ANSWER_MS = 10000, /* a store that says nothing for so long is not there */
    LOOK_MS = 50,
    HOLD_MS = 5000, /* shards tell each other nothing for so long at most */
    SECOND_MS = 1500,
    QUIET_MS = 1000, /* what is under way ends within this */
};

#define OP(name) HY__BACKUP_REQ__OP__##name
#define STATE(name) HY__BACKUP_RES__STATE__##name

struct options {
    const char *dir, *to, *output;
    int64_t keep, rate_mb;
    bool without_keys;
};

/* clang-format off */
static const struct arg args[] = {
    {"dir", "DIR", ARG_TEXT, offsetof(struct options, dir), 0, 0, true, "folder of the cluster, which is up"},
    {"to", "PATH", ARG_TEXT, offsetof(struct options, to), 0, 0, true, "folder of its backups; all stores see it at this path"},
    {"keep", "K", ARG_INT, offsetof(struct options, keep), 1, 100000, false, "afterwards delete all but the newest K (keep all)"},
    {"rate-mb", "R", ARG_INT, offsetof(struct options, rate_mb), 1, 1000000, false, "most MB a second that each store copies (no limit)"},
    {"without-keys", NULL, ARG_FLAG, offsetof(struct options, without_keys), 0, 0, false, "leave the cluster's secrets out"},
    {"output", "text|json", ARG_TEXT, offsetof(struct options, output), 0, 0, false, "form of the answer; json: the manifest"},
    {0},
};
/* clang-format on */

struct job {
    const struct options *options;
    struct cluster cluster;
    struct stores *stores;
    char path[4096], time[MANIFEST_TIME], run[64];
    int lock_fd;
    enum hy_err results[STORES_MOST];
    Hy__BackupRes *answers[STORES_MOST];
    bool together;
    uint64_t began_ms;
    json_t *manifest;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

/* ---- asking ---- */

static void drop_answers(struct job *j)
{
    for (size_t i = 0; i < STORES_MOST; i++) {
        if (j->answers[i] != NULL)
            hy__backup_res__free_unpacked(j->answers[i], NULL);
        j->answers[i] = NULL;
    }
}

static enum hy_err complain(const struct job *j)
{
    enum hy_err err = HY_OK;

    for (size_t i = 0; i < stores_count(j->stores); i++) {
        const Hy__BackupRes *res = j->answers[i];
        const char *why = NULL;

        if (j->results[i] != HY_OK)
            why = "it does not answer; is it up (hongyanctl status)?";
        else if (res->code != 0)
            why = *res->info != '\0' ? res->info : "it takes no backups";
        else if (res->state == STATE(FAILED))
            why = res->why;
        if (why == NULL)
            continue;
        fprintf(stderr, "hongyanctl: %s: %s\n", stores_name(j->stores, i), why);
        err = j->results[i] != HY_OK ? j->results[i] : HY_EBUSY;
    }
    return err;
}

/* Ask all; from: what is special for each, may be NULL. */
static enum hy_err ask(struct job *j, Hy__BackupReq__Op op, const uint32_t *keep_from)
{
    Hy__BackupReq reqs[STORES_MOST];
    char paths[STORES_MOST][4096];

    drop_answers(j);
    for (size_t i = 0; i < stores_count(j->stores); i++) {
        hy__backup_req__init(&reqs[i]);
        files_path(paths[i], "%s/shard-%zu", j->path, i);
        reqs[i].op = op;
        reqs[i].run = j->run;
        reqs[i].path = paths[i];
        reqs[i].rate_bytes = (uint64_t)j->options->rate_mb << 20;
        reqs[i].hold_ms = HOLD_MS;
        reqs[i].keep_from = keep_from != NULL ? keep_from[i] : 0;
    }
    stores_backup(j->stores, reqs, ANSWER_MS, j->results, j->answers);
    return complain(j);
}

static void show_progress(const struct job *j)
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

static bool all_reached(const struct job *j, Hy__BackupRes__State state)
{
    for (size_t i = 0; i < stores_count(j->stores); i++)
        if (j->answers[i]->state < state)
            return false;
    return true;
}

/* Until all have come so far. */
static enum hy_err wait_for(struct job *j, Hy__BackupRes__State state)
{
    enum hy_err err = HY_OK;

    while (err == HY_OK && !all_reached(j, state)) {
        stores_rest(j->stores, LOOK_MS);
        if (interrupted) {
            fputs("hongyanctl: interrupted\n", stderr);
            return HY_ECLOSED;
        }
        err = ask(j, OP(STATUS), NULL);
        if (err == HY_OK)
            show_progress(j);
    }
    return err;
}

static bool all_held(const struct job *j)
{
    for (size_t i = 0; i < stores_count(j->stores); i++)
        if (!j->answers[i]->held)
            return false;
    return true;
}

/* No shard tells another anything any more; false: some still does. */
static enum hy_err hold(struct job *j, bool *held)
{
    uint64_t end = hy_steady_ms() + QUIET_MS;
    enum hy_err err = ask(j, OP(HOLD), NULL);

    while (err == HY_OK && !all_held(j) && hy_steady_ms() < end) {
        stores_rest(j->stores, 5);
        err = ask(j, OP(STATUS), NULL);
    }
    *held = err == HY_OK && all_held(j);
    return err;
}

/* ---- the backup of all shards ---- */

static enum hy_err cut(struct job *j)
{
    uint64_t began_ms = hy_steady_ms();
    bool alone = stores_count(j->stores) == 1, held = alone;
    enum hy_err err = alone ? HY_OK : hold(j, &held);

    if (err == HY_OK)
        err = ask(j, OP(CUT), NULL);
    if (err == HY_OK)
        err = wait_for(j, STATE(COPYING));
    j->together = held && (alone || hy_steady_ms() - began_ms < HOLD_MS);
    if (err == HY_OK && !alone)
        err = ask(j, OP(RELEASE), NULL);
    return err;
}

static enum hy_err copy_all(struct job *j)
{
    enum hy_err err = ask(j, OP(BEGIN), NULL);

    if (err == HY_OK)
        err = wait_for(j, STATE(READY));
    if (err == HY_OK)
        err = cut(j);
    if (err == HY_OK)
        err = wait_for(j, STATE(DONE));
    if (isatty(STDERR_FILENO))
        fputs("\n", stderr);
    return err;
}

/* Let all go that would wait for us. What they say does not matter any more. */
static void stop_all(struct job *j)
{
    Hy__BackupReq reqs[STORES_MOST];

    drop_answers(j);
    for (size_t i = 0; i < stores_count(j->stores); i++) {
        hy__backup_req__init(&reqs[i]);
        reqs[i].op = OP(STOP);
        reqs[i].run = j->run;
    }
    stores_backup(j->stores, reqs, 1000, j->results, j->answers);
}

/* ---- the manifest ---- */

static json_t *runs_of(size_t shards)
{
    json_t *runs = json_array();

    for (size_t i = 0; i < shards; i++)
        json_array_append_new(
            runs,
            json_pack("[I, I]", (json_int_t)((i * 16384 + shards - 1) / shards), (json_int_t)i));
    return runs;
}

static enum hy_err add_part(struct job *j, size_t shard, json_t *parts)
{
    const Hy__BackupRes *res = j->answers[shard];
    struct hy_backup_set set;
    char folder[4096], why[256];
    enum hy_err err = HY_OK;

    files_path(folder, "%s/shard-%zu", j->path, shard);
    err = hy_backup_set_read(folder, res->id, &set, why);
    if (err != HY_OK) {
        fprintf(stderr,
                "hongyanctl: %s says it is done, but %s: PATH must be the same folder on all"
                " machines\n",
                stores_name(j->stores, shard), why);
        return err;
    }
    json_array_append_new(
        parts,
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "shard", (json_int_t)shard,
                  "backup", (json_int_t)res->id, "epoch", (json_int_t)res->epoch, "sequence",
                  (json_int_t)res->sequence, "bytes", (json_int_t)res->bytes, "copied",
                  (json_int_t)res->copied, "files", (json_int_t)res->files, "took_ms",
                  (json_int_t)res->took_ms, "meta", (json_int_t)set.meta_crc));
    hy_backup_set_free(&set);
    return HY_OK;
}

static enum hy_err make_manifest(struct job *j)
{
    size_t shards = stores_count(j->stores);
    char folder[4096];
    json_t *parts = json_array(), *sums = NULL;
    enum hy_err err = HY_OK;

    j->manifest = json_pack("{s:i, s:s, s:s, s:s, s:I, s:{s:i, s:o}, s:b}", "format",
                            MANIFEST_FORMAT, "time", j->time, "cluster", j->cluster.id, "version",
                            HY_VERSION, "shards", (json_int_t)shards, "map", "epoch", 1, "runs",
                            runs_of(shards), "together", (int)j->together);
    for (size_t i = 0; i < shards && err == HY_OK; i++)
        err = add_part(j, i, parts);
    json_object_set_new(j->manifest, "parts", parts);
    if (err == HY_OK && !j->options->without_keys) {
        files_path(folder, "%s/keys-%s", j->path, j->time);
        err = backup_keys_save(j->options->dir, folder, &sums);
        json_object_set_new(j->manifest, "keys", sums);
    }
    return err == HY_OK ? manifest_write(j->path, j->manifest) : err;
}

/* ---- deleting old ones ---- */

/* Which backups of each shard are named by one of these manifests: those from here on. */
static void oldest_wanted(const json_t *list, size_t first, size_t shards, uint32_t *from)
{
    for (size_t s = 0; s < shards; s++)
        from[s] = UINT32_MAX;
    for (size_t i = first; i < json_array_size(list); i++) {
        const json_t *parts = json_object_get(json_array_get(list, i), "parts");

        for (size_t s = 0; s < json_array_size(parts) && s < shards; s++) {
            json_int_t id = manifest_number(json_array_get(parts, s), "backup");

            if (id < (json_int_t)from[s])
                from[s] = (uint32_t)id;
        }
    }
}

static enum hy_err keep_some(struct job *j)
{
    uint32_t from[STORES_MOST];
    json_t *list = manifest_list(j->path, NULL);
    size_t count = json_array_size(list), keep = (size_t)j->options->keep;
    size_t first = count > keep ? count - keep : 0;
    enum hy_err err = HY_OK;

    for (size_t i = 0; i < first; i++) {
        const json_t *old = json_array_get(list, i);
        char folder[4096];

        manifest_remove(j->path, old);
        files_path(folder, "%s/keys-%s", j->path, manifest_text(old, "time"));
        backup_keys_remove(folder);
    }
    if (first > 0) {
        oldest_wanted(list, first, stores_count(j->stores), from);
        snprintf(j->run + strlen(j->run), sizeof j->run - strlen(j->run), "-keep");
        err = ask(j, OP(KEEP), from);
        if (err == HY_OK)
            err = wait_for(j, STATE(DONE));
    }
    json_decref(list);
    return err;
}

/* ---- the command ---- */

static enum hy_err take_path(struct job *j)
{
    char file[4096];
    char *real = NULL;

    if (files_make_dir(j->options->to) == HY_OK)
        real = realpath(j->options->to, NULL);
    if (real == NULL) {
        fprintf(stderr, "hongyanctl: %s: %s\n", j->options->to, strerror(errno));
        return HY_EIO;
    }
    files_path(j->path, "%s", real);
    free(real);
    files_path(file, "%s/LOCK", j->path);
    j->lock_fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (j->lock_fd >= 0 && flock(j->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return HY_OK;
    fprintf(stderr, "hongyanctl: %s: %s\n", file,
            errno == EWOULDBLOCK ? "another backup to this folder is under way" : strerror(errno));
    return HY_EBUSY;
}

/* Backups are named by their second: after one of this second the next is waited for. */
static bool take_time(struct job *j, const char *last)
{
    uint64_t end = hy_steady_ms() + SECOND_MS;

    manifest_now(j->time);
    while (strcmp(j->time, last) <= 0 && hy_steady_ms() < end) {
        stores_rest(j->stores, LOOK_MS);
        manifest_now(j->time);
    }
    return strcmp(j->time, last) > 0;
}

/* One folder holds backups of one cluster. */
static enum hy_err check_path(struct job *j)
{
    json_t *list = manifest_list(j->path, NULL);
    const json_t *last = json_array_get(list, json_array_size(list) - 1);
    enum hy_err err = list == NULL ? HY_EIO : HY_OK;

    if (last != NULL && strcmp(manifest_text(last, "cluster"), j->cluster.id) != 0) {
        fprintf(stderr, "hongyanctl: %s has backups of another cluster; choose another folder\n",
                j->path);
        err = HY_ECONFIG;
    } else if (last != NULL && !take_time(j, manifest_text(last, "time"))) {
        fprintf(stderr, "hongyanctl: %s has a backup of %s already; is the clock right?\n", j->path,
                manifest_text(last, "time"));
        err = HY_EEXIST;
    }
    json_decref(list);
    return err;
}

static void print_result(const struct job *j, uint64_t took_ms)
{
    uint64_t bytes = 0, copied = 0;

    for (size_t i = 0; i < json_array_size(json_object_get(j->manifest, "parts")); i++) {
        const json_t *part = json_array_get(json_object_get(j->manifest, "parts"), i);

        bytes += (uint64_t)manifest_number(part, "bytes");
        copied += (uint64_t)manifest_number(part, "copied");
    }
    if (j->options->output != NULL && strcmp(j->options->output, "json") == 0) {
        json_dumpf(j->manifest, stdout, JSON_INDENT(2));
        putchar('\n');
        return;
    }
    printf("Backup %s of %zu shard%s: %.1f MB, of which %.1f MB are new; took %.1f s.\n", j->time,
           stores_count(j->stores), stores_count(j->stores) == 1 ? "" : "s", (double)bytes / 1e6,
           (double)copied / 1e6, (double)took_ms / 1000);
    if (!j->together)
        puts("The shards were not cut together; a restore will look after their indexes.");
}

/* A restore makes the one directory of a shard that has one copy. */
static enum hy_err check_copies(const struct job *j)
{
    if (json_array_size(json_object_get(j->cluster.json, "etcd")) == 0)
        return HY_OK;
    fputs("hongyanctl: clusters on etcd cannot be backed up yet\n", stderr);
    return HY_ECONFIG;
}

static enum hy_err back_up(struct job *j)
{
    uint64_t took_ms = 0;
    enum hy_err err = check_copies(j);

    if (err == HY_OK)
        err = take_path(j);
    if (err == HY_OK)
        err = check_path(j);
    if (err != HY_OK)
        return err;
    err = copy_all(j);
    if (err == HY_OK)
        err = make_manifest(j);
    else
        stop_all(j);
    took_ms = hy_steady_ms() - j->began_ms;
    if (err == HY_OK && j->options->keep > 0)
        err = keep_some(j);
    if (j->manifest != NULL && err == HY_OK)
        print_result(j, took_ms);
    return err;
}

static int run(const struct options *options)
{
    struct job *j = calloc(1, sizeof *j);
    enum hy_err err = HY_ENOMEM;

    if (j == NULL)
        return EXIT_FAILURE;
    *j = (struct job){.options = options, .lock_fd = -1, .began_ms = hy_steady_ms()};
    manifest_now(j->time);
    snprintf(j->run, sizeof j->run, "%s-%016" PRIx64, j->time, hy_random64());
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    err = cluster_load(options->dir, NULL, 0, &j->cluster);
    if (err == HY_OK) {
        err = stores_open(&j->cluster, &j->stores);
        if (err == HY_OK)
            err = back_up(j);
        cluster_free(&j->cluster);
    }
    drop_answers(j);
    stores_close(&j->stores);
    json_decref(j->manifest);
    if (j->lock_fd >= 0)
        close(j->lock_fd);
    free(j);
    return err == HY_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

int command_backup(const struct command *command, int argc, char **argv)
{
    struct options options = {0};
    struct arg_list rest = {0};
    int code = args_parse(command, args, argc, argv, &options, &rest);

    if (code < 0 && rest.count > 0)
        code = args_wrong(command, "unexpected argument %s", rest.items[0]);
    args_free(&rest);
    return code >= 0 ? code : run(&options);
}
