#include "common/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/metrics.h"
#include "common/pace.h"

enum { PULSE_MS = 250 }; /* also an idle loop beats, and measures how late its timers are */

struct hook {
    hy_loop_fn *fn; /* NULL: taken back, to be squeezed out */
    void *arg;
};

struct post {
    struct post *next;
    hy_loop_fn *fn;
    void *arg;
};

struct hy_loop {
    struct event_base *base;
    uint64_t now_ms; /* 0: nobody asked in this turn yet */
    uint64_t turns;
    bool again;
    struct pace pace;
    atomic_bool stop;
    _Atomic uint64_t beat_ms;

    struct hook *hooks;
    size_t hook_count, hook_cap;
    bool squeeze; /* some hooks are NULL */

    int wake_fd;
    struct event wake, wait, pulse;
    bool wake_set, wait_set, pulse_set;
    uint64_t pulse_due_us;
    struct hy_histogram *lag;

    pthread_mutex_t lock; /* of posts */
    struct post *posts, **posts_end;
};

static struct timeval to_timeval(uint64_t ms)
{
    return (struct timeval){.tv_sec = (time_t)(ms / 1000),
                            .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

/* ---- other threads ---- */

static void wake(struct hy_loop *loop)
{
    uint64_t one = 1;

    while (write(loop->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

enum hy_err hy_loop_post(struct hy_loop *loop, hy_loop_fn *fn, void *arg)
{
    struct post *post = malloc(sizeof *post);
    bool first = false;

    if (post == NULL)
        return HY_ENOMEM;
    *post = (struct post){NULL, fn, arg};
    pthread_mutex_lock(&loop->lock);
    first = loop->posts == NULL;
    *loop->posts_end = post;
    loop->posts_end = &post->next;
    pthread_mutex_unlock(&loop->lock);
    if (first)
        wake(loop);
    return HY_OK;
}

static struct post *take_posts(struct hy_loop *loop)
{
    struct post *posts = NULL;

    pthread_mutex_lock(&loop->lock);
    posts = loop->posts;
    loop->posts = NULL;
    loop->posts_end = &loop->posts;
    pthread_mutex_unlock(&loop->lock);
    return posts;
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    struct hy_loop *loop = arg;
    uint64_t count;
    ssize_t got = read(fd, &count, sizeof count);

    (void)got; /* EAGAIN when two wakes fell together */
    (void)what;
    for (struct post *post = take_posts(loop), *next; post != NULL; post = next) {
        next = post->next;
        post->fn(post->arg);
        free(post);
    }
}

void hy_loop_stop(struct hy_loop *loop)
{
    atomic_store(&loop->stop, true);
    wake(loop);
}

uint64_t hy_loop_beat_ms(const struct hy_loop *loop)
{
    return atomic_load_explicit(&loop->beat_ms, memory_order_relaxed);
}

/* ---- opening and closing ---- */

static void on_wait(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg; /* its firing ends the turn */
}

static void on_pulse(evutil_socket_t fd, short what, void *arg)
{
    struct hy_loop *loop = arg;
    uint64_t now_us = hy_steady_us();
    struct timeval period = to_timeval(PULSE_MS);

    (void)fd;
    (void)what;
    hy_observe_us(loop->lag, now_us > loop->pulse_due_us ? now_us - loop->pulse_due_us : 0);
    loop->pulse_due_us = now_us + PULSE_MS * 1000;
    event_add(&loop->pulse, &period);
}

/* No locks in the base: it belongs to one thread, and eventfd is the only way in. */
static struct event_base *make_base(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base = NULL;

    if (config == NULL)
        return NULL;
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

static enum hy_err add_own_events(struct hy_loop *loop)
{
    struct timeval period = to_timeval(PULSE_MS);

    event_assign(&loop->wake, loop->base, loop->wake_fd, EV_READ | EV_PERSIST, on_wake, loop);
    if (event_add(&loop->wake, NULL) != 0)
        return HY_EIO;
    loop->wake_set = true;
    event_assign(&loop->wait, loop->base, -1, 0, on_wait, loop);
    loop->wait_set = true;
    event_assign(&loop->pulse, loop->base, -1, 0, on_pulse, loop);
    loop->pulse_set = true;
    loop->pulse_due_us = hy_steady_us() + PULSE_MS * 1000;
    return event_add(&loop->pulse, &period) == 0 ? HY_OK : HY_ENOMEM;
}

enum hy_err hy_loop_open(struct hy_loop **loop)
{
    enum hy_err err = HY_ENOMEM;
    struct hy_loop *l = calloc(1, sizeof *l);

    if (l == NULL)
        return HY_ENOMEM;
    pthread_mutex_init(&l->lock, NULL);
    l->posts_end = &l->posts;
    l->lag =
        hy_histogram_us("hongyan_loop_lag_seconds", "",
                        "How late timers of the event loops fire, sampled four times a second");
    l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (l->wake_fd < 0) {
        err = HY_EIO;
        goto fail;
    }
    l->base = make_base();
    if (l->base == NULL)
        goto fail;
    err = add_own_events(l);
    if (err != HY_OK)
        goto fail;
    atomic_store(&l->beat_ms, hy_steady_ms());
    *loop = l;
    return HY_OK;

fail:
    hy_loop_close(&l);
    return err;
}

/* Posts that nobody will run any more are dropped. */
void hy_loop_close(struct hy_loop **loop)
{
    struct hy_loop *l = *loop;

    if (l == NULL)
        return;
    *loop = NULL;
    if (l->wake_set)
        event_del(&l->wake);
    if (l->wait_set)
        event_del(&l->wait);
    if (l->pulse_set)
        event_del(&l->pulse);
    if (l->base != NULL)
        event_base_free(l->base);
    if (l->wake_fd >= 0)
        close(l->wake_fd);
    for (struct post *post = take_posts(l), *next; post != NULL; post = next) {
        next = post->next;
        free(post);
    }
    pthread_mutex_destroy(&l->lock);
    free(l->hooks);
    free(l);
}

/* ---- turns ---- */

/* Hooks may come and go while they run: a new one runs in this turn too, a gone one is NULL. */
static void run_hooks(struct hy_loop *loop)
{
    size_t kept = 0;

    for (size_t i = 0; i < loop->hook_count; i++) {
        struct hook hook = loop->hooks[i];

        if (hook.fn != NULL)
            hook.fn(hook.arg);
    }
    if (!loop->squeeze)
        return;
    for (size_t i = 0; i < loop->hook_count; i++) {
        if (loop->hooks[i].fn != NULL)
            loop->hooks[kept++] = loop->hooks[i];
    }
    loop->hook_count = kept;
    loop->squeeze = false;
}

/* Let what comes meanwhile gather, and be handled in one go. */
static void keep_pace(struct hy_loop *loop)
{
    uint64_t us = pace_turn(&loop->pace, hy_steady_us());
    struct timespec wait = {.tv_nsec = (long)us * 1000};

    if (us > 0)
        (void)nanosleep(&wait, NULL); /* a signal may cut it short */
}

static void turn(struct hy_loop *loop, bool wait)
{
    bool block = wait && !loop->again;

    if (block && loop->pace.gap_us > 0)
        keep_pace(loop);
    loop->now_ms = 0;
    loop->turns++;
    loop->again = false; /* callbacks may ask for the next turn */
    event_base_loop(loop->base, block ? EVLOOP_ONCE : EVLOOP_NONBLOCK);
    run_hooks(loop);
    atomic_store_explicit(&loop->beat_ms, hy_loop_now_ms(loop), memory_order_relaxed);
    loop->now_ms = 0; /* who asks between turns gets the time of then */
}

void hy_loop_run(struct hy_loop *loop)
{
    while (!atomic_load_explicit(&loop->stop, memory_order_relaxed))
        turn(loop, true);
    atomic_store(&loop->stop, false);
}

void hy_loop_turn(struct hy_loop *loop, uint32_t wait_ms)
{
    struct timeval most = to_timeval(wait_ms);

    if (wait_ms > 0)
        event_add(&loop->wait, &most);
    turn(loop, wait_ms > 0);
    if (wait_ms > 0)
        event_del(&loop->wait);
}

void hy_loop_pace(struct hy_loop *loop, uint32_t gap_us)
{
    loop->pace = (struct pace){.gap_us = gap_us};
}

void hy_loop_did(struct hy_loop *loop, uint64_t things)
{
    pace_did(&loop->pace, things);
}

/* Read when first asked in a turn: between waking up and that nothing has run. */
uint64_t hy_loop_now_ms(const struct hy_loop *loop)
{
    if (loop->now_ms == 0)
        ((struct hy_loop *)loop)->now_ms = hy_steady_ms();
    return loop->now_ms;
}

uint64_t hy_loop_turns(const struct hy_loop *loop)
{
    return loop->turns;
}

struct event_base *hy_loop_base(struct hy_loop *loop)
{
    return loop->base;
}

enum hy_err hy_loop_on_turn(struct hy_loop *loop, hy_loop_fn *fn, void *arg)
{
    if (loop->hook_count == loop->hook_cap) {
        size_t cap = loop->hook_cap > 0 ? loop->hook_cap * 2 : 8;
        struct hook *hooks = realloc(loop->hooks, cap * sizeof *hooks);

        if (hooks == NULL)
            return HY_ENOMEM;
        loop->hooks = hooks;
        loop->hook_cap = cap;
    }
    loop->hooks[loop->hook_count++] = (struct hook){fn, arg};
    return HY_OK;
}

void hy_loop_off_turn(struct hy_loop *loop, hy_loop_fn *fn, void *arg)
{
    for (size_t i = 0; i < loop->hook_count; i++) {
        if (loop->hooks[i].fn == fn && loop->hooks[i].arg == arg) {
            loop->hooks[i].fn = NULL;
            loop->squeeze = true;
            return;
        }
    }
}

void hy_loop_again(struct hy_loop *loop)
{
    loop->again = true;
}
