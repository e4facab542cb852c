/* loop - one thread's event loop (libevent), with turns.
 *
 * A turn is: wait for something, run every callback that is due, then run the turn hooks. What is
 * to be batched (bus records, disk writes, socket writes) is gathered during the turn and sent by a
 * hook at its end. Everything here but hy_loop_post() and hy_loop_stop() belongs to the loop's
 * thread. */

#ifndef COMMON_LOOP_H
#define COMMON_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

struct event_base;
struct hy_loop;
struct hy_timer;
struct hy_watch;

enum hy_err hy_loop_open(struct hy_loop **loop) HY_CHECKED;
void hy_loop_close(struct hy_loop **loop);

/* Turn until hy_loop_stop(). */
void hy_loop_run(struct hy_loop *loop);

/* Let turns of a busy loop begin at least gap_us (under 1 s) apart, see pace.h; 0, as at first: at
 * once. */
void hy_loop_pace(struct hy_loop *loop, uint32_t gap_us);

/* So many records or frames were taken in this turn: by that a loop is busy. */
void hy_loop_did(struct hy_loop *loop, uint64_t things);

/* One turn that waits at most wait_ms (0 does not wait); for tests and the SDK. */
void hy_loop_turn(struct hy_loop *loop, uint32_t wait_ms);

/* Make hy_loop_run() return after this turn. Any thread. */
void hy_loop_stop(struct hy_loop *loop);

/* The steady clock as it was when this turn began, ms. */
uint64_t hy_loop_now_ms(const struct hy_loop *loop);

/* How many turns have begun: tells whether a hook has run since. */
uint64_t hy_loop_turns(const struct hy_loop *loop);

/* For evhttp and others that want libevent itself. */
struct event_base *hy_loop_base(struct hy_loop *loop);

typedef void hy_loop_fn(void *arg);

/* Run fn(arg) in the loop's thread soon. Any thread. HY_ENOMEM. */
enum hy_err hy_loop_post(struct hy_loop *loop, hy_loop_fn *fn, void *arg) HY_CHECKED;

/* Call fn(arg) at the end of each turn, in order of registration, until the loop closes.
 * A hook that leaves work undone calls hy_loop_again(). */
enum hy_err hy_loop_on_turn(struct hy_loop *loop, hy_loop_fn *fn, void *arg) HY_CHECKED;

/* Take back a hook registered with the same fn and arg. */
void hy_loop_off_turn(struct hy_loop *loop, hy_loop_fn *fn, void *arg);

/* The next turn does not wait. */
void hy_loop_again(struct hy_loop *loop);

/* The steady ms when the last turn ended, for /livez; an idle loop turns four times a second. Any
 * thread. How late timers fire is the metric hongyan_loop_lag_seconds. */
uint64_t hy_loop_beat_ms(const struct hy_loop *loop);

/* A timer, not running. */
enum hy_err hy_timer_open(struct hy_loop *loop, hy_loop_fn *fn, void *arg,
                          struct hy_timer **timer) HY_CHECKED;
/* Run once in delay_ms; replaces what was set. */
void hy_timer_set(struct hy_timer *timer, uint64_t delay_ms);
/* Run every period_ms. */
void hy_timer_every(struct hy_timer *timer, uint64_t period_ms);
void hy_timer_stop(struct hy_timer *timer);
void hy_timer_close(struct hy_timer **timer);

/* Watch a descriptor, level-triggered. fn is called with what is ready. The descriptor stays the
 * caller's. */
enum { HY_READ = 1, HY_WRITE = 2 };
typedef void hy_watch_fn(int fd, unsigned ready, void *arg);
enum hy_err hy_watch_open(struct hy_loop *loop, int fd, unsigned interest, hy_watch_fn *fn,
                          void *arg, struct hy_watch **watch) HY_CHECKED;
enum hy_err hy_watch_set(struct hy_watch *watch, unsigned interest) HY_CHECKED;
void hy_watch_close(struct hy_watch **watch);

#endif
