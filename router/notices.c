#include "router/notices.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/grouptype.h"
#include "router/memory.h"

void notices_to(struct parts *parts, const struct user *user, uint64_t except_session)
{
    for (size_t i = 0; i < user->place_count; i++)
        if (except_session == 0 || user->places[i].session != except_session)
            push_target(parts->push, user->places[i].gate, user->places[i].link);
    if (!user->places_known)
        push_skip(parts->push);
}

static struct push_frame pack(const Hy__Frame *frame)
{
    size_t len = hy__frame__get_packed_size(frame);
    uint8_t *bytes = memory_get(len);

    hy__frame__pack(frame, bytes);
    return (struct push_frame){.bytes = bytes, .len = len};
}

static void unpack(struct push_frame *packed)
{
    free((void *)packed->bytes);
}

void notices_push(struct parts *parts, const Hy__Frame *frame)
{
    struct push_frame packed = pack(frame);

    push_to_targets(parts->push, &packed);
    unpack(&packed);
}

static Hy__SystemNotice system_notice(const struct notice *notice)
{
    Hy__SystemNotice told = HY__SYSTEM_NOTICE__INIT;

    told.type = notice->type;
    told.group = notice->group->group;
    told.group_name = notice->group->name;
    told.group_type = notice->group->type;
    told.operator_id = (char *)notice->operator_id;
    told.text = notice->text;
    told.time_ms = hy_wall_ms();
    return told;
}

void notices_system(struct parts *parts, const struct notice *notice)
{
    Hy__SystemNotice told = system_notice(notice);
    Hy__Frame frame = HY__FRAME__INIT;

    frame.body_case = HY__FRAME__BODY_SYSTEM_NOTICE;
    frame.system_notice = &told;
    notices_push(parts, &frame);
}

void notices_conv(struct parts *parts, Hy__ConvType type, const char *peer, bool gone)
{
    Hy__ConvNotice told = HY__CONV_NOTICE__INIT;
    Hy__Frame frame = HY__FRAME__INIT;

    told.conv_type = type;
    told.peer = (char *)peer;
    told.gone = gone;
    frame.body_case = HY__FRAME__BODY_CONV_NOTICE;
    frame.conv_notice = &told;
    notices_push(parts, &frame);
}

void notices_group(struct parts *parts, uint32_t app, const Hy__GroupInfo *group, uint64_t version,
                   uint64_t time_ms, const Hy__Frame *frame)
{
    const struct hy_group_type *type = hy_group_type(group->type);
    struct push_frame packed = pack(frame);

    if (type != NULL && type->live) {
        struct rooms_post post = {.app = app, .group = group->group, .frame = packed};

        rooms_post(parts->rooms, &post);
    } else {
        struct routes_post post = {
            .app = app,
            .group = group->group,
            .version = version,
            .time_ms = time_ms,
            .frame = packed,
        };

        routes_post(parts->routes, &post);
    }
    unpack(&packed);
}

void notices_all(struct parts *parts, uint32_t app, uint64_t version, const struct notice *notice)
{
    Hy__SystemNotice told = system_notice(notice);
    Hy__Frame frame = HY__FRAME__INIT;

    frame.body_case = HY__FRAME__BODY_SYSTEM_NOTICE;
    frame.system_notice = &told;
    notices_group(parts, app, notice->group, version, 0, &frame);
}

void notices_tips(struct parts *parts, uint32_t app, const Hy__GroupInfo *group, uint64_t version,
                  size_t count, Hy__Msg **tips)
{
    Hy__MsgNotice told = HY__MSG_NOTICE__INIT;
    Hy__Frame frame = HY__FRAME__INIT;

    if (count == 0 || group == NULL)
        return;
    told.n_msgs = count;
    told.msgs = tips;
    frame.body_case = HY__FRAME__BODY_MSG_NOTICE;
    frame.msg_notice = &told;
    notices_group(parts, app, group, version, tips[count - 1]->time_ms, &frame);
}
