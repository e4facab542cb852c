#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/loop.h"
#include "tests/lib/probe.h"
#include "tests/lib/probe_users.h"

static struct {
    struct hy_loop *loop;
    struct hy_buf in;
    struct user *users;
} own;

static struct user *user_of(const char *name)
{
    struct user *user = own.users;

    while (user != NULL && strcmp(user->name, name) != 0)
        user = user->next;
    if (user != NULL)
        return user;
    user = calloc(1, sizeof *user);
    if (user == NULL)
        abort();
    snprintf(user->name, sizeof user->name, "%s", name);
    user->next = own.users;
    own.users = user;
    return user;
}

static void obey(const json_t *command)
{
    const char *name = json_string_value(json_object_get(command, "u"));

    if (name == NULL)
        probe_refuse(command, "u is missing");
    else
        probe_obey(own.loop, command, user_of(name));
}

/* ---- in ---- */

static void take_lines(void)
{
    uint8_t *end = NULL;

    while (own.in.len > 0 && (end = memchr(own.in.data, '\n', own.in.len)) != NULL) {
        size_t len = (size_t)(end - own.in.data);
        json_t *command = json_loadb((const char *)own.in.data, len, 0, NULL);

        hy_buf_drop(&own.in, len + 1);
        if (command == NULL)
            probe_refuse(NULL, "not JSON");
        else
            obey(command);
        json_decref(command);
    }
}

static void on_input(int fd, unsigned ready, void *arg)
{
    char bytes[65536];
    ssize_t n = read(fd, bytes, sizeof bytes);

    (void)ready;
    (void)arg;
    if (n <= 0 || hy_buf_put(&own.in, bytes, (size_t)n) != HY_OK)
        hy_loop_stop(own.loop);
    take_lines();
}

int probe_drive(void)
{
    struct hy_watch *watch = NULL;
    enum hy_err err = hy_loop_open(&own.loop);

    if (err == HY_OK)
        err = hy_watch_open(own.loop, STDIN_FILENO, HY_READ, on_input, NULL, &watch);
    if (err == HY_OK)
        hy_loop_run(own.loop);
    else
        fprintf(stderr, "hongyan-probe: stdin must be a pipe: %s\n", hy_err_text(err));
    hy_watch_close(&watch);
    while (own.users != NULL) {
        struct user *user = own.users;

        own.users = user->next;
        hongyan_close(&user->client);
        free(user);
    }
    hy_buf_free(&own.in);
    hy_loop_close(&own.loop);
    return err == HY_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
