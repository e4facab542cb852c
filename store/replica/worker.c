#include "store/replica/worker.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "store/db.h"

struct list {
    struct job *first, **end;
};

struct worker {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work, idle;
    struct list todo, ready; /* ready: ran, not done() yet */
    bool running, ending, started;
    int wake;
    struct hy_watch *watch;
};

static void put(struct list *list, struct job *job)
{
    job->next = NULL;
    *list->end = job;
    list->end = &job->next;
}

static void clear(struct list *list)
{
    list->first = NULL;
    list->end = &list->first;
}

static struct job *take(struct list *list)
{
    struct job *job = list->first;

    if (job != NULL) {
        list->first = job->next;
        if (list->first == NULL)
            list->end = &list->first;
    }
    return job;
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct job *job;

    db_thread();
    pthread_mutex_lock(&w->lock);
    while (!w->ending) {
        job = take(&w->todo);
        if (job == NULL) {
            pthread_cond_wait(&w->work, &w->lock);
            continue;
        }
        w->running = true;
        pthread_mutex_unlock(&w->lock);
        job->run(job);
        pthread_mutex_lock(&w->lock);
        w->running = false;
        put(&w->ready, job);
        pthread_cond_signal(&w->idle);
        if (eventfd_write(w->wake, 1) != 0)
            abort(); /* it cannot be full */
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static void finish(struct worker *w)
{
    struct job *job, *next;

    pthread_mutex_lock(&w->lock);
    job = w->ready.first;
    clear(&w->ready);
    pthread_mutex_unlock(&w->lock);
    for (; job != NULL; job = next) {
        next = job->next;
        job->done(job, true);
    }
}

static void on_wake(int fd, unsigned ready, void *arg)
{
    eventfd_t n;

    (void)ready;
    if (eventfd_read(fd, &n) == 0)
        finish(arg);
}

enum hy_err worker_open(struct hy_loop *loop, struct worker **worker)
{
    struct worker *w = calloc(1, sizeof *w);
    enum hy_err err = HY_ENOMEM;

    if (w == NULL)
        return err;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->work, NULL);
    pthread_cond_init(&w->idle, NULL);
    clear(&w->todo);
    clear(&w->ready);
    w->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->wake >= 0)
        err = hy_watch_open(loop, w->wake, HY_READ, on_wake, w, &w->watch);
    if (err == HY_OK && pthread_create(&w->thread, NULL, work, w) != 0)
        err = HY_ENOMEM;
    w->started = err == HY_OK;
    if (err != HY_OK)
        worker_close(&w);
    *worker = w;
    return err;
}

void worker_wait(struct worker *worker)
{
    struct job *dropped, *next;

    pthread_mutex_lock(&worker->lock);
    dropped = worker->todo.first;
    clear(&worker->todo);
    while (worker->running)
        pthread_cond_wait(&worker->idle, &worker->lock);
    pthread_mutex_unlock(&worker->lock);
    finish(worker);
    for (; dropped != NULL; dropped = next) {
        next = dropped->next;
        dropped->done(dropped, false);
    }
}

void worker_close(struct worker **worker)
{
    struct worker *w = *worker;

    if (w == NULL)
        return;
    *worker = NULL;
    if (w->started) {
        worker_wait(w);
        pthread_mutex_lock(&w->lock);
        w->ending = true;
        pthread_cond_signal(&w->work);
        pthread_mutex_unlock(&w->lock);
        pthread_join(w->thread, NULL);
    }
    hy_watch_close(&w->watch);
    if (w->wake >= 0)
        close(w->wake);
    pthread_cond_destroy(&w->idle);
    pthread_cond_destroy(&w->work);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

void worker_do(struct worker *worker, struct job *job)
{
    pthread_mutex_lock(&worker->lock);
    put(&worker->todo, job);
    pthread_cond_signal(&worker->work);
    pthread_mutex_unlock(&worker->lock);
}
