/* hongyanctl add, remove, and what else changes a running cluster of this machine. */

#include "ctl/change.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/clock.h"
#include "ctl/commands.h"
#include "ctl/files.h"
#include "ctl/http.h"
#include "ctl/shard.h"

enum { WAIT_MS = 30000, LOOK_MS = 20, READY_MS = 1000 };

static json_t *load(const char *dir)
{
    char path[4096];

    files_path(path, "%s/cluster.json", dir);
    return json_load_file(path, 0, NULL);
}

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

bool change_open(const char *dir, struct change *change)
{
    *change = (struct change){.dir = dir, .lock = lock(dir)};
    if (change->lock >= 0)
        change->before = load(dir);
    if (change->before == NULL)
        fprintf(stderr, "hongyanctl: no cluster is up in %s\n", dir);
    else if (json_object_get(change->before, "etcd") == NULL)
        fprintf(stderr, "hongyanctl: this cluster is what its settings say; one that was started "
                        "with --etcd can change while it runs\n");
    else
        return true;
    change_close(change);
    return false;
}

void change_close(struct change *change)
{
    json_decref(change->before);
    json_decref(change->after);
    if (change->lock >= 0)
        close(change->lock);
    *change = (struct change){.lock = -1};
}

bool change_make(struct change *c, const char *what, const char *name, change_done_fn *done)
{
    char path[4096], text[128];
    uint64_t end_ms = hy_steady_ms() + WAIT_MS;
    int len = snprintf(text, sizeof text, "%s %s", what, name);
    pid_t supervisor = (pid_t)json_integer_value(json_object_get(c->before, "supervisor"));

    json_decref(c->after);
    c->after = NULL;
    files_path(path, "%s/run/change", c->dir);
    if (files_write(path, text, (size_t)len) != HY_OK || kill(supervisor, SIGUSR2) != 0)
        return false;
    while (hy_steady_ms() < end_ms) {
        c->after = load(c->dir);
        if (c->after != NULL && done(c, name))
            return true;
        json_decref(c->after);
        c->after = NULL;
        (void)poll(NULL, 0, LOOK_MS); /* a file, which has no event that tells */
    }
    return false;
}

/* ---- what has changed ---- */

static bool is_name(const json_t *cluster, const char *name)
{
    return json_object_get(json_object_get(cluster, "pids"), name) != NULL;
}

static bool is_ready(const json_t *cluster, const char *name)
{
    const char *url = json_string_value(json_object_get(json_object_get(cluster, "metrics"), name));
    const char *colon = url != NULL ? strrchr(url, ':') : NULL;
    char text[64];

    return colon != NULL &&
           http_get((uint16_t)atoi(colon + 1), "/readyz", READY_MS, text, sizeof text) == 200;
}

void change_each(const struct change *change, void (*fn)(void *arg, const char *name), void *arg)
{
    const char *name;
    json_t *pid;

    json_object_foreach(json_object_get(change->after, "pids"), name, pid)
    {
        if (!is_name(change->before, name))
            fn(arg, name);
    }
}

struct coming {
    const json_t *after;
    size_t count, ready;
};

static void count_ready(void *arg, const char *name)
{
    struct coming *coming = arg;

    coming->count++;
    coming->ready += is_ready(coming->after, name);
}

bool change_came(const struct change *change, const char *name)
{
    struct coming coming = {.after = change->after};

    (void)name;
    change_each(change, count_ready, &coming);
    return coming.count > 0 && coming.ready == coming.count;
}

bool change_went(const struct change *change, const char *name)
{
    return !is_name(change->after, name);
}

/* ---- hongyanctl add, remove ---- */

struct options {
    const char *dir;
};

/* clang-format off */
static const struct arg args[] = {
    {"dir", "DIR", ARG_TEXT, offsetof(struct options, dir), 0, 0, true, "folder of the cluster"},
    {0},
};
/* clang-format on */

static void print_name(void *arg, const char *name)
{
    (void)arg;
    puts(name);
}

static bool add(struct change *change, const char *component)
{
    if (change_make(change, "add", component, change_came))
        change_each(change, print_name, NULL);
    else
        fprintf(stderr, "hongyanctl: the new %s is not ready\n", component);
    return change->after != NULL;
}

static bool take_away(struct change *change, const char *name)
{
    char why[256];

    if (!is_name(change->before, name) || strncmp(name, "etcd", 4) == 0)
        fprintf(stderr, "hongyanctl: %s is no process of this cluster that can leave it\n", name);
    else if (strncmp(name, "store", 5) == 0 && !shard_spares(change->before, name, why))
        fprintf(stderr, "hongyanctl: %s stays: %s\n", name, why);
    else if (change_make(change, "remove", name, change_went))
        return true;
    else
        fprintf(stderr, "hongyanctl: %s does not end\n", name);
    return false;
}

static bool is_component(const char *word)
{
    return strcmp(word, "router") == 0 || strcmp(word, "presence") == 0 ||
           strcmp(word, "gateway") == 0;
}

/* The words, one after the other. */
static int each_word(const struct command *command, int argc, char **argv,
                     bool (*is_good)(const char *word),
                     bool (*fn)(struct change *change, const char *word))
{
    struct options options = {0};
    struct arg_list rest = {0};
    struct change change;
    int code = args_parse(command, args, argc, argv, &options, &rest);

    if (code < 0 && rest.count == 0)
        code = args_wrong(command, "name one");
    for (size_t i = 0; code < 0 && i < rest.count; i++)
        if (is_good != NULL && !is_good(rest.items[i]))
            code = args_wrong(command, "router, presence or gateway, not %s", rest.items[i]);
    for (size_t i = 0; code < 0 && i < rest.count; i++) {
        if (!change_open(options.dir, &change) || !fn(&change, rest.items[i]))
            code = EXIT_FAILURE;
        change_close(&change);
    }
    args_free(&rest);
    return code < 0 ? EXIT_SUCCESS : code;
}

int command_add(const struct command *command, int argc, char **argv)
{
    return each_word(command, argc, argv, is_component, add);
}

int command_remove(const struct command *command, int argc, char **argv)
{
    return each_word(command, argc, argv, NULL, take_away);
}
