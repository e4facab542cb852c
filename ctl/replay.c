#include "ctl/replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "ctl/commands.h"
#include "ctl/talk.h"

enum { CONNECTING_MOST = 64, OPEN_MS = 20, PARALLEL = 4, PATIENCE_S = 120 };

/* ---- people ---- */

static void start_days(struct replay *replay)
{
    while (replay->started < replay->day_count &&
           replay->started < replay->ended + (size_t)replay->parallel)
        day_start(&replay->days[replay->started++]);
}

static void on_state(void *ctx, const struct hongyan_change *change)
{
    struct person *person = ctx;
    struct replay *replay = person->replay;

    if (change->state == HONGYAN_KICKED) {
        fprintf(stderr, "hongyanctl: %s: %u %s\n", person->user, change->code, change->info);
        replay->failed = true;
        hy_loop_stop(replay->loop);
    }
    if (change->state != HONGYAN_ONLINE || person->online)
        return;
    person->online = true;
    replay->connecting--;
    if (++replay->online < replay->person_count)
        return;
    printf("%zu people online\n", replay->online);
    fflush(stdout);
    start_days(replay);
}

static void on_message(void *ctx, const Hy__Msg *msg)
{
    struct person *person = ctx;

    for (struct member *seat = person->seats; seat != NULL; seat = seat->next_seat) {
        if (strcmp(seat->day->group, msg->to) == 0) {
            day_heard(seat, msg);
            return;
        }
    }
}

/* A gateway takes so many links a second from one address; the rest would only be told to come
 * back. */
static void on_open_more(void *arg)
{
    struct replay *replay = arg;
    size_t opened = replay->online + replay->connecting;

    while (opened < replay->person_count && replay->connecting < CONNECTING_MOST) {
        struct person *person = &replay->people[opened];
        struct hongyan_config config = {
            .platform = HY__PLATFORM__PLATFORM_LINUX,
            .send_ms = UINT32_MAX,
            .events = {.state = on_state, .message = on_message},
            .ctx = person,
        };

        if (talk_open(replay->loop, &replay->cluster, person->user, SIZE_MAX, &config,
                      &person->client) != HY_OK) {
            replay->failed = true;
            hy_loop_stop(replay->loop);
            return;
        }
        replay->connecting++;
        opened++;
    }
    if (opened == replay->person_count)
        hy_timer_stop(replay->timer);
}

/* ---- days ---- */

void replay_day_ended(struct day *day)
{
    struct replay *replay = day->replay;
    double seconds = (double)(hy_loop_now_ms(replay->loop) - day->start_ms) / 1000;

    hy_timer_stop(day->timer);
    printf("%-28s %5zu members %6zu messages %9" PRIu64 " deliveries %9" PRIu64
           " read back %6.1f s  %s\n",
           day->group, day->log.user_count, day->log.line_count, day->deliveries, day->read_back,
           seconds, day->differences == 0 ? "identical" : "DIFFERENT");
    fflush(stdout);
    if (++replay->ended == replay->day_count)
        hy_loop_stop(replay->loop);
    else
        start_days(replay);
}

static int by_user(const void *a, const void *b)
{
    return strcmp(((const struct person *)a)->user, ((const struct person *)b)->user);
}

static bool gather_people(struct replay *replay)
{
    size_t most = 0, kept = 0;

    for (size_t i = 0; i < replay->day_count; i++)
        most += replay->days[i].log.user_count;
    replay->people = calloc(most + 1, sizeof *replay->people);
    if (replay->people == NULL)
        return false;
    for (size_t i = 0; i < replay->day_count; i++)
        for (size_t k = 0; k < replay->days[i].log.user_count; k++)
            snprintf(replay->people[replay->person_count++].user, sizeof replay->people->user, "%s",
                     replay->days[i].log.users[k]);
    qsort(replay->people, most, sizeof *replay->people, by_user);
    for (size_t i = 0; i < most; i++)
        if (kept == 0 || strcmp(replay->people[kept - 1].user, replay->people[i].user) != 0)
            replay->people[kept++] = replay->people[i];
    replay->person_count = kept;
    for (size_t i = 0; i < kept; i++)
        replay->people[i].replay = replay;
    return true;
}

static bool seat_people(struct replay *replay, struct day *day)
{
    day->replay = replay;
    day->members = calloc(day->log.user_count, sizeof *day->members);
    day->seqs = calloc(day->log.line_count, sizeof *day->seqs);
    if (day->members == NULL || day->seqs == NULL)
        return false;
    snprintf(day->group, sizeof day->group, "%.8s%.40s", replay->prefix, day->log.name);
    for (size_t i = 0; i < day->log.user_count; i++) {
        struct person key, *person = NULL;
        struct member *member = &day->members[i];

        snprintf(key.user, sizeof key.user, "%s", day->log.users[i]);
        person = bsearch(&key, replay->people, replay->person_count, sizeof key, by_user);
        *member = (struct member){.day = day, .person = person, .index = (uint32_t)i};
        member->next_seat = person->seats;
        person->seats = member;
    }
    return true;
}

static enum hy_err read_days(struct replay *replay, const struct arg_list *files, size_t most)
{
    replay->days = calloc(files->count + 1, sizeof *replay->days);
    if (replay->days == NULL)
        return HY_ENOMEM;
    for (size_t i = 0; i < files->count && replay->day_count < most; i++) {
        enum hy_err err = irc_read(files->items[i], &replay->days[replay->day_count].log);

        if (err == HY_EMALFORMED) {
            fprintf(stderr, "hongyanctl: %s: nobody said anything; left out\n", files->items[i]);
            continue;
        }
        if (err != HY_OK) {
            fprintf(stderr, "hongyanctl: %s: %s\n", files->items[i], hy_err_text(err));
            return err;
        }
        replay->day_count++;
    }
    if (replay->day_count == 0 || !gather_people(replay))
        return HY_ENOMEM;
    for (size_t i = 0; i < replay->day_count; i++)
        if (!seat_people(replay, &replay->days[i]))
            return HY_ENOMEM;
    return HY_OK;
}

/* ---- the command ---- */

static int sum_up(const struct replay *replay, uint64_t began_ms)
{
    uint64_t messages = 0, deliveries = 0, read_back = 0, differences = 0;
    size_t other = 0, empty = 0, converted = 0;

    for (size_t i = 0; i < replay->day_count; i++) {
        const struct day *day = &replay->days[i];

        messages += day->said;
        deliveries += day->deliveries;
        read_back += day->read_back;
        differences += day->differences;
        other += day->log.other;
        empty += day->log.empty;
        converted += day->log.converted;
    }
    printf("%zu days, %zu people, %" PRIu64 " messages acknowledged, %" PRIu64
           " deliveries, %" PRIu64 " read back, %" PRIu64 " differences, %.1f s\n",
           replay->ended, replay->person_count, messages, deliveries, read_back, differences,
           (double)(hy_steady_ms() - began_ms) / 1000);
    printf("left out: %zu lines that nobody said, %zu without text; %zu lines were no UTF-8 and "
           "read as Latin-1\n",
           other, empty, converted);
    return differences == 0 && !replay->failed && replay->ended == replay->day_count ? EXIT_SUCCESS
                                                                                     : EXIT_FAILURE;
}

static enum hy_err run(struct replay *replay)
{
    enum hy_err err = HY_OK;

    if (!replay->verify_only)
        err = replay_prepare(replay);
    if (err == HY_OK)
        err = hy_loop_open(&replay->loop);
    if (err == HY_OK)
        err = hy_timer_open(replay->loop, on_open_more, replay, &replay->timer);
    if (err != HY_OK)
        return err;
    hy_timer_every(replay->timer, OPEN_MS);
    hy_loop_run(replay->loop);
    return HY_OK;
}

static void close_all(struct replay *replay)
{
    for (size_t i = 0; i < replay->day_count; i++)
        replay->days[i].stage = DAY_ENDED;
    for (size_t i = 0; i < replay->person_count; i++)
        hongyan_close(&replay->people[i].client);
    for (size_t i = 0; i < replay->day_count; i++)
        day_close(&replay->days[i]);
    hy_timer_close(&replay->timer);
    hy_loop_close(&replay->loop);
    free(replay->people);
    free(replay->days);
    cluster_free(&replay->cluster);
}

struct options {
    const char *cluster, *speed, *prefix;
    int64_t days, parallel, patience_s, sdkappid;
    bool verify_only;
};

/* clang-format off */
#define O struct options
static const struct arg args[] = {
    {"cluster", "FILE", ARG_TEXT, offsetof(O, cluster), 0, 0, true, "cluster.json of a running cluster"},
    {"days", "N", ARG_INT, offsetof(O, days), 1, 100000, false, "only the first N logs"},
    {"speed", "N|max", ARG_TEXT, offsetof(O, speed), 0, 0, false, "N times as fast as it was; max (default): as fast as it goes"},
    {"parallel", "N", ARG_INT, offsetof(O, parallel), 1, 1000, false, "days at the same time (4)"},
    {"prefix", "TEXT", ARG_TEXT, offsetof(O, prefix), 0, 0, false, "of the groups' names (irc-)"},
    {"verify-only", NULL, ARG_FLAG, offsetof(O, verify_only), 0, 0, false, "say nothing; only read the histories and compare"},
    {"patience", "SECONDS", ARG_INT, offsetof(O, patience_s), 1, 86400, false, "give up when nothing moves for so long (120)"},
    {"sdkappid", "N", ARG_INT, offsetof(O, sdkappid), 1, UINT32_MAX, false, "the app (the first of the cluster)"},
    {0},
};
#undef O
/* clang-format on */

static int replay_with(const struct command *command, const struct options *options,
                       const struct arg_list *files)
{
    struct replay replay = {
        .parallel = options->parallel,
        .patience_s = options->patience_s,
        .prefix = options->prefix,
        .verify_only = options->verify_only,
    };
    uint64_t began = hy_steady_ms();
    int code = EXIT_FAILURE;

    if (strcmp(options->speed, "max") != 0 && (replay.speed = strtod(options->speed, NULL)) <= 0)
        return args_wrong(command, "--speed is a number above 0, or max");
    if (cluster_load(NULL, options->cluster, (uint32_t)options->sdkappid, &replay.cluster) ==
            HY_OK &&
        read_days(&replay, files, (size_t)options->days) == HY_OK && run(&replay) == HY_OK)
        code = sum_up(&replay, began);
    close_all(&replay);
    return code;
}

int command_replay(const struct command *command, int argc, char **argv)
{
    struct options options = {.speed = "max",
                              .prefix = "irc-",
                              .days = 100000,
                              .parallel = PARALLEL,
                              .patience_s = PATIENCE_S};
    struct arg_list files = {0};
    int code = args_parse(command, args, argc, argv, &options, &files);

    if (code < 0 && files.count == 0)
        code = args_wrong(command, "a log is needed");
    if (code < 0)
        code = replay_with(command, &options, &files);
    args_free(&files);
    return code;
}
