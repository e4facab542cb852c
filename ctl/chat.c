#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/loop.h"
#include "ctl/chat.h"
#include "ctl/commands.h"
#include "ctl/talk.h"

enum { FILE_POLL_MS = 1 };

/* ---- lines in ---- */

static void work(struct chat *chat);

/* Take one line out of what was read. */
static bool next_line(struct chat *chat, char *line, size_t size)
{
    uint8_t *end = chat->in.len > 0 ? memchr(chat->in.data, '\n', chat->in.len) : NULL;
    size_t len = end != NULL ? (size_t)(end - chat->in.data) : chat->in.len;

    if (end == NULL && (!chat->ended || len == 0))
        return false;
    snprintf(line, size, "%.*s", (int)len, (const char *)chat->in.data);
    line[strcspn(line, "\r")] = '\0';
    hy_buf_drop(&chat->in, end != NULL ? len + 1 : len);
    return true;
}

static void read_input(struct chat *chat)
{
    char bytes[4096];
    ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0 || hy_buf_put(&chat->in, bytes, (size_t)n) != HY_OK) {
        chat->ended = true;
        hy_watch_close(&chat->watch);
        hy_timer_stop(chat->poll);
    }
    work(chat);
}

static void on_input(int fd, unsigned ready, void *arg)
{
    (void)fd;
    (void)ready;
    read_input(arg);
}

static void on_poll(void *arg)
{
    read_input(arg);
}

/* A file is always ready to be read, and cannot be watched. */
static enum hy_err listen_to_input(struct chat *chat)
{
    enum hy_err err = hy_timer_open(chat->loop, on_poll, chat, &chat->poll);

    if (err == HY_OK &&
        hy_watch_open(chat->loop, STDIN_FILENO, HY_READ, on_input, chat, &chat->watch) != HY_OK)
        hy_timer_every(chat->poll, FILE_POLL_MS);
    return err;
}

/* One line after the other: the next waits until what the last one asked is answered, so that a
 * script reads like a conversation. */
static void work(struct chat *chat)
{
    char line[16384];

    while (chat->online && !chat->busy && !chat->over && next_line(chat, line, sizeof line))
        chat_do(chat, line);
    if (chat->ended && chat->in.len == 0 && !chat->busy)
        chat->over = true;
    if (chat->over)
        hy_loop_stop(chat->loop);
}

void chat_done(struct chat *chat)
{
    chat->busy = false;
    work(chat);
}

/* ---- what happens ---- */

static void on_state(void *ctx, const struct hongyan_change *change)
{
    struct chat *chat = ctx;

    switch (change->state) {
    case HONGYAN_ONLINE:
        printf(chat->was_online ? "* online again\n" : "* online as %s; /help tells the commands\n",
               chat->user);
        chat->online = chat->was_online = true;
        work(chat);
        break;
    case HONGYAN_OFFLINE:
        if (chat->online)
            printf("* offline%s%s\n", change->info[0] != '\0' ? ": " : "", change->info);
        chat->online = false;
        break;
    case HONGYAN_KICKED:
        printf("* %u %s\n", change->code, change->info);
        chat->failed = chat->over = true;
        hy_loop_stop(chat->loop);
        break;
    case HONGYAN_CONNECTING:
        break;
    }
    fflush(stdout);
}

static void on_message(void *ctx, const Hy__Msg *msg)
{
    char line[5000];

    (void)ctx;
    talk_line(msg, line, sizeof line);
    if (msg->conv_type == HY__CONV_TYPE__CONV_GROUP)
        printf("%s> %s\n", msg->to, line);
    else
        puts(line);
    fflush(stdout);
}

static void on_system(void *ctx, const Hy__SystemNotice *notice)
{
    (void)ctx;
    printf("* group %s: notice %u from %s\n", notice->group, notice->type, notice->operator_id);
    fflush(stdout);
}

/* ---- the command ---- */

struct options {
    const char *dir, *cluster, *to, *group;
    int64_t sdkappid, gateway;
    bool tls;
};

/* clang-format off */
#define O struct options
static const struct arg args[] = {
    {"dir", "DIR", ARG_TEXT, offsetof(O, dir), 0, 0, false, "folder of the cluster"},
    {"cluster", "FILE", ARG_TEXT, offsetof(O, cluster), 0, 0, false, "or its cluster.json"},
    {"sdkappid", "N", ARG_INT, offsetof(O, sdkappid), 1, UINT32_MAX, false, "the app (the first of the cluster)"},
    {"gateway", "N", ARG_INT, offsetof(O, gateway), 0, 1000, false, "which gateway, from 0 (any)"},
    {"tls", NULL, ARG_FLAG, offsetof(O, tls), 0, 0, false, "over TLS"},
    {"to", "USER", ARG_TEXT, offsetof(O, to), 0, 0, false, "talk to this user, as /to does"},
    {"group", "GROUP", ARG_TEXT, offsetof(O, group), 0, 0, false, "talk to this group, as /group does"},
    {0},
};
#undef O
/* clang-format on */

static int run(const struct options *options, const struct cluster *cluster, const char *user)
{
    struct chat chat = {.user = user};
    struct hongyan_config config = {
        .tls = options->tls,
        .platform = HY__PLATFORM__PLATFORM_LINUX,
        .device_id = "hongyanctl",
        .backlog = HONGYAN_FROM_UNREAD,
        .events = {.state = on_state, .message = on_message, .system = on_system},
        .ctx = &chat,
    };
    enum hy_err err = hy_loop_open(&chat.loop);

    if (options->to != NULL)
        chat_turn_to(&chat, HY__CONV_TYPE__CONV_C2C, options->to);
    if (options->group != NULL)
        chat_turn_to(&chat, HY__CONV_TYPE__CONV_GROUP, options->group);
    if (err == HY_OK)
        err = talk_open(chat.loop, cluster, user,
                        options->gateway < 0 ? SIZE_MAX : (size_t)options->gateway, &config,
                        &chat.client);
    if (err == HY_OK)
        err = listen_to_input(&chat);
    if (err == HY_OK)
        hy_loop_run(chat.loop);
    else
        fprintf(stderr, "hongyanctl: %s\n", hy_err_text(err));
    chat.over = true;
    hongyan_close(&chat.client);
    hy_watch_close(&chat.watch);
    hy_timer_close(&chat.poll);
    hy_buf_free(&chat.in);
    hy_loop_close(&chat.loop);
    return err == HY_OK && !chat.failed ? EXIT_SUCCESS : EXIT_FAILURE;
}

int command_chat(const struct command *command, int argc, char **argv)
{
    struct options options = {.gateway = -1};
    struct arg_list rest = {0};
    struct cluster cluster = {0};
    int code = args_parse(command, args, argc, argv, &options, &rest);

    if (code < 0 && rest.count != 1)
        code = args_wrong(command, "a user is needed");
    if (code < 0 && options.dir == NULL && options.cluster == NULL)
        code = args_wrong(command, "--dir DIR or --cluster FILE is needed");
    if (code < 0 &&
        cluster_load(options.dir, options.cluster, (uint32_t)options.sdkappid, &cluster) != HY_OK)
        code = EXIT_FAILURE;
    if (code < 0)
        code = run(&options, &cluster, rest.items[0]);
    cluster_free(&cluster);
    args_free(&rest);
    return code;
}
