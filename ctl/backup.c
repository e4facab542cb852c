/* hongyanctl backup: lead all stores through one backup (backup_cut.c), then write what makes it
 * one (ctl/manifest.h). */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/backupset.h"
#include "common/clock.h"
#include "common/file.h"
#include "ctl/backup_job.h"
#include "ctl/backup_keys.h"
#include "ctl/commands.h"
#include "ctl/files.h"

enum {
    LOOK_MS = 50,
    SECOND_MS = 1500,
    TRIES = 3, /* when who leads a shard changes */
};

/* clang-format off */
static const struct arg args[] = {
    {"dir", "DIR", ARG_TEXT, offsetof(struct backup_options, dir), 0, 0, true, "folder of the cluster, which is up"},
    {"to", "PATH", ARG_TEXT, offsetof(struct backup_options, to), 0, 0, true, "folder of its backups; all stores see it at this path"},
    {"keep", "K", ARG_INT, offsetof(struct backup_options, keep), 1, 100000, false, "afterwards delete all but the newest K (keep all)"},
    {"rate-mb", "R", ARG_INT, offsetof(struct backup_options, rate_mb), 1, 1000000, false, "most MB a second that each store copies (no limit)"},
    {"without-keys", NULL, ARG_FLAG, offsetof(struct backup_options, without_keys), 0, 0, false, "leave the cluster's secrets out"},
    {"output", "text|json", ARG_TEXT, offsetof(struct backup_options, output), 0, 0, false, "form of the answer; json: the manifest"},
    {0},
};
/* clang-format on */

/* ---- the manifest ---- */

/* {"epoch": 7, "runs": [[0, 0], ...]} */
static json_t *map_of(const struct backup_job *j)
{
    char *text = hy_shardmap_print(&j->map);
    json_t *map = text == NULL ? NULL : json_loads(text, 0, NULL);

    free(text);
    return map;
}

static enum hy_err add_part(struct backup_job *j, size_t i, json_t *parts)
{
    const Hy__BackupRes *res = j->answers[i];
    const char *store = stores_name(j->stores, STORES_COPIES, i);
    uint32_t shard = stores_number(j->stores, i);
    struct hy_backup_set set;
    char folder[4096], why[256];
    enum hy_err err = HY_OK;

    files_path(folder, "%s/shard-%u", j->path, shard);
    err = hy_backup_set_read(folder, res->id, &set, why);
    if (err != HY_OK) {
        fprintf(stderr,
                "hongyanctl: %s says it is done, but %s: PATH must be the same folder on all"
                " machines\n",
                store, why);
        return err;
    }
    json_array_append_new(
        parts,
        json_pack("{s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "shard", (json_int_t)shard,
                  "store", store, "backup", (json_int_t)res->id, "epoch", (json_int_t)res->epoch,
                  "sequence", (json_int_t)res->sequence, "bytes", (json_int_t)res->bytes, "copied",
                  (json_int_t)res->copied, "files", (json_int_t)res->files, "took_ms",
                  (json_int_t)res->took_ms, "meta", (json_int_t)set.meta_crc));
    hy_backup_set_free(&set);
    return HY_OK;
}

static enum hy_err make_manifest(struct backup_job *j)
{
    size_t shards = stores_count(j->stores);
    char folder[4096];
    json_t *parts = json_array(), *sums = NULL;
    enum hy_err err = HY_OK;

    j->manifest = json_pack("{s:i, s:s, s:s, s:s, s:I, s:I, s:o, s:b, s:b}", "format",
                            j->moved ? MANIFEST_FORMAT : MANIFEST_FORMAT_UNMOVED, "time", j->time,
                            "cluster", j->cluster.id, "version", HY_VERSION, "shards",
                            (json_int_t)shards, "copies", (json_int_t)j->copies, "map", map_of(j),
                            "moved", (int)j->moved, "together", (int)j->together);
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
static void oldest_wanted(const json_t *list, size_t first, uint32_t from[static HY_SHARDS_MAX])
{
    for (size_t s = 0; s < HY_SHARDS_MAX; s++)
        from[s] = UINT32_MAX;
    for (size_t i = first; i < json_array_size(list); i++) {
        const json_t *parts = json_object_get(json_array_get(list, i), "parts");

        for (size_t p = 0; p < json_array_size(parts); p++) {
            const json_t *part = json_array_get(parts, p);
            json_int_t shard = manifest_number(part, "shard"), id = manifest_number(part, "backup");

            if (shard >= 0 && shard < HY_SHARDS_MAX && id < (json_int_t)from[shard])
                from[shard] = (uint32_t)id;
        }
    }
}

/* Shards that no backup names any more have no store that would clear up. */
static void remove_unnamed(const struct backup_job *j, const json_t *old, const uint32_t *from)
{
    const json_t *parts = json_object_get(old, "parts");

    for (size_t p = 0; p < json_array_size(parts); p++) {
        json_int_t shard = manifest_number(json_array_get(parts, p), "shard");
        char folder[4096];

        if (shard < 0 || shard >= HY_SHARDS_MAX || from[shard] != UINT32_MAX)
            continue;
        files_path(folder, "%s/shard-%lld", j->path, (long long)shard);
        (void)hy_dir_remove(folder);
    }
}

static void remove_old(const struct backup_job *j, const json_t *old, const uint32_t *from)
{
    char folder[4096];

    manifest_remove(j->path, old);
    files_path(folder, "%s/keys-%s", j->path, manifest_text(old, "time"));
    (void)hy_dir_remove(folder);
    remove_unnamed(j, old, from);
}

static enum hy_err keep_some(struct backup_job *j)
{
    uint32_t from[HY_SHARDS_MAX];
    json_t *list = manifest_list(j->path, NULL);
    size_t count = json_array_size(list), keep = (size_t)j->options->keep;
    size_t first = count > keep ? count - keep : 0;

    oldest_wanted(list, first, from);
    for (size_t i = 0; i < first; i++)
        remove_old(j, json_array_get(list, i), from);
    json_decref(list);
    return first > 0 ? backup_keep(j, from) : HY_OK;
}

/* ---- the command ---- */

static enum hy_err take_path(struct backup_job *j)
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
static bool take_time(struct backup_job *j, const char *last)
{
    uint64_t end = hy_steady_ms() + SECOND_MS;

    manifest_now(j->time);
    while (strcmp(j->time, last) <= 0 && hy_steady_ms() < end) {
        (void)poll(NULL, 0, LOOK_MS); /* a clock has no event that tells */
        manifest_now(j->time);
    }
    return strcmp(j->time, last) > 0;
}

/* One folder holds backups of one cluster. */
static enum hy_err check_path(struct backup_job *j)
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

static void print_result(const struct backup_job *j, uint64_t took_ms)
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

static void name_run(struct backup_job *j)
{
    snprintf(j->run, sizeof j->run, "%s-%016" PRIx64, j->time, hy_random64());
}

/* From other stores, when who leads changes. */
static enum hy_err try_to_copy(struct backup_job *j)
{
    enum hy_err err = HY_EEXIST;

    for (int i = 0; i < TRIES && err == HY_EEXIST; i++) {
        name_run(j);
        err = backup_dial(j);
        if (err != HY_OK)
            return err;
        err = backup_copy(j);
        if (err != HY_OK)
            backup_stop(j);
    }
    if (err == HY_EEXIST)
        fputs("hongyanctl: who leads a shard changes again and again; hongyanctl status\n", stderr);
    return err;
}

static enum hy_err back_up(struct backup_job *j)
{
    uint64_t took_ms = 0;
    enum hy_err err = take_path(j);

    if (err == HY_OK)
        err = check_path(j);
    if (err == HY_OK)
        err = backup_fix_map(j);
    if (err == HY_OK)
        err = try_to_copy(j);
    if (err == HY_OK)
        err = make_manifest(j);
    took_ms = hy_steady_ms() - j->began_ms;
    if (err == HY_OK && j->options->keep > 0)
        err = keep_some(j);
    if (err == HY_OK)
        print_result(j, took_ms);
    return err;
}

struct visited {
    struct backup_job *job;
    enum hy_err err;
};

static void back_up_visited(void *arg, const struct nodes_visit *visit)
{
    struct visited *v = arg;

    v->job->visit = visit;
    v->err = back_up(v->job);
    stores_close(&v->job->stores); /* they turn the loop of the visit */
    v->job->visit = NULL;
}

static enum hy_err visit_and_back_up(struct backup_job *j)
{
    struct visited visited = {j, HY_ETIMEOUT};

    if (json_array_size(json_object_get(j->cluster.json, "etcd")) == 0)
        return back_up(j);
    if (!nodes_visit(j->cluster.json, back_up_visited, &visited))
        fprintf(stderr, "hongyanctl: the etcd of %s does not answer\n", j->options->dir);
    return visited.err;
}

static int run(const struct backup_options *options)
{
    struct backup_job *j = calloc(1, sizeof *j);
    enum hy_err err = HY_ENOMEM;

    if (j == NULL)
        return EXIT_FAILURE;
    j->options = options;
    j->lock_fd = -1;
    j->began_ms = hy_steady_ms();
    manifest_now(j->time);
    backup_heed_signals();
    err = cluster_load(options->dir, NULL, 0, &j->cluster);
    if (err == HY_OK) {
        err = visit_and_back_up(j);
        cluster_free(&j->cluster);
    }
    backup_drop_answers(j);
    stores_close(&j->stores);
    json_decref(j->manifest);
    if (j->lock_fd >= 0)
        close(j->lock_fd);
    free(j);
    return err == HY_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

int command_backup(const struct command *command, int argc, char **argv)
{
    struct backup_options options = {0};
    struct arg_list rest = {0};
    int code = args_parse(command, args, argc, argv, &options, &rest);

    if (code < 0 && rest.count > 0)
        code = args_wrong(command, "unexpected argument %s", rest.items[0]);
    args_free(&rest);
    return code >= 0 ? code : run(&options);
}
