#include "store/readers.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/codes.h"
#include "common/log.h"
#include "store/core.h"
#include "store/gate.h"
#include "store/metric.h"

enum {
    WAITING_MOST = 20000,
    LOOP_JOBS = 256,        /* answered by the loop in a turn, 2 us each when all is at hand, */
    LOOP_READS = 24,        /* with so many reads of the database, 10 us each */
    SHARE_MOST = 16,        /* jobs that a thread takes at a time */
    SPARE_MOST = 512,       /* jobs kept for the next turns, with their memory, */
    SPARE_BYTES = 16 << 10, /* if that is not more */
};

struct job {
    struct job *next;
    view_fn *fn;
    struct request req;
    struct hy_buf ask, answer; /* ask: the payload */
    struct run *loaded;        /* by a thread, for the loop to keep */
    uint64_t generation;       /* of the loop's runs when a thread was asked */
    bool misplaced;            /* it is not for this shard */
};

struct job_list {
    struct job *first, **end;
    size_t count;
};

/* Who reads: a thread, or the loop. */
struct seat {
    struct view view;
    struct runs *runs; /* of a thread: what it loads for a read */
    uint64_t opened;   /* the database that view.edges are of */
};

struct thread {
    struct readers *readers;
    pthread_t id;
    struct seat seat;
};

struct readers {
    struct readers_config config;
    struct thread *threads;
    size_t seats, started;
    pthread_mutex_t lock;
    pthread_cond_t work, idle;
    struct job_list gathered, spare; /* the writer's alone */
    struct job_list todo, done;
    size_t waiting; /* jobs not yet answered; the writer's alone */
    size_t busy;    /* threads at work */
    bool posted;    /* the loop will take up `done` */
    bool stop;
    struct readers_source source;
    uint64_t opened;  /* how many databases there have been */
    struct seat seat; /* of the loop */
};

static void list_init(struct job_list *list)
{
    *list = (struct job_list){.first = NULL};
    list->end = &list->first;
}

static void list_add(struct job_list *list, struct job *job)
{
    job->next = NULL;
    *list->end = job;
    list->end = &job->next;
    list->count++;
}

static struct job *list_take(struct job_list *list)
{
    struct job *job = list->first;

    if (job == NULL)
        return NULL;
    list->first = job->next;
    list->count--;
    if (list->first == NULL)
        list->end = &list->first;
    return job;
}

/* Move all of from behind to. */
static void list_join(struct job_list *to, struct job_list *from)
{
    if (from->first == NULL)
        return;
    *to->end = from->first;
    to->end = from->end;
    to->count += from->count;
    list_init(from);
}

/* ---- one read ---- */

static enum hy_err seat_open(const struct readers *r, struct seat *seat)
{
    seat->view = (struct view){.apps = r->config.apps, .shard = r->config.shard};
    seat->opened = 0;
    hy_arena_init(&seat->view.arena);
    seat->view.edges = calloc(EDGES, sizeof *seat->view.edges);
    return seat->view.edges == NULL ? HY_ENOMEM : HY_OK;
}

static void seat_close(struct seat *seat)
{
    hy_arena_free(&seat->view.arena);
    free(seat->view.edges);
    runs_close(&seat->runs);
}

/* Sit down before a database; opened is its number. */
static void seat_take(const struct readers *r, struct seat *seat, struct db *db, uint64_t opened)
{
    seat->view.db = db;
    seat->view.map = r->source.map;
    seat->view.now_ms = r->config.now_ms(r->config.now_arg);
    if (seat->opened != opened)
        memset(seat->view.edges, 0, EDGES * sizeof *seat->view.edges);
    seat->opened = opened;
}

static enum hy_err read_one(struct seat *seat, struct job *job)
{
    struct view *view = &seat->view;
    uint64_t began_us = hy_steady_us();
    enum hy_err err;

    view->misplaced = false;
    err = job->fn(view, job->ask.data, job->ask.len, &job->answer);
    job->misplaced = view->misplaced;
    hy_arena_reset(&view->arena);
    if (err == HY_OK)
        metric_read(job->req.kind, hy_steady_us() - began_us);
    else
        job->answer.len = 0;
    return err;
}

static void refuse(struct job *job, enum hy_err err)
{
    if (answer_refusal(job->req.kind, 0, core_code(err), &job->answer) != HY_OK)
        job->answer.len = 0;
}

static void run(struct seat *seat, struct job *job)
{
    enum hy_err err = read_one(seat, job);

    if (err == HY_OK)
        return;
    hy_log_error("store.read_failed", "kind=0x%x why=\"%s\"", job->req.kind, hy_err_text(err));
    refuse(job, err);
}

static void job_free(struct job *job)
{
    runs_free(job->loaded);
    hy_buf_free(&job->ask);
    hy_buf_free(&job->answer);
    free(job);
}

/* The mark is taken here, in the writer's thread: it covers all that a thread may have seen. */
static void answer(struct readers *r, struct job *job)
{
    struct gate_answer out = {
        .reply = job->req.reply, .payload = job->answer.data, .len = job->answer.len};

    r->waiting--;
    if (job->loaded != NULL && r->source.runs != NULL)
        runs_adopt(r->source.runs, job->loaded, job->generation);
    else
        runs_free(job->loaded);
    job->loaded = NULL;
    if (job->misplaced)
        gate_away(r->config.gate, &out.reply, 0);
    else
        gate_answer(r->config.gate, gate_mark(r->config.gate), &out);
    if (r->spare.count >= SPARE_MOST || job->ask.cap + job->answer.cap > SPARE_BYTES) {
        job_free(job);
        return;
    }
    job->ask.len = job->answer.len = 0;
    list_add(&r->spare, job);
}

/* ---- threads ---- */

/* In the loop: say what is done. */
static void answer_done(void *arg)
{
    struct readers *r = arg;
    struct job_list done;
    struct job *job;

    list_init(&done);
    pthread_mutex_lock(&r->lock);
    list_join(&done, &r->done);
    r->posted = false;
    pthread_mutex_unlock(&r->lock);
    while ((job = list_take(&done)) != NULL)
        answer(r, job);
}

/* A thread's share of what waits; the lock is held. */
static void take_share(struct readers *r, struct job_list *mine)
{
    size_t share = r->todo.count / r->started + 1;

    for (size_t i = 0; i < share && i < SHARE_MOST && r->todo.first != NULL; i++)
        list_add(mine, list_take(&r->todo));
}

/* The lock is held. */
static void give_back(struct readers *r, struct job_list *mine)
{
    bool post = !r->posted;

    list_join(&r->done, mine);
    r->posted = true;
    if (--r->busy == 0)
        pthread_cond_broadcast(&r->idle);
    if (post && hy_loop_post(r->config.loop, answer_done, r) != HY_OK)
        r->posted = false; /* the next one done tries again */
}

static void run_aside(struct seat *seat, struct job *job)
{
    run(seat, job);
    job->loaded = runs_release(seat->runs);
}

static void *work(void *arg)
{
    struct thread *thread = arg;
    struct readers *r = thread->readers;
    struct job_list mine;

    list_init(&mine);
    db_thread();
    pthread_mutex_lock(&r->lock);
    for (;;) {
        while (r->todo.first == NULL && !r->stop)
            pthread_cond_wait(&r->work, &r->lock);
        if (r->todo.first == NULL)
            break;
        take_share(r, &mine);
        r->busy++;
        seat_take(r, &thread->seat, r->source.db, r->opened);
        thread->seat.view.runs = r->source.runs == NULL ? NULL : thread->seat.runs;
        pthread_mutex_unlock(&r->lock);
        for (struct job *job = mine.first; job != NULL; job = job->next)
            run_aside(&thread->seat, job);
        pthread_mutex_lock(&r->lock);
        give_back(r, &mine);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

enum hy_err readers_open(const struct readers_config *config, struct readers **readers)
{
    struct readers *r = calloc(1, sizeof *r);
    enum hy_err err = HY_ENOMEM;

    if (r == NULL)
        return err;
    r->config = *config;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->work, NULL);
    pthread_cond_init(&r->idle, NULL);
    list_init(&r->gathered);
    list_init(&r->spare);
    list_init(&r->todo);
    list_init(&r->done);
    r->threads = calloc(config->threads + 1, sizeof *r->threads);
    if (seat_open(r, &r->seat) != HY_OK || r->threads == NULL)
        goto fail;
    for (; r->seats < config->threads; r->seats++)
        if (seat_open(r, &r->threads[r->seats].seat) != HY_OK ||
            runs_open(SIZE_MAX, &r->threads[r->seats].seat.runs) != HY_OK)
            goto fail;
    for (; r->started < config->threads; r->started++) {
        r->threads[r->started].readers = r;
        if (pthread_create(&r->threads[r->started].id, NULL, work, &r->threads[r->started]) != 0)
            goto fail;
    }
    *readers = r;
    return HY_OK;

fail:
    readers_close(&r);
    return err;
}

static void drop_list(struct job_list *list)
{
    struct job *job;

    while ((job = list_take(list)) != NULL)
        job_free(job);
}

void readers_close(struct readers **readers)
{
    struct readers *r = *readers;

    if (r == NULL)
        return;
    *readers = NULL;
    pthread_mutex_lock(&r->lock);
    r->stop = true;
    pthread_cond_broadcast(&r->work);
    pthread_mutex_unlock(&r->lock);
    for (size_t i = 0; i < r->started; i++)
        pthread_join(r->threads[i].id, NULL);
    answer_done(r);
    drop_list(&r->gathered);
    drop_list(&r->todo);
    drop_list(&r->spare);
    seat_close(&r->seat);
    for (size_t i = 0; i < r->seats; i++)
        seat_close(&r->threads[i].seat);
    pthread_cond_destroy(&r->idle);
    pthread_cond_destroy(&r->work);
    pthread_mutex_destroy(&r->lock);
    free(r->threads);
    free(r);
}

void readers_use(struct readers *readers, const struct readers_source *source)
{
    pthread_mutex_lock(&readers->lock);
    readers->source = *source;
    readers->opened++;
    while (readers->busy > 0)
        pthread_cond_wait(&readers->idle, &readers->lock);
    pthread_mutex_unlock(&readers->lock);
}

void readers_drop(struct readers *readers)
{
    struct job_list all;
    struct job *job;

    list_init(&all);
    pthread_mutex_lock(&readers->lock);
    list_join(&all, &readers->todo); /* threads that are done find nothing more to do */
    pthread_mutex_unlock(&readers->lock);
    readers_use(readers, &(struct readers_source){.db = NULL});
    pthread_mutex_lock(&readers->lock);
    list_join(&all, &readers->done);
    pthread_mutex_unlock(&readers->lock);
    list_join(&all, &readers->gathered);
    while ((job = list_take(&all)) != NULL) {
        readers->waiting--;
        gate_away(readers->config.gate, &job->req.reply, 0);
        job_free(job);
    }
}

enum hy_err readers_add(struct readers *readers, const struct request *req, view_fn *fn)
{
    struct job *job;

    if (readers->waiting >= WAITING_MOST)
        return HY_EBUSY;
    job = list_take(&readers->spare);
    if (job == NULL)
        job = calloc(1, sizeof *job);
    if (job == NULL)
        return HY_EBUSY;
    if (hy_buf_put(&job->ask, req->payload, req->len) != HY_OK) {
        job_free(job);
        return HY_EBUSY;
    }
    job->fn = fn;
    job->req = *req;
    job->req.payload = NULL; /* it is lent; ours is in ask */
    list_add(&readers->gathered, job);
    readers->waiting++;
    return HY_OK;
}

/* Reads that end soon when all they need is in memory. */
static bool is_quick(const struct job *job)
{
    return job->fn == history_read || job->fn == heads_read;
}

/* Answer what can be answered at once. The loop must not wait for the disk, nor be away for long:
 * what needs that is put into rest. */
static void go_in_memory(struct readers *r, struct job_list *rest)
{
    struct view *view = &r->seat.view;
    int most = r->config.loop == NULL ? INT_MAX : LOOP_JOBS; /* nobody would come back */
    struct job *job;

    seat_take(r, &r->seat, db_in_memory(r->source.db, LOOP_READS), r->opened);
    view->rows = r->source.rows;
    view->runs = r->source.runs;
    if (view->runs != NULL)
        runs_trim(view->runs);
    for (int i = 0; i < most && (job = list_take(&r->gathered)) != NULL; i++) {
        if (is_quick(job) && read_one(&r->seat, job) == HY_OK)
            answer(r, job);
        else
            list_add(rest, job);
    }
    view->rows = NULL;
    view->runs = NULL;
    if (r->gathered.first != NULL)
        hy_loop_again(r->config.loop);
}

/* Without threads all is done here, whatever it takes. */
static void go_alone(struct readers *r, struct job_list *jobs)
{
    struct job *job;

    seat_take(r, &r->seat, r->source.db, r->opened);
    while ((job = list_take(jobs)) != NULL) {
        run(&r->seat, job);
        answer(r, job);
    }
}

static void hand_over(struct readers *r, struct job_list *jobs)
{
    size_t wake = jobs->count;

    if (wake == 0)
        return;
    for (struct job *job = jobs->first; job != NULL && r->source.runs != NULL; job = job->next)
        job->generation = runs_generation(r->source.runs);
    pthread_mutex_lock(&r->lock);
    list_join(&r->todo, jobs);
    for (size_t i = r->busy; i < r->started && wake-- > 0; i++)
        pthread_cond_signal(&r->work);
    pthread_mutex_unlock(&r->lock);
}

void readers_go(struct readers *readers)
{
    struct job_list rest;

    if (readers->gathered.first == NULL)
        return;
    list_init(&rest);
    go_in_memory(readers, &rest);
    if (readers->started == 0)
        go_alone(readers, &rest);
    else
        hand_over(readers, &rest);
}
