/* live - S4L: a live room with an audience on several gateways. */

#include <inttypes.h>
#include <stdio.h>

#include "bench/scenarios.h"
#include "bench/talk.h"
#include "common/clock.h"

struct live_options {
    struct talk_options talk;
    int64_t audience, senders, priority;
};

static const struct live_options defaults = {
    .talk = TALK_OPTIONS, .audience = 2000, .senders = 8, .priority = 1};

static const struct arg rows[] = {
    TALK_ROWS,
    {"audience", "N", ARG_INT, offsetof(struct live_options, audience), 2, 1000000, false,
     "users in the room (2000)"},
    {"senders", "S", ARG_INT, offsetof(struct live_options, senders), 1, 10000, false,
     "how many of them talk (8)"},
    {"priority", "P", ARG_INT, offsetof(struct live_options, priority), 1, 4, false,
     "1 High, 2 Normal, 3 Low, 4 Lowest: below High a room's limit of messages a second holds, "
     "and\n"
     "                             from Low on links that lag are left out (1)"},
    {.name = NULL}};

enum { JOINS_AT_ONCE = 64 };

/* Chosen before the workers are forked. */
static char room[48];

static uint32_t sender(uint32_t stream)
{
    return stream;
}

static void to(const struct talk *talk, uint32_t stream, char out[static 64])
{
    (void)talk;
    (void)stream;
    snprintf(out, 64, "%s", room);
}

static void hears(const struct talk *talk, uint32_t person, uint32_t *from, uint32_t *count)
{
    (void)person;
    *from = 0;
    *count = talk->streams;
}

static enum hy_err make_room(const struct bench *bench, const struct talk *talk, void *shared)
{
    (void)shared;
    return target_rest(bench->target, "group_open_http_svc/create_group",
                       json_pack("{s:s, s:s, s:s, s:o}", "GroupId", room, "Type", "AVChatRoom",
                                 "Name", "bench", "Owner_Account",
                                 json_sprintf("%s%u", talk->crowd.prefix, 0)));
}

static enum hy_err join(struct crowd *crowd, const struct talk *talk, void *shared)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__GroupJoinReq req = HY__GROUP_JOIN_REQ__INIT;

    (void)talk;
    (void)shared;
    req.group = room;
    frame.body_case = HY__FRAME__BODY_GROUP_JOIN;
    frame.group_join = &req;
    return crowd_ask_all(crowd, &frame, JOINS_AT_ONCE);
}

static enum hy_err run(struct bench *bench)
{
    const struct live_options *options = bench->options;
    uint32_t audience = (uint32_t)options->audience, senders = (uint32_t)options->senders;
    const struct talk talk = {
        .crowd = {.prefix = "viewer", .people = audience, .window = (uint32_t)options->talk.window},
        .streams = senders < audience ? senders : audience,
        .receivers = audience - 1,
        .priority = (uint32_t)options->priority,
        .conv_type = HY__CONV_TYPE__CONV_GROUP,
        .sender = sender,
        .to = to,
        .hears = hears,
        .prepare = make_room,
        .enter = join,
    };

    snprintf(room, sizeof room, "bench-%016" PRIx64, hy_random64());
    result_title(bench->result, "live room");
    bench->result->unit = "deliveries";
    bench->result->durability = "not stored: numbered by the store, kept in memory";
    return talk_run(bench, &talk);
}

const struct scenario scenario_s4l = {
    .name = "s4l",
    .summary = "a live room: deliveries to its audience",
    .help = "An AVChatRoom that N users have joined, over all gateways of the cluster; some of "
            "them send\n"
            "texts of 100 bytes. An operation is a delivery to one of them. Messages are of "
            "priority High,\n"
            "so that no limit of rate drops any, unless told otherwise.",
    .rows = rows,
    .defaults = &defaults,
    .size = sizeof defaults,
    .run = run,
};
