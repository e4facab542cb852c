/* load - see load.h. */

#include "bench/peers/load.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/peers/server.h"
#include "bench/peers/worker.h"
#include "common/clock.h"

enum {
    OPEN_QUIET_MS = 20000,
    SETTLE_MS = 10000,
    LOOK_NS = 5000000,
    WARM_LINKS = 200,
    LEAST_WARM_US = 1000000
};

struct load {
    const struct load_options *options;
    enum load_kind kind;
    struct board *board;
    pid_t workers[LOAD_WORKERS];
};

/* ---- the sums over all workers ---- */

#define SUM(load, field)                                                                           \
    ({                                                                                             \
        uint64_t sum_ = 0;                                                                         \
        for (unsigned i_ = 0; i_ < (load)->options->workers; i_++)                                 \
            sum_ += (load)->board->tally[i_].field;                                                \
        sum_;                                                                                      \
    })

static uint64_t receivers(const struct load *load)
{
    return load->kind == LOAD_ROOM ? load->options->members : 1;
}

/* ---- its processes ---- */

static enum hy_err start(struct load *load)
{
    pid_t parent = getpid();

    for (unsigned i = 0; i < load->options->workers; i++) {
        load->workers[i] = fork();
        if (load->workers[i] == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (getppid() != parent)
                _exit(EXIT_FAILURE);
            _exit(worker_live(load->options, load->kind, load->board, i));
        }
        if (load->workers[i] < 0)
            return HY_EIO;
    }
    return HY_OK;
}

static void stop(struct load *load)
{
    atomic_store(&load->board->phase, LOAD_END);
    for (unsigned i = 0; i < load->options->workers; i++)
        if (load->workers[i] > 0)
            (void)waitpid(load->workers[i], NULL, 0);
}

/* A worker that has ended counts nothing more: so the run is void. */
static enum hy_err look(struct load *load)
{
    struct timespec pause = {.tv_nsec = LOOK_NS};

    nanosleep(&pause, NULL);
    for (unsigned i = 0; i < load->options->workers; i++) {
        if (waitpid(load->workers[i], NULL, WNOHANG) == load->workers[i]) {
            load->workers[i] = 0;
            return HY_EIO;
        }
    }
    return SUM(load, refused) > 0 ? HY_EDENIED : HY_OK;
}

static enum hy_err run_for(struct load *load, uint64_t us)
{
    uint64_t end = hy_steady_us() + us;
    enum hy_err err = HY_OK;

    while (err == HY_OK && hy_steady_us() < end)
        err = look(load);
    return err;
}

static enum hy_err open_links(struct load *load, uint32_t users)
{
    uint64_t deadline = hy_steady_ms() + OPEN_QUIET_MS, wanted = 0, last = 0;
    enum hy_err err = HY_OK;

    for (unsigned i = 0; i < load->options->workers; i++) {
        uint32_t share = worker_share(load->options, load->kind, i), all = 0;

        all = worker_users(load->options, load->kind);
        if (users < all)
            share = (uint32_t)((uint64_t)share * users / all);
        atomic_store(&load->board->allowed[i], share);
        wanted += share;
    }
    while (err == HY_OK && SUM(load, online) < wanted) {
        if (SUM(load, online) > last)
            deadline = hy_steady_ms() + OPEN_QUIET_MS;
        last = SUM(load, online);
        err = hy_steady_ms() > deadline ? HY_ETIMEOUT : look(load);
    }
    fprintf(stderr, "%lu of %lu users online\n", (unsigned long)SUM(load, online),
            (unsigned long)wanted);
    return err;
}

/* ---- the scenarios ---- */

struct mark {                                                 /* the counts at one moment */
    uint64_t us, user_us, system_us, delivered, acked, pages; /* CPU: the driver's */
    struct server_use server;
};

static struct mark mark_now(const struct load *load)
{
    const struct load_options *o = load->options;

    return (struct mark){.us = hy_steady_us(),
                         .server = server_use(o->pids, o->pid_count),
                         .user_us = SUM(load, user_us),
                         .system_us = SUM(load, system_us),
                         .delivered = SUM(load, delivered),
                         .acked = SUM(load, acked),
                         .pages = SUM(load, pages)};
}

static void since(const struct load *load, const struct mark *from, struct result *result)
{
    struct mark now = mark_now(load);

    result->seconds = (double)(now.us - from->us) / 1e6;
    result->server.of[USAGE_OTHER].user_us = now.server.user_us - from->server.user_us;
    result->server.of[USAGE_OTHER].system_us = now.server.system_us - from->server.system_us;
    result->driver_user_us = now.user_us - from->user_us;
    result->driver_system_us = now.system_us - from->system_us;
    result->operations = now.delivered - from->delivered;
    if (load->kind == LOAD_PAGES)
        result->operations = now.pages - from->pages;
    else if (load->kind == LOAD_PAIRS && now.acked - from->acked < result->operations)
        result->operations = now.acked - from->acked; /* acknowledged and delivered */
}

/* A worker that has not turned since may send more. */
static bool all_settling(const struct load *load)
{
    for (unsigned i = 0; i < load->options->workers; i++)
        if (atomic_load(&load->board->tally[i].turned) != LOAD_SETTLE)
            return false;
    return true;
}

/* Wait for what is under way, as long as something of it comes. */
static enum hy_err settle(struct load *load)
{
    uint64_t last = 0, end = hy_steady_ms() + SETTLE_MS;
    enum hy_err err = HY_OK;

    atomic_store(&load->board->phase, LOAD_SETTLE);
    while (err == HY_OK && hy_steady_ms() < end &&
           (!all_settling(load) || SUM(load, delivered) < SUM(load, sent) * receivers(load))) {
        if (SUM(load, delivered) > last)
            end = hy_steady_ms() + SETTLE_MS;
        last = SUM(load, delivered);
        err = look(load);
    }
    return err;
}

static enum hy_err fill(struct load *load)
{
    uint64_t wanted = (uint64_t)load->options->pairs * load->options->depth, last = 0;
    uint64_t end = hy_steady_ms() + SETTLE_MS;
    enum hy_err err = HY_OK;

    atomic_store(&load->board->phase, LOAD_FILL);
    while (err == HY_OK && SUM(load, delivered) < wanted) {
        if (SUM(load, delivered) > last)
            end = hy_steady_ms() + SETTLE_MS;
        last = SUM(load, delivered);
        err = hy_steady_ms() > end ? HY_ETIMEOUT : look(load);
    }
    return err;
}

static enum hy_err talk(struct load *load, struct result *result)
{
    uint64_t us = load->options->seconds * 1000000ull;
    enum hy_err err = open_links(load, UINT32_MAX);
    uint64_t begun = 0;
    struct mark from;

    if (err == HY_OK && load->kind == LOAD_PAGES)
        err = fill(load);
    if (err != HY_OK)
        return err;
    begun = hy_steady_us();
    atomic_store(&load->board->phase, LOAD_RUN);
    err = run_for(load, us / 10 < LEAST_WARM_US ? LEAST_WARM_US : us / 10);
    result->warm_up_s = (double)(hy_steady_us() - begun) / 1e6;
    from = mark_now(load);
    atomic_store(&load->board->phase, LOAD_MEASURE);
    if (err == HY_OK)
        err = run_for(load, us);
    since(load, &from, result);
    return err == HY_OK ? settle(load) : err;
}

static enum hy_err sign_in(struct load *load, struct result *result)
{
    struct mark from = mark_now(load);
    enum hy_err err = open_links(load, UINT32_MAX);

    since(load, &from, result);
    result->operations = load->options->links;
    return err;
}

/* The first links pay for what all share: growth is measured from there. */
static enum hy_err idle(struct load *load, struct result *result)
{
    const struct load_options *o = load->options;
    uint32_t warm = WARM_LINKS < o->links / 2 ? WARM_LINKS : o->links / 2;
    enum hy_err err = open_links(load, warm);
    uint64_t rss = server_use(o->pids, o->pid_count).rss, kernel = kernel_tcp_bytes();
    uint64_t first = SUM(load, online);

    if (err == HY_OK)
        err = open_links(load, UINT32_MAX);
    if (err == HY_OK)
        err = run_for(load, o->seconds * 1000000ull);
    result->seconds = o->seconds;
    result->links = SUM(load, online) - first;
    result->rss_bytes = server_use(o->pids, o->pid_count).rss;
    result->rss_bytes =
        result->rss_bytes > rss ? result->rss_bytes - rss : 0; /* it may give some back */
    result->kernel_bytes = kernel_tcp_bytes() > kernel ? kernel_tcp_bytes() - kernel : 0;
    return err;
}

static const char *const units[] = {
    [LOAD_IDLE] = "links",     [LOAD_SIGN_IN] = "sign-ins", [LOAD_ACCOUNTS] = "accounts",
    [LOAD_PAIRS] = "messages", [LOAD_ROOM] = "deliveries",  [LOAD_PAGES] = "pages",
};

static void account(const struct load *load, struct result *result)
{
    uint64_t expected = SUM(load, sent) * receivers(load);

    result->sent = SUM(load, sent);
    result->acked = SUM(load, acked);
    result->failed = SUM(load, failed);
    result->delivered = SUM(load, delivered);
    result->lost = expected > result->delivered ? expected - result->delivered : 0;
    result->doubled = SUM(load, doubled);
    result->reordered = SUM(load, gaps);
    result->workers = load->options->workers;
    for (unsigned i = 0; i < load->options->workers; i++)
        hist_merge(&result->latency, &load->board->tally[i].latency);
    result->latency_from = load->kind == LOAD_PAGES ? "request to page" : "due to delivery";
    result->unit = units[load->kind];
    result->durability = load->options->durability;
}

enum hy_err load_run(const struct load_options *options, enum load_kind kind, struct result *result)
{
    static enum hy_err (*const runs[])(struct load *, struct result *) = {
        [LOAD_IDLE] = idle,        [LOAD_PAIRS] = talk,      [LOAD_ROOM] = talk,
        [LOAD_ACCOUNTS] = sign_in, [LOAD_SIGN_IN] = sign_in, [LOAD_PAGES] = talk,
    };
    struct load load = {.options = options, .kind = kind};
    enum hy_err err = HY_ENOMEM;

    load.board =
        mmap(NULL, sizeof *load.board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (load.board == MAP_FAILED)
        return err;
    err = start(&load);
    if (err == HY_OK)
        err = runs[kind](&load, result);
    stop(&load);
    account(&load, result);
    munmap(load.board, sizeof *load.board);
    return err;
}
