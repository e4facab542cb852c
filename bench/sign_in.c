/* sign_in - S5: how fast links sign in, and how fast they are back when a gateway dies. */

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/crowd.h"
#include "bench/engine.h"
#include "bench/scenarios.h"
#include "common/clock.h"
#include "sdk/c/hongyan.h"

enum { PREPARE_MS = 180000 };

struct sign_in_options {
    struct bench_common common;
    int64_t links, window, backoff_ms;
    bool fresh, tls_resumed, storm;
};

static const struct sign_in_options defaults = {
    .common = {.seconds = 60}, .links = 1000, .window = 512};

#define O struct sign_in_options
static const struct arg rows[] = {
    {"links", "N", ARG_INT, offsetof(O, links), 1, 10000000, false, "links to sign in (1000)"},
    {"window", "W", ARG_INT, offsetof(O, window), 1, 100000, false,
     "sign-ins under way in each worker (512)"},
    {"new", NULL, ARG_FLAG, offsetof(O, fresh), 0, 0, false,
     "users that do not exist: each sign-in makes an account, with an fsync"},
    {"tls-resumed", NULL, ARG_FLAG, offsetof(O, tls_resumed), 0, 0, false,
     "over TLS, with a ticket of an earlier link"},
    {"storm", NULL, ARG_FLAG, offsetof(O, storm), 0, 0, false,
     "all are signed in; the first gateway is killed; until all are back"},
    {"backoff-ms", "MS", ARG_INT, offsetof(O, backoff_ms), 1, 3600000, false,
     "storm: longest pause between tries of a client (10000)"},
    {.name = NULL}};
#undef O

/* One user of this worker. */
struct link {
    struct signer *signer;
    struct hongyan_client *client;
    char *ticket;
    uint32_t index;
    uint64_t since_us; /* its sign-in began, or its link was lost; 0: it is online */
};

struct signer {
    struct worker *worker;
    struct link *links;
    uint32_t count, opened, online, gone, refused;
    bool measured;
    char prefix[24];
};

/* tally.custom */
enum { TICKET_US, TICKETS, BACK_FIRST_US };

static const struct sign_in_options *options_of(const struct signer *signer)
{
    return signer->worker->bench->options;
}

/* ---- what happens to a link ---- */

static void came_online(struct link *link)
{
    struct signer *signer = link->signer;

    signer->online++;
    signer->worker->tally->online = signer->online;
    if (signer->measured && link->since_us != 0)
        worker_operation(signer->worker, link->since_us);
    link->since_us = 0;
}

static void was_lost(struct link *link)
{
    if (link->since_us != 0)
        return; /* a try that failed */
    link->since_us = hy_steady_us();
    link->signer->online--;
    link->signer->worker->tally->online = link->signer->online;
}

static void was_ended(struct link *link, const struct hongyan_change *change)
{
    struct signer *signer = link->signer;

    if (link->since_us == 0) {
        signer->online--;
        signer->gone++;
    }
    if (change->code != 0 && signer->refused++ == 0)
        fprintf(stderr, "user %u: %u %s\n", link->index, change->code, change->info);
}

static void on_state(void *ctx, const struct hongyan_change *change)
{
    if (change->state == HONGYAN_ONLINE)
        came_online(ctx);
    else if (change->state == HONGYAN_OFFLINE)
        was_lost(ctx);
    else if (change->state == HONGYAN_KICKED)
        was_ended(ctx, change);
}

/* ---- opening and leaving ---- */

static enum hy_err open_link(struct link *link)
{
    struct signer *signer = link->signer;
    const struct sign_in_options *options = options_of(signer);
    const struct target *target = signer->worker->bench->target;
    bool tls = options->common.tls || options->tls_resumed;
    const char *address = (tls ? target->tls : target->tcp)[link->index % target->gateways];
    char user[40], source[16];
    struct hongyan_config config = {
        .addresses = &address,
        .address_count = 1,
        .tls = tls,
        .tls_in_full = !options->tls_resumed,
        .insecure = true,
        .source =
            crowd_source(signer->worker->bench, (uint32_t)options->links, link->index, source),
        .sdkappid = target->sdkappid,
        .identifier = user,
        .usersig = link->ticket,
        .platform = HY__PLATFORM__PLATFORM_LINUX,
        .device_id = "bench",
        .backoff_ms = (uint32_t)options->backoff_ms,
        .raw = true,
        .events = {.state = on_state},
        .ctx = link,
    };

    if (address == NULL)
        return HY_ECONFIG;
    snprintf(user, sizeof user, "%s%u", signer->prefix, link->index);
    link->since_us = hy_steady_us();
    return hongyan_open(signer->worker->loop, &config, &link->client);
}

static enum hy_err sign_all_in(struct signer *signer)
{
    uint64_t deadline = hy_steady_ms() + PREPARE_MS;
    enum hy_err err = HY_OK;

    signer->opened = signer->online = 0;
    while (err == HY_OK && signer->online < signer->count) {
        while (err == HY_OK && signer->opened < signer->count &&
               signer->opened - signer->online < options_of(signer)->window)
            err = open_link(&signer->links[signer->opened++]);
        if (err == HY_OK)
            err = worker_turn(signer->worker, 20, deadline);
        if (err == HY_OK && signer->refused > 0)
            err = HY_EDENIED;
    }
    return err;
}

static void close_all(struct signer *signer)
{
    for (uint32_t i = 0; i < signer->count; i++)
        hongyan_close(&signer->links[i].client);
    signer->online = signer->gone = 0;
    signer->worker->tally->online = 0;
}

/* Signed out, nobody is left whom the next sign-in would have to put out. */
static enum hy_err sign_all_out(struct signer *signer)
{
    uint64_t deadline = hy_steady_ms() + PREPARE_MS;
    enum hy_err err = HY_OK;

    signer->gone = 0;
    for (uint32_t i = 0; err == HY_OK && i < signer->count; i++)
        err = hongyan_sign_out(signer->links[i].client);
    while (err == HY_OK && signer->gone < signer->count)
        err = worker_turn(signer->worker, 20, deadline);
    close_all(signer);
    return err;
}

/* ---- before ---- */

/* An app's server issues tickets: what that costs is not a part of signing in. */
static enum hy_err make_tickets(struct signer *signer)
{
    struct worker *worker = signer->worker;
    uint64_t begun = hy_steady_us();
    char user[40], ticket[HY_USERSIG_MAX];
    enum hy_err err = HY_OK;

    for (uint32_t i = 0; err == HY_OK && i < signer->count; i++) {
        struct link *link = &signer->links[i];

        link->signer = signer;
        link->index = worker->index + i * worker->count;
        snprintf(user, sizeof user, "%s%u", signer->prefix, link->index);
        err = target_ticket(worker->bench->target, user, ticket);
        if (err == HY_OK && (link->ticket = strdup(ticket)) == NULL)
            err = HY_ENOMEM;
    }
    worker->tally->custom[TICKET_US] = hy_steady_us() - begun;
    worker->tally->custom[TICKETS] = signer->count;
    return err;
}

/* Users exist, and links have tickets of TLS, once all have been there. */
static enum hy_err prepare(struct worker *worker)
{
    static struct signer signer;
    const struct sign_in_options *options = worker->bench->options;
    uint32_t links = (uint32_t)options->links;
    enum hy_err err = HY_OK;

    worker->own = &signer;
    signer.worker = worker;
    signer.count = links / worker->count + (worker->index < links % worker->count);
    snprintf(signer.prefix, sizeof signer.prefix, "signin%s%08" PRIx32 "-",
             options->fresh ? "new" : "",
             options->fresh ? *(const uint32_t *)worker->plan->ctx : 0);
    signer.links = calloc(signer.count + 1, sizeof *signer.links);
    if (signer.links == NULL)
        return HY_ENOMEM;
    err = make_tickets(&signer);
    if (err != HY_OK || options->fresh)
        return err;
    err = sign_all_in(&signer);
    if (err == HY_OK && !options->storm)
        err = sign_all_out(&signer);
    return err;
}

/* ---- the measured time: until all are online ---- */

static enum hy_err sign_in(struct worker *worker)
{
    struct signer *signer = worker->own;

    signer->measured = true;
    return sign_all_in(signer);
}

static int first_gateway(const struct target *target)
{
    for (size_t i = 0; i < target->processes; i++)
        if (strncmp(target->names[i], "gateway", 7) == 0)
            return target->pids[i];
    return 0;
}

static enum hy_err strike(struct worker *worker)
{
    struct signer *signer = worker->own;
    int pid = first_gateway(worker->bench->target);

    signer->measured = true;
    if (worker->index == 0 && (pid <= 0 || kill(pid, SIGKILL) != 0))
        return HY_EIO;
    while (signer->online == signer->count && worker->tally->all == 0) /* until it is felt */
        hy_loop_turn(worker->loop, 20);
    return HY_OK;
}

static bool all_online(struct worker *worker)
{
    const struct signer *signer = worker->own;

    return signer->online == signer->count;
}

/* ---- after ---- */

static void stop(struct worker *worker)
{
    close_all(worker->own);
}

static void free_all(struct worker *worker)
{
    struct signer *signer = worker->own;

    if (signer == NULL || signer->links == NULL)
        return;
    close_all(signer);
    for (uint32_t i = 0; i < signer->count; i++)
        free(signer->links[i].ticket);
    free(signer->links);
    signer->links = NULL;
}

static void add_figures(const struct bench *bench, const struct plan *plan,
                        const uint64_t custom[8])
{
    (void)plan;
    if (custom[TICKETS] > 0)
        result_figure(bench->result, "ticket_us", "a ticket, made by the driver before",
                      (double)custom[TICKET_US] / (double)custom[TICKETS], "us");
}

static void describe(struct bench *bench)
{
    const struct sign_in_options *options = bench->options;
    struct result *result = bench->result;
    char title[sizeof result->title];

    snprintf(title, sizeof title, "%s, %s, %s",
             options->storm ? "storm after a gateway's death" : "sign-ins",
             options->tls_resumed  ? "TLS resumed"
             : options->common.tls ? "TLS in full"
                                   : "plain",
             options->fresh ? "new users" : "existing users");
    result_title(result, title);
    result->unit = options->storm ? "links" : "sign-ins";
    result->latency_from = options->storm ? "time offline" : "connect to signed in";
    result->durability = options->fresh ? "account made with fsync" : "nothing to be stored";
}

static enum hy_err run(struct bench *bench)
{
    const struct sign_in_options *options = bench->options;
    uint32_t random = (uint32_t)hy_random64(); /* nobody was called so before */
    const struct plan plan = {
        .ctx = &random,
        .links = (uint64_t)options->links,
        .until_done = true,
        .open = prepare,
        .begin = options->storm ? strike : sign_in,
        .settled = all_online,
        .stop = stop,
        .close = free_all,
        .report = add_figures,
    };

    if (options->storm && options->fresh) {
        fprintf(stderr, "hongyan-bench: --storm is about users that are there: not with --new\n");
        return HY_ECONFIG;
    }
    describe(bench);
    return engine_run(bench, &plan);
}

const struct scenario scenario_s5 = {
    .name = "s5",
    .summary = "sign-ins a second, and the storm after a gateway's death",
    .help =
        "N links sign in, at most W under way in each worker. An operation is a sign-in: "
        "connect,\n"
        "TLS if wanted, ticket, answer. Tickets are made before. Users have been there before, "
        "and\n"
        "have signed out; --new: none exists. With --storm all are online, the first gateway is\n"
        "killed, and clients come back by themselves, as apps do: the latency is the time offline.",
    .rows = rows,
    .defaults = &defaults,
    .size = sizeof defaults,
    .run = run,
};
