#include "sdk/c/pump.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "sdk/c/resume.h"
#include "sdk/c/wire.h"

struct pump_tls {
    struct pump_tls *next;
    SSL_CTX *context;
    struct pump_trust trust;
    char *ca_file; /* trust's */
};

static _Thread_local struct pump *pumps;

static void on_turn_end(void *arg)
{
    wire_flush_all(arg);
}

static enum hy_err make(struct hy_loop *loop, struct pump **pump)
{
    enum hy_err err = HY_ENOMEM;
    struct pump *p = calloc(1, sizeof *p);

    if (p == NULL)
        return err;
    hy_arena_init(&p->arena);
    p->loop = loop;
    p->scratch = malloc(PUMP_SCRATCH);
    if (p->scratch == NULL)
        goto fail;
    err = hy_loop_on_turn(loop, on_turn_end, p);
    if (err != HY_OK)
        goto fail;
    p->next = pumps;
    pumps = p;
    *pump = p;
    return HY_OK;

fail:
    free(p->scratch);
    free(p);
    return err;
}

enum hy_err pump_take(struct hy_loop *loop, struct pump **pump)
{
    struct pump *p = pumps;
    enum hy_err err = HY_OK;

    while (p != NULL && p->loop != loop)
        p = p->next;
    if (p == NULL)
        err = make(loop, &p);
    if (err != HY_OK)
        return err;
    p->users++;
    *pump = p;
    return HY_OK;
}

static void free_tls(struct pump_tls *tls)
{
    while (tls != NULL) {
        struct pump_tls *next = tls->next;

        SSL_CTX_free(tls->context);
        free(tls->ca_file);
        free(tls);
        tls = next;
    }
}

void pump_drop(struct pump **pump)
{
    struct pump *p = *pump, **at = &pumps;

    if (p == NULL)
        return;
    *pump = NULL;
    if (--p->users > 0)
        return;
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    hy_loop_off_turn(p->loop, on_turn_end, p);
    free_tls(p->tls);
    hy_arena_free(&p->arena);
    free(p->scratch);
    free(p);
}

static bool same_ca(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same(const struct pump_trust *a, const struct pump_trust *b)
{
    return a->insecure == b->insecure && a->in_full == b->in_full &&
           same_ca(a->ca_file, b->ca_file);
}

static enum hy_err set_trust(SSL_CTX *context, const struct pump_trust *trust)
{
    if (trust->insecure)
        return HY_OK; /* SSL_VERIFY_NONE is the default of clients */
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    if (trust->ca_file == NULL)
        return SSL_CTX_set_default_verify_paths(context) == 1 ? HY_OK : HY_ECONFIG;
    return SSL_CTX_load_verify_locations(context, trust->ca_file, NULL) == 1 ? HY_OK : HY_ECONFIG;
}

static enum hy_err make_tls(const struct pump_trust *trust, const unsigned *most,
                            struct pump_tls **out)
{
    enum hy_err err = HY_ENOMEM;
    struct pump_tls *tls = calloc(1, sizeof *tls);

    if (tls == NULL)
        return err;
    tls->trust = *trust;
    tls->trust.ca_file = tls->ca_file = trust->ca_file != NULL ? strdup(trust->ca_file) : NULL;
    tls->context = SSL_CTX_new(TLS_client_method());
    if (tls->context == NULL || (trust->ca_file != NULL && tls->ca_file == NULL))
        goto fail;
    SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION);
    /* Buffers of idle links go back; a write may be repeated from another address. */
    SSL_CTX_set_mode(tls->context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (!trust->in_full)
        resume_keep(tls->context, most);
    err = set_trust(tls->context, trust);
    if (err != HY_OK)
        goto fail;
    *out = tls;
    return HY_OK;

fail:
    free_tls(tls);
    return err;
}

enum hy_err pump_tls(struct pump *pump, const struct pump_trust *trust, SSL_CTX **context)
{
    struct pump_tls *tls = pump->tls;
    enum hy_err err = HY_OK;

    while (tls != NULL && !same(&tls->trust, trust))
        tls = tls->next;
    if (tls == NULL) {
        err = make_tls(trust, &pump->users, &tls); /* a session for each client */
        if (err != HY_OK)
            return err;
        tls->next = pump->tls;
        pump->tls = tls;
    }
    *context = tls->context;
    return HY_OK;
}

uint64_t pump_random(struct pump *pump)
{
    if (pump->drawn_left == 0) {
        hy_random_fill(pump->drawn, sizeof pump->drawn);
        pump->drawn_left = PUMP_DRAWN;
    }
    return pump->drawn[--pump->drawn_left];
}

void pump_enter(struct pump *pump)
{
    pump->depth++;
}

void pump_leave(struct pump *pump)
{
    if (--pump->depth == 0)
        hy_arena_reset(&pump->arena);
}
