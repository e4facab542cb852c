/* Timers and watches of a loop. */

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>

#include "common/loop.h"

struct hy_timer {
    struct event event;
    hy_loop_fn *fn;
    void *arg;
};

struct hy_watch {
    struct event event;
    unsigned interest;
    hy_watch_fn *fn;
    void *arg;
};

static struct timeval to_timeval(uint64_t ms)
{
    return (struct timeval){.tv_sec = (time_t)(ms / 1000),
                            .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

/* ---- timers ---- */

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct hy_timer *timer = arg;

    (void)fd;
    (void)what;
    timer->fn(timer->arg); /* may close the timer */
}

enum hy_err hy_timer_open(struct hy_loop *loop, hy_loop_fn *fn, void *arg, struct hy_timer **timer)
{
    struct hy_timer *t = calloc(1, sizeof *t);

    if (t == NULL)
        return HY_ENOMEM;
    t->fn = fn;
    t->arg = arg;
    event_assign(&t->event, hy_loop_base(loop), -1, 0, on_timer, t);
    *timer = t;
    return HY_OK;
}

static void start(struct hy_timer *timer, uint64_t ms, short flags)
{
    struct event_base *base = event_get_base(&timer->event);
    struct timeval delay = to_timeval(ms);

    event_del(&timer->event);
    event_assign(&timer->event, base, -1, flags, on_timer, timer);
    event_add(&timer->event, &delay);
}

void hy_timer_set(struct hy_timer *timer, uint64_t delay_ms)
{
    start(timer, delay_ms, 0);
}

void hy_timer_every(struct hy_timer *timer, uint64_t period_ms)
{
    start(timer, period_ms, EV_PERSIST);
}

void hy_timer_stop(struct hy_timer *timer)
{
    event_del(&timer->event);
}

void hy_timer_close(struct hy_timer **timer)
{
    if (*timer == NULL)
        return;
    event_del(&(*timer)->event);
    free(*timer);
    *timer = NULL;
}

/* ---- descriptors ---- */

static void on_watch(evutil_socket_t fd, short what, void *arg)
{
    struct hy_watch *watch = arg;
    unsigned ready = (what & EV_READ ? HY_READ : 0) | (what & EV_WRITE ? HY_WRITE : 0);

    watch->fn((int)fd, ready, watch->arg); /* may close the watch */
}

enum hy_err hy_watch_open(struct hy_loop *loop, int fd, unsigned interest, hy_watch_fn *fn,
                          void *arg, struct hy_watch **watch)
{
    enum hy_err err = HY_OK;
    struct hy_watch *w = calloc(1, sizeof *w);

    if (w == NULL)
        return HY_ENOMEM;
    w->fn = fn;
    w->arg = arg;
    event_assign(&w->event, hy_loop_base(loop), fd, EV_PERSIST, on_watch, w);
    err = hy_watch_set(w, interest);
    if (err != HY_OK) {
        free(w);
        return err;
    }
    *watch = w;
    return HY_OK;
}

enum hy_err hy_watch_set(struct hy_watch *watch, unsigned interest)
{
    short what = (short)(EV_PERSIST | (interest & HY_READ ? EV_READ : 0) |
                         (interest & HY_WRITE ? EV_WRITE : 0));
    struct event_base *base = event_get_base(&watch->event);
    evutil_socket_t fd = event_get_fd(&watch->event);

    if (interest == watch->interest)
        return HY_OK;
    event_del(&watch->event);
    watch->interest = interest;
    event_assign(&watch->event, base, fd, what, on_watch, watch);
    if (interest != 0 && event_add(&watch->event, NULL) != 0) {
        watch->interest = 0;
        return HY_EIO;
    }
    return HY_OK;
}

void hy_watch_close(struct hy_watch **watch)
{
    if (*watch == NULL)
        return;
    event_del(&(*watch)->event);
    free(*watch);
    *watch = NULL;
}
