#include "gateway/request.h"

#include <string.h>

#include "client.pb-c.h"
#include "common/body.h"
#include "common/clock.h"
#include "common/codes.h"
#include "common/log.h"
#include "common/slot.h"
#include "gateway/route.h"
#include "gateway/send.h"
#include "gateway/session.h"
#include "gateway/signin.h"
#include "gateway/strings.h"
#include "gateway/worker.h"

/* Which slot's router serves it; returns 0 or a code. */
typedef uint32_t slot_fn(const struct session *session, const Hy__Frame *frame,
                         struct route_to *to);
typedef void handle_fn(struct worker *worker, struct link *link, const Hy__Frame *frame);

struct row {
    const char *name;       /* in metrics */
    handle_fn *handle;      /* answered here; or NULL: */
    slot_fn *slot;          /* at a router */
    enum route_after after; /* what an answer without an error means here */
    uint8_t answer;         /* kind of the answer's body */
    bool before_sign_in;
};

/* ---- slots ---- */

static uint32_t to_conv(const struct session *session, uint32_t type, const char *peer,
                        struct route_to *to)
{
    if (type == HY__CONV_TYPE__CONV_C2C && !hy_account_ok(peer))
        return HY_CODE_PARAM;
    if (type == HY__CONV_TYPE__CONV_GROUP && !hy_group_id_ok(peer, false))
        return HY_CODE_PARAM;
    if (type != HY__CONV_TYPE__CONV_C2C && type != HY__CONV_TYPE__CONV_GROUP)
        return HY_CODE_PARAM;
    to->slot = hy_slot_conv(session->app, (int)type, session->user, peer);
    to->group = type == HY__CONV_TYPE__CONV_GROUP ? peer : NULL;
    return 0;
}

static uint32_t slot_history(const struct session *session, const Hy__Frame *frame,
                             struct route_to *to)
{
    return to_conv(session, frame->history->conv_type, frame->history->peer, to);
}

static uint32_t slot_read(const struct session *session, const Hy__Frame *frame,
                          struct route_to *to)
{
    return to_conv(session, frame->read->conv_type, frame->read->peer, to);
}

static uint32_t slot_conv_get(const struct session *session, const Hy__Frame *frame,
                              struct route_to *to)
{
    return to_conv(session, frame->conv_get->type, frame->conv_get->peer, to);
}

static uint32_t slot_self(const struct session *session, const Hy__Frame *frame,
                          struct route_to *to)
{
    (void)frame;
    to->slot = session->slot;
    return 0;
}

static uint32_t slot_conv_set(const struct session *session, const Hy__Frame *frame,
                              struct route_to *to)
{
    uint32_t code = to_conv(session, frame->conv_set->type, frame->conv_set->peer, to);

    to->slot = session->slot; /* the row is the user's */
    return code;
}

/* Requests about one group have its id as field 1. */
static uint32_t slot_group(const struct session *session, const Hy__Frame *frame,
                           struct route_to *to)
{
    const ProtobufCMessage *body = strings_body(frame);
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(body->descriptor, 1);

    to->group = *(char *const *)((const char *)body + field->offset);
    if (!hy_group_id_ok(to->group, false))
        return HY_CODE_GROUP_ID_BAD;
    to->slot = hy_slot_group(session->app, to->group);
    return 0;
}

static uint32_t slot_group_create(const struct session *session, const Hy__Frame *frame,
                                  struct route_to *to)
{
    const Hy__GroupInfo *info = frame->group_create->info;

    if (info == NULL)
        return HY_CODE_PARAM;
    to->slot = session->slot;
    if (info->group[0] == '\0')
        return 0; /* the router chooses an id */
    if (!hy_group_id_ok(info->group, true))
        return HY_CODE_GROUP_ID_BAD;
    to->slot = hy_slot_group(session->app, info->group);
    return 0;
}

/* ---- answered here ---- */

static void on_ping(struct worker *worker, struct link *link, const Hy__Frame *frame)
{
    Hy__Pong pong = HY__PONG__INIT;
    struct parcel *parcel;

    pong.server_time_ms = hy_wall_ms();
    pong.resync = link_state(link) == LINK_READY && link_epoch(link) != worker->epoch;
    if (pong.resync) {
        link_set_epoch(link, worker->epoch);
        hy_add(worker->metrics->resyncs, 1);
    }
    parcel = parcel_frame(frame->id, 0, NULL, HY__FRAME__BODY_PONG, &pong.base);
    link_send(link, &parcel);
}

static void on_sign_out(struct worker *worker, struct link *link, const Hy__Frame *frame)
{
    struct parcel *parcel = parcel_frame(frame->id, 0, NULL, HY__FRAME__BODY_OK, NULL);

    (void)worker;
    link_send(link, &parcel);
    link_end(link, LINK_END_SIGNED_OUT, NULL);
}

/* ---- the table ---- */

#define KIND(kind) HY__FRAME__BODY_##kind
#define HERE(kind, name, answer, early, handle)                                                    \
    [KIND(kind)] = {name, handle, NULL, ROUTE_NOTHING, KIND(answer), early}
#define THERE(kind, name, answer, slot, after)                                                     \
    [KIND(kind)] = {name, NULL, slot, ROUTE_##after, KIND(answer), false}

/* Kinds without a row are answers and notices, which a client must not send, or unknown. */
static const struct row rows[] = {
    HERE(SIGN_IN, "sign_in", SIGN_IN_RES, true, signin_begin),
    HERE(RESUME, "resume", SIGN_IN_RES, true, signin_resume),
    HERE(PING, "ping", PONG, true, on_ping),
    HERE(SIGN_OUT, "sign_out", OK, false, on_sign_out),
    HERE(SEND, "send", SEND_RES, false, send_submit),
    THERE(HISTORY, "history", HISTORY_RES, slot_history, NOTHING),
    THERE(READ, "read", READ_RES, slot_read, NOTHING),
    THERE(CONV_LIST, "conv_list", CONV_LIST_RES, slot_self, NOTHING),
    THERE(CONV_SET, "conv_set", OK, slot_conv_set, NOTHING),
    THERE(CONV_GET, "conv_get", CONV_LIST_RES, slot_conv_get, NOTHING),
    THERE(PROFILE_GET, "profile_get", PROFILE_GET_RES, slot_self, NOTHING),
    THERE(PROFILE_SET, "profile_set", OK, slot_self, NOTHING),
    THERE(STATE_GET, "state_get", STATE_GET_RES, slot_self, NOTHING),
    THERE(GROUP_CREATE, "group_create", GROUP_CREATE_RES, slot_group_create, NOTHING),
    THERE(GROUP_GET, "group_get", GROUP_GET_RES, slot_self, NOTHING),
    THERE(GROUP_SET, "group_set", OK, slot_group, NOTHING),
    THERE(GROUP_DESTROY, "group_destroy", OK, slot_group, NOTHING),
    THERE(GROUP_LIST, "group_list", GROUP_LIST_RES, slot_self, NOTHING),
    THERE(MEMBERS_GET, "members_get", MEMBERS_GET_RES, slot_group, NOTHING),
    THERE(MEMBERS_ADD, "members_add", MEMBERS_ADD_RES, slot_group, NOTHING),
    THERE(MEMBERS_REMOVE, "members_remove", OK, slot_group, NOTHING),
    THERE(MEMBER_SET, "member_set", OK, slot_group, NOTHING),
    THERE(GROUP_JOIN, "group_join", GROUP_JOIN_RES, slot_group, JOINED),
    THERE(GROUP_QUIT, "group_quit", OK, slot_group, QUIT),
    THERE(GROUP_OWNER, "group_owner", OK, slot_group, NOTHING),
    THERE(GROUP_ONLINE, "group_online", GROUP_ONLINE_RES, slot_group, NOTHING),
};

enum { ROWS = sizeof rows / sizeof rows[0] };

static struct hy_metric *received[ROWS], *received_unknown;

void request_metrics(void)
{
    static const char name[] = "hongyan_gateway_frames_received_total";
    static const char help[] = "Frames that clients sent, by kind.";
    static char labels[ROWS][32];

    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].name == NULL || received[i] != NULL)
            continue;
        snprintf(labels[i], sizeof labels[i], "type=\"%s\"", rows[i].name);
        received[i] = hy_counter(name, labels[i], help);
    }
    received_unknown = hy_counter(name, "type=\"unknown\"", help);
}

/* ---- the way of a request ---- */

static void refuse(struct link *link, uint64_t id, uint32_t code, uint32_t kind)
{
    struct parcel *parcel = parcel_frame(id, code, hy_code_text(code), kind, NULL);

    link_send(link, &parcel);
}

static const struct row *find_row(const Hy__Frame *frame)
{
    if ((size_t)frame->body_case >= ROWS || rows[frame->body_case].name == NULL)
        return NULL;
    return &rows[frame->body_case];
}

static uint32_t check(struct worker *worker, struct link *link, const struct row *row,
                      const Hy__Frame *frame)
{
    if (!link_allow(link)) {
        hy_add(worker->metrics->rate_limited[GATEWAY_LIMIT_REQUEST], 1);
        return HY_CODE_FREQUENCY;
    }
    if (!row->before_sign_in && link_state(link) != LINK_READY)
        return HY_CODE_NOT_LOGGED_IN;
    return strings_ok(&frame->base) ? 0 : HY_CODE_NOT_UTF8;
}

static void serve(struct worker *worker, struct link *link, const struct row *row,
                  const Hy__Frame *frame, const uint8_t *bytes, size_t len)
{
    struct route_to to = {.kind = row->answer, .after = row->after};
    uint32_t code = check(worker, link, row, frame);

    if (code == 0 && row->handle != NULL) {
        row->handle(worker, link, frame);
        return;
    }
    if (code == 0)
        code = row->slot(link_session(link), frame, &to);
    if (code == 0)
        code = route_call(worker, link, &to, frame->id, bytes, len);
    if (code != 0)
        refuse(link, frame->id, code, row->answer);
}

void request_take(struct worker *worker, struct link *link, const uint8_t *bytes, size_t len)
{
    const Hy__Frame *frame = hy__frame__unpack(&worker->arena.pb, len, bytes);
    const struct row *row = frame == NULL ? NULL : find_row(frame);

    hy_add(row == NULL ? received_unknown : received[frame->body_case], 1);
    if (frame == NULL || frame->id == 0 || (row == NULL && frame->body_case != 0))
        link_end(link, LINK_END_MALFORMED, NULL);
    else if (row == NULL)
        refuse(link, frame->id, HY_CODE_KIND_UNKNOWN, HY__FRAME__BODY_OK);
    else
        serve(worker, link, row, frame, bytes, len);
    hy_arena_reset(&worker->arena);
}
