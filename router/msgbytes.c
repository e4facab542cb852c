#include "router/msgbytes.h"

#include <string.h>
#include <xxhash.h>

#include "router/wire.h"

/* Numbers of fields, from client.proto. */
enum {
    MSG_CONV_TYPE = 1,
    MSG_FROM = 2,
    MSG_TO = 3,
    MSG_CLIENT_ID = 4,
    MSG_RANDOM = 5,
    MSG_BODY = 6,
    MSG_FLAGS = 7,
    MSG_NICK = 8,
    MSG_FACE = 9,
    MSG_NAME_CARD = 10,
    MSG_CLOUD = 11,
    MSG_PRIORITY = 12,
    MSG_CLIENT_TIME = 13,
    MSG_SEQ = 14,
    MSG_TIME = 15,
    MSG_AT_USERS = 16,
    MSG_OFFLINE_PUSH = 17,
    MSG_REST_SEQ = 18,
    NOTICE_MSGS = 1,
    FRAME_MSG_NOTICE = 90,
};

enum { MSG_HEADS = 20 }; /* fields of a Msg, and some to spare */

size_t msgbytes_bound(const struct msgbytes *msg)
{
    const Hy__SendReq *req = msg->req;
    size_t bound = strlen(msg->from) + strlen(msg->to) + strlen(msg->nick) + strlen(msg->face) +
                   strlen(req->client_id) + req->body.len + req->cloud_custom_data.len +
                   req->offline_push.len + (MSG_HEADS + req->n_at_users) * WIRE_HEAD_MAX;

    for (size_t i = 0; i < req->n_at_users; i++)
        bound += strlen(req->at_users[i]);
    return bound;
}

uint8_t *msgbytes_put(uint8_t *out, const struct msgbytes *msg)
{
    const Hy__SendReq *req = msg->req;

    out = wire_number(out, MSG_CONV_TYPE, msg->conv_type);
    out = wire_text(out, MSG_FROM, msg->from);
    out = wire_text(out, MSG_TO, msg->to);
    out = wire_text(out, MSG_CLIENT_ID, req->client_id);
    out = wire_number(out, MSG_RANDOM, req->random);
    out = wire_bytes(out, MSG_BODY, req->body.data, req->body.len);
    out = wire_number(out, MSG_FLAGS, req->flags & MSGBYTES_FLAGS);
    out = wire_text(out, MSG_NICK, msg->nick);
    out = wire_text(out, MSG_FACE, msg->face);
    out = wire_bytes(out, MSG_CLOUD, req->cloud_custom_data.data, req->cloud_custom_data.len);
    out = wire_number(out, MSG_PRIORITY, req->priority);
    out = wire_number(out, MSG_CLIENT_TIME, req->client_time_s);
    for (size_t i = 0; i < req->n_at_users; i++)
        out = wire_text(out, MSG_AT_USERS, req->at_users[i]);
    out = wire_bytes(out, MSG_OFFLINE_PUSH, req->offline_push.data, req->offline_push.len);
    return wire_number(out, MSG_REST_SEQ, msg->rest_seq);
}

uint64_t msgbytes_hash(const Hy__SendReq *req)
{
    uint64_t hash = XXH3_64bits_withSeed(req->body.data, req->body.len, req->flags);

    if (req->cloud_custom_data.len > 0)
        hash = XXH3_64bits_withSeed(req->cloud_custom_data.data, req->cloud_custom_data.len, hash);
    return hash;
}

size_t msgbytes_frame_bound(size_t len, const struct msgbytes_tail *tail)
{
    return len + strlen(tail->name_card) + 6 * WIRE_HEAD_MAX;
}

uint8_t *msgbytes_frame(uint8_t *out, const uint8_t *msg, size_t len,
                        const struct msgbytes_tail *tail, const uint8_t **whole, size_t *whole_len)
{
    size_t added = 0;

    if (tail->name_card[0] != '\0')
        added += 1 + wire_varint_size(strlen(tail->name_card)) + strlen(tail->name_card);
    if (tail->seq != 0)
        added += 1 + wire_varint_size(tail->seq);
    if (tail->time_ms != 0)
        added += 1 + wire_varint_size(tail->time_ms);
    *whole_len = len + added;
    out = wire_head(out, FRAME_MSG_NOTICE, 1 + wire_varint_size(*whole_len) + *whole_len);
    out = wire_head(out, NOTICE_MSGS, *whole_len);
    *whole = out;
    memcpy(out, msg, len);
    out = wire_text(out + len, MSG_NAME_CARD, tail->name_card);
    out = wire_number(out, MSG_SEQ, tail->seq);
    return wire_number(out, MSG_TIME, tail->time_ms);
}
