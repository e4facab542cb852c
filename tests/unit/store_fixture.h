/* A shard in a temporary directory, its clock and its answers in the test's hands. */

#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "cluster.pb-c.h"
#include "common/codes.h"
#include "common/slot.h"
#include "store/store.h"

enum { FIXTURE_APP = 1400000001, FIXTURE_ANSWERS = 4096 };

/* Of the shards to come; 0: none. */
static size_t fixture_history_cache = 1 << 20;

/* hongyan-backup, for tests that make some. */
static const char *fixture_backup_program;

/* Threads that read for the shards to come, and the loop they answer through. */
static size_t fixture_readers;
static struct hy_loop *fixture_loop;

/* What shards whose slots move agree on; NULL: nothing. */
static struct hy_coord *fixture_coord;

struct fixture_answer {
    uint8_t *data;
    size_t len;
    uint64_t order; /* of all that were answered */
    uint16_t kind;
    bool there;
};

struct fixture {
    struct store *store;
    char dir[64];
    _Atomic uint64_t now_ms; /* threads of the database ask, too */
    uint32_t shard, shards;
    bool map_changes;
    uint64_t next_id, answered;
    struct fixture_answer answers[FIXTURE_ANSWERS];
    /* the last effects to send */
    bool sending;
    uint32_t send_shard;
    uint64_t send_token;
    uint8_t *send_data;
    size_t send_len;
    uint64_t reserve_bytes; /* the disk is full below it */
    /* the last part of a run to send */
    bool moving;
    uint32_t move_shard;
    uint64_t move_token;
    uint16_t move_kind;
    uint8_t *move_data;
    size_t move_len;
};

static inline uint64_t fixture_now(void *arg)
{
    return ((struct fixture *)arg)->now_ms;
}

static inline void fixture_answer(void *ctx, const struct hy_reply *reply, const uint8_t *payload,
                                  size_t len)
{
    struct fixture *f = ctx;
    struct fixture_answer *a = &f->answers[reply->id % FIXTURE_ANSWERS];

    free(a->data);
    a->data = malloc(len + 1);
    assert_non_null(a->data);
    if (len > 0)
        memcpy(a->data, payload, len);
    a->len = len;
    a->kind = reply->kind;
    a->order = ++f->answered;
    a->there = true;
}

static inline void fixture_send(void *ctx, uint32_t shard, uint64_t token, const void *payload,
                                size_t len)
{
    struct fixture *f = ctx;

    free(f->send_data);
    f->send_data = malloc(len + 1);
    assert_non_null(f->send_data);
    memcpy(f->send_data, payload, len);
    f->send_len = len;
    f->send_shard = shard;
    f->send_token = token;
    f->sending = true;
}

static inline void fixture_move_part(void *ctx, uint32_t shard, uint64_t token, uint16_t kind,
                                     uint32_t deadline_ms, const void *payload, size_t len)
{
    struct fixture *f = ctx;

    (void)deadline_ms;
    free(f->move_data);
    f->move_data = malloc(len + 1);
    assert_non_null(f->move_data);
    memcpy(f->move_data, payload, len);
    f->move_len = len;
    f->move_shard = shard;
    f->move_token = token;
    f->move_kind = kind;
    f->moving = true;
}

static inline void fixture_start(struct fixture *f)
{
    struct hy_shardmap map;
    struct store_config config = {.cluster_id = "test",
                                  .data_dir = f->dir,
                                  .backup_program = fixture_backup_program,
                                  .shard = f->shard,
                                  .map = &map,
                                  .map_changes = f->map_changes,
                                  .readers = fixture_readers,
                                  .loop = fixture_loop,
                                  .block_cache_bytes = 8 << 20,
                                  .write_buffer_bytes = 4 << 20,
                                  .cache_rows = 10000,
                                  .reserve_bytes = f->reserve_bytes,
                                  .history_cache_bytes = fixture_history_cache,
                                  .now_ms = fixture_now,
                                  .now_arg = f,
                                  .answer = fixture_answer,
                                  .send = fixture_send,
                                  .move = fixture_move_part,
                                  .coord = fixture_coord,
                                  .ctx = f};
    char why[256];

    hy_shardmap_even(&map, f->shards);
    if (store_open(&config, &f->store, why) != HY_OK)
        fail_msg("%s", why);
}

/* Shard `shard` of `shards`, with an empty directory. */
static inline struct fixture *fixture_open(uint32_t shard, uint32_t shards)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    strcpy(f->dir, "/tmp/hongyan-store-test-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->now_ms = 1700000000000;
    f->shard = shard;
    f->shards = shards;
    f->next_id = 1;
    fixture_start(f);
    return f;
}

/* As after a crash that lost nothing synced: close and open again. */
static inline void fixture_restart(struct fixture *f)
{
    store_close(&f->store);
    fixture_start(f);
}

static inline void fixture_close(struct fixture *f)
{
    char command[128];

    store_close(&f->store);
    for (int i = 0; i < FIXTURE_ANSWERS; i++)
        free(f->answers[i].data);
    free(f->send_data);
    free(f->move_data);
    snprintf(command, sizeof command, "rm -rf '%s'", f->dir);
    assert_int_equal(system(command), 0);
    free(f);
}

/* Hand over a request; its answer can be asked for by the id that comes back. */
static inline uint64_t fixture_put(struct fixture *f, uint16_t kind, const ProtobufCMessage *msg)
{
    size_t len = protobuf_c_message_get_packed_size(msg);
    uint8_t *bytes = malloc(len + 1);
    struct request req = {.kind = kind, .payload = bytes, .len = len};

    assert_non_null(bytes);
    protobuf_c_message_pack(msg, bytes);
    req.reply.id = f->next_id++;
    req.reply.kind = kind;
    f->answers[req.reply.id % FIXTURE_ANSWERS].there = false;
    store_handle(f->store, &req);
    free(bytes);
    return req.reply.id;
}

static inline bool fixture_answered(const struct fixture *f, uint64_t id)
{
    return f->answers[id % FIXTURE_ANSWERS].there;
}

/* Was it answered that it is elsewhere? */
static inline bool fixture_elsewhere(const struct fixture *f, uint64_t id)
{
    const struct fixture_answer *a = &f->answers[id % FIXTURE_ANSWERS];

    return a->there && a->kind == HY__BUS_KIND__STORE_ELSEWHERE;
}

/* The answer, decoded; free it with protobuf_c_message_free_unpacked(). */
static inline void *fixture_take(struct fixture *f, uint64_t id,
                                 const ProtobufCMessageDescriptor *type)
{
    struct fixture_answer *a = &f->answers[id % FIXTURE_ANSWERS];
    void *msg;

    assert_true(a->there && a->kind != HY__BUS_KIND__STORE_ELSEWHERE);
    msg = protobuf_c_message_unpack(type, NULL, a->len, a->data);
    assert_non_null(msg);
    return msg;
}

/* Ask and turn. */
static inline void *fixture_ask(struct fixture *f, uint16_t kind, const ProtobufCMessage *msg,
                                const ProtobufCMessageDescriptor *type)
{
    uint64_t id = fixture_put(f, kind, msg);

    store_turn(f->store);
    return fixture_take(f, id, type);
}

#define ASK(f, KIND, req, Answer, answer)                                                          \
    ((Answer *)fixture_ask(f, HY__BUS_KIND__STORE_##KIND, &(req).base, &answer##__descriptor))
#define DROP(msg) protobuf_c_message_free_unpacked(&(msg)->base, NULL)

/* ---- what tests say often ---- */

/* One message; the text is its body as it lies (the store does not look inside). */
struct say {
    const char *from, *to, *id, *text;
    bool group, admin, in_room, wants_members;
    uint32_t flags, priority, dedupe_s;
    uint64_t hash;
};

static inline uint64_t fixture_say(struct fixture *f, struct say say)
{
    Hy__AppendReq req = HY__APPEND_REQ__INIT;
    Hy__AppendItem item = HY__APPEND_ITEM__INIT, *items[1] = {&item};
    Hy__Msg msg = HY__MSG__INIT;
    uint8_t bytes[16384];
    const char *text = say.text == NULL ? "hello" : say.text;

    msg.conv_type = say.group ? HY__CONV_TYPE__CONV_GROUP : HY__CONV_TYPE__CONV_C2C;
    msg.from = (char *)say.from;
    msg.to = (char *)say.to;
    msg.client_id = say.id == NULL ? (char *)"" : (char *)say.id;
    msg.body = (ProtobufCBinaryData){strlen(text), (uint8_t *)text};
    msg.flags = say.flags;
    item.client_id = msg.client_id;
    item.msg = (ProtobufCBinaryData){hy__msg__pack(&msg, bytes), bytes};
    item.flags = say.flags;
    item.priority = say.priority;
    item.dedupe_s = say.dedupe_s;
    item.hash = say.hash;
    req.app = FIXTURE_APP;
    req.conv_type = msg.conv_type;
    req.from = msg.from;
    req.to = msg.to;
    req.admin = say.admin;
    req.in_room = say.in_room;
    req.wants_members = say.wants_members;
    req.n_items = 1;
    req.items = items;
    return fixture_put(f, HY__BUS_KIND__STORE_APPEND, &req.base);
}

/* Say and turn; the result is by value, without texts. */
struct said {
    uint32_t code;
    uint64_t seq, time_ms;
    bool duplicate, dropped;
};

static inline struct said fixture_result(struct fixture *f, uint64_t id)
{
    Hy__AppendRes *res = fixture_take(f, id, &hy__append_res__descriptor);
    struct said said;

    assert_int_equal(res->n_results, 1);
    said = (struct said){res->results[0]->code, res->results[0]->seq, res->results[0]->time_ms,
                         res->results[0]->duplicate, res->results[0]->dropped};
    DROP(res);
    return said;
}

static inline struct said fixture_said(struct fixture *f, struct say say)
{
    uint64_t id = fixture_say(f, say);

    store_turn(f->store);
    return fixture_result(f, id);
}

/* A history request with the usual fields. */
struct page {
    const char *user, *peer;
    bool group, newer, admin, places;
    uint64_t from, time_ms;
    uint32_t count, max_count;
};

static inline Hy__HistoryRes *fixture_page(struct fixture *f, struct page page)
{
    Hy__StoreHistoryReq req = HY__STORE_HISTORY_REQ__INIT;
    Hy__HistoryReq inner = HY__HISTORY_REQ__INIT;

    inner.conv_type = page.group ? HY__CONV_TYPE__CONV_GROUP : HY__CONV_TYPE__CONV_C2C;
    inner.peer = (char *)page.peer;
    inner.newer = page.newer;
    inner.from_seq = page.from;
    inner.time_ms = page.time_ms;
    inner.count = page.count;
    req.app = FIXTURE_APP;
    req.user = (char *)page.user;
    req.admin = page.admin;
    req.keep_places = page.places;
    req.max_count = page.max_count;
    req.req = &inner;
    return ASK(f, HISTORY, req, Hy__HistoryRes, hy__history_res);
}

static inline Hy__HeadsRes *fixture_heads(struct fixture *f, const char *user, const char *peer,
                                          bool group)
{
    Hy__HeadsReq req = HY__HEADS_REQ__INIT;
    Hy__ConvKey key = HY__CONV_KEY__INIT, *keys[1] = {&key};

    key.type = group ? HY__CONV_TYPE__CONV_GROUP : HY__CONV_TYPE__CONV_C2C;
    key.peer = (char *)peer;
    req.app = FIXTURE_APP;
    req.user = (char *)user;
    req.n_convs = 1;
    req.convs = keys;
    return ASK(f, HEADS, req, Hy__HeadsRes, hy__heads_res);
}

static inline uint32_t fixture_unread(struct fixture *f, const char *user, const char *peer,
                                      bool group)
{
    Hy__HeadsRes *res = fixture_heads(f, user, peer, group);
    uint32_t unread = res->convs[0]->unread;

    DROP(res);
    return unread;
}

static inline Hy__IndexRes *fixture_index(struct fixture *f, const char *user)
{
    Hy__IndexReq req = HY__INDEX_REQ__INIT;

    req.app = FIXTURE_APP;
    req.user = (char *)user;
    return ASK(f, INDEX, req, Hy__IndexRes, hy__index_res);
}

/* When the user's first conversation had its last message, by the index; 0: there is none. */
static inline uint64_t fixture_index_time(struct fixture *f, const char *user)
{
    Hy__IndexRes *res = fixture_index(f, user);
    uint64_t time_ms = res->n_entries == 0 ? 0 : res->entries[0]->row->last_time_ms;

    DROP(res);
    return time_ms;
}

static inline struct said fixture_read(struct fixture *f, const char *user, const char *peer,
                                       bool group, uint64_t seq, uint32_t *unread)
{
    Hy__StoreReadReq req = HY__STORE_READ_REQ__INIT;
    Hy__StoreReadRes *res;
    struct said said;

    req.app = FIXTURE_APP;
    req.conv_type = group ? HY__CONV_TYPE__CONV_GROUP : HY__CONV_TYPE__CONV_C2C;
    req.user = (char *)user;
    req.peer = (char *)peer;
    req.seq = seq;
    res = ASK(f, READ, req, Hy__StoreReadRes, hy__store_read_res);
    *unread = res->unread;
    said = (struct said){.code = res->code, .seq = res->read_seq};
    DROP(res);
    return said;
}

/* Make a group; users are its ordinary members besides the owner. Returns the code. */
static inline uint32_t fixture_group(struct fixture *f, const char *type, const char *id,
                                     const char *owner, size_t n, const char *const *users)
{
    Hy__StoreGroupCreateReq req = HY__STORE_GROUP_CREATE_REQ__INIT;
    Hy__GroupInfo info = HY__GROUP_INFO__INIT;
    Hy__MemberInfo members[16], *list[16];
    Hy__GroupRes *res;
    uint32_t code;

    info.group = (char *)id;
    info.type = (char *)type;
    info.name = (char *)"Walkers";
    info.owner = (char *)owner;
    for (size_t i = 0; i < n; i++) {
        hy__member_info__init(&members[i]);
        members[i].user = (char *)users[i];
        list[i] = &members[i];
    }
    req.app = FIXTURE_APP;
    req.operator_id = (char *)owner;
    req.info = &info;
    req.n_members = n;
    req.members = list;
    res = ASK(f, GROUP_CREATE, req, Hy__GroupRes, hy__group_res);
    code = res->code;
    DROP(res);
    return code;
}

/* Add or remove one user. */
struct move {
    const char *group, *by, *user, *op_id, *reason;
    bool admin, silent, join;
};

static inline Hy__StoreMembersRes *fixture_move(struct fixture *f, bool add, struct move move)
{
    Hy__StoreMembersReq req = HY__STORE_MEMBERS_REQ__INIT;
    Hy__MemberInfo member = HY__MEMBER_INFO__INIT, *list[1] = {&member};

    member.user = (char *)move.user;
    req.app = FIXTURE_APP;
    req.group = (char *)move.group;
    req.operator_id = move.by == NULL ? (char *)"" : (char *)move.by;
    req.op_id = move.op_id == NULL ? (char *)"" : (char *)move.op_id;
    req.reason = move.reason == NULL ? (char *)"" : (char *)move.reason;
    req.admin = move.admin;
    req.silent = move.silent;
    req.join = move.join;
    req.n_members = 1;
    req.members = list;
    return add ? ASK(f, MEMBERS_ADD, req, Hy__StoreMembersRes, hy__store_members_res)
               : ASK(f, MEMBERS_REMOVE, req, Hy__StoreMembersRes, hy__store_members_res);
}

static inline uint32_t fixture_moved(struct fixture *f, bool add, struct move move)
{
    Hy__StoreMembersRes *res = fixture_move(f, add, move);
    uint32_t code = res->code;

    DROP(res);
    return code;
}

/* Make or change the app; what is 0 becomes the default when it is new. */
static inline Hy__App fixture_app(void)
{
    Hy__App app = HY__APP__INIT;

    app.sdkappid = FIXTURE_APP;
    app.name = (char *)"test";
    app.multi_device = 1;
    app.max_message_bytes = 9216;
    app.recent_contacts = 50;
    app.sweep_interval_s = 300;
    app.sweep_grace_s = 60;
    app.group_rate = 40;
    app.max_groups = 100000;
    app.retention_days = 7;
    return app;
}

static inline uint32_t fixture_app_put(struct fixture *f, Hy__App *app)
{
    Hy__AppPutReq req = HY__APP_PUT_REQ__INIT;
    Hy__AppsRes *res;
    uint32_t code;

    req.app = app;
    res = ASK(f, APP_PUT, req, Hy__AppsRes, hy__apps_res);
    code = res->code;
    DROP(res);
    return code;
}

#endif
