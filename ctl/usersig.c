#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bus.h"
#include "common/clock.h"
#include "common/codes.h"
#include "common/usersig.h"
#include "ctl/cluster.h"
#include "ctl/commands.h"

struct options {
    const char *dir;
    const char *key;
    int64_t sdkappid;
    int64_t lifetime_s;
};

enum { DAY_S = 86400, LONGEST_S = 3650 * DAY_S };

/* clang-format off */
#define O struct options
static const struct arg args[] = {
    {"dir", "DIR", ARG_TEXT, offsetof(O, dir), 0, 0, false, "folder of the cluster: the key comes from there"},
    {"sdkappid", "N", ARG_INT, offsetof(O, sdkappid), 1, UINT32_MAX, false, "the app (the first of the cluster)"},
    {"key", "KEY", ARG_TEXT, offsetof(O, key), 0, 0, false, "the app's secret, instead of --dir"},
    {"expire", "SECONDS", ARG_INT, offsetof(O, lifetime_s), 1, LONGEST_S, false, "how long the ticket is good (one day)"},
    {0},
};
#undef O
/* clang-format on */

/* Key and app, from the options or the cluster. -1 to go on. */
static int find_key(const struct command *command, struct options *options, struct cluster *cluster)
{
    *cluster = (struct cluster){0};
    if (options->key != NULL && options->sdkappid != 0)
        return -1;
    if (options->dir == NULL)
        return args_wrong(command, "give --dir, or --key and --sdkappid");
    if (cluster_load(options->dir, NULL, (uint32_t)options->sdkappid, cluster) != HY_OK)
        return EXIT_FAILURE;
    options->key = cluster->app.key;
    options->sdkappid = cluster->app.sdkappid;
    return -1;
}

int command_usersig_issue(const struct command *command, int argc, char **argv)
{
    struct options options = {.lifetime_s = DAY_S};
    struct arg_list rest = {0};
    struct cluster cluster = {0};
    char sig[HY_USERSIG_MAX];
    int code = args_parse(command, args, argc, argv, &options, &rest);

    if (code < 0 && rest.count != 1)
        code = args_wrong(command, "a user is needed");
    if (code < 0)
        code = find_key(command, &options, &cluster);
    if (code < 0) {
        enum hy_err err = hy_usersig_issue((uint32_t)options.sdkappid, rest.items[0], options.key,
                                           hy_wall_ms() / 1000, (uint64_t)options.lifetime_s, sig);

        if (err == HY_OK)
            puts(sig);
        else
            fprintf(stderr, "hongyanctl: %s\n", hy_err_text(err));
        code = err == HY_OK ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    cluster_free(&cluster);
    args_free(&rest);
    return code;
}

static int check(const struct options *options, const char *user, const char *sig)
{
    const char *secrets[] = {options->key};
    struct hy_usersig_keys keys = {.secrets = secrets, .secret_count = 1};
    struct hy_usersig found = {0};
    uint64_t now_s = hy_wall_ms() / 1000;
    uint32_t code = hy_usersig_verify(sig, strlen(sig), (uint32_t)options->sdkappid, user, &keys,
                                      now_s, &found);

    if (code != 0) {
        printf("%u %s\n", code, hy_code_text(code));
        return EXIT_FAILURE;
    }
    printf("good for %" PRIu64 " seconds more\n", found.expires_s - now_s);
    return EXIT_SUCCESS;
}

int command_usersig_check(const struct command *command, int argc, char **argv)
{
    struct options options = {.lifetime_s = DAY_S};
    struct arg_list rest = {0};
    struct cluster cluster = {0};
    int code = args_parse(command, args, argc, argv, &options, &rest);

    if (code < 0 && rest.count != 2)
        code = args_wrong(command, "a user and a ticket are needed");
    if (code < 0)
        code = find_key(command, &options, &cluster);
    if (code < 0)
        code = check(&options, rest.items[0], rest.items[1]);
    cluster_free(&cluster);
    args_free(&rest);
    return code;
}

/* ---- keygen ---- */

static const struct arg keygen_args[] = {{0}};

int command_keygen(const struct command *command, int argc, char **argv)
{
    struct arg_list rest = {0};
    int code = args_parse(command, keygen_args, argc, argv, &rest, &rest);

    if (code < 0 && rest.count < 2)
        code = args_wrong(command, "a folder and at least one component are needed");
    for (size_t i = 1; i < rest.count && code < 0; i++) {
        enum hy_err err = hy_bus_keygen(rest.items[0], rest.items[i]);

        if (err == HY_OK)
            continue;
        fprintf(stderr, "hongyanctl: %s/%s.key: %s\n", rest.items[0], rest.items[i],
                hy_err_text(err));
        code = EXIT_FAILURE;
    }
    args_free(&rest);
    return code < 0 ? EXIT_SUCCESS : code;
}

/* ---- codes ---- */

struct codes {
    bool markdown;
};

/* clang-format off */
static const struct arg codes_args[] = {
    {"markdown", NULL, ARG_FLAG, offsetof(struct codes, markdown), 0, 0, false, "as a page of the documents"},
    {0},
};
/* clang-format on */

static void print_code(void *arg, const char *name, uint32_t code, const char *text)
{
    const struct codes *options = arg;

    if (options->markdown)
        printf("| %u | `%s` | %s |\n", code, name, text);
    else
        printf("%6u  %-20s %s\n", code, name, text);
}

int command_codes(const struct command *command, int argc, char **argv)
{
    struct codes options = {0};
    struct arg_list rest = {0};
    int code = args_parse(command, codes_args, argc, argv, &options, &rest);

    args_free(&rest);
    if (code >= 0)
        return code;
    if (options.markdown)
        printf("# Codes\n\nMade from common/codes.h by tests/lib/documents.sh; do not edit. "
               "Numbers are those of "
               "REST v4 where it has one; from 200001 they are ours.\n\n| code | name | what it "
               "says |\n"
               "|---|---|---|\n");
    hy_code_each(print_code, &options);
    return EXIT_SUCCESS;
}
