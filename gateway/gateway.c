#include "gateway/gateway.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fleet.h"
#include "common/log.h"
#include "gateway/listener.h"
#include "gateway/request.h"
#include "gateway/settings.h"
#include "gateway/tls.h"
#include "gateway/worker.h"

_Static_assert((int)TOKEN_SECRET == (int)TICKETKEY_SECRET,
               "one secret signs tokens and makes ticket keys");

enum { DOORS = GATEWAY_TRANSPORTS + 1, REST = GATEWAY_TRANSPORTS };

static const char *const door_names[DOORS] = {"tcp", "tls", "ws", "wss", "rest"};

struct gateway {
    struct hy_process *process;
    const struct gateway_metrics *metrics;
    uint8_t secret[TOKEN_SECRET];
    uint16_t ports[DOORS]; /* 0: off */
    struct hy_fleet *fleet;
    uint64_t boot;
    _Atomic bool draining;
    size_t left; /* workers that are not drained yet */
    size_t count;
    struct worker *workers[];
};

static const struct gateway_settings *settings_of(const struct gateway *gateway)
{
    return gateway->process->settings;
}

static size_t count_workers(const struct gateway_settings *settings)
{
    cpu_set_t cpus;

    if (settings->workers > 0)
        return (size_t)settings->workers;
    if (sched_getaffinity(0, sizeof cpus, &cpus) != 0 || CPU_COUNT(&cpus) < 1)
        return 1;
    return (size_t)CPU_COUNT(&cpus);
}

/* ---- TLS ---- */

static bool wants_tls(const struct gateway_settings *settings)
{
    return settings->listen_tls[0] != '\0' || settings->listen_wss[0] != '\0';
}

/* A context for one worker; *tls stays NULL without TLS. */
static enum hy_err make_tls(struct gateway *gateway, struct ssl_ctx_st **tls)
{
    const struct gateway_settings *settings = settings_of(gateway);
    const char *why = "";
    enum hy_err err;

    *tls = NULL;
    if (!wants_tls(settings))
        return HY_OK;
    err = tls_open(settings->tls_certificate, settings->tls_key, gateway->secret, tls, &why);
    if (err == HY_OK)
        hy_set(gateway->metrics->certificate_expiry, tls_expires_s(*tls));
    else
        hy_log_error("tls.refused", "why=\"%s\" certificate=\"%s\" key=\"%s\"", why,
                     settings->tls_certificate, settings->tls_key);
    return err;
}

/* ---- workers ---- */

static const char *address_of(const struct gateway_settings *settings, size_t door)
{
    const char *const addresses[DOORS] = {settings->listen_tcp, settings->listen_tls,
                                          settings->listen_ws, settings->listen_wss,
                                          settings->listen_rest};

    return addresses[door];
}

/* A worker's own sockets; the first worker's ports become everyone's. */
static enum hy_err bind_doors(struct gateway *gateway, int fds[static DOORS])
{
    for (size_t i = 0; i < DOORS; i++)
        fds[i] = -1;
    for (size_t i = 0; i < DOORS; i++) {
        const char *address = address_of(settings_of(gateway), i);
        enum hy_err err = HY_OK;

        if (address[0] != '\0')
            err = listener_bind(address, &gateway->ports[i], &fds[i]);
        if (err == HY_OK)
            continue;
        hy_log_error("listen.failed", "setting=listen.%s address=\"%s\" why=\"%s\"", door_names[i],
                     address, hy_err_text(err));
        for (size_t n = 0; n < i; n++)
            if (fds[n] >= 0)
                close(fds[n]);
        return err;
    }
    return HY_OK;
}

static enum hy_err open_worker(struct gateway *gateway, size_t i)
{
    const struct gateway_settings *settings = settings_of(gateway);
    struct limits limits = {0};
    struct ssl_ctx_st *tls = NULL;
    char name[128];
    int fds[DOORS];
    enum hy_err err = make_tls(gateway, &tls);

    if (err == HY_OK)
        err = limits_make(settings, gateway->count, &limits);
    if (err == HY_OK)
        err = bind_doors(gateway, fds);
    if (err != HY_OK)
        goto done;
    snprintf(name, sizeof name, "%.50s/%zu", settings->common.name, i);
    err = worker_open(
        &(struct worker_config){.name = name,
                                .common = &settings->common,
                                .limits = &limits,
                                .tls = &tls,
                                .secret = gateway->secret,
                                .listeners = fds,
                                .rest = fds[REST],
                                .rest_settings = {(uint32_t)settings->rest_max_body_bytes,
                                                  (uint32_t)settings->rest_timeout_s,
                                                  (uint32_t)settings->rest_max_connections}},
        &gateway->workers[i]);
done:
    limits_free(&limits);
    tls_close(&tls);
    return err;
}

/* ---- status ---- */

static const char *check_draining(void *arg)
{
    struct gateway *gateway = arg;

    return atomic_load(&gateway->draining) ? "draining" : NULL;
}

static const char *check_upstream(void *arg)
{
    struct gateway *gateway = arg;

    for (size_t i = 0; i < gateway->count; i++)
        if (!upstream_ready(gateway->workers[i]->upstream))
            return "no router is connected, or it has not told the apps";
    return NULL;
}

static void open_status(struct gateway *gateway)
{
    struct hy_status *status = gateway->process->status;

    hy_status_ready(status, "draining", check_draining, gateway);
    hy_status_ready(status, "upstream", check_upstream, gateway);
    for (size_t i = 0; i < gateway->count; i++)
        hy_status_live(status, gateway->workers[i]->name, gateway->workers[i]->loop);
}

static void write_ports(struct gateway *gateway)
{
    for (size_t i = 0; i < DOORS; i++) {
        char text[8];

        if (gateway->ports[i] == 0)
            continue;
        snprintf(text, sizeof text, "%u", gateway->ports[i]);
        hy_process_port(gateway->process, door_names[i], text);
        hy_log_info("listening", "on=%s address=\"%s\" port=%s", door_names[i],
                    address_of(settings_of(gateway), i), text);
    }
    hy_process_ports_done(gateway->process);
}

/* ---- the fleet ---- */

static void on_node(void *ctx, const struct hy_node *node)
{
    struct gateway *gateway = ctx;

    if (strcmp(node->component, "router") != 0 && strcmp(node->component, "presence") != 0)
        return;
    for (size_t i = 0; i < gateway->count; i++)
        if (worker_node(gateway->workers[i], node) != HY_OK)
            hy_log_error("fleet.not_told", "worker=%zu node=%s", i, node->name);
}

/* Others wait for our workers to connect, and need to know how many there are. */
static void be_known(struct gateway *gateway, enum hy_node_state state)
{
    const struct hy_node self = {.component = "gateway",
                                 .name = "",
                                 .endpoint = "",
                                 .version = HY_VERSION,
                                 .boot = gateway->boot,
                                 .workers = (uint32_t)gateway->count,
                                 .state = state};

    hy_fleet_register(gateway->fleet, &self);
}

static enum hy_err open_fleet(struct gateway *gateway)
{
    static const struct hy_fleet_handler handler = {.node = on_node};
    char why[256];
    enum hy_err err = hy_fleet_open(gateway->process->loop, &settings_of(gateway)->common,
                                    "gateway", &handler, gateway, &gateway->fleet, why);

    if (err != HY_OK)
        hy_log_error("fleet.not_opened", "why=\"%s\"", why);
    gateway->boot = hy_random64();
    return err;
}

/* ---- signals ---- */

static void on_reloaded(void *ctx, void *settings)
{
    struct gateway *gateway = ctx;

    for (size_t i = 0; i < gateway->count; i++) {
        struct limits limits = {0};
        struct ssl_ctx_st *tls = NULL;
        enum hy_err err = limits_make(settings, gateway->count, &limits);

        if (err == HY_OK) {
            (void)!make_tls(gateway, &tls); /* it has said what is wrong; the old one stays */
            err = worker_reload(gateway->workers[i], &limits, &tls);
        }
        if (err != HY_OK)
            hy_log_error("settings.not_taken", "worker=%zu why=\"%s\"", i, hy_err_text(err));
    }
    hy_set(gateway->metrics->connections_limit, settings_of(gateway)->max_connections);
}

/* In the main thread. */
static void on_left(void *arg)
{
    struct gateway *gateway = arg;

    if (--gateway->left == 0)
        hy_loop_stop(gateway->process->loop);
}

/* In a worker's thread. */
static void on_drained(void *arg)
{
    struct gateway *gateway = arg;

    if (hy_loop_post(gateway->process->loop, on_left, gateway) != HY_OK)
        hy_loop_stop(gateway->process->loop);
}

static void on_stopping(void *ctx)
{
    struct gateway *gateway = ctx;

    be_known(gateway, HY_NODE_LEFT);
    atomic_store(&gateway->draining, true);
    hy_set(gateway->metrics->draining, 1);
    gateway->left = gateway->count;
    for (size_t i = 0; i < gateway->count; i++)
        if (worker_drain(gateway->workers[i], on_drained, gateway) != HY_OK)
            on_left(gateway);
}

/* ---- opening, closing ---- */

static enum hy_err open_secret(struct gateway *gateway)
{
    const char *file = settings_of(gateway)->resume_secret_file;
    enum hy_err err = token_secret(file, gateway->secret);

    if (err != HY_OK)
        hy_log_error("secret.refused",
                     "file=\"%s\" why=\"needs 32 bytes or more, and no rights for others\"", file);
    else if (file[0] == '\0')
        hy_log_warn("secret.random", "why=\"resume_secret_file is not set: sessions and TLS "
                                     "tickets are only good at this process\"");
    return err;
}

static enum hy_err open_all(struct gateway *gateway)
{
    enum hy_err err = open_secret(gateway);

    for (size_t i = 0; i < gateway->count && err == HY_OK; i++)
        err = open_worker(gateway, i);
    if (err == HY_OK)
        err = open_fleet(gateway);
    if (err != HY_OK)
        return err;
    be_known(gateway, HY_NODE_SERVING);
    open_status(gateway);
    for (size_t i = 0; i < gateway->count && err == HY_OK; i++)
        err = worker_start(gateway->workers[i]);
    if (err == HY_OK)
        write_ports(gateway);
    return err;
}

enum hy_err gateway_open(struct hy_process *process, struct gateway **gateway)
{
    const struct gateway_settings *settings = process->settings;
    size_t count = count_workers(settings);
    struct gateway *g = calloc(1, sizeof *g + count * sizeof(struct worker *));
    enum hy_err err;

    if (g == NULL)
        return HY_ENOMEM;
    g->process = process;
    g->count = count;
    g->metrics = gateway_metrics();
    request_metrics();
    hy_set(g->metrics->connections_limit, settings->max_connections);
    process->ctx = g;
    process->reloaded = on_reloaded;
    process->stopping = on_stopping;
    *gateway = g;
    err = open_all(g);
    return err;
}

void gateway_stop(struct gateway *gateway)
{
    if (gateway != NULL)
        hy_fleet_close(&gateway->fleet); /* its loop ends before we do */
    for (size_t i = 0; gateway != NULL && i < gateway->count; i++)
        worker_stop(gateway->workers[i]);
}

void gateway_close(struct gateway **gateway)
{
    struct gateway *g = *gateway;

    if (g == NULL)
        return;
    *gateway = NULL;
    for (size_t i = 0; i < g->count; i++)
        worker_close(&g->workers[i]);
    free(g);
}
