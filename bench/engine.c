/* engine - the coordinator; see engine.h. */

#include "bench/engine.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/board.h"
#include "bench/counters.h"
#include "common/clock.h"

enum {
    SECOND_US = 1000000,
    POLL_US = 20000,
    SPARE_DESCRIPTORS = 64,
    DRAIN_MOST_MS = 120000,
};

struct engine {
    struct bench *bench;
    const struct plan *plan;
    struct board *board;
    size_t board_size;
    uint32_t workers;
    pid_t pids[ENGINE_WORKERS];
    bool gone[ENGINE_WORKERS];
    bool loud; /* progress is shown */
    bool tty;

    /* sampling */
    struct hist *seen, *now, *second; /* sums of tally.recent */
    uint64_t seen_all, seen_us;
    struct usage usage;
    uint64_t driver_us;

    struct counters before, after; /* of the measured time */
};

/* ---- adding up ---- */

static void add_up(const struct engine *e, struct tally *sum)
{
    memset(sum, 0, sizeof *sum);
    for (uint32_t i = 0; i < e->workers; i++) {
        const struct tally *t = &e->board->desks[i].tally;

        sum->online += t->online;
        sum->sent += t->sent;
        sum->acked += t->acked;
        sum->failed += t->failed;
        sum->unanswered += t->unanswered;
        sum->expected += t->expected;
        sum->delivered += t->delivered;
        sum->lost += t->lost;
        sum->doubled += t->doubled;
        sum->reordered += t->reordered;
        sum->operations += t->operations;
        sum->all += t->all;
        for (size_t k = 0; k < sizeof sum->custom / sizeof *sum->custom; k++)
            sum->custom[k] += t->custom[k];
    }
}

static void driver_cpu(const struct engine *e, uint64_t *user_us, uint64_t *system_us)
{
    *user_us = *system_us = 0;
    for (uint32_t i = 0; i < e->workers; i++) {
        uint64_t user = 0, sys = 0;

        if (e->gone[i] || !usage_process_cpu(e->pids[i], &user, &sys))
            continue;
        *user_us += user;
        *system_us += sys;
    }
}

/* ---- starting ---- */

uint32_t engine_workers(uint64_t links, uint64_t limit, uint32_t asked, uint32_t cores)
{
    uint32_t best = cores < 2 ? cores : 2;
    uint64_t room = limit > SPARE_DESCRIPTORS ? limit - SPARE_DESCRIPTORS : 0;
    uint64_t needed = room == 0 ? UINT64_MAX : (links + room - 1) / room;

    if (asked == 0)
        asked = needed > best ? (uint32_t)(needed < UINT32_MAX ? needed : UINT32_MAX) : best;
    if (asked > ENGINE_WORKERS || asked < needed)
        return 0;
    return asked > 0 ? asked : 1;
}

static uint64_t raise_descriptors(void)
{
    struct rlimit limit = {0};

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 1024;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* what it is then is asked below */
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 1024;
}

static enum hy_err choose_workers(struct engine *e)
{
    uint64_t limit = raise_descriptors();
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    e->workers = engine_workers(e->plan->links, limit, (uint32_t)e->bench->common->workers,
                                cores > 0 ? (uint32_t)cores : 1);
    if (e->workers > 0)
        return HY_OK;
    fprintf(stderr,
            "hongyan-bench: %" PRIu64 " links do not fit: a process may have %" PRIu64
            " descriptors (ulimit -Hn), and at most %d workers share them; ask for fewer links or "
            "more --workers\n",
            e->plan->links, limit, ENGINE_WORKERS);
    return HY_ECONFIG;
}

static enum hy_err make_board(struct engine *e)
{
    e->board_size = sizeof *e->board + e->plan->shared_size;
    e->board = mmap(NULL, e->board_size, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (e->board == MAP_FAILED)
        e->board = NULL;
    e->seen = calloc(1, sizeof *e->seen);
    e->now = calloc(1, sizeof *e->now);
    e->second = calloc(1, sizeof *e->second);
    return e->board == NULL || e->seen == NULL || e->now == NULL || e->second == NULL ? HY_ENOMEM
                                                                                      : HY_OK;
}

static int be_worker(struct engine *e, uint32_t index)
{
    struct worker worker = {.index = index,
                            .count = e->workers,
                            .bench = e->bench,
                            .plan = e->plan,
                            .tally = &e->board->desks[index].tally,
                            .shared = e->board->shared};

    return worker_run(&worker, e->board);
}

static enum hy_err fork_workers(struct engine *e)
{
    pid_t parent = getpid();

    fflush(NULL);
    for (uint32_t i = 0; i < e->workers; i++) {
        e->pids[i] = fork();
        if (e->pids[i] < 0) {
            e->gone[i] = true;
            return HY_EIO;
        }
        if (e->pids[i] > 0)
            continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody is left to account to */
        if (getppid() != parent)
            _exit(1);
        exit(be_worker(e, i));
    }
    return HY_OK;
}

/* HY_EIO: a worker has ended, and said why. */
static enum hy_err look_after(struct engine *e)
{
    enum hy_err err = HY_OK;

    for (uint32_t i = 0; i < e->workers; i++) {
        int status = 0;

        if (e->gone[i] || waitpid(e->pids[i], &status, WNOHANG) != e->pids[i])
            continue;
        e->gone[i] = true;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            err = HY_EIO;
        if (WIFSIGNALED(status))
            fprintf(stderr, "worker %u was ended by signal %d\n", i, WTERMSIG(status));
    }
    return err;
}

/* ---- phases ---- */

static void sleep_until(uint64_t at_us)
{
    uint64_t now = hy_steady_us();
    struct timespec span;

    if (at_us <= now)
        return;
    span = (struct timespec){.tv_sec = (time_t)((at_us - now) / SECOND_US),
                             .tv_nsec = (long)((at_us - now) % SECOND_US * 1000)};
    nanosleep(&span, NULL);
}

static void set_phase(struct engine *e, enum phase phase)
{
    atomic_store(&e->board->phase, phase);
}

static bool all_at(const struct engine *e, enum phase phase)
{
    for (uint32_t i = 0; i < e->workers; i++)
        if (atomic_load(&e->board->desks[i].at) < phase)
            return false;
    return true;
}

static bool all_settled(const struct engine *e)
{
    for (uint32_t i = 0; i < e->workers; i++)
        if (!atomic_load(&e->board->desks[i].settled))
            return false;
    return true;
}

static void tell(const struct engine *e, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void tell(const struct engine *e, const char *format, ...)
{
    va_list list;

    if (!e->loud)
        return;
    va_start(list, format);
    fputs(e->tty ? "\r\033[K" : "", stderr);
    vfprintf(stderr, format, list);
    fputs(e->tty ? "" : "\n", stderr);
    fflush(stderr);
    va_end(list);
}

/* Until all workers have done what the phase asks for. */
static enum hy_err wait_for(struct engine *e, enum phase phase, const char *what)
{
    uint64_t said_us = hy_steady_us();
    enum hy_err err = look_after(e);

    while (err == HY_OK && !all_at(e, phase)) {
        sleep_until(hy_steady_us() + POLL_US);
        err = look_after(e);
        if (hy_steady_us() - said_us >= SECOND_US) {
            struct tally sum;

            said_us += SECOND_US;
            add_up(e, &sum);
            tell(e, "%s: %" PRIu64 " of %" PRIu64 " links online", what, sum.online,
                 e->plan->links);
        }
    }
    return err;
}

/* ---- sampling ---- */

static void sample_begin(struct engine *e)
{
    uint64_t user = 0, sys = 0;

    driver_cpu(e, &user, &sys);
    e->driver_us = user + sys;
    e->seen_us = hy_steady_us();
    usage_now(e->bench->target, &e->usage);
}

/* One second (or so) is over. */
static void sample(struct engine *e, uint64_t from_us)
{
    struct tally sum;
    struct usage usage, since;
    uint64_t now = hy_steady_us(), user = 0, sys = 0;
    double span = (double)(now - e->seen_us) / SECOND_US;
    struct point point = {.at_s = ((double)now - (double)from_us) / SECOND_US};
    struct hist *swap = e->seen;

    add_up(e, &sum);
    memset(e->now, 0, sizeof *e->now);
    for (uint32_t i = 0; i < e->workers; i++)
        hist_merge(e->now, &e->board->desks[i].tally.recent);
    hist_since(e->now, e->seen, e->second);
    usage_now(e->bench->target, &usage);
    usage_since(&usage, &e->usage, &since);
    driver_cpu(e, &user, &sys);
    point.rate = (double)(sum.all - e->seen_all) / span;
    point.p50_ms = (double)hist_quantile(e->second, .5) / 1000;
    point.p99_ms = (double)hist_quantile(e->second, .99) / 1000;
    point.max_ms = (double)e->second->max_us / 1000;
    for (int i = 0; i < USAGE_KINDS; i++)
        point.cpu[i] = (double)usage_cpu_us(&since, (enum usage_kind)i) / SECOND_US / span;
    point.driver_cpu = (double)(user + sys - e->driver_us) / SECOND_US / span;
    result_point(e->bench->result, &point);
    tell(e, "%+6.0f s  %10.0f %s/s  p50 %.2f ms  p99 %.2f ms  server %.2f cores  driver %.2f",
         point.at_s, point.rate, e->bench->result->unit, point.p50_ms, point.p99_ms,
         (double)usage_cpu_all_us(&since) / SECOND_US / span, point.driver_cpu);
    e->seen = e->now;
    e->now = swap;
    e->seen_all = sum.all;
    e->seen_us = now;
    e->usage = usage;
    e->driver_us = user + sys;
}

/* Sleep to at_us, sampling each second; with until_done no longer than until all have settled. */
static enum hy_err watch_until(struct engine *e, uint64_t at_us, uint64_t from_us)
{
    enum hy_err err = HY_OK;
    uint64_t next = e->seen_us + SECOND_US;
    bool done = false;

    while (err == HY_OK && !done && hy_steady_us() < at_us) {
        uint64_t wake = next < at_us ? next : at_us;

        if (e->plan->until_done && wake > hy_steady_us() + POLL_US)
            wake = hy_steady_us() + POLL_US;
        sleep_until(wake);
        err = look_after(e);
        done = e->plan->until_done && all_settled(e);
        if (hy_steady_us() >= next) {
            sample(e, from_us);
            next += SECOND_US;
        }
    }
    return err;
}

/* ---- the measured time ---- */

static void take_usage(struct engine *e, const struct usage *before, uint64_t user, uint64_t sys)
{
    struct result *result = e->bench->result;
    struct usage after;
    uint64_t user_after = 0, sys_after = 0;

    usage_now(e->bench->target, &after);
    usage_since(&after, before, &result->server);
    driver_cpu(e, &user_after, &sys_after);
    result->driver_user_us = user_after - user;
    result->driver_system_us = sys_after - sys;
}

/* A rule, not a choice for each run: a tenth of the measured time, at least a second. */
static uint64_t warm_up_us(uint64_t seconds_us)
{
    return seconds_us / 10 < SECOND_US ? SECOND_US : seconds_us / 10;
}

static enum hy_err run(struct engine *e)
{
    const struct bench_common *common = e->bench->common;
    struct result *result = e->bench->result;
    uint64_t seconds_us = (uint64_t)common->seconds * SECOND_US;
    uint64_t warm_us = e->plan->until_done ? 0 : warm_up_us(seconds_us);
    uint64_t begun = hy_steady_us() + POLL_US, from = begun + warm_us, to = from + seconds_us;
    uint64_t user = 0, sys = 0;
    struct usage before;
    enum hy_err err = HY_OK;

    atomic_store(&e->board->begun_us, begun);
    atomic_store(&e->board->from_us, from);
    atomic_store(&e->board->to_us, e->plan->until_done ? UINT64_MAX : to);
    sample_begin(e);
    set_phase(e, PHASE_RUN);
    err = watch_until(e, from, from);
    counters_now(e->bench->target, &e->before);
    usage_now(e->bench->target, &before);
    driver_cpu(e, &user, &sys);
    if (err == HY_OK)
        err = watch_until(e, to, from);
    if (e->plan->until_done)
        atomic_store(&e->board->to_us, to = hy_steady_us());
    take_usage(e, &before, user, sys);
    counters_now(e->bench->target, &e->after);
    result->warm_up_s = (double)warm_us / SECOND_US;
    result->seconds = (double)(to - from) / SECOND_US;
    if (err == HY_OK && e->plan->measured != NULL)
        e->plan->measured(e->bench, e->plan, e->board->shared);
    return err;
}

static uint64_t moves(const struct tally *sum)
{
    return sum->sent + sum->acked + sum->failed + sum->delivered + sum->doubled + sum->all;
}

/* A worker that has not turned since the drain began may have settled, and begin more in that turn.
 */
static bool all_drained(const struct engine *e)
{
    for (uint32_t i = 0; i < e->workers; i++)
        if (!atomic_load(&e->board->desks[i].drains))
            return false;
    return all_settled(e);
}

/* Until all is accounted for, or nothing moves any more. */
static enum hy_err drain(struct engine *e)
{
    uint64_t now = hy_steady_ms(), end = now + DRAIN_MOST_MS, moved_ms = now, moved = 0;
    struct tally sum;
    enum hy_err err = HY_OK;
    bool drained = false;

    set_phase(e, PHASE_DRAIN);
    do {
        sleep_until(hy_steady_us() + POLL_US);
        err = look_after(e);
        now = hy_steady_ms();
        drained = all_drained(e); /* first: what it tells of is in the sums */
        add_up(e, &sum);
        if (moves(&sum) != moved)
            moved_ms = now;
        moved = moves(&sum);
        if (drained && sum.delivered >= sum.expected)
            return err;
        tell(e,
             "draining: %" PRIu64 " of %" PRIu64 " answered, %" PRIu64 " of %" PRIu64 " delivered",
             sum.acked + sum.failed, sum.sent, sum.delivered, sum.expected);
    } while (err == HY_OK && now < end && now - moved_ms < ENGINE_QUIET_MS);
    return err;
}

static void take_result(struct engine *e)
{
    struct result *result = e->bench->result;
    struct tally sum;

    add_up(e, &sum);
    result->workers = e->workers;
    result->operations = sum.operations;
    result->sent = sum.sent;
    result->acked = sum.acked;
    result->failed = sum.failed;
    result->unanswered = sum.unanswered;
    result->delivered = sum.delivered;
    result->lost = sum.lost;
    result->doubled = sum.doubled;
    result->reordered = sum.reordered;
    for (uint32_t i = 0; i < e->workers; i++) {
        hist_merge(&result->latency, &e->board->desks[i].tally.latency);
        hist_merge(&result->ack, &e->board->desks[i].tally.ack);
    }
    if (e->plan->report != NULL)
        e->plan->report(e->bench, e->plan, sum.custom);
    counters_figures(result, &e->before, &e->after);
}

static enum hy_err lead(struct engine *e)
{
    enum hy_err err = wait_for(e, PHASE_OPEN, "opening");

    set_phase(e, PHASE_PREPARE);
    if (err == HY_OK && e->plan->prepare != NULL)
        err = e->plan->prepare(e->bench, e->plan, e->board->shared);
    if (err != HY_OK)
        return err;
    set_phase(e, PHASE_ENTER);
    err = wait_for(e, PHASE_ENTER, "entering");
    if (err == HY_OK)
        err = run(e);
    if (err == HY_OK)
        err = drain(e);
    if (err != HY_OK)
        return err;
    set_phase(e, PHASE_STOP);
    err = wait_for(e, PHASE_STOP, "stopping");
    set_phase(e, PHASE_ACCOUNT);
    if (err == HY_OK)
        err = wait_for(e, PHASE_ACCOUNT, "accounting");
    if (err == HY_OK)
        take_result(e);
    return err;
}

/* Workers that are well end by themselves. */
static void end_workers(struct engine *e, bool well)
{
    set_phase(e, PHASE_CLOSE);
    for (uint32_t i = 0; i < e->workers; i++) {
        if (e->gone[i] || e->pids[i] <= 0)
            continue;
        if (!well)
            kill(e->pids[i], SIGKILL);
        while (waitpid(e->pids[i], NULL, 0) < 0 && errno == EINTR)
            ;
    }
}

enum hy_err engine_run(struct bench *bench, const struct plan *plan)
{
    struct engine e = {.bench = bench, .plan = plan};
    enum hy_err err = HY_OK;

    e.tty = isatty(STDERR_FILENO) == 1 && !bench->common->progress;
    e.loud = e.tty || bench->common->progress;
    err = choose_workers(&e);
    if (err == HY_OK)
        err = make_board(&e);
    if (err == HY_OK)
        err = fork_workers(&e);
    if (err == HY_OK)
        err = lead(&e);
    if (e.board != NULL) {
        end_workers(&e, err == HY_OK);
        munmap(e.board, e.board_size);
    }
    if (e.tty)
        fputs("\r\033[K", stderr);
    free(e.seen);
    free(e.now);
    free(e.second);
    return err;
}
