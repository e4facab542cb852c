/* The other copies of the shard, over the bus. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster.pb-c.h"
#include "common/clock.h"
#include "common/log.h"
#include "store/replica/wire.h"
#include "store/replica_int.h"

struct link *replica_find_link(struct replica *r, const char *node)
{
    for (struct link *link = r->links; link != NULL; link = link->next)
        if (strcmp(link->node, node) == 0)
            return link;
    return NULL;
}

static void readable(void *arg)
{
    struct link *link = arg;

    if (link->replica->closing)
        return; /* or it would read on, while the worker ends */
    copy_readable(link->replica->copy, hy_steady_ms(), link->node);
    replica_flush(link->replica);
}

static struct link *new_link(struct replica *r, const char *node)
{
    struct link *link = calloc(1, sizeof *link);

    if (link == NULL)
        return NULL;
    link->replica = r;
    snprintf(link->node, sizeof link->node, "%s", node);
    if (chase_open(r->worker, readable, link, &link->chase) != HY_OK) {
        free(link);
        return NULL;
    }
    link->next = r->links;
    r->links = link;
    copy_peer(r->copy, hy_steady_ms(), node);
    return link;
}

static void dial(struct replica *r, struct link *link, const char *endpoint)
{
    enum hy_err err;

    if (link->peer != NULL)
        hy_bus_undial(r->config.bus, &link->peer);
    snprintf(link->endpoint, sizeof link->endpoint, "%s", endpoint);
    err = hy_bus_dial(r->config.bus, "store", link->node, endpoint, &link->peer);
    if (err != HY_OK)
        hy_log_error("store.not_dialled", "node=%s endpoint=%s why=\"%s\"", link->node, endpoint,
                     hy_err_text(err));
}

void replica_link(struct replica *r, const char *node, const char *endpoint)
{
    struct link *link = replica_find_link(r, node);

    if (strcmp(node, r->config.name) == 0 || strlen(node) >= COPY_NODE || *endpoint == '\0')
        return;
    if (link == NULL)
        link = new_link(r, node);
    if (link != NULL && strcmp(link->endpoint, endpoint) != 0)
        dial(r, link, endpoint);
}

void replica_unlink_all(struct replica *r)
{
    while (r->links != NULL) {
        struct link *link = r->links;

        r->links = link->next;
        chase_close(&link->chase);
        if (link->peer != NULL)
            hy_bus_undial(r->config.bus, &link->peer);
        free(link);
    }
}

void replica_rest_chases(struct replica *r)
{
    for (struct link *link = r->links; link != NULL; link = link->next)
        chase_rest(link->chase);
}

/* ---- sending ---- */

enum hy_err replica_send(struct replica *r, const char *node, const struct msg *msg)
{
    struct link *link = replica_find_link(r, node);
    uint8_t head[WIRE_HEAD], say[WIRE_SAY_MAX];

    if (link == NULL || link->peer == NULL || !hy_peer_up(link->peer))
        return HY_ECLOSED;
    if (msg->kind != MSG_BATCH)
        return hy_bus_send(link->peer, HY__BUS_KIND__REPLICA_SAY, 0, say,
                           wire_say(msg, r->config.shard, say));
    wire_batch_head(msg, r->config.shard, head);
    return hy_bus_send_parts(link->peer, HY__BUS_KIND__REPLICA_BATCH, 0, head, sizeof head,
                             msg->batch.bytes, msg->batch.len);
}

void replica_flush(struct replica *r)
{
    for (struct link *link = r->links; link != NULL; link = link->next)
        if (link->peer != NULL)
            hy_bus_flush(link->peer);
}

/* ---- receiving ---- */

static enum hy_err on_batch(struct replica *r, struct hy_peer *peer, const struct hy_record *record)
{
    struct msg msg;
    enum hy_err err = wire_batch_parse(record->payload, record->len, r->config.shard, &msg);

    if (err == HY_OK)
        copy_received(r->copy, hy_steady_ms(), hy_peer_name(peer), &msg);
    return err;
}

static enum hy_err on_say(struct replica *r, struct hy_peer *peer, const struct hy_record *record)
{
    struct msg msg;
    enum hy_err err =
        wire_say_parse(record->payload, record->len, r->config.shard, hy_peer_name(peer), &msg);

    if (err == HY_OK)
        copy_received(r->copy, hy_steady_ms(), hy_peer_name(peer), &msg);
    return err;
}

static enum hy_err on_copy(struct replica *r, struct hy_peer *peer, const struct hy_record *record)
{
    Hy__ReplicaCopyReq *req = hy__replica_copy_req__unpack(NULL, record->len, record->payload);
    Hy__ReplicaCopyRes no = HY__REPLICA_COPY_RES__INIT;
    struct hy_reply reply = hy_bus_reply_to(peer, record);
    bool mine = req != NULL && req->shard == r->config.shard;

    hy__replica_copy_req__free_unpacked(req, NULL);
    if (mine && replica_leads(r))
        haul_out_begin(r->haul_out, r->db, hy_peer_name(peer), &reply);
    else
        hy_bus_reply_pb(&reply, &no.base);
    return HY_OK;
}

static enum hy_err on_copy_read(struct replica *r, struct hy_peer *peer,
                                const struct hy_record *record)
{
    struct hy_reply reply = hy_bus_reply_to(peer, record);

    haul_out_read(r->haul_out, record, &reply);
    return HY_OK;
}

static const struct {
    uint16_t kind;
    enum hy_err (*handle)(struct replica *r, struct hy_peer *peer, const struct hy_record *record);
} handlers[] = {
    {HY__BUS_KIND__REPLICA_BATCH, on_batch},
    {HY__BUS_KIND__REPLICA_SAY, on_say},
    {HY__BUS_KIND__REPLICA_COPY, on_copy},
    {HY__BUS_KIND__REPLICA_COPY_READ, on_copy_read},
};

bool replica_record(struct replica *replica, struct hy_peer *peer, const struct hy_record *record)
{
    for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++) {
        enum hy_err err;

        if (handlers[i].kind != record->kind)
            continue;
        err = replica->alone ? HY_EDENIED : handlers[i].handle(replica, peer, record);
        if (err != HY_OK)
            hy_log_warn("store.record_refused", "from=%s kind=%#x why=\"%s\"", hy_peer_name(peer),
                        record->kind, hy_err_text(err));
        return true;
    }
    return false;
}
