/* send_tell - the pushing side of send. */

#include "common/codes.h"
#include "common/grouptype.h"
#include "router/send_core.h"

static void target_user(struct push *push, const struct user *user, uint64_t except_session)
{
    for (size_t i = 0; i < user->place_count; i++)
        if (except_session == 0 || user->places[i].session != except_session)
            push_target(push, user->places[i].gate, user->places[i].link);
}

/* Does the sender's other side of the conversation, his own devices, get it too? A client's own
 * device knows already what it sent. */
static bool syncs_self(const struct send *send, const Hy__SendItem *item)
{
    if (send->call->caller->admin)
        return item->sync_self;
    return (item->req->flags & HY__MSG_FLAG__MSG_NO_SELF_SYNC) == 0;
}

static void tell_pair(struct send *send, const Hy__SendItem *item, const struct push_frame *frame)
{
    struct push *push = send->parts->push;
    const struct user *from = send->from.user, *to = send->to.user;
    bool known = to->places_known;

    if (to != from)
        target_user(push, to, 0);
    if (to == from || syncs_self(send, item)) {
        target_user(push, from, send->call->caller->session_id);
        known = known && from->places_known;
    }
    hy_observe_count(send->parts->sends->c2c_fanout, push_to_targets(push, frame));
    if (!known)
        push_skip(push);
}

/* The place of the session that sends, or NULL. */
static const struct place *own_place(const struct send *send)
{
    const struct user *from = send->from.user;
    uint64_t session = send->call->caller->session_id;

    for (size_t i = 0; session != 0 && i < from->place_count; i++)
        if (from->places[i].session == session)
            return &from->places[i];
    return NULL;
}

static void tell_group(struct send *send, const Hy__AppendRes *res, uint64_t time_ms,
                       const struct push_frame *frame)
{
    struct routes_post post = {
        .app = send->call->caller->app,
        .group = send->call->to,
        .version = res->member_version,
        .time_ms = time_ms,
        .frame = *frame,
        .except = own_place(send),
    };

    routes_post(send->parts->routes, &post);
}

static void tell_room(struct send *send, const uint8_t *msg, size_t len,
                      const struct push_frame *frame)
{
    struct rooms_post post = {
        .app = send->call->caller->app,
        .group = send->call->to,
        .except_session = send->call->caller->session_id,
        .msg = msg,
        .msg_len = len,
        .frame = *frame,
    };

    rooms_post(send->parts->rooms, &post);
}

static bool live(const Hy__AppendRes *res)
{
    const struct hy_group_type *type = hy_group_type(res->group_type);

    return type != NULL && type->live;
}

void send_tell(struct send *send, size_t i, const Hy__AppendRes *res,
               const struct msgbytes_tail *tail)
{
    struct hy_buf *buf = &send->parts->sends->frame;
    const struct piece *piece = &send->pieces[i];
    const Hy__SendItem *item = send->call->items[i];
    struct push_frame frame;
    const uint8_t *whole;
    size_t whole_len;

    buf->len = 0;
    if (hy_buf_reserve(buf, msgbytes_frame_bound(piece->len, tail)) != HY_OK) {
        push_skip(send->parts->push);
        return;
    }
    frame.bytes = buf->data;
    frame.len = (size_t)(msgbytes_frame(buf->data, send->bytes.data + piece->msg, piece->len, tail,
                                        &whole, &whole_len) -
                         buf->data);
    frame.priority = item->req->priority;
    if (!send_to_group(send))
        tell_pair(send, item, &frame);
    else if (live(res))
        tell_room(send, whole, whole_len, &frame);
    else
        tell_group(send, res, tail->time_ms, &frame);
}
