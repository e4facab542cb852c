/* hongyanctl add, remove: processes come to a running cluster of this machine and leave it. */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <jansson.h>

#include "common/clock.h"
#include "ctl/commands.h"
#include "ctl/files.h"
#include "ctl/http.h"

enum { WAIT_MS = 30000, LOOK_MS = 20, READY_MS = 1000 };

struct change {
    const char *dir;
};

/* clang-format off */
static const struct arg args[] = {
    {"dir", "DIR", ARG_TEXT, offsetof(struct change, dir), 0, 0, true, "folder of the cluster"},
    {0},
};
/* clang-format on */

static json_t *load(const char *dir)
{
    char path[4096];

    files_path(path, "%s/cluster.json", dir);
    return json_load_file(path, 0, NULL);
}

static bool is_name(const json_t *cluster, const char *name)
{
    return json_object_get(json_object_get(cluster, "pids"), name) != NULL;
}

/* The name of `after` that `before` does not have; NULL: there is none. */
static const char *newcomer(const json_t *before, const json_t *after)
{
    const char *name;
    json_t *pid;

    json_object_foreach(json_object_get(after, "pids"), name, pid)
    {
        if (!is_name(before, name))
            return name;
    }
    return NULL;
}

static bool is_ready(const json_t *cluster, const char *name)
{
    const char *url = json_string_value(json_object_get(json_object_get(cluster, "metrics"), name));
    const char *colon = url != NULL ? strrchr(url, ':') : NULL;
    char text[64];

    return colon != NULL &&
           http_get((uint16_t)atoi(colon + 1), "/readyz", READY_MS, text, sizeof text) == 200;
}

static bool newcomer_is_ready(const json_t *before, const json_t *after, const char *name)
{
    const char *fresh = newcomer(before, after);

    (void)name;
    return fresh != NULL && is_ready(after, fresh);
}

static bool is_away(const json_t *before, const json_t *after, const char *name)
{
    (void)before;
    return after != NULL && !is_name(after, name);
}

/* Ask the supervisor, then wait until the report shows that it is done. Returns the report. */
static json_t *change(const char *dir, const json_t *before, const char *what, const char *name,
                      bool (*done)(const json_t *before, const json_t *after, const char *name))
{
    char path[4096], text[128];
    uint64_t end_ms = hy_steady_ms() + WAIT_MS;
    int len = snprintf(text, sizeof text, "%s %s", what, name);
    pid_t supervisor = (pid_t)json_integer_value(json_object_get(before, "supervisor"));

    files_path(path, "%s/run/change", dir);
    if (files_write(path, text, (size_t)len) != HY_OK || kill(supervisor, SIGUSR2) != 0)
        return NULL;
    while (hy_steady_ms() < end_ms) {
        json_t *after = load(dir);

        if (done(before, after, name))
            return after;
        json_decref(after);
        (void)poll(NULL, 0, LOOK_MS); /* a file, which has no event that tells */
    }
    return NULL;
}

/* One at a time. -1: not. */
static int lock(const char *dir)
{
    char path[4096];
    int fd;

    files_path(path, "%s/run/change.lock", dir);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static int prepare(const struct command *command, int argc, char **argv, struct change *options,
                   struct arg_list *rest, json_t **before)
{
    int code = args_parse(command, args, argc, argv, options, rest);

    if (code < 0 && rest->count != 1)
        code = args_wrong(command, "name one");
    if (code >= 0)
        return code;
    *before = load(options->dir);
    if (*before == NULL)
        fprintf(stderr, "hongyanctl: no cluster is up in %s\n", options->dir);
    else if (json_object_get(*before, "etcd") == NULL)
        fprintf(stderr, "hongyanctl: this cluster is what its settings say; one that was started "
                        "with --etcd can change while it runs\n");
    else
        return -1;
    return EXIT_FAILURE;
}

int command_add(const struct command *command, int argc, char **argv)
{
    struct change options = {0};
    struct arg_list rest = {0};
    json_t *before = NULL, *after = NULL;
    int code = prepare(command, argc, argv, &options, &rest, &before);
    const char *component = code < 0 ? rest.items[0] : "";

    if (code < 0 && strcmp(component, "router") != 0 && strcmp(component, "presence") != 0 &&
        strcmp(component, "gateway") != 0)
        code = args_wrong(command, "router, presence or gateway, not %s", component);
    if (code < 0) {
        int fd = lock(options.dir);

        after = change(options.dir, before, "add", component, newcomer_is_ready);
        if (after != NULL)
            puts(newcomer(before, after));
        else
            fprintf(stderr, "hongyanctl: the new %s is not ready\n", component);
        code = after != NULL ? EXIT_SUCCESS : EXIT_FAILURE;
        if (fd >= 0)
            close(fd);
    }
    json_decref(before);
    json_decref(after);
    args_free(&rest);
    return code;
}

int command_remove(const struct command *command, int argc, char **argv)
{
    struct change options = {0};
    struct arg_list rest = {0};
    json_t *before = NULL, *after = NULL;
    int code = prepare(command, argc, argv, &options, &rest, &before);
    const char *name = code < 0 ? rest.items[0] : "";

    if (code < 0 &&
        (!is_name(before, name) || strncmp(name, "store", 5) == 0 || strncmp(name, "etcd", 4) == 0))
        code = args_wrong(command, "a router, presence process or gateway of it, not %s", name);
    if (code < 0) {
        int fd = lock(options.dir);

        after = change(options.dir, before, "remove", name, is_away);
        if (after == NULL)
            fprintf(stderr, "hongyanctl: %s does not end\n", name);
        code = after != NULL ? EXIT_SUCCESS : EXIT_FAILURE;
        if (fd >= 0)
            close(fd);
    }
    json_decref(before);
    json_decref(after);
    args_free(&rest);
    return code;
}
