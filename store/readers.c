#include "store/readers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/codes.h"
#include "common/log.h"
#include "store/core.h"
#include "store/metric.h"

enum { WAITING_MOST = 20000 };

struct job {
    struct job *next;
    view_fn *fn;
    struct request req; /* payload lies behind the job */
    struct hy_buf answer;
};

struct job_list {
    struct job *first, **end;
};

struct readers {
    struct readers_config config;
    pthread_t *threads;
    size_t started;
    pthread_mutex_t lock;
    pthread_cond_t work, idle;
    struct job_list gathered; /* the writer's alone */
    struct job_list todo, done;
    size_t waiting; /* jobs not yet answered; the writer's alone */
    size_t busy;    /* threads at work */
    bool posted;    /* the loop will take up `done` */
    bool stop;
    struct db *db;
    struct view view; /* without threads */
};

static void list_init(struct job_list *list)
{
    list->first = NULL;
    list->end = &list->first;
}

static void list_add(struct job_list *list, struct job *job)
{
    job->next = NULL;
    *list->end = job;
    list->end = &job->next;
}

static struct job *list_take(struct job_list *list)
{
    struct job *job = list->first;

    if (job == NULL)
        return NULL;
    list->first = job->next;
    if (list->first == NULL)
        list->end = &list->first;
    return job;
}

/* ---- one read ---- */

static void view_init(const struct readers *r, struct view *view)
{
    *view =
        (struct view){.apps = r->config.apps, .shard = r->config.shard, .shards = r->config.shards};
    hy_arena_init(&view->arena);
}

static void run(struct readers *r, struct job *job, struct db *db, struct view *view)
{
    uint64_t began_us = hy_steady_us();
    enum hy_err err = HY_EIO;

    view->db = db;
    view->now_ms = r->config.now_ms(r->config.now_arg);
    if (db != NULL)
        err = job->fn(view, job->req.payload, job->req.len, &job->answer);
    if (err != HY_OK) {
        if (db != NULL)
            hy_log_error("store.read_failed", "kind=0x%x why=\"%s\"", job->req.kind,
                         hy_err_text(err));
        job->answer.len = 0;
        if (answer_refusal(job->req.kind, 0, core_code(err), &job->answer) != HY_OK)
            job->answer.len = 0;
    }
    hy_arena_reset(&view->arena);
    metric_read(job->req.kind, hy_steady_us() - began_us);
}

static void answer(struct readers *r, struct job *job)
{
    r->waiting--;
    r->config.answer(r->config.answer_ctx, &job->req.reply, job->answer.data, job->answer.len);
    hy_buf_free(&job->answer);
    free(job);
}

/* ---- threads ---- */

/* In the loop: say what is done. */
static void answer_done(void *arg)
{
    struct readers *r = arg;
    struct job_list done;
    struct job *job;

    pthread_mutex_lock(&r->lock);
    done = r->done;
    if (done.first == NULL)
        done.end = &done.first;
    list_init(&r->done);
    r->posted = false;
    pthread_mutex_unlock(&r->lock);
    while ((job = list_take(&done)) != NULL)
        answer(r, job);
}

static void *work(void *arg)
{
    struct readers *r = arg;
    struct view view;
    struct job *job;
    struct db *db;
    bool post;

    view_init(r, &view);
    pthread_mutex_lock(&r->lock);
    for (;;) {
        while ((job = list_take(&r->todo)) == NULL && !r->stop)
            pthread_cond_wait(&r->work, &r->lock);
        if (job == NULL)
            break;
        r->busy++;
        db = r->db;
        pthread_mutex_unlock(&r->lock);
        run(r, job, db, &view);
        pthread_mutex_lock(&r->lock);
        list_add(&r->done, job);
        post = !r->posted;
        r->posted = true;
        if (--r->busy == 0)
            pthread_cond_broadcast(&r->idle);
        if (post && hy_loop_post(r->config.loop, answer_done, r) != HY_OK)
            r->posted = false; /* the next one done tries again */
    }
    pthread_mutex_unlock(&r->lock);
    hy_arena_free(&view.arena);
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
    list_init(&r->todo);
    list_init(&r->done);
    view_init(r, &r->view);
    r->threads = calloc(config->threads + 1, sizeof *r->threads);
    if (r->threads == NULL)
        goto fail;
    for (; r->started < config->threads; r->started++)
        if (pthread_create(&r->threads[r->started], NULL, work, r) != 0)
            goto fail;
    *readers = r;
    return HY_OK;

fail:
    readers_close(&r);
    return err;
}

static void drop_list(struct job_list *list)
{
    struct job *job;

    while ((job = list_take(list)) != NULL) {
        hy_buf_free(&job->answer);
        free(job);
    }
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
        pthread_join(r->threads[i], NULL);
    answer_done(r);
    drop_list(&r->gathered);
    drop_list(&r->todo);
    hy_arena_free(&r->view.arena);
    pthread_cond_destroy(&r->idle);
    pthread_cond_destroy(&r->work);
    pthread_mutex_destroy(&r->lock);
    free(r->threads);
    free(r);
}

void readers_use(struct readers *readers, struct db *db)
{
    pthread_mutex_lock(&readers->lock);
    readers->db = db;
    while (readers->busy > 0)
        pthread_cond_wait(&readers->idle, &readers->lock);
    pthread_mutex_unlock(&readers->lock);
}

enum hy_err readers_add(struct readers *readers, const struct request *req, view_fn *fn)
{
    struct job *job;

    if (readers->waiting >= WAITING_MOST)
        return HY_EBUSY;
    job = calloc(1, sizeof *job + req->len);
    if (job == NULL)
        return HY_EBUSY;
    job->fn = fn;
    job->req = *req;
    job->req.payload = (const uint8_t *)(job + 1);
    if (req->len > 0)
        memcpy(job + 1, req->payload, req->len);
    list_add(&readers->gathered, job);
    readers->waiting++;
    return HY_OK;
}

void readers_go(struct readers *readers)
{
    struct job *job;

    if (readers->gathered.first == NULL)
        return;
    if (readers->started == 0) {
        while ((job = list_take(&readers->gathered)) != NULL) {
            run(readers, job, readers->db, &readers->view);
            answer(readers, job);
        }
        return;
    }
    pthread_mutex_lock(&readers->lock);
    *readers->todo.end = readers->gathered.first;
    readers->todo.end = readers->gathered.end;
    pthread_cond_broadcast(&readers->work);
    pthread_mutex_unlock(&readers->lock);
    list_init(&readers->gathered);
}
