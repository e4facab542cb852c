/* hongyanctl rebalance: slots go to other shards while the cluster runs. */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "ctl/commands.h"
#include "ctl/rebalance.h"
#include "ctl/shard.h"

enum { TURN_MS = 200, QUIET_MS = 5000 };

struct options {
    const char *dir, *output;
    int64_t rate_mb, drain;
    bool watch;
};

#define DIR_ROW                                                                                    \
    {                                                                                              \
        "dir", "DIR", ARG_TEXT, offsetof(struct options, dir), 0, 0, true, "folder of the cluster" \
    }
#define OUTPUT_ROW                                                                                 \
    {                                                                                              \
        "output", "text|json", ARG_TEXT, offsetof(struct options, output), 0, 0, false,            \
            "form of the answer"                                                                   \
    }
#define RATE_ROW                                                                                   \
    {                                                                                              \
        "rate-mb", "R", ARG_INT, offsetof(struct options, rate_mb), 1, 1000000, false,             \
            "most MB a second that each shard gives away (8)"                                     \
    }

/* clang-format off */
static const struct arg plan_args[] = {
    DIR_ROW,
    {"drain", "N", ARG_INT, offsetof(struct options, drain), 0, HY_SHARDS_MAX - 1, false, "as shard drain N would"},
    OUTPUT_ROW,
    {0},
};
static const struct arg start_args[] = {DIR_ROW, RATE_ROW, OUTPUT_ROW, {0}};
static const struct arg status_args[] = {
    DIR_ROW,
    {"watch", NULL, ARG_FLAG, offsetof(struct options, watch), 0, 0, false, "until it has ended; exit status 1: it was cancelled"},
    OUTPUT_ROW,
    {0},
};
static const struct arg wish_args[] = {DIR_ROW, {0}};
/* clang-format on */

static bool is_json(const struct options *options)
{
    return options->output != NULL && strcmp(options->output, "json") == 0;
}

static int failed(const char *why)
{
    fprintf(stderr, "hongyanctl: %s\n", why);
    return EXIT_FAILURE;
}

static void dump(json_t *object, size_t flags)
{
    json_dumpf(object, stdout, flags);
    putchar('\n');
    fflush(stdout);
    json_decref(object);
}

/* ---- plan, start ---- */

struct planning {
    const struct options *options;
    uint64_t bytes[HY_SHARDS_MAX];
    bool starts; /* else it only shows */
    int code;
};

static void ask_bytes(struct planning *p, const struct nodes_visit *visit,
                      const struct slotplan *plan)
{
    for (uint32_t i = 0; i < HY_SHARDS_MAX; i++)
        if (plan->have[i] > plan->want[i])
            p->bytes[i] = shard_bytes(visit->cluster, hy_fleet_leader(visit->fleet, i, NULL));
}

static void show_plan(const struct planning *p, const struct slotplan *plan)
{
    if (is_json(p->options))
        dump(rebalance_plan_json(plan, p->bytes), JSON_INDENT(2));
    else if (plan->count == 0)
        puts(p->options->drain == REBALANCE_ALL ? "The slots are even: nothing is to move."
                                                : "That shard owns no slots: nothing is to move.");
    else
        rebalance_print_plan(stdout, plan, p->bytes);
}

static int start(const struct planning *p, const struct nodes_visit *visit,
                 const struct slotplan *plan)
{
    uint64_t rate =
        p->options->rate_mb > 0 ? (uint64_t)p->options->rate_mb << 20 : HY_REBALANCE_RATE;
    char why[256];

    if (plan->count > 0 && !rebalance_begin(visit, plan, rate, why))
        return failed(why);
    show_plan(p, plan);
    if (plan->count > 0 && !is_json(p->options))
        printf("\nIt has begun: hongyanctl rebalance status --dir %s --watch\n", p->options->dir);
    return EXIT_SUCCESS;
}

static void plan_it(void *arg, const struct nodes_visit *visit)
{
    struct planning *p = arg;
    struct slotplan plan = {0};
    char why[256];

    if ((p->starts && rebalance_hindered(visit->coord, why)) ||
        !rebalance_plan(visit->fleet, p->options->drain, &plan, why)) {
        p->code = failed(why);
    } else {
        ask_bytes(p, visit, &plan);
        p->code = EXIT_SUCCESS;
        if (p->starts)
            p->code = start(p, visit, &plan);
        else
            show_plan(p, &plan);
    }
    slotplan_free(&plan);
}

static int plan(const struct options *options, bool starts)
{
    struct planning *p = calloc(1, sizeof *p);
    int code = EXIT_FAILURE;

    if (p == NULL)
        return failed(hy_err_text(HY_ENOMEM));
    *p = (struct planning){.options = options, .starts = starts, .code = EXIT_FAILURE};
    if (nodes_visit_dir(options->dir, plan_it, p))
        code = p->code;
    free(p);
    return code;
}

/* ---- status ---- */

struct watching {
    const struct options *options;
    bool line;   /* one is open on the terminal */
    uint32_t id; /* what was said last */
    enum hy_rebalance_state state;
    int percent;
    uint64_t said_ms;
    int code;
};

static void say_status(struct watching *w, const struct rebalance *r)
{
    if (is_json(w->options)) {
        dump(rebalance_json(r), w->options->watch ? JSON_COMPACT : JSON_INDENT(2));
    } else if (!r->there) {
        puts("No slots were moved yet.");
    } else {
        fputs(w->line ? "\r" : "", stdout);
        rebalance_print(stdout, r, hy_wall_ms());
        w->line = w->options->watch && isatty(STDOUT_FILENO);
        fputs(w->line ? "   " : "\n", stdout);
        fflush(stdout);
    }
}

/* Something else is to be said than before: another state, more of it done; and now and then, so
 * that one sees what stands still. */
static bool is_news(struct watching *w, const struct rebalance *r)
{
    int percent = (int)(100 * rebalance_progress(r));
    uint64_t now_ms = hy_steady_ms();
    bool other = r->now.id != w->id || r->now.state != w->state;

    if (!other && percent <= w->percent && now_ms - w->said_ms < QUIET_MS)
        return false;
    w->id = r->now.id;
    w->state = r->now.state;
    w->percent = percent;
    w->said_ms = now_ms;
    return true;
}

static bool goes_on(const struct watching *w, const struct rebalance *r)
{
    return w->options->watch && r->there && !hy_rebalance_ended(r->now.state);
}

static void look(void *arg, const struct nodes_visit *visit)
{
    struct watching *w = arg;
    struct rebalance r;
    enum hy_err err;

    while ((err = rebalance_read(visit->coord, &r)) == HY_OK && goes_on(w, &r)) {
        if (is_news(w, &r))
            say_status(w, &r);
        rebalance_free(&r);
        hy_loop_turn(visit->loop, TURN_MS);
    }
    if (err != HY_OK) {
        w->code = failed(hy_err_text(err));
        return;
    }
    say_status(w, &r);
    if (w->line)
        putchar('\n');
    if (!is_json(w->options))
        rebalance_print_moves(stdout, &r);
    w->code = w->options->watch && r.there && r.now.state == HY_REBALANCE_CANCELLED ? EXIT_FAILURE
                                                                                    : EXIT_SUCCESS;
    rebalance_free(&r);
}

/* ---- pause, resume, cancel ---- */

struct wishing {
    enum hy_rebalance_state state;
    int code;
};

static void wish(void *arg, const struct nodes_visit *visit)
{
    struct wishing *w = arg;
    char why[256];

    w->code = rebalance_wish(visit, w->state, why) ? EXIT_SUCCESS : failed(why);
}

static int parse(const struct command *command, const struct arg *rows, int argc, char **argv,
                 struct options *options)
{
    struct arg_list rest = {0};
    int code;

    *options = (struct options){.drain = REBALANCE_ALL};
    code = args_parse(command, rows, argc, argv, options, &rest);
    if (code < 0 && rest.count > 0)
        code = args_wrong(command, "unexpected argument %s", rest.items[0]);
    args_free(&rest);
    return code;
}

static int change_state(const struct command *command, int argc, char **argv,
                        enum hy_rebalance_state state)
{
    struct options options;
    struct wishing wishing = {state, EXIT_FAILURE};
    int code = parse(command, wish_args, argc, argv, &options);

    if (code >= 0)
        return code;
    return nodes_visit_dir(options.dir, wish, &wishing) ? wishing.code : EXIT_FAILURE;
}

int command_rebalance_plan(const struct command *command, int argc, char **argv)
{
    struct options options;
    int code = parse(command, plan_args, argc, argv, &options);

    return code >= 0 ? code : plan(&options, false);
}

int command_rebalance_start(const struct command *command, int argc, char **argv)
{
    struct options options;
    int code = parse(command, start_args, argc, argv, &options);

    return code >= 0 ? code : plan(&options, true);
}

int command_rebalance_status(const struct command *command, int argc, char **argv)
{
    struct options options;
    struct watching watching = {.options = &options, .code = EXIT_FAILURE};
    int code = parse(command, status_args, argc, argv, &options);

    if (code >= 0)
        return code;
    return nodes_visit_dir(options.dir, look, &watching) ? watching.code : EXIT_FAILURE;
}

int command_rebalance_pause(const struct command *command, int argc, char **argv)
{
    return change_state(command, argc, argv, HY_REBALANCE_PAUSED);
}

int command_rebalance_resume(const struct command *command, int argc, char **argv)
{
    return change_state(command, argc, argv, HY_REBALANCE_RUNNING);
}

int command_rebalance_cancel(const struct command *command, int argc, char **argv)
{
    return change_state(command, argc, argv, HY_REBALANCE_CANCELLING);
}

/* ---- hongyanctl shard drain ---- */

int command_shard_drain(const struct command *command, int argc, char **argv)
{
    struct options options = {.drain = REBALANCE_ALL};
    struct arg_list rest = {0};
    int code = args_parse(command, start_args, argc, argv, &options, &rest);

    if (code < 0 &&
        (rest.count != 1 || !args_number(rest.items[0], 0, HY_SHARDS_MAX - 1, &options.drain)))
        code = args_wrong(command, "which shard? Give its number");
    args_free(&rest);
    return code >= 0 ? code : plan(&options, true);
}
