/* group - S4: one group of which all members are online. */

#include <inttypes.h>
#include <stdio.h>

#include "bench/scenarios.h"
#include "bench/talk.h"
#include "common/clock.h"

struct group_options {
    struct talk_options talk;
    int64_t members, senders;
};

static const struct group_options defaults = {.talk = TALK_OPTIONS, .members = 200, .senders = 8};

static const struct arg rows[] = {TALK_ROWS,
                                  {"members", "N", ARG_INT, offsetof(struct group_options, members),
                                   2, 10000, false, "online members of the group (200)"},
                                  {"senders", "S", ARG_INT, offsetof(struct group_options, senders),
                                   1, 10000, false, "how many of them talk (8)"},
                                  {.name = NULL}};

enum { ADDED_AT_ONCE = 500 };

static uint32_t sender(uint32_t stream)
{
    return stream;
}

/* The name was chosen before the workers were forked. */
static char group[48];

static void to(const struct talk *talk, uint32_t stream, char out[static 64])
{
    (void)talk;
    (void)stream;
    snprintf(out, 64, "%s", group);
}

static void hears(const struct talk *talk, uint32_t person, uint32_t *from, uint32_t *count)
{
    (void)person;
    *from = 0;
    *count = talk->streams;
}

static json_t *member(const struct talk *talk, uint32_t i)
{
    return json_pack("{s:o}", "Member_Account", json_sprintf("%s%u", talk->crowd.prefix, i));
}

/* A ChatRoom of everybody, by the administrator: the users exist, as they are signed in. */
static enum hy_err make_group(const struct bench *bench, const struct talk *talk, void *shared)
{
    enum hy_err err = target_rest(bench->target, "group_open_http_svc/create_group",
                                  json_pack("{s:s, s:s, s:s, s:o}", "GroupId", group, "Type",
                                            "ChatRoom", "Name", "bench", "Owner_Account",
                                            json_sprintf("%s%u", talk->crowd.prefix, 0)));

    (void)shared;
    for (uint32_t at = 1; err == HY_OK && at < talk->crowd.people; at += ADDED_AT_ONCE) {
        json_t *list = json_array();

        for (uint32_t i = at; i < talk->crowd.people && i < at + ADDED_AT_ONCE; i++)
            json_array_append_new(list, member(talk, i));
        err = target_rest(
            bench->target, "group_open_http_svc/add_group_member",
            json_pack("{s:s, s:i, s:o}", "GroupId", group, "Silence", 1, "MemberList", list));
    }
    return err;
}

static enum hy_err run(struct bench *bench)
{
    const struct group_options *options = bench->options;
    uint32_t members = (uint32_t)options->members, senders = (uint32_t)options->senders;
    const struct talk talk = {
        .crowd = {.prefix = "member", .people = members, .window = (uint32_t)options->talk.window},
        .streams = senders < members ? senders : members,
        .receivers = members - 1,
        .priority = 1, /* High: the limit of messages a second in a group is not under test */
        .conv_type = HY__CONV_TYPE__CONV_GROUP,
        .sender = sender,
        .to = to,
        .hears = hears,
        .prepare = make_group,
    };

    snprintf(group, sizeof group, "bench-%016" PRIx64, hy_random64());
    result_title(bench->result, "one group, durable");
    bench->result->unit = "deliveries";
    bench->result->durability = "fsync before acknowledgement";
    return talk_run(bench, &talk);
}

const struct scenario scenario_s4 = {
    .name = "s4",
    .summary = "one group, all members online: deliveries",
    .help = "A group of N members who are all online; some of them send texts of 100 bytes, stored "
            "with\n"
            "fsync before they are acknowledged. An operation is a delivery to one member.",
    .rows = rows,
    .defaults = &defaults,
    .size = sizeof defaults,
    .run = run,
};
