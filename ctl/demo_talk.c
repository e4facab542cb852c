#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/loop.h"
#include "ctl/commands.h"
#include "ctl/talk.h"

enum { WAIT_MS = 15000, LINES = 4 };

/* Who says what; anna first, in turns. Each line is said when the one before has arrived. */
static const char *const lines[LINES] = {
    "Hello Ben, the geese are back.",
    "I heard them. Is this message safe?",
    "On disk before you read it.",
    "Then let us keep this conversation.",
};

struct scene {
    struct hongyan_client *clients[2];
    size_t said, heard, online;
    bool failed;
};

struct actor {
    struct scene *scene;
    size_t number;
};

static const char *const names[2] = {"anna", "ben"};

static void on_sent(void *arg, const struct hongyan_sent *sent)
{
    struct scene *scene = arg;

    if (sent->code == 0 || scene->heard == LINES)
        return; /* all has arrived: that answer is on its way */
    fprintf(stderr, "hongyanctl: %u %s\n", sent->code, sent->info);
    scene->failed = true;
}

static void say_next(struct scene *scene)
{
    size_t who = scene->said % 2;
    enum hy_err err = HY_OK;

    if (scene->said == LINES)
        return;
    err = hongyan_send_text(scene->clients[who], HY__CONV_TYPE__CONV_C2C, names[1 - who],
                            lines[scene->said++], on_sent, scene);
    scene->failed = scene->failed || err != HY_OK;
}

static void on_state(void *ctx, const struct hongyan_change *change)
{
    struct actor *actor = ctx;

    if (change->state == HONGYAN_KICKED) {
        fprintf(stderr, "hongyanctl: %s: %u %s\n", names[actor->number], change->code,
                change->info);
        actor->scene->failed = true;
    }
    if (change->state == HONGYAN_ONLINE && ++actor->scene->online == 2)
        say_next(actor->scene);
}

static void on_message(void *ctx, const Hy__Msg *msg)
{
    struct actor *actor = ctx;
    char line[5000];

    if (strcmp(msg->from, names[1 - actor->number]) != 0)
        return;
    talk_line(msg, line, sizeof line);
    puts(line);
    actor->scene->heard++;
    say_next(actor->scene);
}

static int play(const struct cluster *cluster, struct hy_loop *loop)
{
    struct scene scene = {0};
    struct actor actors[2] = {{&scene, 0}, {&scene, 1}};
    uint64_t end = hy_steady_ms() + WAIT_MS;

    for (size_t i = 0; i < 2 && !scene.failed; i++) {
        struct hongyan_config config = {
            .platform = HY__PLATFORM__PLATFORM_LINUX,
            .events = {.state = on_state, .message = on_message},
            .ctx = &actors[i],
        };

        scene.failed = talk_open(loop, cluster, names[i], i, &config, &scene.clients[i]) != HY_OK;
    }
    while (!scene.failed && scene.heard < LINES && hy_steady_ms() < end)
        hy_loop_turn(loop, 100);
    for (size_t i = 0; i < 2; i++)
        hongyan_close(&scene.clients[i]);
    if (scene.heard == LINES)
        return EXIT_SUCCESS;
    fprintf(stderr, "hongyanctl: only %zu of %d messages arrived\n", scene.heard, LINES);
    return EXIT_FAILURE;
}

struct options {
    const char *dir;
};

/* clang-format off */
static const struct arg args[] = {
    {"dir", "DIR", ARG_TEXT, offsetof(struct options, dir), 0, 0, true, "folder of the cluster"},
    {0},
};
/* clang-format on */

int command_demo_talk(const struct command *command, int argc, char **argv)
{
    struct options options = {0};
    struct arg_list rest = {0};
    struct cluster cluster;
    struct hy_loop *loop = NULL;
    int code = args_parse(command, args, argc, argv, &options, &rest);

    args_free(&rest);
    if (code >= 0)
        return code;
    if (cluster_load(options.dir, NULL, 0, &cluster) != HY_OK)
        return EXIT_FAILURE;
    code = EXIT_FAILURE;
    if (hy_loop_open(&loop) == HY_OK)
        code = play(&cluster, loop);
    hy_loop_close(&loop);
    cluster_free(&cluster);
    return code;
}
