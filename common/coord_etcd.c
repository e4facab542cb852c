/* etcd as coordinator: its lease, its watch, and changes as transactions, one after the other. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/coord_int.h"
#include "common/etcd_client.h"
#include "common/etcd_follow.h"
#include "common/etcd_lease.h"
#include "common/log.h"

enum { PULSE_MS = 1000, PREFIX_MAX = 256 };

struct coord_etcd {
    struct hy_coord *coord;
    struct etcd_client *client;
    struct etcd_follow *follow;
    struct etcd_lease *lease; /* NULL: nothing is leased */
    char prefix[PREFIX_MAX];
    bool whole;       /* has been told */
    bool told_leased; /* has been told */
    struct coord_ops waiting;
    struct coord_op *asked;   /* the one that etcd is asked */
    uint64_t asked_lease;     /* and with which lease */
    struct coord_ops decided; /* done, but the copy does not show it yet */
    struct hy_timer *soon, *pulse;
    struct etcd_ask *pulse_ask;
};

static void go_on(struct coord_etcd *e)
{
    hy_timer_set(e->soon, 0);
}

/* ---- changes ---- */

/* Does the copy show it? Deleting what is not there makes no revision that would come. */
static bool is_shown(const struct coord_etcd *e, const struct coord_op *op)
{
    struct hy_coord_value value;

    if (coord_revision(e->coord) >= op->revision)
        return true;
    for (size_t i = 0; i < op->change.put_count; i++)
        if (op->change.puts[i].text != NULL ||
            hy_coord_get(e->coord, op->change.puts[i].key, &value))
            return false;
    return true;
}

static void finish_shown(struct coord_etcd *e)
{
    while (e->decided.first != NULL && is_shown(e, e->decided.first)) {
        struct coord_op *op = coord_ops_take(&e->decided);

        coord_finish(op, HY_OK, op->revision);
    }
}

static void finish_late(struct coord_etcd *e)
{
    bool late = false;

    while (e->decided.first != NULL && e->decided.first->due_ms <= hy_steady_ms()) {
        coord_finish(coord_ops_take(&e->decided), HY_ETIMEOUT, 0);
        late = true;
    }
    if (late)
        etcd_follow_again(e->follow, "it is late");
}

static void decided(struct coord_etcd *e, struct coord_op *op, const struct etcd_reply *reply)
{
    struct etcd_txn txn;

    if (etcd_txn_read(reply->text, reply->len, &txn) != HY_OK) {
        coord_finish(op, HY_ETIMEOUT, 0);
    } else if (!txn.succeeded) {
        coord_finish(op, HY_EEXIST, 0);
    } else {
        op->revision = txn.revision;
        op->due_ms = hy_steady_ms() + ETCD_PATIENCE_MS;
        coord_ops_add(&e->decided, op);
        finish_shown(e);
    }
}

static void denied(struct coord_etcd *e, struct coord_op *op, const struct etcd_reply *reply)
{
    if (reply->error.code == ETCD_NOT_FOUND && e->lease != NULL) {
        etcd_lease_over(e->lease, e->asked_lease);
        coord_finish(op, HY_ECLOSED, 0);
        return;
    }
    hy_log_error("coord.refused",
                 "what=\"change\" key=\"%s\" why=\"%s\" hint=\"give etcd.user a role that may read "
                 "and write below this prefix\"",
                 op->change.put_count > 0 ? op->change.puts[0].key : "", reply->error.text);
    coord_finish(op, HY_EDENIED, 0);
}

static void on_reply(void *arg, const struct etcd_reply *reply)
{
    struct coord_etcd *e = arg;
    struct coord_op *op = e->asked;

    e->asked = NULL;
    go_on(e);
    if (reply->err == HY_OK)
        decided(e, op, reply);
    else if (reply->err == HY_EDENIED)
        denied(e, op, reply);
    else
        coord_finish(op, HY_ETIMEOUT, 0);
}

static void ask(struct coord_etcd *e, struct coord_op *op)
{
    uint64_t now = hy_steady_ms();
    const struct etcd_question question = {
        .path = "/v3/kv/txn",
        .body = etcd_txn_text(e->prefix, &op->change, e->asked_lease),
        .patience_ms = (uint32_t)(op->due_ms - now),
        .once = true,
        .done = on_reply,
        .arg = e,
    };

    e->asked = op;
    (void)etcd_client_ask(e->client, &question);
}

static void take_next(struct coord_etcd *e)
{
    struct coord_op *op = coord_ops_take(&e->waiting);

    if (op == NULL)
        return;
    e->asked_lease = e->lease != NULL ? etcd_lease_id(e->lease) : 0;
    if (op->due_ms > hy_steady_ms() && (e->asked_lease != 0 || !coord_wants_lease(&op->change))) {
        ask(e, op);
        return;
    }
    go_on(e);
    coord_finish(op, op->due_ms > hy_steady_ms() ? HY_ECLOSED : HY_ETIMEOUT, 0);
}

static void on_soon(void *arg)
{
    struct coord_etcd *e = arg;

    if (e->asked == NULL)
        take_next(e);
}

static void etcd_change(void *state, struct coord_op *op)
{
    struct coord_etcd *e = state;

    op->due_ms = hy_steady_ms() + ETCD_PATIENCE_MS;
    coord_ops_add(&e->waiting, op);
    go_on(e);
}

static void etcd_forget(void *state, const void *arg)
{
    struct coord_etcd *e = state;

    coord_ops_forget(&e->waiting, arg);
    coord_ops_forget(&e->decided, arg);
    if (e->asked != NULL && e->asked->arg == arg)
        e->asked->done = NULL;
}

/* ---- what happens ---- */

static void tell_lease(struct coord_etcd *e)
{
    bool held = e->lease != NULL && etcd_lease_id(e->lease) != 0;

    if (!e->whole || held == e->told_leased)
        return;
    e->told_leased = held;
    if (held)
        coord_leased(e->coord);
    else
        coord_lease_lost(e->coord);
}

static void on_lease(void *arg, bool held)
{
    (void)held;
    tell_lease(arg);
}

static void on_whole(void *arg)
{
    struct coord_etcd *e = arg;

    e->whole = true;
    coord_whole(e->coord);
    tell_lease(e);
}

static void on_news(void *arg)
{
    finish_shown(arg);
}

static void on_moved(void *arg)
{
    struct coord_etcd *e = arg;

    etcd_follow_moved(e->follow);
}

static void on_pulse_reply(void *arg, const struct etcd_reply *reply)
{
    struct coord_etcd *e = arg;

    (void)reply; /* the client has moved on if it was bad */
    e->pulse_ask = NULL;
}

/* A lease is renewed and shows whether the member is well; who has none asks something small. */
static void on_pulse(void *arg)
{
    struct coord_etcd *e = arg;
    const struct etcd_question question = {
        .path = "/v3/kv/range",
        .body = e->lease == NULL && e->pulse_ask == NULL ? etcd_count_text(e->prefix) : NULL,
        .done = on_pulse_reply,
        .arg = e,
    };

    finish_late(e);
    if (question.body != NULL)
        e->pulse_ask = etcd_client_ask(e->client, &question);
}

/* ---- the driver ---- */

static void etcd_close(void *state)
{
    struct coord_etcd *e = state;

    if (e == NULL)
        return;
    etcd_follow_close(&e->follow);
    etcd_lease_close(&e->lease);
    etcd_client_close(&e->client);
    hy_timer_close(&e->soon);
    hy_timer_close(&e->pulse);
    free(e->asked);
    coord_ops_free(&e->waiting);
    coord_ops_free(&e->decided);
    free(e);
}

static enum hy_err open_parts(struct coord_etcd *e, const struct coord_opening *opening,
                              char why[static 256])
{
    const struct etcd_follow_handler handler = {on_whole, on_news, e};
    struct hy_loop *loop = coord_loop(e->coord);
    enum hy_err err = etcd_client_open(loop, opening->settings, on_moved, e, &e->client, why);

    if (err == HY_OK)
        err = hy_timer_open(loop, on_soon, e, &e->soon);
    if (err == HY_OK)
        err = hy_timer_open(loop, on_pulse, e, &e->pulse);
    if (err == HY_OK)
        err = etcd_follow_open(e->coord, e->client, e->prefix, &handler, &e->follow);
    if (err == HY_OK && opening->lease_s > 0)
        err = etcd_lease_open(loop, e->client, opening->lease_s, opening->lease_file, on_lease, e,
                              &e->lease);
    return err;
}

static enum hy_err etcd_open(struct hy_coord *coord, const struct coord_opening *opening,
                             void **state, char why[static 256])
{
    const struct hy_common_settings *settings = opening->settings;
    struct coord_etcd *e = calloc(1, sizeof *e);
    enum hy_err err = HY_OK;

    if (e == NULL)
        return HY_ENOMEM;
    e->coord = coord;
    coord_ops_init(&e->waiting);
    coord_ops_init(&e->decided);
    if (snprintf(e->prefix, sizeof e->prefix, "%s/%s/", settings->etcd_prefix,
                 settings->cluster_id) >= (int)sizeof e->prefix) {
        snprintf(why, 256, "etcd.prefix and cluster.id together are too long");
        err = HY_ECONFIG;
    }
    if (err == HY_OK)
        err = open_parts(e, opening, why);
    if (err != HY_OK) {
        etcd_close(e);
        return err;
    }
    hy_timer_every(e->pulse, PULSE_MS);
    *state = e;
    return HY_OK;
}

static uint64_t etcd_trusted(const void *state)
{
    const struct coord_etcd *e = state;

    return e->lease != NULL ? etcd_lease_trusted_until_ms(e->lease) : 0;
}

const struct coord_driver coord_etcd_driver = {
    .open = etcd_open,
    .close = etcd_close,
    .change = etcd_change,
    .forget = etcd_forget,
    .trusted_until_ms = etcd_trusted,
};
