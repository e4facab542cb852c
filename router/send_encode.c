/* send_encode - the question that send puts to a store, written by hand. */

#include <string.h>

#include "router/send_core.h"
#include "router/wire.h"

enum { GROUP_REST_DEDUPE_S = 300 }; /* REST v4 12.15 */

/* Numbers of fields, from cluster.proto. */
enum {
    APPEND_APP = 1,
    APPEND_CONV_TYPE = 2,
    APPEND_FROM = 3,
    APPEND_TO = 4,
    APPEND_ADMIN = 5,
    APPEND_IN_ROOM = 6,
    APPEND_ITEMS = 7,
    APPEND_WANTS_MEMBERS = 8,
    ITEM_CLIENT_ID = 1,
    ITEM_MSG = 2,
    ITEM_FLAGS = 3,
    ITEM_HASH = 4,
    ITEM_PRIORITY = 5,
    ITEM_DEDUPE_S = 6,
};

static size_t item_bound(const struct msgbytes *msg)
{
    return msgbytes_bound(msg) + strlen(msg->req->client_id) + 6 * WIRE_HEAD_MAX;
}

static uint8_t *put_item(struct send *send, struct piece *piece, const struct msgbytes *msg,
                         uint8_t *out)
{
    bool rest_group = send->call->caller->admin && send_to_group(send);
    uint8_t *item = wire_open(out, APPEND_ITEMS), *content;
    size_t before;

    out = wire_text(item, ITEM_CLIENT_ID, msg->req->client_id);
    content = wire_open(out, ITEM_MSG);
    out = msgbytes_put(content, msg);
    piece->len = (size_t)(out - content);
    out = wire_close(content, out);
    before = (size_t)(out - item);
    out = wire_number(out, ITEM_FLAGS, msg->req->flags & MSGBYTES_FLAGS);
    out = wire_fixed64(out, ITEM_HASH, msgbytes_hash(msg->req));
    out = wire_number(out, ITEM_PRIORITY, msg->req->priority);
    out = wire_number(out, ITEM_DEDUPE_S, rest_group ? GROUP_REST_DEDUPE_S : 0);
    /* The item may move when its length is known: find the message from the end. */
    content = wire_close(item, out);
    piece->msg = (size_t)(content - send->bytes.data) - (size_t)(out - item) + before - piece->len;
    return content;
}

static uint8_t *put_call(const struct send *send, uint8_t *out)
{
    const Hy__SendCall *call = send->call;

    out = wire_number(out, APPEND_APP, call->caller->app);
    out = wire_number(out, APPEND_CONV_TYPE, call->conv_type);
    out = wire_text(out, APPEND_FROM, call->caller->user);
    out = wire_text(out, APPEND_TO, call->to);
    out = wire_number(out, APPEND_ADMIN, call->caller->admin);
    out = wire_number(out, APPEND_IN_ROOM, call->caller->in_room);
    return wire_number(out, APPEND_WANTS_MEMBERS,
                       send_to_group(send) &&
                           routes_need(send->parts->routes, call->caller->app, call->to));
}

struct msgbytes send_msg(const struct send *send, size_t i)
{
    return (struct msgbytes){
        .conv_type = send->call->conv_type,
        .from = send->call->caller->user,
        .to = send->call->to,
        .nick = send->from.user->nick,
        .face = send->from.user->face,
        .req = send->call->items[i]->req,
        .rest_seq = send->call->items[i]->rest_seq,
    };
}

bool send_encode(struct send *send)
{
    size_t head = strlen(send->call->caller->user) + strlen(send->call->to) + 7 * WIRE_HEAD_MAX;
    struct hy_buf *buf = &send->bytes;

    if (hy_buf_reserve(buf, head) != HY_OK)
        return false;
    buf->len = (size_t)(put_call(send, buf->data) - buf->data);
    for (size_t i = 0; i < send->call->n_items; i++) {
        struct msgbytes msg = send_msg(send, i);

        if (!send->pieces[i].stored)
            continue;
        if (hy_buf_reserve(buf, item_bound(&msg)) != HY_OK)
            return false;
        buf->len =
            (size_t)(put_item(send, &send->pieces[i], &msg, buf->data + buf->len) - buf->data);
    }
    return true;
}

bool send_encode_piece(struct send *send, size_t i)
{
    struct msgbytes msg = send_msg(send, i);
    struct piece *piece = &send->pieces[i];
    uint8_t *out;

    if (hy_buf_reserve(&send->bytes, msgbytes_bound(&msg)) != HY_OK)
        return false;
    piece->msg = send->bytes.len;
    out = send->bytes.data + piece->msg;
    piece->len = (size_t)(msgbytes_put(out, &msg) - out);
    send->bytes.len += piece->len;
    return true;
}
