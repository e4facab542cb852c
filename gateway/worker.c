#include "gateway/worker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#include "client.pb-c.h"
#include "common/clock.h"
#include "common/codes.h"
#include "common/log.h"
#include "gateway/arrivals.h"
#include "gateway/audience.h"
#include "gateway/lease.h"
#include "gateway/link.h"
#include "gateway/listener.h"
#include "gateway/push.h"
#include "gateway/request.h"
#include "gateway/route.h"
#include "gateway/send.h"
#include "gateway/session.h"
#include "gateway/tls.h"
#include "gateway/tries.h"

enum { TICK_MS = 100, SECOND_MS = 1000, FLUSH_MS = 200 };

/* ---- what the parts are told ---- */

static void on_frame(void *ctx, struct link *link, const uint8_t *bytes, size_t len)
{
    request_take(ctx, link, bytes, len);
}

static void on_ended(void *ctx, struct link *link, enum link_end why)
{
    if (link_session(link) != NULL)
        session_ended(ctx, link_session(link), why);
}

static void on_record(void *ctx, struct hy_peer *peer, const struct hy_record *record)
{
    struct worker *worker = ctx;

    pushes_take(worker->pushes, peer, record);
}

static void on_router(struct worker *worker, const struct hy_peer *peer, enum hy_peer_event event)
{
    if (event == HY_PEER_RESTARTED)
        pushes_lost(worker->pushes, "a router restarted");
    else if (event == HY_PEER_DOWN && !pushes_ended(peer))
        pushes_lost(worker->pushes, "a router is gone");
    audience_retell(worker->audience);
}

static void on_presence(struct worker *worker, struct hy_peer *peer, enum hy_peer_event event)
{
    lease_peer(worker->leases, peer);
    leases_moved(worker->leases);
    if (event != HY_PEER_RESTARTED)
        return;
    pushes_lost(worker->pushes, "a presence process restarted");
    lease_register(worker->leases, peer);
}

static void on_peer(void *ctx, struct hy_peer *peer, enum hy_peer_event event)
{
    struct worker *worker = ctx;

    hy_log_debug("peer.changed", "worker=%s peer=%s event=%s", worker->name, hy_peer_name(peer),
                 event == HY_PEER_UP          ? "up"
                 : event == HY_PEER_RESTARTED ? "restarted"
                                              : "down");
    if (strcmp(hy_peer_component(peer), "router") == 0)
        on_router(worker, peer, event);
    else
        on_presence(worker, peer, event);
}

static void on_routers_moved(void *ctx)
{
    struct worker *worker = ctx;

    if (worker->audience != NULL) /* else we are opening */
        audience_retell(worker->audience);
}

static void on_presences_moved(void *ctx)
{
    struct worker *worker = ctx;

    if (worker->leases != NULL)
        leases_moved(worker->leases);
}

static bool is_router_done(void *ctx)
{
    return audience_told(((struct worker *)ctx)->audience);
}

static bool is_presence_done(void *ctx, int i, enum hy_node_state state)
{
    return leases_done(((struct worker *)ctx)->leases, i, state);
}

/* ---- the fleet ---- */

/* What the main thread's fleet told, on its way here. */
struct news {
    struct news *next;
    struct hy_node node; /* points into texts */
    struct hy_node_text texts;
};

static void take_news(void *arg)
{
    struct worker *worker = arg;
    struct news *list;

    pthread_mutex_lock(&worker->news_lock);
    list = worker->news;
    worker->news = NULL;
    pthread_mutex_unlock(&worker->news_lock);
    for (struct news *next; list != NULL; list = next) {
        next = list->next;
        upstream_node(worker->upstream, &list->node);
        free(list);
    }
}

static struct news *make_news(const struct hy_node *node)
{
    struct news *news = calloc(1, sizeof *news);

    if (news == NULL)
        return NULL;
    news->node = *node;
    snprintf(news->texts.component, sizeof news->texts.component, "%s", node->component);
    snprintf(news->texts.name, sizeof news->texts.name, "%s", node->name);
    snprintf(news->texts.endpoint, sizeof news->texts.endpoint, "%s", node->endpoint);
    news->node.component = news->texts.component;
    news->node.name = news->texts.name;
    news->node.endpoint = news->texts.endpoint;
    news->node.version = "";
    return news;
}

enum hy_err worker_node(struct worker *worker, const struct hy_node *node)
{
    struct news *news = make_news(node);

    if (news == NULL)
        return HY_ENOMEM;
    pthread_mutex_lock(&worker->news_lock);
    LL_APPEND(worker->news, news);
    pthread_mutex_unlock(&worker->news_lock);
    return hy_loop_post(worker->loop, take_news, worker);
}

/* ---- time ---- */

/* A suspended app's sessions end within a second (A14). */
static void check_apps(struct worker *worker)
{
    const struct hy_apps *apps = upstream_apps(worker->upstream);
    uint32_t cursor = 0;
    struct link *link;

    if (hy_apps_version(apps) == worker->apps_version)
        return;
    worker->apps_version = hy_apps_version(apps);
    while ((link = links_next(worker->links, &cursor)) != NULL) {
        const Hy__App *app =
            link_session(link) == NULL ? NULL : hy_apps_find(apps, link_session(link)->app);

        if (app != NULL && app->state != 0)
            link_end(link, LINK_END_APP, NULL);
    }
}

/* Drained: the links are gone, and their last words to presence had time to leave. */
static void drain_step(struct worker *worker, uint64_t now_ms)
{
    uint32_t cursor = 0;
    struct link *link;

    if (now_ms >= worker->drain_until_ms)
        while ((link = links_next(worker->links, &cursor)) != NULL)
            link_end(link, LINK_END_DRAIN, NULL);
    if (links_count(worker->links) > 0 || worker->drained == NULL)
        return;
    if (worker->flush_until_ms == 0)
        worker->flush_until_ms = now_ms + FLUSH_MS;
    if (now_ms < worker->flush_until_ms)
        return;
    worker->drained(worker->drained_arg);
    worker->drained = NULL;
}

static void on_tick(void *arg)
{
    struct worker *worker = arg;
    uint64_t now_ms = hy_loop_now_ms(worker->loop);

    audience_tell(worker->audience, now_ms);
    if (now_ms >= worker->second_ms) {
        worker->second_ms = now_ms + SECOND_MS;
        leases_send(worker->leases);
        check_apps(worker);
    }
    if (worker->draining)
        drain_step(worker, now_ms);
}

/* ---- leaving ---- */

/* Clients come back spread over the window, so that no other gateway is run over. */
static void say_go_away(struct worker *worker, struct link *link)
{
    Hy__GoAwayNotice notice = HY__GO_AWAY_NOTICE__INIT;
    struct parcel *parcel;

    notice.retry_after_ms = (uint32_t)(hy_random64() % (worker->limits.drain_ms + 1));
    notice.reason = (char *)(uintptr_t) "the gateway is leaving; resume elsewhere";
    parcel = parcel_frame(0, 0, NULL, HY__FRAME__BODY_GO_AWAY, &notice.base);
    link_send(link, &parcel);
}

static void begin_drain(void *arg)
{
    struct worker *worker = arg;
    uint32_t cursor = 0;
    struct link *link;

    for (size_t i = 0; i < GATEWAY_TRANSPORTS; i++)
        listener_close(&worker->listeners[i]);
    if (worker->rest != NULL)
        rest_drain(worker->rest);
    while ((link = links_next(worker->links, &cursor)) != NULL) {
        if (link_state(link) == LINK_READY)
            say_go_away(worker, link);
        else
            link_end(link, LINK_END_DRAIN, NULL);
    }
    worker->draining = true;
    worker->drain_until_ms = hy_loop_now_ms(worker->loop) + worker->limits.drain_ms;
}

enum hy_err worker_drain(struct worker *worker, hy_loop_fn *drained, void *arg)
{
    worker->drained = drained; /* read in the worker's thread, after the post */
    worker->drained_arg = arg;
    return hy_loop_post(worker->loop, begin_drain, worker);
}

/* ---- other settings ---- */

struct reload {
    struct worker *worker;
    struct limits limits;
    struct ssl_ctx_st *tls;
};

static void do_reload(void *arg)
{
    struct reload *reload = arg;
    struct worker *worker = reload->worker;

    limits_free(&worker->limits);
    worker->limits = reload->limits;
    links_limits_changed(worker->links);
    hy_loop_pace(worker->loop, worker->limits.pace_us);
    if (reload->tls != NULL) {
        tls_close(&worker->tls); /* links that use it keep it */
        worker->tls = reload->tls;
    }
    free(reload);
}

enum hy_err worker_reload(struct worker *worker, struct limits *limits, struct ssl_ctx_st **tls)
{
    struct reload *reload = malloc(sizeof *reload);
    enum hy_err err = HY_ENOMEM;

    if (reload != NULL) {
        *reload = (struct reload){worker, *limits, *tls};
        err = hy_loop_post(worker->loop, do_reload, reload);
    }
    if (err != HY_OK) {
        limits_free(limits);
        tls_close(tls);
        free(reload);
    }
    *limits = (struct limits){0};
    *tls = NULL;
    return err;
}

/* ---- opening, closing ---- */

static enum hy_err open_parts(struct worker *w, const struct worker_config *config)
{
    static const struct link_handler links = {on_frame, on_ended};
    static const struct upstream_events events = {.record = on_record,
                                                  .peer = on_peer,
                                                  .routers_moved = on_routers_moved,
                                                  .presences_moved = on_presences_moved,
                                                  .presence_done = is_presence_done,
                                                  .router_done = is_router_done};
    enum hy_err err = hy_loop_open(&w->loop);

    if (err == HY_OK)
        hy_loop_pace(w->loop, w->limits.pace_us);
    /* Hooks run in this order: what was asked in a turn leaves with the bus's hook, answers that
     * are ready leave with the links'. */
    if (err == HY_OK)
        err = hy_loop_on_turn(w->loop, send_turn, w);
    if (err == HY_OK)
        err = upstream_open(w->loop, config->common, w->name, &events, w, &w->upstream);
    if (err == HY_OK)
        err = links_open(w->loop, &w->limits, w->metrics, &links, w, &w->links);
    if (err == HY_OK)
        err = audience_open(w, &w->audience);
    if (err == HY_OK)
        err = leases_open(w, &w->leases);
    if (err == HY_OK)
        err = pushes_open(w, &w->pushes);
    if (err == HY_OK)
        err = tries_open(&w->tries);
    if (err == HY_OK)
        err = arrivals_open(&w->arrivals);
    if (err == HY_OK)
        err = hy_timer_open(w->loop, on_tick, w, &w->tick);
    if (err == HY_OK)
        hy_timer_every(w->tick, TICK_MS);
    return err;
}

/* Takes all sockets, whatever happens. */
static enum hy_err open_doors(struct worker *w, const struct worker_config *config, enum hy_err err)
{
    for (size_t i = 0; i < GATEWAY_TRANSPORTS; i++) {
        if (config->listeners[i] < 0)
            continue;
        if (err == HY_OK)
            err =
                listener_open(w, config->listeners[i], (enum gateway_transport)i, &w->listeners[i]);
        else
            close(config->listeners[i]);
    }
    if (config->rest < 0)
        return err;
    if (err != HY_OK) {
        close(config->rest);
        return err;
    }
    return rest_open(w->loop, config->rest, &config->rest_settings, w->upstream, &w->rest);
}

enum hy_err worker_open(const struct worker_config *config, struct worker **worker)
{
    struct worker *w = calloc(1, sizeof *w);
    enum hy_err err;

    if (w == NULL)
        abort(); /* at start, with sockets in hand */
    strncpy(w->name, config->name, sizeof w->name - 1);
    memcpy(w->secret, config->secret, sizeof w->secret);
    pthread_mutex_init(&w->news_lock, NULL);
    w->metrics = gateway_metrics();
    w->limits = *config->limits;
    *config->limits = (struct limits){0};
    w->tls = *config->tls;
    *config->tls = NULL;
    hy_arena_init(&w->arena);
    err = open_doors(w, config, open_parts(w, config));
    if (err != HY_OK)
        worker_close(&w);
    *worker = w;
    return err;
}

static void *run(void *arg)
{
    struct worker *worker = arg;

    hy_loop_run(worker->loop);
    return NULL;
}

enum hy_err worker_start(struct worker *worker)
{
    sigset_t all, before;

    sigfillset(&all); /* signals are the main thread's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    worker->running = pthread_create(&worker->thread, NULL, run, worker) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return worker->running ? HY_OK : HY_EIO;
}

void worker_stop(struct worker *worker)
{
    if (worker == NULL || !worker->running)
        return;
    hy_loop_stop(worker->loop);
    pthread_join(worker->thread, NULL);
    worker->running = false;
}

static void end_links(struct worker *worker)
{
    uint32_t cursor = 0;
    struct link *link;

    while (worker->links != NULL && (link = links_next(worker->links, &cursor)) != NULL)
        link_end(link, LINK_END_NETWORK, NULL);
}

void worker_close(struct worker **worker)
{
    struct worker *w = *worker;

    if (w == NULL)
        return;
    *worker = NULL;
    rest_close(&w->rest);
    for (size_t i = 0; i < GATEWAY_TRANSPORTS; i++)
        listener_close(&w->listeners[i]);
    end_links(w);
    links_close(&w->links);
    audience_close(&w->audience);
    leases_close(&w->leases);
    routes_close(w);
    hy_timer_close(&w->tick);
    upstream_close(&w->upstream);
    pushes_close(&w->pushes);
    tries_close(&w->tries);
    arrivals_close(&w->arrivals);
    hy_loop_close(&w->loop);
    tls_close(&w->tls);
    limits_free(&w->limits);
    hy_arena_free(&w->arena);
    while (w->news != NULL) {
        struct news *news = w->news;

        w->news = news->next;
        free(news);
    }
    pthread_mutex_destroy(&w->news_lock);
    free(w);
}
