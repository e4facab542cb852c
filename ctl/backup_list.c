/* hongyanctl backup list, hongyanctl backup verify: what a folder of backups holds, read without
 * the cluster. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/backupset.h"
#include "common/clock.h"
#include "ctl/backup_keys.h"
#include "ctl/commands.h"
#include "ctl/files.h"
#include "ctl/manifest.h"

struct options {
    const char *from, *at, *output;
};

/* clang-format off */
static const struct arg list_args[] = {
    {"from", "PATH", ARG_TEXT, offsetof(struct options, from), 0, 0, true, "folder of backups"},
    {"output", "text|json", ARG_TEXT, offsetof(struct options, output), 0, 0, false, "form of the answer; json: the manifests"},
    {0},
};
static const struct arg verify_args[] = {
    {"from", "PATH", ARG_TEXT, offsetof(struct options, from), 0, 0, true, "folder of backups"},
    {"at", "TIME", ARG_TEXT, offsetof(struct options, at), 0, 0, false, "which of them, as list shows it (the newest)"},
    {0},
};
/* clang-format on */

/* ---- list ---- */

static void print_one(const json_t *manifest)
{
    const json_t *parts = json_object_get(manifest, "parts");
    uint64_t bytes = 0, copied = 0;

    for (size_t i = 0; i < json_array_size(parts); i++) {
        bytes += (uint64_t)manifest_number(json_array_get(parts, i), "bytes");
        copied += (uint64_t)manifest_number(json_array_get(parts, i), "copied");
    }
    printf("%-16s  %6lld  %10.1f  %10.1f  %-4s  %s\n", manifest_text(manifest, "time"),
           (long long)manifest_number(manifest, "shards"), (double)bytes / 1e6,
           (double)copied / 1e6, json_object_get(manifest, "keys") != NULL ? "yes" : "no",
           manifest_text(manifest, "cluster"));
}

static int list(const struct options *options)
{
    json_t *all = manifest_list(options->from, NULL);

    if (all == NULL)
        return EXIT_FAILURE;
    if (options->output != NULL && strcmp(options->output, "json") == 0) {
        json_dumpf(all, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        printf("%-16s  %6s  %10s  %10s  %-4s  %s\n", "time", "shards", "MB", "new MB", "keys",
               "cluster");
        for (size_t i = 0; i < json_array_size(all); i++)
            print_one(json_array_get(all, i));
    }
    json_decref(all);
    return EXIT_SUCCESS;
}

/* ---- verify ---- */

struct tally {
    uint64_t files, bytes, damaged;
};

static void damaged(struct tally *tally, const char *why)
{
    printf("damaged: %s\n", why);
    tally->damaged++;
}

static void verify_part(const char *path, const json_t *part, struct tally *tally)
{
    char folder[4096], why[256];
    struct hy_backup_set set;

    files_path(folder, "%s/shard-%lld", path, (long long)manifest_number(part, "shard"));
    if (hy_backup_set_read(folder, (uint32_t)manifest_number(part, "backup"), &set, why) != HY_OK) {
        damaged(tally, why);
        return;
    }
    if ((json_int_t)set.meta_crc != manifest_number(part, "meta")) {
        snprintf(why, sizeof why, "%.150s/meta/%lld: its checksum is not as it was", folder,
                 (long long)manifest_number(part, "backup"));
        damaged(tally, why);
    }
    for (size_t i = 0; i < set.count; i++) {
        tally->files++;
        if (hy_backup_file_check(folder, &set.files[i], NULL, &tally->bytes, why) != HY_OK)
            damaged(tally, why);
    }
    hy_backup_set_free(&set);
}

static int verify(const struct options *options)
{
    json_t *manifest = manifest_load(options->from, options->at);
    const json_t *parts = json_object_get(manifest, "parts");
    const json_t *keys = json_object_get(manifest, "keys");
    uint64_t began_us = hy_steady_us(), us = 0;
    struct tally tally = {0};
    char folder[4096];

    if (manifest == NULL)
        return EXIT_FAILURE;
    for (size_t i = 0; i < json_array_size(parts); i++)
        verify_part(options->from, json_array_get(parts, i), &tally);
    files_path(folder, "%s/keys-%s", options->from, manifest_text(manifest, "time"));
    if (keys != NULL && backup_keys_check(folder, keys, NULL) != HY_OK)
        damaged(&tally, folder);
    us = hy_steady_us() - began_us;
    if (tally.damaged == 0)
        printf("Backup %s is good: %" PRIu64 " files, %.1f MB, read at %.0f MB/s.\n",
               manifest_text(manifest, "time"), tally.files, (double)tally.bytes / 1e6,
               (double)tally.bytes / (double)(us + 1));
    else
        printf("Backup %s is not good: %" PRIu64 " things are damaged.\n",
               manifest_text(manifest, "time"), tally.damaged);
    json_decref(manifest);
    return tally.damaged == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- the commands ---- */

static int command(const struct command *command, const struct arg *args, int argc, char **argv,
                   int (*run)(const struct options *options))
{
    struct options options = {0};
    struct arg_list rest = {0};
    int code = args_parse(command, args, argc, argv, &options, &rest);

    if (code < 0 && rest.count > 0)
        code = args_wrong(command, "unexpected argument %s", rest.items[0]);
    args_free(&rest);
    return code >= 0 ? code : run(&options);
}

int command_backup_list(const struct command *it, int argc, char **argv)
{
    return command(it, list_args, argc, argv, list);
}

int command_backup_verify(const struct command *it, int argc, char **argv)
{
    return command(it, verify_args, argc, argv, verify);
}
