/* worker - one thread of a gateway: a loop, listeners, links, and its own way to the cluster.
 * Workers share nothing; to the cluster each is a gateway of its own ("gateway-0/1").
 *
 * The struct is open to the parts of a worker, which know each other through it. */

#ifndef GATEWAY_WORKER_H
#define GATEWAY_WORKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/bus.h"
#include "common/err.h"
#include "common/loop.h"
#include "gateway/metrics.h"
#include "gateway/rest.h"
#include "gateway/settings.h"
#include "gateway/token.h"
#include "gateway/upstream.h"

struct arrivals;
struct audience;
struct leases;
struct links;
struct listener;
struct news;
struct pushes;
struct route;
struct send_queue;
struct ssl_ctx_st;
struct tries;

struct worker {
    char name[HY_BUS_NAME_MAX + 1];
    struct hy_loop *loop;
    struct upstream *upstream;
    struct limits limits;
    const struct gateway_metrics *metrics;
    uint8_t secret[TOKEN_SECRET];
    struct ssl_ctx_st *tls; /* NULL without */
    struct hy_arena arena;  /* for the callback that runs; it resets it at its end */
    struct links *links;
    struct audience *audience;
    struct leases *leases;
    struct pushes *pushes;
    struct tries *tries;
    struct arrivals *arrivals;
    struct listener *listeners[GATEWAY_TRANSPORTS];
    struct rest *rest;
    struct route *routes;         /* requests that wait for an answer */
    struct send_queue *sends_due; /* to be launched at the end of this turn */
    struct hy_timer *tick;
    uint64_t second_ms;    /* when the next thing of each second is due */
    uint64_t apps_version; /* of the apps that the sessions were checked against */
    uint32_t epoch;        /* grows when pushes may have been lost */
    bool draining;
    uint64_t drain_until_ms, flush_until_ms;
    hy_loop_fn *drained;
    void *drained_arg;
    pthread_t thread;
    bool running;
    pthread_mutex_t news_lock; /* of news */
    struct news *news;         /* worker_node()'s, not taken yet */
};

struct worker_config {
    const char *name;
    const struct hy_common_settings *common;
    struct limits *limits;   /* moved into the worker */
    struct ssl_ctx_st **tls; /* taken; NULL inside without TLS */
    const uint8_t *secret;
    const int *listeners; /* GATEWAY_TRANSPORTS sockets, -1: off; taken */
    int rest;             /* socket, -1: off; taken */
    struct rest_settings rest_settings;
};

/* Make a worker; its thread does not run yet. What is taken is taken also when it fails. */
enum hy_err worker_open(const struct worker_config *config, struct worker **worker) HY_CHECKED;

/* Start its thread. HY_EIO. */
enum hy_err worker_start(struct worker *worker) HY_CHECKED;

/* Any thread: what the fleet tells of a router or presence process. HY_ENOMEM. */
enum hy_err worker_node(struct worker *worker, const struct hy_node *node) HY_CHECKED;

/* Any thread: let clients leave, close what remains, then call drained(arg) in the worker's thread.
 * HY_ENOMEM. */
enum hy_err worker_drain(struct worker *worker, hy_loop_fn *drained, void *arg) HY_CHECKED;

/* Any thread: work with other limits, and another certificate unless *tls is NULL. Takes both.
 * HY_ENOMEM: the old ones stay. */
enum hy_err worker_reload(struct worker *worker, struct limits *limits,
                          struct ssl_ctx_st **tls) HY_CHECKED;

/* Stop the thread and wait for it. */
void worker_stop(struct worker *worker);

/* Free everything; stopped before. NULL is fine. */
void worker_close(struct worker **worker);

#endif
