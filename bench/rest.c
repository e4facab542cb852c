/* rest - S8: REST v4 calls per second, and the same driver against any other URL.
 *
 * The calls are real ones, each with its own MsgSeq and MsgRandom, between pairs of accounts drawn
 * at random. Nobody of them is online; before and after, the heads of all conversations are read
 * over the client wire, so that what was stored is counted by another way than it came in. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/engine.h"
#include "bench/heads.h"
#include "bench/http.h"
#include "bench/scenarios.h"
#include "common/clock.h"

enum { AT_ONCE = 100, BATCH = 50 };
enum { HEADS_BEFORE, HEADS_AFTER }; /* of tally.custom */

struct rest_options {
    struct bench_common common;
    int64_t connections, pipeline, pairs, rate;
    const char *call, *against, *pids;
};

static const struct rest_options defaults = {
    .common = BENCH_COMMON, .connections = 64, .pipeline = 1, .pairs = 100, .call = "sendmsg"};

#define ROW(name, value, type, field, least, most, help)                                           \
    {                                                                                              \
        name, value, type, offsetof(struct rest_options, field), least, most, false, help          \
    }
static const struct arg rows[] = {
    ROW("connections", "C", ARG_INT, connections, 1, 100000,
        "keep-alive connections, over all workers (64)"),
    ROW("pipeline", "N", ARG_INT, pipeline, 1, 1000, "requests under way on one connection (1)"),
    ROW("rate", "R", ARG_INT, rate, 0, 10000000, "open loop: calls a second, over all workers"),
    ROW("pairs", "P", ARG_INT, pairs, 1, 1000000,
        "pairs of accounts, one drawn for each call (100)"),
    ROW("call", "NAME", ARG_TEXT, call, 0, 0,
        "sendmsg (which is the default), batchsendmsg to 50, send_group_msg or account_import"),
    ROW("against", "URL", ARG_TEXT, against, 0, 0,
        "GET this from another server, without --cluster"),
    ROW("pids", "N,N", ARG_TEXT, pids, 0, 0, "with --against: the processes whose CPU time counts"),
    {.name = NULL},
};
#undef ROW

struct rest_load;

/* What is measured: one row a command. */
struct kind {
    const char *name, *path;
    size_t (*body)(struct rest_load *load, uint64_t number, char *out, size_t size);
    uint32_t stores; /* messages a good call stores, if there are as many pairs */
};

struct rest_load {
    const struct rest_options *options;
    const struct kind *kind;
    struct worker *worker;
    struct http *http;
    struct hy_watch *watch;
    bool broken;                      /* the server cannot be reached any more */
    char query[HY_USERSIG_MAX + 256]; /* of each call's URL */
    char host[256], port[8];
    char group[HEADS_NAME];
    uint64_t dice;
    uint32_t begun_s; /* MsgTimeStamp of all, so that two runs never name the same message */
};

/* ---------------------------------------------------------------- bodies */

/* xorshift64*: random pairs at no cost */
static uint32_t roll(struct rest_load *load, uint32_t sides)
{
    load->dice ^= load->dice >> 12;
    load->dice ^= load->dice << 25;
    load->dice ^= load->dice >> 27;
    return (uint32_t)((load->dice * 2685821657736338717ull >> 33) % sides);
}

/* Workers count apart. */
static uint32_t message_number(const struct rest_load *load, uint64_t number)
{
    return (uint32_t)((number * load->worker->count + load->worker->index) & INT32_MAX);
}

static const char text[] = "....................................................................."
                           "...............................";

/* The fields that all sends share; what a customer's app server sends, as the reference shows it.
 */
static size_t message(struct rest_load *load, uint64_t number, const char *to, char *out,
                      size_t size)
{
    return (size_t)snprintf(out, size,
                            "{\"SyncOtherMachine\":2,%s,\"MsgSeq\":%u,\"MsgRandom\":%u,"
                            "\"MsgTimeStamp\":%u,\"MsgBody\":[{\"MsgType\":\"TIMTextElem\","
                            "\"MsgContent\":{\"Text\":\"%s\"}}]}",
                            to, message_number(load, number), roll(load, INT32_MAX), load->begun_s,
                            text);
}

static size_t body_sendmsg(struct rest_load *load, uint64_t number, char *out, size_t size)
{
    uint32_t pair = roll(load, (uint32_t)load->options->pairs);
    char to[128];

    snprintf(to, sizeof to, "\"From_Account\":\"resta%u\",\"To_Account\":\"restb%u\"", pair, pair);
    return message(load, number, to, out, size);
}

static size_t body_batch(struct rest_load *load, uint64_t number, char *out, size_t size)
{
    uint32_t pairs = (uint32_t)load->options->pairs, first = roll(load, pairs);
    uint32_t count = pairs < BATCH ? pairs : BATCH;
    char to[BATCH * 24 + 64];
    size_t len = (size_t)snprintf(to, sizeof to, "\"From_Account\":\"resta0\",\"To_Account\":[");

    for (uint32_t i = 0; i < count; i++)
        len += (size_t)snprintf(to + len, sizeof to - len, "%s\"restb%u\"", i > 0 ? "," : "",
                                (first + i) % pairs);
    snprintf(to + len, sizeof to - len, "]");
    return message(load, number, to, out, size);
}

static size_t body_group(struct rest_load *load, uint64_t number, char *out, size_t size)
{
    return (size_t)snprintf(
        out, size,
        "{\"GroupId\":\"%s\",\"From_Account\":\"resta0\",\"Random\":%u,\"MsgPriority\":\"High\","
        "\"MsgBody\":[{\"MsgType\":\"TIMTextElem\",\"MsgContent\":{\"Text\":\"%s\"}}]}",
        load->group, message_number(load, number), text);
}

static size_t body_import(struct rest_load *load, uint64_t number, char *out, size_t size)
{
    return (size_t)snprintf(out, size, "{\"Identifier\":\"i%x-%x\",\"Nick\":\"someone\"}",
                            load->begun_s, message_number(load, number));
}

static const struct kind kinds[] = {
    {"sendmsg", "openim/sendmsg", body_sendmsg, 1},
    {"batchsendmsg", "openim/batchsendmsg", body_batch, BATCH},
    {"send_group_msg", "group_open_http_svc/send_group_msg", body_group, 1},
    {"account_import", "im_open_login_svc/account_import", body_import, 0},
};

/* ---------------------------------------------------------------- calls */

static size_t write_post(struct rest_load *load, const char *path, uint64_t number,
                         const char *body, size_t body_len, char *out, size_t size)
{
    int len = snprintf(out, size,
                       "POST /v4/%s?%s&random=%" PRIu64 "&contenttype=json HTTP/1.1\r\n"
                       "Host: %s:%s\r\nContent-Type: application/json\r\n"
                       "Content-Length: %zu\r\n\r\n",
                       path, load->query, number & UINT32_MAX, load->host, load->port, body_len);

    if (len < 0 || (size_t)len + body_len > size)
        return 0;
    memcpy(out + len, body, body_len);
    return (size_t)len + body_len;
}

static size_t write_call(void *ctx, uint64_t number, char *out, size_t size)
{
    struct rest_load *load = ctx;
    char body[4096];
    size_t len = load->kind->body(load, number, body, sizeof body);

    return len >= sizeof body ? 0
                              : write_post(load, load->kind->path, number, body, len, out, size);
}

/* A batch in which some targets failed is no good call. */
static bool is_ok(void *ctx, const struct http_answer *answer)
{
    static const char ok[] = "\"ActionStatus\":\"OK\"", error[] = "\"To_Account\":";
    const struct rest_load *load = ctx;
    bool good = answer->status == 200 &&
                memmem(answer->body, answer->len, ok, sizeof ok - 1) != NULL &&
                memmem(answer->body, answer->len, error, sizeof error - 1) == NULL;

    if (good)
        worker_operation(load->worker, answer->due_us);
    return good;
}

static const struct kind *find_kind(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

/* ---------------------------------------------------------------- accounts */

static enum hy_err import(const struct target *target, char side, int64_t from, int64_t to)
{
    json_t *list = json_array();

    for (int64_t i = from; i < to; i++)
        json_array_append_new(list, json_sprintf("rest%c%lld", side, (long long)i));
    return target_rest(target, "im_open_login_svc/multiaccount_import",
                       json_pack("{s:o}", "Accounts", list));
}

/* Accounts resta<i> and restb<i>, and a group of resta0 alone, whose name all workers read. */
static enum hy_err prepare(const struct bench *bench, const struct plan *plan, void *shared)
{
    const struct rest_options *options = bench->options;
    char *group = shared;
    enum hy_err err = HY_OK;

    (void)plan;
    for (int64_t i = 0; err == HY_OK && i < options->pairs; i += AT_ONCE) {
        int64_t to = i + AT_ONCE < options->pairs ? i + AT_ONCE : options->pairs;

        err = import(bench->target, 'a', i, to);
        if (err == HY_OK)
            err = import(bench->target, 'b', i, to);
    }
    snprintf(group, HEADS_NAME, "bench-%" PRIx64, hy_random64());
    if (err == HY_OK && find_kind(options->call)->body == body_group)
        err = target_rest(bench->target, "group_open_http_svc/create_group",
                          json_pack("{s:s, s:s, s:s, s:s}", "Type", "Public", "Name", "bench",
                                    "GroupId", group, "Owner_Account", "resta0"));
    return err;
}

/* This worker's share of the conversations that are written to; a receiver reads, as a sender does
 * not see what was sent with SyncOtherMachine 2. */
static enum hy_err read_heads(struct worker *worker, int which)
{
    const struct rest_load *load = worker->own;
    bool group = load->kind->body == body_group;
    uint32_t pairs = group ? 1 : (uint32_t)load->options->pairs;
    struct head *heads = NULL;
    size_t count = 0;
    enum hy_err err;

    if (load->kind->stores == 0)
        return HY_OK;
    heads = calloc(pairs, sizeof *heads);
    if (heads == NULL)
        return HY_ENOMEM;
    for (uint32_t i = worker->index; i < pairs; i += worker->count) {
        struct head *head = &heads[count++];

        head->conv_type = group ? HY__CONV_TYPE__CONV_GROUP : HY__CONV_TYPE__CONV_C2C;
        snprintf(head->user, sizeof head->user, group ? "resta%u" : "restb%u", i);
        if (group)
            snprintf(head->peer, sizeof head->peer, "%s", load->group);
        else
            snprintf(head->peer, sizeof head->peer, "resta%u",
                     load->kind->body == body_batch ? 0 : i);
    }
    err =
        heads_sum(worker->loop, worker->bench->target, heads, count, &worker->tally->custom[which]);
    free(heads);
    return err;
}

/* ---------------------------------------------------------------- a worker */

static uint32_t share(int64_t whole, const struct worker *worker)
{
    return (uint32_t)(whole / worker->count +
                      (worker->index < (uint64_t)whole % worker->count ? 1 : 0));
}

static struct rest_load *load_of(struct worker *worker)
{
    static struct rest_load load;

    load = (struct rest_load){.options = worker->bench->options,
                              .worker = worker,
                              .dice = hy_random64() | 1,
                              .begun_s = (uint32_t)(hy_wall_ms() / 1000)};
    worker->own = &load;
    return &load;
}

static enum hy_err connect_all(struct rest_load *load, const char *url,
                               size_t (*write)(void *, uint64_t, char *, size_t),
                               bool (*good)(void *, const struct http_answer *))
{
    const struct rest_options *options = load->options;
    const struct http_job job = {.url = url,
                                 .connections = share(options->connections, load->worker),
                                 .pipeline = (uint32_t)options->pipeline,
                                 .rate = share(options->rate, load->worker),
                                 .write = write,
                                 .good = good,
                                 .ctx = load};

    return http_open(&job, &load->http);
}

static enum hy_err enter(struct worker *worker)
{
    struct rest_load *load = load_of(worker);
    const struct target *target = worker->bench->target;
    char ticket[HY_USERSIG_MAX];
    const char *path = NULL;
    enum hy_err err = target_ticket(target, target->admin, ticket);

    load->kind = find_kind(load->options->call);
    snprintf(load->group, sizeof load->group, "%s", (const char *)worker->shared);
    snprintf(load->query, sizeof load->query, "sdkappid=%u&identifier=%s&usersig=%s",
             target->sdkappid, target->admin, ticket);
    if (!http_url(target->rest, load->host, load->port, &path))
        return HY_ECONFIG;
    if (err == HY_OK)
        err = read_heads(worker, HEADS_BEFORE);
    return err == HY_OK ? connect_all(load, target->rest, write_call, is_ok) : err;
}

static void count_up(const struct rest_load *load)
{
    const struct http_count *count = http_counted(load->http);
    struct tally *tally = load->worker->tally;

    tally->sent = count->sent;
    tally->acked = count->good;
    tally->failed = count->bad;
    tally->unanswered = count->cut;
}

static void step(struct rest_load *load)
{
    load->broken = load->broken || http_step(load->http) != HY_OK;
    count_up(load);
}

static void on_ready(int fd, unsigned ready, void *arg)
{
    (void)fd;
    (void)ready;
    step(arg);
}

static enum hy_err begin(struct worker *worker)
{
    struct rest_load *load = worker->own;

    http_begin(load->http);
    return hy_watch_open(worker->loop, http_fd(load->http), HY_READ, on_ready, load, &load->watch);
}

static void turn(struct worker *worker)
{
    struct rest_load *load = worker->own;

    if (worker->stopping)
        http_stop(load->http);
    if (!load->broken)
        step(load);
}

static bool settled(struct worker *worker)
{
    const struct rest_load *load = worker->own;

    return load->broken || http_settled(load->http);
}

static void stop(struct worker *worker)
{
    struct rest_load *load = worker->own;

    hy_watch_close(&load->watch);
    http_settle(load->http, 0);
    count_up(load);
}

static void read_heads_again(struct worker *worker)
{
    if (read_heads(worker, HEADS_AFTER) != HY_OK)
        worker->tally->lost = worker->tally->acked; /* nobody can say */
}

static void close_all(struct worker *worker)
{
    struct rest_load *load = worker->own;

    if (load == NULL)
        return;
    hy_watch_close(&load->watch);
    http_close(&load->http);
}

/* ---------------------------------------------------------------- the account */

/* What was stored against what was answered. A call that failed may have been stored or not. */
static void account(const struct bench *bench, const struct plan *plan, const uint64_t custom[8])
{
    const struct rest_options *options = bench->options;
    const struct kind *kind = find_kind(options->call);
    struct result *result = bench->result;
    uint64_t each =
        kind->stores < (uint64_t)options->pairs ? kind->stores : (uint64_t)options->pairs;
    uint64_t least = result->acked * each;
    uint64_t most = (result->acked + result->failed + result->unanswered) * each;
    uint64_t stored = custom[HEADS_AFTER] - custom[HEADS_BEFORE];

    (void)plan;
    if (each == 0)
        return;
    result->delivered = stored;
    result->lost += stored < least ? least - stored : 0;
    result->doubled += stored > most ? stored - most : 0;
}

static enum hy_err run_calls(struct bench *bench)
{
    const struct rest_options *options = bench->options;
    const struct plan plan = {
        .links = (uint64_t)options->connections,
        .shared_size = HEADS_NAME,
        .pace_us = options->rate > 0 ? 500 : 0,
        .prepare = prepare,
        .enter = enter,
        .begin = begin,
        .turn = turn,
        .settled = settled,
        .stop = stop,
        .account = read_heads_again,
        .close = close_all,
        .report = account,
    };
    char title[64];

    if (find_kind(options->call) == NULL) {
        fprintf(stderr, "hongyan-bench: --call %s is none of s8's\n", options->call);
        return HY_ECONFIG;
    }
    if (bench->target->rest == NULL || bench->target->admin == NULL) {
        fprintf(stderr, "hongyan-bench: the cluster has no REST, or its app no administrator\n");
        return HY_ECONFIG;
    }
    snprintf(title, sizeof title, "REST %s", options->call);
    result_title(bench->result, title);
    bench->result->unit = "calls";
    bench->result->durability = "fsync before the answer";
    bench->result->latency_from = "due to answer";
    return engine_run(bench, &plan);
}

/* ---------------------------------------------------------------- another server */

static size_t write_get(void *ctx, uint64_t number, char *out, size_t size)
{
    const struct rest_load *load = ctx;
    int len = snprintf(out, size, "GET %s HTTP/1.1\r\nHost: %s:%s\r\n\r\n", load->query, load->host,
                       load->port);

    (void)number;
    return len < 0 || (size_t)len >= size ? 0 : (size_t)len;
}

static bool is_200(void *ctx, const struct http_answer *answer)
{
    const struct rest_load *load = ctx;

    if (answer->status == 200)
        worker_operation(load->worker, answer->due_us);
    return answer->status == 200;
}

static enum hy_err enter_other(struct worker *worker)
{
    struct rest_load *load = load_of(worker);
    const char *path = NULL;

    if (!http_url(load->options->against, load->host, load->port, &path) ||
        strlen(path) >= sizeof load->query) {
        fprintf(stderr, "%s: not an address like http://127.0.0.1:8080/page\n",
                load->options->against);
        return HY_ECONFIG;
    }
    snprintf(load->query, sizeof load->query, "%s", path);
    return connect_all(load, load->options->against, write_get, is_200);
}

/* CPU time of the --pids as far as it goes: { before, after } in the coordinator. */
static uint64_t pids_cpu_us(const char *pids)
{
    uint64_t sum = 0, user = 0, sys = 0;

    while (pids != NULL && *pids != '\0') {
        char *end = NULL;
        long pid = strtol(pids, &end, 10);

        if (end == pids)
            break;
        if (usage_process_cpu((int)pid, &user, &sys))
            sum += user + sys;
        pids = end + (*end == ',');
    }
    return sum;
}

static enum hy_err run_other(struct bench *bench)
{
    const struct rest_options *options = bench->options;
    const struct plan plan = {
        .links = (uint64_t)options->connections,
        .pace_us = options->rate > 0 ? 500 : 0,
        .enter = enter_other,
        .begin = begin,
        .turn = turn,
        .settled = settled,
        .stop = stop,
        .close = close_all,
    };
    uint64_t before = pids_cpu_us(options->pids);
    enum hy_err err;

    result_title(bench->result, "GET from another server");
    bench->result->unit = "calls";
    bench->result->durability = "none";
    bench->result->latency_from = "due to answer";
    err = engine_run(bench, &plan);
    if (options->pids != NULL && bench->result->acked > 0)
        result_figure(
            bench->result, "other_cpu_us_per_op", "CPU of --pids a call, warm-up included",
            (double)(pids_cpu_us(options->pids) - before) / (double)bench->result->acked, "us");
    return err;
}

static enum hy_err run(struct bench *bench)
{
    const struct rest_options *options = bench->options;

    return options->against != NULL ? run_other(bench) : run_calls(bench);
}

static bool alone(const void *options)
{
    return ((const struct rest_options *)options)->against != NULL;
}

const struct scenario scenario_s8 = {
    .name = "s8",
    .summary = "REST calls a second",
    .help = "Real REST v4 calls over keep-alive connections, between pairs of accounts drawn at "
            "random, "
            "none of\nthem online. An operation is a call whose answer is OK; delivered counts "
            "what the "
            "conversations\nhave more at the end than at the beginning, read by their members.",
    .rows = rows,
    .defaults = &defaults,
    .size = sizeof defaults,
    .run = run,
    .alone = alone,
};
