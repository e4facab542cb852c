/* worker - the life of one worker process; see engine.h for the phases. */

#include <stdio.h>
#include <time.h>

#include "bench/board.h"
#include "common/clock.h"

enum { WAIT_MS = 10 };

void worker_operation(struct worker *worker, uint64_t due_us)
{
    struct tally *tally = worker->tally;
    uint64_t now = hy_steady_us(), took = now > due_us ? now - due_us : 0;

    tally->all++;
    hist_add(&tally->recent, took);
    if (now >= worker->from_us && now < worker->to_us)
        tally->operations++;
    if (due_us >= worker->from_us && due_us < worker->to_us)
        hist_add(&tally->latency, took);
}

void worker_ack(struct worker *worker, uint64_t due_us)
{
    uint64_t now = hy_steady_us();

    if (due_us >= worker->from_us && due_us < worker->to_us)
        hist_add(&worker->tally->ack, now > due_us ? now - due_us : 0);
}

enum hy_err worker_turn(struct worker *worker, uint32_t wait_ms, uint64_t deadline_ms)
{
    hy_loop_turn(worker->loop, wait_ms);
    return hy_steady_ms() > deadline_ms ? HY_ETIMEOUT : HY_OK;
}

static enum phase phase_of(struct board *board)
{
    return (enum phase)atomic_load_explicit(&board->phase, memory_order_acquire);
}

/* Say that a phase's work is done, and turn until the next begins. */
static void reach(struct worker *worker, struct board *board, enum phase phase)
{
    atomic_store(&board->desks[worker->index].at, phase);
    while (phase_of(board) <= phase)
        hy_loop_turn(worker->loop, WAIT_MS);
}

/* With a pace: sleep to the next multiple of it, then take what has come together. */
static void pause_turn(const struct worker *worker)
{
    uint64_t pace = worker->plan->pace_us, now = hy_steady_us();
    uint64_t wait = pace - (now - worker->begun_us) % pace;
    struct timespec span = {.tv_nsec = (long)(wait * 1000)};

    nanosleep(&span, NULL);
}

static void run(struct worker *worker, struct board *board)
{
    const struct plan *plan = worker->plan;
    struct desk *desk = &board->desks[worker->index];
    enum phase phase = phase_of(board);

    for (; phase < PHASE_STOP; phase = phase_of(board)) {
        worker->stopping = phase == PHASE_DRAIN;
        if (plan->until_done) /* its end is known only once it is there */
            worker->to_us = atomic_load_explicit(&board->to_us, memory_order_relaxed);
        if (plan->turn != NULL)
            plan->turn(worker);
        if (plan->pace_us > 0)
            pause_turn(worker);
        hy_loop_turn(worker->loop, plan->pace_us > 0 ? 0 : WAIT_MS);
        atomic_store_explicit(&desk->settled, plan->settled == NULL || plan->settled(worker),
                              memory_order_release);
        atomic_store_explicit(&desk->drains, worker->stopping, memory_order_release);
    }
}

static enum hy_err begin(struct worker *worker, struct board *board)
{
    worker->begun_us = atomic_load(&board->begun_us);
    worker->from_us = atomic_load(&board->from_us);
    worker->to_us = atomic_load(&board->to_us);
    return worker->plan->begin != NULL ? worker->plan->begin(worker) : HY_OK;
}

static enum hy_err live(struct worker *worker, struct board *board)
{
    const struct plan *plan = worker->plan;
    enum hy_err err = plan->open != NULL ? plan->open(worker) : HY_OK;

    if (err != HY_OK)
        return err;
    reach(worker, board, PHASE_OPEN);
    reach(worker, board, PHASE_PREPARE);
    if (plan->enter != NULL)
        err = plan->enter(worker);
    if (err != HY_OK)
        return err;
    reach(worker, board, PHASE_ENTER);
    err = begin(worker, board);
    if (err != HY_OK)
        return err;
    run(worker, board);
    if (plan->stop != NULL)
        plan->stop(worker);
    reach(worker, board, PHASE_STOP);
    if (plan->account != NULL)
        plan->account(worker);
    reach(worker, board, PHASE_ACCOUNT);
    return HY_OK;
}

int worker_run(struct worker *worker, struct board *board)
{
    enum hy_err err = hy_loop_open(&worker->loop);

    if (err == HY_OK)
        err = live(worker, board);
    if (err != HY_OK)
        fprintf(stderr, "worker %u: %s\n", worker->index, hy_err_text(err));
    if (worker->plan->close != NULL)
        worker->plan->close(worker);
    hy_loop_close(&worker->loop);
    return err == HY_OK ? 0 : 1;
}
