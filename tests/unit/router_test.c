/* A router on a real bus, with a store, a presence process and two gateway workers made of a few
 * lines each. */

#include "router/router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cluster.pb-c.h"
#include "common/arena.h"
#include "common/bus.h"
#include "common/clock.h"
#include "common/codes.h"
#include "common/names.h"
#include "common/slot.h"

enum { APP = 1, PATIENCE_MS = 10000, DEADLINE_MS = 400 };
enum { ANNA_PHONE = 11, ANNA_WEB = 12, BEN_PHONE = 21, CLEO_WEB = 31 }; /* links, and sessions */

struct gate {
    struct hy_bus *bus;
    struct hy_peer *router;
    uint64_t seq, gaps, mark;
    unsigned frames;
    char told[1024]; /* "link:text " for each frame and link, in order */
};

static struct {
    struct hy_loop *loop;
    void *settings;
    struct router *router;
    struct gate gate[2];
    struct hy_bus *store, *presence;
    /* the store */
    unsigned user_gets, appends, members_gets, removed, sweeps;
    uint32_t sweep_code;
    char stayed[64]; /* after a sweep; "": all members */
    uint64_t seq, version;
    bool mute, duplicate;
    bool offers; /* who is a member, with an append's answer */
    unsigned offered;
    bool holds_apps;  /* it cannot tell the apps yet */
    bool holds_lists; /* it takes its time to tell who is to leave what */
    struct {
        struct hy_peer *peer;
        uint64_t id;
        size_t users;
    } held[8];
    size_t held_count;
    uint32_t append_code, result_code, page_code;
    bool page_broken; /* bytes that are no message */
    const char *group_type;
    char members[256]; /* of every group, with spaces */
    /* presence */
    unsigned watched, unwatched, touched, hinted;
    struct hy_peer *router_at_presence;
    bool ben_moved;
    bool rolls; /* it tells the roll */
    unsigned roll_told;
    /* the answer to the last question */
    bool answered;
    struct hy_arena arena;
    void *answer;
    const ProtobufCMessageDescriptor *type;
} w;

#define UNTIL(condition)                                                                           \
    do {                                                                                           \
        uint64_t end_ = hy_steady_ms() + PATIENCE_MS;                                              \
        while (!(condition)) {                                                                     \
            hy_loop_turn(w.loop, 10);                                                              \
            if (hy_steady_ms() > end_)                                                             \
                fail_msg("never: %s", #condition);                                                 \
        }                                                                                          \
    } while (0)

/* ---- the store ---- */

static void store_user(struct hy_peer *peer, const struct hy_record *record)
{
    Hy__UserReq *req = hy__user_req__unpack(NULL, record->len, record->payload);
    Hy__UserRes res = HY__USER_RES__INIT;
    Hy__User user = HY__USER__INIT;
    Hy__Field nick = HY__FIELD__INIT, *profile[] = {&nick};

    w.user_gets++;
    nick.name = (char *)"Tag_Profile_IM_Nick";
    nick.str = (ProtobufCBinaryData){4, (uint8_t *)"Nick"};
    user.user = req->user;
    user.created_s = 1;
    user.profile = profile;
    user.n_profile = 1;
    if (strcmp(req->user, "nobody") == 0)
        res.code = HY_CODE_PROFILE_UNKNOWN;
    else
        res.user = &user;
    hy_bus_answer_pb(peer, record->kind, record->id, &res.base);
    hy__user_req__free_unpacked(req, NULL);
}

/* The members as a list of names. */
static ProtobufCBinaryData names_of_members(char names[static 256])
{
    size_t len = strlen(w.members) + 1;

    memcpy(names, w.members, len);
    for (size_t i = 0; i < len; i++)
        if (names[i] == ' ')
            names[i] = '\0';
    return (ProtobufCBinaryData){len, (uint8_t *)names};
}

static void store_append(struct hy_peer *peer, const struct hy_record *record)
{
    Hy__AppendReq *req = hy__append_req__unpack(NULL, record->len, record->payload);
    Hy__AppendRes res = HY__APPEND_RES__INIT;
    Hy__AppendResult results[8], *list[8];
    char names[256];

    assert_non_null(req);
    if (w.offers && req->wants_members) {
        res.hearing = names_of_members(names);
        w.offered++;
    }
    res.n_results = req->n_items;
    res.results = list;
    res.member_version = w.version;
    res.group_type = (char *)w.group_type;
    for (size_t i = 0; i < req->n_items; i++) {
        Hy__Msg *msg = hy__msg__unpack(NULL, req->items[i]->msg.len, req->items[i]->msg.data);

        assert_non_null(msg);
        assert_string_equal(msg->nick, "Nick");
        hy__msg__free_unpacked(msg, NULL);
        hy__append_result__init(&results[i]);
        results[i].code = w.result_code;
        results[i].seq = w.duplicate ? w.seq : ++w.seq;
        results[i].time_ms = 1000 * 1000;
        results[i].duplicate = w.duplicate;
        list[i] = &results[i];
    }
    w.appends++;
    if (!w.mute)
        hy_bus_answer_pb(peer, record->kind, record->id, &res.base);
    hy__append_req__free_unpacked(req, NULL);
}

static void store_members(struct hy_peer *peer, const struct hy_record *record)
{
    Hy__StoreMembersGetRes res = HY__STORE_MEMBERS_GET_RES__INIT;
    char names[256];

    res.hearing = names_of_members(names);
    res.member_version = w.version;
    w.members_gets++;
    hy_bus_answer_pb(peer, record->kind, record->id, &res.base);
}

static void store_group(struct hy_peer *peer, const struct hy_record *record)
{
    Hy__GroupReq *req = hy__group_req__unpack(NULL, record->len, record->payload);
    Hy__GroupRes res = HY__GROUP_RES__INIT;
    Hy__GroupInfo info = HY__GROUP_INFO__INIT;
    Hy__MemberInfo self = HY__MEMBER_INFO__INIT;

    info.group = req->group;
    info.type = (char *)w.group_type;
    self.role = strstr(w.members, req->user) != NULL ? HY__ROLE__ROLE_MEMBER : HY__ROLE__ROLE_NONE;
    res.group = &info;
    res.self = &self;
    res.member_version = w.version;
    hy_bus_answer_pb(peer, record->kind, record->id, &res.base);
    hy__group_req__free_unpacked(req, NULL);
}

/* Everybody has talked to ben, and is in a Public group. */
static void store_index(struct hy_peer *peer, const struct hy_record *record)
{
    Hy__IndexRes res = HY__INDEX_RES__INIT;
    Hy__IndexEntry ben = HY__INDEX_ENTRY__INIT, walkers = HY__INDEX_ENTRY__INIT;
    Hy__IndexRow pair = HY__INDEX_ROW__INIT, member = HY__INDEX_ROW__INIT;
    Hy__IndexEntry *entries[] = {&ben, &walkers};

    ben.type = HY__CONV_TYPE__CONV_C2C;
    ben.peer = (char *)"ben";
    ben.row = &pair;
    pair.last_time_ms = 5000;
    walkers.type = HY__CONV_TYPE__CONV_GROUP;
    walkers.peer = (char *)"walkers";
    walkers.row = &member;
    member.joined = member.sweep = true;
    member.group_type = (char *)"Public";
    res.entries = entries;
    res.n_entries = 2;
    hy_bus_answer_pb(peer, record->kind, record->id, &res.base);
}

static void store_heads(struct hy_peer *peer, const struct hy_record *record)
{
    Hy__HeadsReq *req = hy__heads_req__unpack(NULL, record->len, record->payload);
    Hy__HeadsRes res = HY__HEADS_RES__INIT;
    Hy__Conv convs[8], *list[8];

    for (size_t i = 0; i < req->n_convs; i++) {
        hy__conv__init(&convs[i]);
        convs[i].type = req->convs[i]->type;
        convs[i].peer = req->convs[i]->peer;
        convs[i].last_seq = 3;
        convs[i].last_time_ms = convs[i].type == HY__CONV_TYPE__CONV_C2C ? 5000 : 9000;
        list[i] = &convs[i];
    }
    res.n_convs = req->n_convs;
    res.convs = list;
    hy_bus_answer_pb(peer, record->kind, record->id, &res.base);
    hy__heads_req__free_unpacked(req, NULL);
}

static void store_read(struct hy_peer *peer, const struct hy_record *record)
{
    Hy__StoreReadRes res = HY__STORE_READ_RES__INIT;

    res.read_seq = 3;
    res.changed = true;
    hy_bus_answer_pb(peer, record->kind, record->id, &res.base);
}

static void store_history(struct hy_peer *peer, const struct hy_record *record)
{
    Hy__StoreHistoryReq *req = hy__store_history_req__unpack(NULL, record->len, record->payload);
    Hy__HistoryRes res = HY__HISTORY_RES__INIT;
    Hy__Msg first = HY__MSG__INIT, second = HY__MSG__INIT, *msgs[] = {&first, &second};

    assert_string_equal(req->user, "anna");
    assert_false(req->keep_places);
    first.from = second.to = req->user;
    first.to = second.from = req->req->peer;
    first.seq = req->req->from_seq;
    second.seq = req->req->from_seq + 1;
    res.msgs = msgs;
    res.n_msgs = w.page_code == 0 ? 2 : 0;
    res.first_seq = 1;
    res.last_seq = 300;
    res.code = w.page_code;
    if (w.page_broken)
        hy_bus_answer(peer, record->kind, record->id, "\x0a\xff", 2);
    else
        hy_bus_answer_pb(peer, record->kind, record->id, &res.base);
    hy__store_history_req__free_unpacked(req, NULL);
}

static void store_put(struct hy_peer *peer, const struct hy_record *record)
{
    Hy__UserRes res = HY__USER_RES__INIT;
    Hy__User user = HY__USER__INIT;

    user.created_s = 1;
    user.revoked_before_s = 100;
    res.user = &user;
    hy_bus_answer_pb(peer, record->kind, record->id, &res.base);
}

/* All that were held: nobody is to leave anything. */
static void answer_held_lists(void)
{
    static ProtobufCBinaryData none[1000];

    for (size_t i = 0; i < w.held_count; i++) {
        Hy__StoreSweepListRes res = HY__STORE_SWEEP_LIST_RES__INIT;

        assert_true(w.held[i].users <= 1000);
        res.n_groups = w.held[i].users;
        res.groups = none;
        hy_bus_answer_pb(w.held[i].peer, HY__BUS_KIND__STORE_SWEEP_LIST, w.held[i].id, &res.base);
    }
    w.held_count = 0;
}

/* Everybody is to leave the group. */
static void store_sweep_list(struct hy_peer *peer, const struct hy_record *record)
{
    Hy__StoreSweepListReq *req =
        hy__store_sweep_list_req__unpack(NULL, record->len, record->payload);
    Hy__StoreSweepListRes res = HY__STORE_SWEEP_LIST_RES__INIT;
    ProtobufCBinaryData lists[8];

    assert_int_equal(req->app, APP);
    if (w.holds_lists) {
        assert_true(w.held_count < 8);
        w.held[w.held_count].peer = peer;
        w.held[w.held_count].id = record->id;
        w.held[w.held_count++].users = req->n_users;
        hy__store_sweep_list_req__free_unpacked(req, NULL);
        return;
    }
    for (size_t i = 0; i < req->n_users; i++)
        lists[i] = (ProtobufCBinaryData){sizeof "walkers", (uint8_t *)"walkers"};
    res.n_groups = req->n_users;
    res.groups = lists;
    hy_bus_answer_pb(peer, record->kind, record->id, &res.base);
    hy__store_sweep_list_req__free_unpacked(req, NULL);
}

/* The members of a text, a NUL behind each. */
static ProtobufCBinaryData names_of(const char *text, uint8_t list[static 64])
{
    size_t len = strlen(text);

    memcpy(list, text, len + 1);
    for (size_t i = 0; i < len; i++)
        list[i] = list[i] == ' ' ? 0 : list[i];
    return (ProtobufCBinaryData){len + 1, list};
}

static void store_sweep(struct hy_peer *peer, const struct hy_record *record)
{
    Hy__StoreSweepReq *req = hy__store_sweep_req__unpack(NULL, record->len, record->payload);
    Hy__StoreSweepRes res = HY__STORE_SWEEP_RES__INIT;
    Hy__SweptGroup group = HY__SWEPT_GROUP__INIT, *groups[] = {&group};
    Hy__Msg tip = HY__MSG__INIT;
    uint8_t bytes[64], stayed[64];

    assert_int_equal(req->n_groups, 1);
    assert_string_equal(req->groups[0]->group, "walkers");
    w.sweeps++;
    if (w.sweep_code != 0) {
        res.code = w.sweep_code;
    } else {
        tip.to = (char *)"tip";
        tip.seq = ++w.seq;
        group.group = (char *)"walkers";
        group.type = (char *)w.group_type;
        group.member_version = ++w.version;
        group.gone = req->groups[0]->users;
        group.stayed = names_of(w.stayed[0] == '\0' ? w.members : w.stayed, stayed);
        group.tip = (ProtobufCBinaryData){hy__msg__pack(&tip, bytes), bytes};
        res.removed = (uint32_t)hy_names_count(group.gone.data, group.gone.len);
        w.removed += res.removed;
        res.groups = groups;
        res.n_groups = 1;
    }
    hy_bus_answer_pb(peer, record->kind, record->id, &res.base);
    hy__store_sweep_req__free_unpacked(req, NULL);
}

static void store_apps(struct hy_peer *peer, const struct hy_record *record)
{
    Hy__AppsRes res = HY__APPS_RES__INIT;
    Hy__App app = HY__APP__INIT, *apps[] = {&app};

    app.sdkappid = APP;
    app.version = 1;
    app.recent_contacts = 50;
    res.version = 1;
    res.apps = apps;
    res.n_apps = 1;
    if (w.holds_apps)
        res = (Hy__AppsRes){.base = res.base, .code = HY_CODE_UNAVAILABLE};
    hy_bus_answer_pb(peer, record->kind, record->id, &res.base);
}

static void store_record(void *ctx, struct hy_peer *peer, const struct hy_record *record)
{
    static const struct {
        uint16_t kind;
        void (*answer)(struct hy_peer *peer, const struct hy_record *record);
    } rows[] = {
        {HY__BUS_KIND__STORE_USER_GET, store_user},
        {HY__BUS_KIND__STORE_USER_PUT, store_put},
        {HY__BUS_KIND__STORE_APPEND, store_append},
        {HY__BUS_KIND__STORE_MEMBERS_GET, store_members},
        {HY__BUS_KIND__STORE_SWEEP_LIST, store_sweep_list},
        {HY__BUS_KIND__STORE_SWEEP, store_sweep},
        {HY__BUS_KIND__STORE_GROUP_GET, store_group},
        {HY__BUS_KIND__STORE_INDEX, store_index},
        {HY__BUS_KIND__STORE_HEADS, store_heads},
        {HY__BUS_KIND__STORE_READ, store_read},
        {HY__BUS_KIND__STORE_HISTORY, store_history},
        {HY__BUS_KIND__STORE_APPS, store_apps},
    };

    (void)ctx;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].kind == record->kind)
            rows[i].answer(peer, record);
}

/* ---- presence ---- */

static void put_place(Hy__UserSessions *user, Hy__Place *place, const char *gateway, uint64_t link)
{
    hy__place__init(place);
    place->gateway = (char *)gateway;
    place->link = place->session_id = link;
    user->places[user->n_places++] = place;
}

static void places_of(Hy__UserSessions *user, Hy__Place room[static 2])
{
    if (strcmp(user->user, "anna") == 0) {
        put_place(user, &room[0], "gateway-0/0", ANNA_PHONE);
        put_place(user, &room[1], "gateway-1/0", ANNA_WEB);
    } else if (strcmp(user->user, "ben") == 0) {
        put_place(user, &room[0], w.ben_moved ? "gateway-1/0" : "gateway-0/0", BEN_PHONE);
    } else if (strcmp(user->user, "cleo") == 0) {
        put_place(user, &room[0], "gateway-1/0", CLEO_WEB);
    }
}

static void presence_watch(struct hy_peer *peer, const struct hy_record *record)
{
    Hy__WatchReq *req = hy__watch_req__unpack(NULL, record->len, record->payload);
    Hy__WatchRes res = HY__WATCH_RES__INIT;
    Hy__UserSessions users[8], *list[8];
    Hy__Place places[8][2], *pointers[8][2];

    w.router_at_presence = peer;
    for (size_t i = 0; i < req->n_users; i++) {
        hy__user_sessions__init(&users[i]);
        users[i].app = APP;
        users[i].user = req->users[i]->user;
        users[i].places = pointers[i];
        places_of(&users[i], places[i]);
        list[i] = &users[i];
        w.watched++;
    }
    res.n_users = req->n_users;
    res.users = list;
    hy_bus_answer_pb(peer, record->kind, record->id, &res.base);
    hy__watch_req__free_unpacked(req, NULL);
}

/* Anna, ben and cleo are online, told in two pages. */
static void presence_roll(struct hy_peer *peer, const struct hy_record *record)
{
    Hy__RollReq *req = hy__roll_req__unpack(NULL, record->len, record->payload);
    Hy__RollRes res = HY__ROLL_RES__INIT;
    uint64_t all[] = {hy_user_hash(APP, "anna"), hy_user_hash(APP, "ben"),
                      hy_user_hash(APP, "cleo")};

    w.router_at_presence = peer;
    res.online = req->cursor == 0 ? all : all + 2;
    res.n_online = req->cursor == 0 ? 2 : 1;
    res.cursor = req->cursor == 0 ? 7 : 0;
    w.roll_told += res.cursor == 0;
    hy_bus_answer_pb(peer, record->kind, record->id, &res.base);
    hy__roll_req__free_unpacked(req, NULL);
}

static void presence_record(void *ctx, struct hy_peer *peer, const struct hy_record *record)
{
    (void)ctx;
    if (record->kind == HY__BUS_KIND__PRESENCE_WATCH)
        presence_watch(peer, record);
    if (record->kind == HY__BUS_KIND__PRESENCE_ROLL && w.rolls)
        presence_roll(peer, record);
    w.unwatched += record->kind == HY__BUS_KIND__PRESENCE_UNWATCH;
    w.hinted += record->kind == HY__BUS_KIND__PRESENCE_SWEEP_HINT;
    if (record->kind == HY__BUS_KIND__PRESENCE_TOUCH) {
        w.touched++;
        hy_bus_answer(peer, record->kind, record->id, NULL, 0);
    }
}

static void move_ben(void)
{
    Hy__Delta delta = HY__DELTA__INIT;
    Hy__UserSessions user = HY__USER_SESSIONS__INIT, *users[] = {&user};
    Hy__Place room[2], *pointers[2];
    unsigned before = w.watched;

    w.ben_moved = true;
    user.app = APP;
    user.user = (char *)"ben";
    user.places = pointers;
    places_of(&user, room);
    delta.n_users = 1;
    delta.users = users;
    assert_int_equal(
        hy_bus_send_pb(w.router_at_presence, HY__BUS_KIND__ROUTER_DELTA, 7, &delta.base), HY_OK);
    for (int i = 0; i < 20; i++)
        hy_loop_turn(w.loop, 5);
    assert_int_equal(w.watched, before);
}

/* ---- gateways ---- */

static const char *text_of(const Hy__Frame *frame)
{
    static char text[32];

    if (frame->body_case == HY__FRAME__BODY_MSG_NOTICE)
        snprintf(text, sizeof text, "%s#%llu", frame->msg_notice->msgs[0]->to,
                 (unsigned long long)frame->msg_notice->msgs[0]->seq);
    else if (frame->body_case == HY__FRAME__BODY_READ_NOTICE)
        snprintf(text, sizeof text, "read-by-%s", frame->read_notice->reader);
    else if (frame->body_case == HY__FRAME__BODY_SYSTEM_NOTICE)
        snprintf(text, sizeof text, "system-%u", frame->system_notice->type);
    else
        snprintf(text, sizeof text, "frame-%d", (int)frame->body_case);
    return text;
}

static void note(struct gate *gate, uint64_t link, const Hy__Frame *frame)
{
    size_t len = strlen(gate->told);

    snprintf(gate->told + len, sizeof gate->told - len, "%llu:%s ", (unsigned long long)link,
             text_of(frame));
    gate->frames++;
}

static void on_push(struct gate *gate, const struct hy_record *record)
{
    Hy__Push *push = hy__push__unpack(NULL, record->len, record->payload);

    assert_non_null(push);
    gate->gaps += push->seq != gate->seq + 1;
    gate->seq = push->seq;
    for (size_t i = 0; i < push->n_items; i++) {
        const Hy__PushItem *item = push->items[i];
        Hy__Frame *frame = hy__frame__unpack(NULL, item->frame.len, item->frame.data);

        assert_non_null(frame);
        for (size_t k = 0; k < item->n_links; k++)
            note(gate, item->links[k], frame);
        if (item->room != NULL)
            note(gate, 0, frame);
        hy__frame__free_unpacked(frame, NULL);
    }
    hy__push__free_unpacked(push, NULL);
}

static void gate_record(void *ctx, struct hy_peer *peer, const struct hy_record *record)
{
    struct gate *gate = ctx;

    (void)peer;
    if (record->kind == HY__BUS_KIND__GATEWAY_PUSH) {
        on_push(gate, record);
    } else if (record->kind == HY__BUS_KIND__GATEWAY_PUSH_MARK) {
        Hy__PushMark *mark = hy__push_mark__unpack(NULL, record->len, record->payload);

        gate->mark = mark->seq;
        hy__push_mark__free_unpacked(mark, NULL);
    }
}

/* ---- questions ---- */

static void on_answer(void *arg, enum hy_err err, const struct hy_record *record)
{
    (void)arg;
    assert_int_equal(err, HY_OK);
    w.answer = protobuf_c_message_unpack(w.type, &w.arena.pb, record->len, record->payload);
    assert_non_null(w.answer);
    w.answered = true;
}

static void *ask(uint16_t kind, const ProtobufCMessage *msg, const ProtobufCMessageDescriptor *type)
{
    struct hy_call call = {.kind = kind, .peer = w.gate[0].router, .done = on_answer};

    w.answered = false;
    w.type = type;
    hy_bus_call_pb(w.gate[0].bus, &call, msg);
    UNTIL(w.answered);
    return w.answer;
}

static struct {
    bool admin;
    uint32_t flags;
    uint64_t session;
} how;

static const Hy__SendResult *send_to(Hy__ConvType type, const char *from, const char *to)
{
    static unsigned number;
    char client_id[16];
    Hy__SendCall call = HY__SEND_CALL__INIT;
    Hy__Caller caller = HY__CALLER__INIT;
    Hy__SendItem item = HY__SEND_ITEM__INIT, *items[] = {&item};
    Hy__SendReq req = HY__SEND_REQ__INIT;
    Hy__SendAnswer *answer;

    snprintf(client_id, sizeof client_id, "m%u", number++);
    caller.app = APP;
    caller.user = (char *)from;
    caller.session_id = how.admin ? 0 : how.session;
    caller.admin = how.admin;
    req.client_id = client_id;
    req.flags = how.flags;
    req.body = (ProtobufCBinaryData){2, (uint8_t *)"\x0a\x00"};
    item.req = &req;
    call.caller = &caller;
    call.conv_type = type;
    call.to = (char *)to;
    call.n_items = 1;
    call.items = items;
    answer = ask(HY__BUS_KIND__ROUTER_SEND, &call.base, &hy__send_answer__descriptor);
    assert_int_equal(answer->n_results, 1);
    return answer->results[0];
}

static uint32_t pair(const char *from, const char *to)
{
    return send_to(HY__CONV_TYPE__CONV_C2C, from, to)->code;
}

static uint32_t group(const char *from, const char *to)
{
    return send_to(HY__CONV_TYPE__CONV_GROUP, from, to)->code;
}

/* A client's Frame from anna's phone; returns the answering Frame. */
static const Hy__Frame *call(Hy__Frame *frame)
{
    Hy__RouterCall asked = HY__ROUTER_CALL__INIT;
    Hy__Caller caller = HY__CALLER__INIT;
    static uint8_t bytes[1024];
    const Hy__Frame *answer;

    frame->id = 77;
    caller.app = APP;
    caller.user = (char *)"anna";
    caller.session_id = ANNA_PHONE;
    asked.caller = &caller;
    asked.frame.data = bytes;
    asked.frame.len = hy__frame__pack(frame, bytes);
    answer = ask(HY__BUS_KIND__ROUTER_CALL, &asked.base, &hy__frame__descriptor);
    assert_int_equal(answer->id, 77);
    return answer;
}

/* ---- the world ---- */

static struct hy_bus *open_bus(const char *component, const char *name, const char *bind,
                               void (*record)(void *, struct hy_peer *, const struct hy_record *),
                               void *ctx)
{
    const struct hy_bus_handler handler = {record, NULL};
    const struct hy_bus_config config = {.name = name,
                                         .component = component,
                                         .cluster_id = "test",
                                         .bind = bind,
                                         .curve_dir = HY_BUS_PLAIN};
    struct hy_bus *bus = NULL;

    assert_int_equal(hy_bus_open(w.loop, &config, &handler, ctx, &bus), HY_OK);
    return bus;
}

static void open_gate(struct gate *gate, const char *name)
{
    gate->bus = open_bus("gateway", name, NULL, gate_record, gate);
    assert_int_equal(
        hy_bus_dial(gate->bus, "router", "router-0", router_endpoint(w.router), &gate->router),
        HY_OK);
    UNTIL(hy_peer_up(gate->router));
}

static void set_peer(const char *variable, const char *name, const struct hy_bus *bus)
{
    char peer[300];

    snprintf(peer, sizeof peer, "%s=%s", name, hy_bus_endpoint(bus));
    setenv(variable, peer, 1);
}

static void open_world(bool holds_apps)
{
    memset(&w, 0, sizeof w);
    w.holds_apps = holds_apps;
    memset(&how, 0, sizeof how);
    how.session = ANNA_PHONE;
    hy_arena_init(&w.arena);
    w.group_type = "Public";
    w.version = 5;
    strcpy(w.members, "anna ben cleo");
    assert_int_equal(hy_loop_open(&w.loop), HY_OK);
    w.store = open_bus("store", "store-0", "tcp://127.0.0.1:*", store_record, NULL);
    w.presence = open_bus("presence", "presence-0", "tcp://127.0.0.1:*", presence_record, NULL);
    set_peer("HONGYAN_ROUTER__CLUSTER__STORES", "store-0", w.store);
    set_peer("HONGYAN_ROUTER__CLUSTER__PRESENCES", "presence-0", w.presence);
    setenv("HONGYAN_ROUTER__CLUSTER__ID", "test", 1);
    setenv("HONGYAN_ROUTER__CLUSTER__CURVE_DIR", HY_BUS_PLAIN, 1);
    setenv("HONGYAN_ROUTER__NAME", "router-0", 1);
    setenv("HONGYAN_ROUTER__BUS__LISTEN", "tcp://127.0.0.1:*", 1);
    setenv("HONGYAN_ROUTER__CALL_DEADLINE_MS", "400", 1);
    assert_int_equal(hy_settings_load(&router_settings_spec, NULL, stderr, &w.settings), HY_OK);
    assert_int_equal(router_open(w.loop, w.settings, &w.router), HY_OK);
    open_gate(&w.gate[0], "gateway-0/0");
    open_gate(&w.gate[1], "gateway-1/0");
}

static int setup(void **state)
{
    (void)state;
    open_world(false);
    /* The first message finds stores and presence connected, or waits for them. */
    for (uint32_t code = 1; code != 0; code = pair("anna", "ben"))
        hy_loop_turn(w.loop, 10);
    UNTIL(w.gate[0].frames == 1 && w.gate[1].frames == 1);
    for (int i = 0; i < 2; i++) {
        w.gate[i].frames = 0;
        w.gate[i].gaps = 0;
        w.gate[i].told[0] = '\0';
    }
    w.seq = 0;
    return 0;
}

/* A router that has just started: the store has not told it the apps. */
static int setup_without_apps(void **state)
{
    (void)state;
    open_world(true);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    router_close(&w.router);
    hy_bus_close(&w.gate[0].bus);
    hy_bus_close(&w.gate[1].bus);
    hy_bus_close(&w.store);
    hy_bus_close(&w.presence);
    hy_settings_free(&router_settings_spec, &w.settings);
    hy_loop_close(&w.loop);
    hy_arena_free(&w.arena);
    return 0;
}

static void assert_told(const char *gate0, const char *gate1)
{
    UNTIL(strlen(w.gate[0].told) >= strlen(gate0) && strlen(w.gate[1].told) >= strlen(gate1));
    assert_string_equal(w.gate[0].told, gate0);
    assert_string_equal(w.gate[1].told, gate1);
}

/* ---- one-to-one ---- */

static void a_message_goes_to_the_receiver_and_the_senders_other_devices(void **state)
{
    (void)state;
    assert_int_equal(pair("anna", "ben"), 0);
    assert_told("21:ben#1 ", "12:ben#1 ");
    assert_int_equal(w.gate[0].gaps + w.gate[1].gaps, 0);
}

static void a_warm_conversation_asks_nobody_but_the_store(void **state)
{
    unsigned gets = w.user_gets, watched = w.watched, appends = w.appends;

    (void)state;
    for (int i = 0; i < 10; i++)
        assert_int_equal(pair("anna", "ben"), 0);
    assert_int_equal(w.user_gets, gets);
    assert_int_equal(w.watched, watched);
    assert_int_equal(w.appends, appends + 10);
}

static void a_sender_may_keep_it_from_his_devices(void **state)
{
    (void)state;
    how.flags = HY__MSG_FLAG__MSG_NO_SELF_SYNC;
    assert_int_equal(pair("anna", "ben"), 0);
    assert_told("21:ben#1 ", "");
}

static void rest_does_not_tell_the_sender_unless_asked_to(void **state)
{
    (void)state;
    how.admin = true;
    assert_int_equal(pair("anna", "ben"), 0);
    assert_told("21:ben#1 ", "");
}

static void who_is_unknown_is_told_in_the_callers_words(void **state)
{
    (void)state;
    assert_int_equal(pair("anna", "nobody"), HY_CODE_C2C_ACCOUNT);
    how.admin = true;
    assert_int_equal(pair("anna", "nobody"), HY_CODE_REST_TO_UNKNOWN);
    assert_int_equal(pair("nobody", "ben"), HY_CODE_REST_ACCOUNT);
    assert_int_equal(group("nobody", "walkers"), HY_CODE_GROUP_ACCOUNT);
}

static void a_refusal_of_the_store_passes_through(void **state)
{
    (void)state;
    w.result_code = HY_CODE_DISK_FULL;
    assert_int_equal(pair("anna", "ben"), HY_CODE_DISK_FULL);
    assert_told("", "");
}

static void an_unknown_outcome_leaves_a_gap_to_every_gateway(void **state)
{
    uint64_t seq[2] = {w.gate[0].seq, w.gate[1].seq};

    (void)state;
    w.mute = true;
    assert_int_equal(pair("anna", "ben"), HY_CODE_TIMEOUT);
    w.mute = false;
    UNTIL(w.gate[0].mark == seq[0] + 1 && w.gate[1].mark == seq[1] + 1);
    assert_int_equal(pair("anna", "ben"), 0);
    UNTIL(w.gate[0].gaps == 1 && w.gate[1].gaps == 1);
}

static void what_was_told_is_not_told_again(void **state)
{
    (void)state;
    assert_int_equal(pair("anna", "ben"), 0);
    w.duplicate = true;
    assert_int_equal(pair("anna", "ben"), 0);
    w.duplicate = false;
    assert_int_equal(pair("anna", "ben"), 0);
    assert_told("21:ben#1 21:ben#2 ", "12:ben#1 12:ben#2 ");
}

static void a_duplicate_that_was_never_told_is_told(void **state)
{
    (void)state;
    w.seq = 40; /* stored for a router that died */
    w.duplicate = true;
    assert_int_equal(pair("anna", "ben"), 0);
    assert_told("21:ben#40 ", "12:ben#40 ");
}

static void an_online_message_is_told_and_not_stored(void **state)
{
    unsigned appends = w.appends;

    (void)state;
    how.flags = HY__MSG_FLAG__MSG_ONLINE_ONLY;
    assert_int_equal(pair("anna", "ben"), 0);
    assert_told("21:ben#0 ", "12:ben#0 ");
    assert_int_equal(w.appends, appends);
}

static void who_moves_is_found_at_the_new_place(void **state)
{
    (void)state;
    move_ben();
    assert_int_equal(pair("anna", "ben"), 0);
    assert_told("", "21:ben#1 12:ben#1 ");
}

/* ---- groups ---- */

static void the_first_message_of_a_cold_group_reaches_all(void **state)
{
    (void)state;
    assert_int_equal(group("anna", "walkers"), 0);
    assert_told("21:walkers#1 ", "12:walkers#1 31:walkers#1 ");
    assert_int_equal(w.members_gets, 1);
}

static void members_come_with_the_answer(void **state)
{
    (void)state;
    w.offers = true;
    assert_int_equal(group("anna", "walkers"), 0);
    assert_int_equal(group("anna", "walkers"), 0);
    assert_told("21:walkers#1 21:walkers#2 ",
                "12:walkers#1 31:walkers#1 12:walkers#2 31:walkers#2 ");
    assert_int_equal(w.members_gets, 0);
    assert_int_equal(w.offered, 1); /* the second found a route */
    strcpy(w.members, "anna ben");
    w.version++; /* which the answer tells, without members: they were not wanted */
    assert_int_equal(group("anna", "walkers"), 0);
    assert_told("21:walkers#1 21:walkers#2 21:walkers#3 ",
                "12:walkers#1 31:walkers#1 12:walkers#2 31:walkers#2 12:walkers#3 ");
    assert_int_equal(w.members_gets, 1);
}

static void what_comes_while_the_route_is_made_stays_in_order(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        assert_int_equal(group("anna", "walkers"), 0);
    assert_told("21:walkers#1 21:walkers#2 21:walkers#3 21:walkers#4 21:walkers#5 ",
                "12:walkers#1 31:walkers#1 12:walkers#2 31:walkers#2 12:walkers#3 31:walkers#3 "
                "12:walkers#4 31:walkers#4 12:walkers#5 31:walkers#5 ");
    assert_int_equal(w.members_gets, 1);
}

static void a_new_member_version_is_looked_up(void **state)
{
    (void)state;
    assert_int_equal(group("anna", "walkers"), 0);
    assert_told("21:walkers#1 ", "12:walkers#1 31:walkers#1 ");
    strcpy(w.members, "anna ben");
    w.version++;
    assert_int_equal(group("anna", "walkers"), 0);
    assert_told("21:walkers#1 21:walkers#2 ", "12:walkers#1 31:walkers#1 12:walkers#2 ");
    assert_int_equal(w.members_gets, 2);
}

static void who_leaves_is_left_out_without_a_new_look(void **state)
{
    Hy__SweepReq req = HY__SWEEP_REQ__INIT;
    Hy__UserKey cleo = HY__USER_KEY__INIT, *keys[] = {&cleo};

    (void)state;
    assert_int_equal(group("anna", "walkers"), 0);
    assert_told("21:walkers#1 ", "12:walkers#1 31:walkers#1 ");
    cleo.app = APP;
    cleo.user = (char *)"cleo";
    req.n_users = 1;
    req.users = keys;
    ask(HY__BUS_KIND__ROUTER_SWEEP, &req.base, &hy__sweep_res__descriptor);
    assert_int_equal(w.removed, 1);
    assert_int_equal(group("anna", "walkers"), 0);
    assert_told("21:walkers#1 11:tip#2 21:tip#2 21:walkers#3 ",
                "12:walkers#1 31:walkers#1 12:tip#2 12:walkers#3 ");
    assert_int_equal(w.members_gets, 1);
}

static void a_route_follows_its_members(void **state)
{
    (void)state;
    assert_int_equal(group("anna", "walkers"), 0);
    assert_told("21:walkers#1 ", "12:walkers#1 31:walkers#1 ");
    move_ben();
    w.gate[1].told[0] = '\0';
    assert_int_equal(group("anna", "walkers"), 0);
    assert_told("21:walkers#1 ", "12:walkers#2 31:walkers#2 21:walkers#2 ");
    assert_int_equal(w.members_gets, 1);
}

static void an_online_message_to_a_group_keeps_its_rules(void **state)
{
    unsigned appends = w.appends;

    (void)state;
    how.flags = HY__MSG_FLAG__MSG_ONLINE_ONLY;
    assert_int_equal(group("anna", "walkers"), 0);
    assert_told("21:walkers#0 ", "12:walkers#0 31:walkers#0 ");
    strcpy(w.members, "ben cleo");
    assert_int_equal(group("anna", "walkers"), HY_CODE_GROUP_DENIED);
    assert_int_equal(w.appends, appends);
}

/* ---- live rooms ---- */

static void tell_audience(struct gate *gate, uint32_t count)
{
    Hy__Audience audience = HY__AUDIENCE__INIT;
    Hy__Room room = HY__ROOM__INIT, *rooms[] = {&room};

    room.app = APP;
    room.group = (char *)"live";
    room.count = count;
    audience.n_rooms = 1;
    audience.rooms = rooms;
    assert_int_equal(hy_bus_send_pb(gate->router, HY__BUS_KIND__ROUTER_AUDIENCE, 0, &audience.base),
                     HY_OK);
}

static uint32_t count_online(void)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__GroupOnlineReq req = HY__GROUP_ONLINE_REQ__INIT;

    req.group = (char *)"live";
    frame.body_case = HY__FRAME__BODY_GROUP_ONLINE;
    frame.group_online = &req;
    return call(&frame)->group_online_res->count;
}

static void a_live_room_costs_one_item_for_each_gateway(void **state)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__GroupJoinReq join = HY__GROUP_JOIN_REQ__INIT;
    const Hy__Frame *joined;

    (void)state;
    w.group_type = "AVChatRoom";
    tell_audience(&w.gate[0], 1000);
    tell_audience(&w.gate[1], 1);
    UNTIL(count_online() == 1001);
    assert_int_equal(group("anna", "live"), 0);
    assert_told("0:live#1 ", "0:live#1 ");
    tell_audience(&w.gate[1], 0);
    UNTIL(count_online() == 1000);
    for (int i = 0; i < 24; i++)
        assert_int_equal(group("anna", "live"), 0);
    join.group = (char *)"live";
    frame.body_case = HY__FRAME__BODY_GROUP_JOIN;
    frame.group_join = &join;
    joined = call(&frame);
    assert_int_equal(joined->code, 0);
    assert_int_equal(joined->group_join_res->n_recent, 20);
    assert_int_equal(joined->group_join_res->recent[0]->seq, 6);
    assert_int_equal(joined->group_join_res->recent[19]->seq, 25);
    assert_int_equal(w.members_gets, 0);
}

/* ---- calls ---- */

static void the_list_is_put_together_from_index_and_heads(void **state)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__ConvListReq req = HY__CONV_LIST_REQ__INIT;
    const Hy__ConvListRes *res;

    (void)state;
    frame.body_case = HY__FRAME__BODY_CONV_LIST;
    frame.conv_list = &req;
    res = call(&frame)->conv_list_res;
    assert_int_equal(res->n_convs, 2);
    assert_string_equal(res->convs[0]->peer, "walkers");
    assert_string_equal(res->convs[1]->peer, "ben");
    assert_string_equal(res->convs[1]->name, "Nick");
}

static const Hy__Frame *ask_page(void)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__HistoryReq req = HY__HISTORY_REQ__INIT;

    req.conv_type = HY__CONV_TYPE__CONV_C2C;
    req.peer = (char *)"ben";
    req.from_seq = 200;
    frame.body_case = HY__FRAME__BODY_HISTORY;
    frame.history = &req;
    return call(&frame);
}

static void a_page_passes_through_as_the_store_made_it(void **state)
{
    const Hy__Frame *answer = ask_page();

    (void)state;
    assert_int_equal(answer->code, 0);
    assert_int_equal(answer->body_case, HY__FRAME__BODY_HISTORY_RES);
    assert_int_equal(answer->history_res->n_msgs, 2);
    assert_int_equal(answer->history_res->msgs[1]->seq, 201);
    assert_string_equal(answer->history_res->msgs[1]->from, "ben");
    assert_int_equal(answer->history_res->first_seq, 1);
    assert_int_equal(answer->history_res->last_seq, 300);
    w.page_code = HY_CODE_GROUP_DENIED;
    answer = ask_page();
    assert_int_equal(answer->code, HY_CODE_GROUP_DENIED);
    assert_string_not_equal(answer->info, "");
    assert_int_equal(answer->body_case, HY__FRAME__BODY_HISTORY_RES);
    assert_int_equal(answer->history_res->n_msgs, 0);
    w.page_code = 0;
    w.page_broken = true;
    answer = ask_page();
    assert_int_equal(answer->code, HY_CODE_UNAVAILABLE);
    w.page_broken = false;
}

static void a_read_mark_reaches_own_devices_and_the_peer(void **state)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__ReadReq req = HY__READ_REQ__INIT;

    (void)state;
    req.conv_type = HY__CONV_TYPE__CONV_C2C;
    req.peer = (char *)"ben";
    frame.body_case = HY__FRAME__BODY_READ;
    frame.read = &req;
    assert_int_equal(call(&frame)->read_res->read_seq, 3);
    assert_told("21:read-by-anna ", "12:read-by-anna ");
}

static void a_profile_change_touches_presence_and_tells_own_devices(void **state)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__ProfileSetReq req = HY__PROFILE_SET_REQ__INIT;
    Hy__Field nick = HY__FIELD__INIT, *fields[] = {&nick};

    (void)state;
    nick.name = (char *)"Tag_Profile_IM_Nick";
    nick.str = (ProtobufCBinaryData){3, (uint8_t *)"New"};
    req.n_fields = 1;
    req.fields = fields;
    frame.body_case = HY__FRAME__BODY_PROFILE_SET;
    frame.profile_set = &req;
    assert_int_equal(call(&frame)->code, 0);
    assert_int_equal(w.touched, 1);
    assert_told("", "12:frame-93 ");
    nick.name = (char *)"Tag_Profile_IM_Shoe";
    assert_int_equal(call(&frame)->code, HY_CODE_PROFILE_NO_TAG);
}

static void what_nobody_answers_is_refused(void **state)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__Ping ping = HY__PING__INIT;

    (void)state;
    frame.body_case = HY__FRAME__BODY_PING;
    frame.ping = &ping;
    assert_int_equal(call(&frame)->code, HY_CODE_KIND_UNKNOWN);
}

static void a_ticket_older_than_the_kick_is_refused(void **state)
{
    Hy__SignInCall sign_in = HY__SIGN_IN_CALL__INIT;
    const Hy__SignInAnswer *answer;

    (void)state;
    sign_in.app = APP;
    sign_in.user = (char *)"anna";
    sign_in.sig_time_s = 100;
    answer = ask(HY__BUS_KIND__ROUTER_SIGN_IN, &sign_in.base, &hy__sign_in_answer__descriptor);
    assert_int_equal(answer->code, HY_CODE_SIG_REVOKED);
    sign_in.sig_time_s = 101;
    answer = ask(HY__BUS_KIND__ROUTER_SIGN_IN, &sign_in.base, &hy__sign_in_answer__descriptor);
    assert_int_equal(answer->code, 0);
}

static void two_who_are_swept_leave_with_one_tip(void **state)
{
    Hy__SweepReq req = HY__SWEEP_REQ__INIT;
    Hy__UserKey dora = HY__USER_KEY__INIT, emil = HY__USER_KEY__INIT, *keys[] = {&dora, &emil};
    const Hy__SweepRes *res;

    (void)state;
    dora.app = emil.app = APP;
    dora.user = (char *)"dora";
    emil.user = (char *)"emil";
    req.n_users = 2;
    req.users = keys;
    res = ask(HY__BUS_KIND__ROUTER_SWEEP, &req.base, &hy__sweep_res__descriptor);
    assert_int_equal(res->removed, 2);
    assert_int_equal(res->n_failed, 0);
    assert_int_equal(w.removed, 2);
    assert_told("11:tip#1 21:tip#1 ", "12:tip#1 31:tip#1 ");
}

static void the_apps_are_passed_on(void **state)
{
    Hy__AppsReq req = HY__APPS_REQ__INIT;
    const Hy__AppsRes *res;

    (void)state;
    res = ask(HY__BUS_KIND__ROUTER_APPS, &req.base, &hy__apps_res__descriptor);
    assert_int_equal(res->version, 1);
    assert_int_equal(res->n_apps, 1);
    assert_int_equal(res->apps[0]->sdkappid, APP);
    req.since_version = 1;
    res = ask(HY__BUS_KIND__ROUTER_APPS, &req.base, &hy__apps_res__descriptor);
    assert_int_equal(res->n_apps, 0);
}

static void sweep_dora(const Hy__SweepRes **res)
{
    Hy__SweepReq req = HY__SWEEP_REQ__INIT;
    Hy__UserKey dora = HY__USER_KEY__INIT, *keys[] = {&dora};

    dora.app = APP;
    dora.user = (char *)"dora";
    req.n_users = 1;
    req.users = keys;
    *res = ask(HY__BUS_KIND__ROUTER_SWEEP, &req.base, &hy__sweep_res__descriptor);
}

/* The router has heard the roll to its end: what is asked behind it is answered behind it. */
static void hear_the_roll(void)
{
    w.rolls = true;
    UNTIL(w.roll_told > 0);
    for (int i = 0; i < 20; i++)
        hy_loop_turn(w.loop, 5);
}

static void a_shard_that_refuses_leaves_its_users_for_another_time(void **state)
{
    const Hy__SweepRes *res;

    (void)state;
    w.sweep_code = HY_CODE_BUSY;
    sweep_dora(&res);
    assert_int_equal(res->removed, 0);
    assert_int_equal(res->n_failed, 1);
    assert_string_equal(res->failed[0]->user, "dora");
    assert_int_equal(w.sweeps, 1);
}

/* A store that is asked for all lists at once answers the last too late, and is asked again. */
static void a_store_is_asked_for_a_few_lists_at_a_time(void **state)
{
    enum { LEAVERS = 4500 };
    static Hy__UserKey keys[LEAVERS], *list[LEAVERS];
    static char names[LEAVERS][8];
    struct hy_call call = {
        .kind = HY__BUS_KIND__ROUTER_SWEEP, .peer = w.gate[0].router, .done = on_answer};
    Hy__SweepReq req = HY__SWEEP_REQ__INIT;
    const Hy__SweepRes *res;
    size_t seen = 0;

    (void)state;
    for (unsigned i = 0; i < LEAVERS; i++) {
        hy__user_key__init(&keys[i]);
        snprintf(names[i], sizeof names[i], "u%u", i);
        keys[i].app = APP;
        keys[i].user = names[i];
        list[i] = &keys[i];
    }
    req.n_users = LEAVERS;
    req.users = list;
    w.holds_lists = true;
    w.answered = false;
    w.type = &hy__sweep_res__descriptor;
    hy_bus_call_pb(w.gate[0].bus, &call, &req.base);
    while (seen < LEAVERS) {
        size_t expected = LEAVERS - seen > 1000 ? 2 : 1;

        UNTIL(w.held_count == expected);
        for (int i = 0; i < 5; i++)
            hy_loop_turn(w.loop, 5);
        assert_int_equal(w.held_count, expected); /* the others wait until these are answered */
        for (size_t i = 0; i < w.held_count; i++)
            seen += w.held[i].users;
        answer_held_lists();
    }
    UNTIL(w.answered);
    res = w.answer;
    assert_int_equal(res->n_failed, 0);
    assert_int_equal(seen, LEAVERS);
}

static void nobody_is_looked_for_in_a_group_where_nobody_is_online(void **state)
{
    const Hy__SweepRes *res;

    (void)state;
    hear_the_roll();
    strcpy(w.stayed, "emil fred");
    sweep_dora(&res);
    assert_int_equal(res->removed, 1);
    assert_int_equal(w.members_gets, 0);
    strcpy(w.stayed, "ben emil");
    sweep_dora(&res);
    UNTIL(w.members_gets == 1);
    assert_told("11:tip#2 21:tip#2 ", "12:tip#2 31:tip#2 ");
}

static void who_is_offline_is_not_asked_for_until_he_comes(void **state)
{
    Hy__Delta delta = HY__DELTA__INIT;
    Hy__UserSessions dora = HY__USER_SESSIONS__INIT, *users[] = {&dora};
    Hy__Place room[1], *pointers[1];

    (void)state;
    strcpy(w.members, "anna ben dora");
    hear_the_roll();
    assert_int_equal(group("anna", "walkers"), 0);
    assert_told("21:walkers#1 ", "12:walkers#1 ");
    assert_int_equal(w.watched, 2);
    dora.app = APP;
    dora.user = (char *)"dora";
    dora.places = pointers;
    put_place(&dora, &room[0], "gateway-1/0", 77);
    delta.n_users = 1;
    delta.users = users;
    assert_int_equal(
        hy_bus_send_pb(w.router_at_presence, HY__BUS_KIND__ROUTER_DELTA, 7, &delta.base), HY_OK);
    UNTIL(w.watched == 3); /* from here on he is watched as any other */
}

/* A client takes APP_UNKNOWN as final: it would drop what it sends, and skip what it pulls. */
static void an_app_is_not_unknown_before_the_apps_are_read(void **state)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__ConvListReq list = HY__CONV_LIST_REQ__INIT;
    Hy__SweepReq req = HY__SWEEP_REQ__INIT;
    Hy__UserKey dora = HY__USER_KEY__INIT, *keys[] = {&dora};
    const Hy__SweepRes *swept;

    (void)state;
    assert_int_equal(pair("anna", "ben"), HY_CODE_UNAVAILABLE);
    frame.body_case = HY__FRAME__BODY_CONV_LIST;
    frame.conv_list = &list;
    assert_int_equal(call(&frame)->code, HY_CODE_UNAVAILABLE);
    dora.app = APP;
    dora.user = (char *)"dora";
    req.n_users = 1;
    req.users = keys;
    swept = ask(HY__BUS_KIND__ROUTER_SWEEP, &req.base, &hy__sweep_res__descriptor);
    assert_int_equal(swept->removed, 0);
    assert_int_equal(swept->n_failed, 1); /* presence will ask again */
    w.holds_apps = false;
    UNTIL(pair("anna", "ben") == HY_CODE_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_goes_to_the_receiver_and_the_senders_other_devices),
        TEST(a_warm_conversation_asks_nobody_but_the_store),
        TEST(a_sender_may_keep_it_from_his_devices),
        TEST(rest_does_not_tell_the_sender_unless_asked_to),
        TEST(who_is_unknown_is_told_in_the_callers_words),
        TEST(a_refusal_of_the_store_passes_through),
        TEST(an_unknown_outcome_leaves_a_gap_to_every_gateway),
        TEST(what_was_told_is_not_told_again),
        TEST(a_duplicate_that_was_never_told_is_told),
        TEST(an_online_message_is_told_and_not_stored),
        TEST(who_moves_is_found_at_the_new_place),
        TEST(the_first_message_of_a_cold_group_reaches_all),
        TEST(what_comes_while_the_route_is_made_stays_in_order),
        TEST(members_come_with_the_answer),
        TEST(a_new_member_version_is_looked_up),
        TEST(who_leaves_is_left_out_without_a_new_look),
        TEST(a_route_follows_its_members),
        TEST(an_online_message_to_a_group_keeps_its_rules),
        TEST(a_live_room_costs_one_item_for_each_gateway),
        TEST(the_list_is_put_together_from_index_and_heads),
        TEST(a_page_passes_through_as_the_store_made_it),
        TEST(a_read_mark_reaches_own_devices_and_the_peer),
        TEST(a_profile_change_touches_presence_and_tells_own_devices),
        TEST(what_nobody_answers_is_refused),
        TEST(a_ticket_older_than_the_kick_is_refused),
        TEST(two_who_are_swept_leave_with_one_tip),
        TEST(a_shard_that_refuses_leaves_its_users_for_another_time),
        TEST(a_store_is_asked_for_a_few_lists_at_a_time),
        TEST(nobody_is_looked_for_in_a_group_where_nobody_is_online),
        TEST(who_is_offline_is_not_asked_for_until_he_comes),
        TEST(the_apps_are_passed_on),
        cmocka_unit_test_setup_teardown(an_app_is_not_unknown_before_the_apps_are_read,
                                        setup_without_apps, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
