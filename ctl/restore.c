/* hongyanctl restore: the data of a cluster that is not up, made from a backup. hongyan-backup does
 * the work (store/restore.h); it appears whole or not at all. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "ctl/backup_keys.h"
#include "ctl/commands.h"
#include "ctl/files.h"
#include "ctl/manifest.h"
#include "ctl/plan.h"
#include "ctl/programs.h"

struct options {
    const char *from, *dir, *at, *bin, *output;
    int64_t shards, replicas; /* replicas 0: a cluster without etcd */
    bool no_check, without_keys;
};

/* clang-format off */
static const struct arg args[] = {
    {"from", "PATH", ARG_TEXT, offsetof(struct options, from), 0, 0, true, "folder of backups"},
    {"dir", "DIR", ARG_TEXT, offsetof(struct options, dir), 0, 0, true, "folder of the cluster; has no data yet"},
    {"at", "TIME", ARG_TEXT, offsetof(struct options, at), 0, 0, false, "which backup, as backup list shows it (the newest)"},
    {"shards", "N", ARG_INT, offsetof(struct options, shards), 1, PLAN_MOST, false, "number of stores (as in the backup)"},
    {"replicas", "N", ARG_INT, offsetof(struct options, replicas), 0, PLAN_COPIES, false, "copies of each shard of a cluster on etcd; 0: one machine without (as it was)"},
    {"no-check", NULL, ARG_FLAG, offsetof(struct options, no_check), 0, 0, false, "do not compare users' indexes with the conversations"},
    {"without-keys", NULL, ARG_FLAG, offsetof(struct options, without_keys), 0, 0, false, "leave DIR/keys as it is"},
    {"bin", "DIR", ARG_TEXT, offsetof(struct options, bin), 0, 0, false, "where the programs are (beside hongyanctl)"},
    {"output", "text|json", ARG_TEXT, offsetof(struct options, output), 0, 0, false, "form of the answer"},
    {0},
};
/* clang-format on */

struct restored {
    uint64_t epoch, bytes, rows, stray;
    uint64_t looked, waiting, behind, ahead, missing, orphans, repaired;
};

/* ---- the program that does it ---- */

struct words { /* an argv that owns its texts */
    char **items;
    size_t count;
};

static void add(struct words *w, char *text)
{
    char **more = realloc(w->items, (w->count + 2) * sizeof *more);

    if (more == NULL || text == NULL) {
        fputs("hongyanctl: out of memory\n", stderr);
        exit(EXIT_FAILURE);
    }
    w->items = more;
    w->items[w->count++] = text;
    w->items[w->count] = NULL;
}

__attribute__((format(printf, 2, 3))) static void add_f(struct words *w, const char *format, ...)
{
    char *text = NULL;
    va_list list;

    va_start(list, format);
    if (vasprintf(&text, format, list) < 0)
        text = NULL;
    va_end(list);
    add(w, text);
}

static void free_words(struct words *w)
{
    for (size_t i = 0; i < w->count; i++)
        free(w->items[i]);
    free(w->items);
}

/* Sources are counted as the parts lie; shards have numbers, which need not follow each other. */
static size_t source_of(const json_t *parts, json_int_t shard)
{
    size_t i = 0;

    while (i < json_array_size(parts) &&
           manifest_number(json_array_get(parts, i), "shard") != shard)
        i++;
    return i;
}

static void fill_words(struct words *w, const struct options *options, const char *program,
                       const char *to, const json_t *manifest)
{
    const json_t *parts = json_object_get(manifest, "parts"), *item = NULL;
    const json_t *map = json_object_get(manifest, "map");
    size_t i = 0;

    add_f(w, "%s", program);
    add_f(w, "restore");
    add_f(w, "--to=%s", to);
    add_f(w, "--shards=%lld", (long long)options->shards);
    add_f(w, "--copies=%lld", (long long)options->replicas);
    if (options->no_check)
        add_f(w, "--no-check");
    if (json_is_true(json_object_get(manifest, "moved")))
        add_f(w, "--moved");
    if (!json_is_true(json_object_get(manifest, "together")))
        add_f(w, "--loose");
    json_array_foreach((json_t *)parts, i, item)
    {
        add_f(w, "--source=%s/shard-%lld:%lld", options->from,
              (long long)manifest_number(item, "shard"),
              (long long)manifest_number(item, "backup"));
    }
    json_array_foreach(json_object_get(map, "runs"), i, item)
    {
        add_f(w, "--run=%lld:%zu", (long long)json_integer_value(json_array_get(item, 0)),
              source_of(parts, json_integer_value(json_array_get(item, 1))));
    }
}

static pid_t start(const struct words *w, int *out)
{
    posix_spawn_file_actions_t actions;
    int ends[2], error = 0;
    pid_t pid = 0;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    error = posix_spawn(&pid, w->items[0], &actions, NULL, w->items, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (error == 0) {
        *out = ends[0];
        return pid;
    }
    close(ends[0]);
    errno = error;
    return -1;
}

static void show_progress(const char *line)
{
    uint64_t bytes = 0, rows = 0;

    if (isatty(STDERR_FILENO) &&
        sscanf(line, "progress bytes=%" SCNu64 " rows=%" SCNu64, &bytes, &rows) == 2)
        fprintf(stderr, "\r%8.1f MB, %" PRIu64 " rows ", (double)bytes / 1e6, rows);
}

static bool understand(const char *line, struct restored *r)
{
    return sscanf(line,
                  "done epoch=%" SCNu64 " bytes=%" SCNu64 " rows=%" SCNu64 " stray=%" SCNu64
                  " looked=%" SCNu64 " waiting=%" SCNu64 " behind=%" SCNu64 " ahead=%" SCNu64
                  " missing=%" SCNu64 " orphans=%" SCNu64 " repaired=%" SCNu64,
                  &r->epoch, &r->bytes, &r->rows, &r->stray, &r->looked, &r->waiting, &r->behind,
                  &r->ahead, &r->missing, &r->orphans, &r->repaired) == 11;
}

/* Start it and wait for its end. */
static enum hy_err work(const struct words *w, struct restored *restored)
{
    char line[1024] = "", last[1024] = "";
    FILE *says = NULL;
    int fd = -1, status = 0;
    pid_t pid = start(w, &fd);

    if (pid < 0) {
        fprintf(stderr, "hongyanctl: %s: %s\n", w->items[0], strerror(errno));
        return HY_EIO;
    }
    says = fdopen(fd, "r");
    while (says != NULL && fgets(line, sizeof line, says) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        strcpy(last, line);
        show_progress(line);
    }
    if (isatty(STDERR_FILENO))
        fputs("\n", stderr);
    if (says != NULL)
        fclose(says);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (understand(last, restored))
        return HY_OK;
    fprintf(stderr, "hongyanctl: %s\n",
            strncmp(last, "failed ", 7) == 0 ? last + 7 : "hongyan-backup was ended");
    return HY_EIO;
}

/* ---- the folder ---- */

static bool is_empty(const char *folder)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry = NULL;
    bool empty = true;

    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            empty = false;
    if (dir != NULL)
        closedir(dir);
    return empty;
}

static enum hy_err check_dir(const struct options *options, const json_t *manifest)
{
    char path[4096];
    char *id = NULL;
    enum hy_err err = HY_OK;

    files_path(path, "%s/data", options->dir);
    if (!is_empty(path)) {
        fprintf(stderr,
                "hongyanctl: %s has data already, and a restore never writes over data: name"
                " another --dir, or stop the cluster and move that folder away\n",
                path);
        return HY_EEXIST;
    }
    files_path(path, "%s/keys/id", options->dir);
    id = files_read(path, NULL);
    if (id != NULL && !options->without_keys && json_object_get(manifest, "keys") != NULL &&
        strcmp(id, manifest_text(manifest, "cluster")) != 0) {
        fprintf(stderr,
                "hongyanctl: %s/keys are of another cluster: move that folder away, or say"
                " --without-keys to go on with it\n",
                options->dir);
        err = HY_EEXIST;
    }
    free(id);
    return err;
}

static enum hy_err bring_keys(const struct options *options, const json_t *manifest)
{
    const json_t *sums = json_object_get(manifest, "keys");
    char folder[4096], keys[4096], id[4096];

    files_path(folder, "%s/keys-%s", options->from, manifest_text(manifest, "time"));
    files_path(keys, "%s/keys", options->dir);
    files_path(id, "%s/id", keys);
    if (!options->without_keys && sums != NULL)
        return access(id, F_OK) == 0 ? HY_OK : backup_keys_check(folder, sums, keys);
    if (access(id, F_OK) != 0)
        fprintf(stderr,
                "hongyanctl: the backup brings no keys: put the cluster's keys folder into %s"
                " before hongyanctl up, or it makes new ones\n",
                options->dir);
    return HY_OK;
}

static enum hy_err write_number(const char *folder, const char *name, int64_t number)
{
    char path[4096], text[32];

    files_path(path, "%s/%s", folder, name);
    snprintf(text, sizeof text, "%lld", (long long)number);
    return files_write_durably(path, text, strlen(text));
}

/* All of it is on the disk, and then it is the data. */
static enum hy_err put_in_place(const struct options *options, const char *aside)
{
    char path[4096];
    bool good = false;
    int fd = -1;

    if (write_number(aside, "shards", options->shards) == HY_OK &&
        write_number(aside, "restored", options->replicas) == HY_OK)
        fd = open(aside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    good = fd >= 0 && syncfs(fd) == 0;
    if (fd >= 0)
        close(fd);
    files_path(path, "%s/data", options->dir);
    if (good && (rmdir(path) == 0 || errno == ENOENT) && rename(aside, path) == 0)
        return HY_OK;
    fprintf(stderr, "hongyanctl: %s: %s\n", path, strerror(errno));
    return HY_EIO;
}

/* ---- the command ---- */

static void print_text(const struct options *options, const json_t *manifest,
                       const struct restored *r, uint64_t took_ms)
{
    printf("Restored %lld shard%s into %s from %s, a backup of %lld: %.1f MB in %.1f s"
           " (%.0f MB/s), epoch %" PRIu64 ".\n",
           (long long)options->shards, options->shards == 1 ? "" : "s", options->dir,
           manifest_text(manifest, "time"), (long long)manifest_number(manifest, "shards"),
           (double)r->bytes / 1e6, (double)took_ms / 1000,
           (double)r->bytes / 1000 / (double)(took_ms + 1), r->epoch);
    if (!options->no_check)
        printf("Indexes: %" PRIu64 " entries looked at, %" PRIu64 " told by outboxes after the"
               " start, %" PRIu64 " ahead, %" PRIu64 " missing, %" PRIu64 " without a conversation,"
               " %" PRIu64 " behind; %" PRIu64 " repaired.\n",
               r->looked, r->waiting, r->ahead, r->missing, r->orphans, r->behind, r->repaired);
    printf("Start it with: hongyanctl up --dir %s\n", options->dir);
}

static void print_json(const struct options *options, const json_t *manifest,
                       const struct restored *r, uint64_t took_ms)
{
    json_t *out = json_pack(
        "{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "time", manifest_text(manifest, "time"),
        "dir", options->dir, "shards", (json_int_t)options->shards, "replicas",
        (json_int_t)options->replicas, "epoch", (json_int_t)r->epoch, "bytes", (json_int_t)r->bytes,
        "rows", (json_int_t)r->rows, "stray", (json_int_t)r->stray, "took_ms", (json_int_t)took_ms);

    json_object_set_new(out, "index",
                        json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "looked",
                                  (json_int_t)r->looked, "waiting", (json_int_t)r->waiting,
                                  "behind", (json_int_t)r->behind, "ahead", (json_int_t)r->ahead,
                                  "missing", (json_int_t)r->missing, "orphans",
                                  (json_int_t)r->orphans, "repaired", (json_int_t)r->repaired));
    json_dumpf(out, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(out);
}

static enum hy_err restore(struct options *options, const json_t *manifest)
{
    uint64_t began_ms = hy_steady_ms();
    char bin[4096], program[4200], aside[4096];
    struct restored restored = {0};
    struct words w = {0};
    enum hy_err err = check_dir(options, manifest);

    if (options->shards == 0)
        options->shards = manifest_number(manifest, "shards");
    if (options->replicas < 0)
        options->replicas = manifest_number(manifest, "copies");
    if (err == HY_OK)
        err = programs_find(options->bin, bin);
    if (err != HY_OK)
        return err;
    files_path(aside, "%s/data.restoring", options->dir);
    (void)hy_dir_remove(aside); /* of one that was interrupted */
    snprintf(program, sizeof program, "%s/hongyan-backup", bin);
    fill_words(&w, options, program, aside, manifest);
    err = files_make_dir(options->dir);
    if (err == HY_OK)
        err = work(&w, &restored);
    if (err == HY_OK)
        err = bring_keys(options, manifest);
    if (err == HY_OK)
        err = put_in_place(options, aside);
    free_words(&w);
    if (err != HY_OK) {
        (void)hy_dir_remove(aside);
        return err;
    }
    if (options->output != NULL && strcmp(options->output, "json") == 0)
        print_json(options, manifest, &restored, hy_steady_ms() - began_ms);
    else
        print_text(options, manifest, &restored, hy_steady_ms() - began_ms);
    return HY_OK;
}

int command_restore(const struct command *command, int argc, char **argv)
{
    struct options options = {.replicas = -1};
    struct arg_list rest = {0};
    json_t *manifest = NULL;
    int code = args_parse(command, args, argc, argv, &options, &rest);

    if (code < 0 && rest.count > 0)
        code = args_wrong(command, "unexpected argument %s", rest.items[0]);
    args_free(&rest);
    if (code >= 0)
        return code;
    manifest = manifest_load(options.from, options.at);
    if (manifest != NULL)
        code = restore(&options, manifest) == HY_OK ? EXIT_SUCCESS : EXIT_FAILURE;
    json_decref(manifest);
    return code < 0 ? EXIT_FAILURE : code;
}
