#include "router/sweep.h"

#include <stdlib.h>
#include <string.h>

#include "common/names.h"
#include "router/applist.h"
#include "router/memory.h"
#include "router/notices.h"
#include "router/roll.h"

enum {
    LIST_USERS = 1000,    /* whose groups are asked for with one call, of a shard */
    LISTS_AT_ONCE = 2,    /* such calls under way at a shard: more would only wait there, be asked
                           * again, and come too late */
    PAIRS_MOST = 4 << 20, /* memberships that end in one sweep; 16 bytes each */
    CALL_GROUPS = 128,    /* of one command to a store: a message waits behind it for 1 or 2 ms */
    CALL_NAMES = 1000,
    TIP_NAMES = 500, /* who leave a group with one tip */
};

/* A membership that is to end. */
struct pair {
    const char *group;
    uint32_t user; /* of the request's */
    uint16_t slot; /* of the group */
};

/* The sweep of one shard's groups: one command at a time, so that messages get between. */
struct lane {
    struct op *op;
    uint32_t shard;
    size_t at, sent, end; /* of the pairs; at..sent is under way */
};

/* What some of a shard's users are members of. */
struct list {
    struct list *next;
    const uint32_t *users;
    size_t count;
    const struct op_ask *ask;
};

/* Users of one shard, of whom some are not asked about yet. */
struct unlisted {
    size_t at, end;
};

struct sweep {
    const Hy__SweepReq *req;
    uint32_t app;
    const uint32_t *users;     /* by slot */
    struct unlisted *unlisted; /* by shard */
    struct list *lists;
    struct pair *pairs; /* by slot, group and user */
    size_t count;
    struct lane *lanes; /* by shard */
    uint32_t open;      /* lanes that are not done */
    uint32_t removed;
    bool *failed; /* by user */
};

static void answer(struct op *op, struct sweep *sweep)
{
    Hy__SweepRes res = HY__SWEEP_RES__INIT;

    res.removed = sweep->removed;
    res.failed = op_get(op, (sweep->req->n_users + 1) * sizeof *res.failed);
    for (size_t i = 0; i < sweep->req->n_users; i++)
        if (sweep->failed[i])
            res.failed[res.n_failed++] = sweep->req->users[i];
    hy_bus_reply_pb(&op->reply, &res.base);
    op_end(op);
}

static void refuse(struct op *op, uint32_t code, const char *info)
{
    Hy__SweepRes res = HY__SWEEP_RES__INIT;

    (void)code;
    (void)info;
    hy_bus_reply_pb(&op->reply, &res.base);
    op_end(op);
}

/* ---- telling ---- */

static char **texts_of(struct hy_arena *arena, const ProtobufCBinaryData *names, size_t *count)
{
    char **texts =
        memory_from(arena, (hy_names_count(names->data, names->len) + 1) * sizeof *texts);

    *count = 0;
    for (const char *name = hy_names_first(names->data, names->len); name != NULL;
         name = hy_names_next(names->data, names->len, name))
        texts[(*count)++] = (char *)name;
    return texts;
}

/* May anybody be there to be told? Without a route nobody here has been told anything of the group
 * for a while, and none is made for people who are not online. */
static bool heard(const struct parts *parts, uint32_t app, const Hy__SweptGroup *group)
{
    if (group->many || routes_have(parts->routes, app, group->group))
        return true;
    for (const char *name = hy_names_first(group->stayed.data, group->stayed.len); name != NULL;
         name = hy_names_next(group->stayed.data, group->stayed.len, name))
        if (!roll_offline(parts->roll, app, name))
            return true;
    return false;
}

static void tell_group(struct parts *parts, struct hy_arena *arena, uint32_t app,
                       const Hy__SweptGroup *group)
{
    struct routes_change change = {
        .app = app, .group = group->group, .version = group->member_version};
    Hy__GroupInfo info = HY__GROUP_INFO__INIT;
    Hy__Msg *tip;

    if (!heard(parts, app, group))
        return;
    change.users = texts_of(arena, &group->gone, &change.count);
    routes_change(parts->routes, &change);
    tip = group->tip.len == 0 ? NULL : hy__msg__unpack(&arena->pb, group->tip.len, group->tip.data);
    info.group = group->group;
    info.type = group->type;
    info.name = group->name;
    notices_tips(parts, app, &info, group->member_version, tip != NULL, &tip);
}

/* ---- removing ---- */

static void lane_go(struct lane *lane);

/* What is left of the shard is for another time. */
static void lane_fail(struct lane *lane)
{
    struct sweep *sweep = lane->op->work;

    for (; lane->at < lane->end; lane->at++)
        sweep->failed[sweep->pairs[lane->at].user] = true;
}

static void take_swept(struct lane *lane, const Hy__StoreSweepRes *res, struct hy_arena *arena)
{
    struct op *op = lane->op;
    struct sweep *sweep = op->work;

    sweep->removed += res->removed;
    for (size_t i = 0; i < res->n_groups; i++)
        tell_group(op->parts, arena, sweep->app, res->groups[i]);
    /* Perhaps an earlier try of this command removed them, and nobody was told. */
    if (res->absent > 0)
        push_skip(op->parts->push);
    lane->at = lane->sent;
}

static void on_swept(void *arg, enum hy_err err, const struct hy_record *record)
{
    struct lane *lane = arg;
    struct hy_arena arena;
    const Hy__StoreSweepRes *res = NULL;

    hy_arena_init(&arena);
    if (err == HY_OK)
        res = hy__store_sweep_res__unpack(&arena.pb, record->len, record->payload);
    if (res != NULL && res->code == HY_CODE_OK) {
        take_swept(lane, res, &arena);
    } else {
        if (res == NULL && err != HY_EBUSY) /* it may have been done */
            push_skip(lane->op->parts->push);
        lane_fail(lane);
    }
    hy_arena_free(&arena);
    lane_go(lane);
}

static bool same_group(const struct pair *a, const struct pair *b)
{
    return a->slot == b->slot && strcmp(a->group, b->group) == 0;
}

/* The pairs of the group that begins at first, as many as one tip names; the names go to list. */
static size_t take_group(const struct sweep *sweep, size_t first, size_t end, uint8_t *list,
                         size_t *len)
{
    size_t i = first;

    for (; i < end && i - first < TIP_NAMES && same_group(&sweep->pairs[first], &sweep->pairs[i]);
         i++) {
        const char *user = sweep->req->users[sweep->pairs[i].user]->user;
        size_t user_len = strlen(user) + 1;

        memcpy(list + *len, user, user_len);
        *len += user_len;
    }
    return i;
}

/* How many bytes of names the next command may take at most. */
static size_t names_bytes(const struct sweep *sweep, const struct lane *lane)
{
    size_t bytes = 0;

    for (size_t i = lane->at; i < lane->end && i - lane->at < CALL_NAMES + TIP_NAMES; i++)
        bytes += strlen(sweep->req->users[sweep->pairs[i].user]->user) + 1;
    return bytes;
}

/* Gather the next groups of the lane. A group of more than a tip's worth goes on in the next call:
 * a store takes each once a command. */
static void gather(struct lane *lane, Hy__StoreSweepReq *req, struct hy_arena *arena)
{
    const struct sweep *sweep = lane->op->work;
    Hy__SweepGroup *groups = memory_from(arena, CALL_GROUPS * sizeof *groups);
    uint8_t *list = memory_from(arena, names_bytes(sweep, lane) + 1);
    size_t len = 0, i = lane->at;
    bool cut = false;

    req->groups = memory_from(arena, CALL_GROUPS * sizeof *req->groups);
    while (i < lane->end && req->n_groups < CALL_GROUPS && i - lane->at < CALL_NAMES && !cut) {
        Hy__SweepGroup *group = &groups[req->n_groups];
        size_t from = len, first = i;

        hy__sweep_group__init(group);
        group->group = (char *)sweep->pairs[i].group;
        i = take_group(sweep, i, lane->end, list, &len);
        group->users = (ProtobufCBinaryData){len - from, list + from};
        req->groups[req->n_groups++] = group;
        cut = i < lane->end && same_group(&sweep->pairs[first], &sweep->pairs[i]);
    }
    lane->sent = i;
}

/* The next command, or the end. */
static void lane_go(struct lane *lane)
{
    struct op *op = lane->op;
    struct sweep *sweep = op->work;
    Hy__StoreSweepReq req = HY__STORE_SWEEP_REQ__INIT;
    struct hy_stores_call call = {
        .kind = HY__BUS_KIND__STORE_SWEEP,
        .deadline_ms = op->parts->call_deadline_ms,
        .done = on_swept,
        .arg = lane,
    };
    struct hy_arena arena;

    if (lane->at == lane->end) {
        if (--sweep->open == 0)
            answer(op, sweep);
        return;
    }
    hy_arena_init(&arena);
    req.app = sweep->app;
    /* Where the first is now. When some have moved away meanwhile the command is refused as long as
     * it is asked, and these users are for another time. */
    call.where = hy_stores_at_slot(sweep->pairs[lane->at].slot);
    gather(lane, &req, &arena);
    hy_stores_ask_pb(op->parts->stores, &call, &req.base);
    hy_arena_free(&arena);
}

/* ---- who leaves what ---- */

/* qsort has no context: one sweep is sorted at a time. */
static const Hy__SweepReq *sorted_for;

static int by_group(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int order = strcmp(x->group, y->group);

    return order != 0 ? order
                      : strcmp(sorted_for->users[x->user]->user, sorted_for->users[y->user]->user);
}

/* The places of slots when they are in order of shard, and of slot within a shard. */
static uint16_t *ranks(struct op *op, uint32_t shards)
{
    uint32_t *next = op_get(op, (shards + 1) * sizeof *next);
    uint16_t *rank = op_get(op, HY_SLOTS * sizeof *rank);

    for (uint32_t slot = 0; slot < HY_SLOTS; slot++)
        next[hy_stores_shard(op->parts->stores, (uint16_t)slot) + 1]++;
    for (uint32_t shard = 0; shard < shards; shard++)
        next[shard + 1] += next[shard];
    for (uint32_t slot = 0; slot < HY_SLOTS; slot++)
        rank[slot] = (uint16_t)next[hy_stores_shard(op->parts->stores, (uint16_t)slot)]++;
    return rank;
}

/* By shard and slot, which is the order of the stores' keys, with two passes over the pairs; within
 * a slot, few, by group and user. */
static void sort(struct op *op, struct sweep *sweep)
{
    const uint16_t *rank = ranks(op, hy_stores_count(op->parts->stores));
    uint32_t *ends = op_get(op, (HY_SLOTS + 1) * sizeof *ends);
    struct pair *sorted = op_get(op, (sweep->count + 1) * sizeof *sorted);

    for (size_t i = 0; i < sweep->count; i++)
        ends[rank[sweep->pairs[i].slot] + 1]++;
    for (size_t place = 0; place < HY_SLOTS; place++)
        ends[place + 1] += ends[place];
    for (size_t i = 0; i < sweep->count; i++)
        sorted[ends[rank[sweep->pairs[i].slot]]++] =
            sweep->pairs[i]; /* now ends[place] is the end of it */
    sweep->pairs = sorted;
    sorted_for = sweep->req;
    for (size_t place = 0, first = 0; place < HY_SLOTS; first = ends[place++])
        qsort(sorted + first, ends[place] - first, sizeof *sorted, by_group);
}

static void remove_all(struct op *op, struct sweep *sweep)
{
    uint32_t shards = hy_stores_count(op->parts->stores);
    size_t at = 0;

    sweep->lanes = op_get(op, shards * sizeof *sweep->lanes);
    for (uint32_t shard = 0; shard < shards; shard++) {
        struct lane *lane = &sweep->lanes[shard];

        *lane = (struct lane){.op = op, .shard = shard, .at = at};
        while (at < sweep->count &&
               hy_stores_shard(op->parts->stores, sweep->pairs[at].slot) == shard)
            at++;
        lane->end = at;
    }
    sweep->open = shards;
    for (uint32_t shard = 0; shard < shards; shard++)
        lane_go(&sweep->lanes[shard]); /* the last of them may end the op */
}

static size_t count_pairs(const Hy__StoreSweepListRes *res)
{
    size_t count = 0;

    for (size_t i = 0; i < res->n_groups; i++)
        count += hy_names_count(res->groups[i].data, res->groups[i].len);
    return count;
}

static void add_pairs(struct sweep *sweep, const struct list *list,
                      const Hy__StoreSweepListRes *res)
{
    for (size_t i = 0; i < list->count; i++) {
        const ProtobufCBinaryData *names = &res->groups[i];

        for (const char *group = hy_names_first(names->data, names->len); group != NULL;
             group = hy_names_next(names->data, names->len, group))
            sweep->pairs[sweep->count++] =
                (struct pair){group, list->users[i], hy_slot_group(sweep->app, group)};
    }
}

/* What was listed; NULL: these users are for another time. */
static const Hy__StoreSweepListRes *listed(struct sweep *sweep, const struct list *list,
                                           size_t *left)
{
    const char *info;
    const Hy__StoreSweepListRes *res = list->ask->answer;
    bool good = op_code(list->ask, &info) == HY_CODE_OK && res->n_groups == list->count;
    size_t pairs = good ? count_pairs(res) : 0;

    if (good && pairs <= *left) {
        *left -= pairs;
        return res;
    }
    for (size_t i = 0; i < list->count; i++)
        sweep->failed[list->users[i]] = true;
    return NULL;
}

static void on_lists(struct op *op)
{
    struct sweep *sweep = op->work;
    size_t left = PAIRS_MOST;

    for (struct list *list = sweep->lists; list != NULL; list = list->next)
        if (listed(sweep, list, &left) == NULL)
            list->count = 0;
    sweep->pairs = op_get(op, (PAIRS_MOST - left + 1) * sizeof *sweep->pairs);
    for (const struct list *list = sweep->lists; list != NULL; list = list->next)
        if (list->count > 0)
            add_pairs(sweep, list, list->ask->answer);
    sort(op, sweep);
    remove_all(op, sweep);
}

/* Ask for the groups of some users, all of one shard. */
static void ask_list(struct op *op, struct sweep *sweep, const uint32_t *users, size_t count)
{
    Hy__StoreSweepListReq req = HY__STORE_SWEEP_LIST_REQ__INIT;
    struct list *list = op_get(op, sizeof *list);

    req.app = sweep->app;
    req.users = op_get(op, count * sizeof *req.users);
    for (size_t i = 0; i < count; i++)
        req.users[req.n_users++] = sweep->req->users[users[i]]->user;
    list->users = users;
    list->count = count;
    list->ask = op_store(op, hy_slot_user(sweep->app, req.users[0]), HY__BUS_KIND__STORE_SWEEP_LIST,
                         &req.base, &hy__store_sweep_list_res__descriptor);
    list->next = sweep->lists;
    sweep->lists = list;
}

/* The users by slot: a store reads their indexes in one walk. */
static uint32_t *users_by_slot(struct op *op, const struct sweep *sweep)
{
    uint32_t *ends = op_get(op, (HY_SLOTS + 1) * sizeof *ends);
    uint32_t *sorted = op_get(op, (sweep->req->n_users + 1) * sizeof *sorted);

    for (size_t i = 0; i < sweep->req->n_users; i++)
        ends[hy_slot_user(sweep->app, sweep->req->users[i]->user) + 1]++;
    for (size_t slot = 0; slot < HY_SLOTS; slot++)
        ends[slot + 1] += ends[slot];
    for (size_t i = 0; i < sweep->req->n_users; i++)
        sorted[ends[hy_slot_user(sweep->app, sweep->req->users[i]->user)]++] = (uint32_t)i;
    return sorted;
}

static uint32_t shard_of(const struct op *op, const struct sweep *sweep, uint32_t user)
{
    return hy_stores_shard(op->parts->stores,
                           hy_slot_user(sweep->app, sweep->req->users[user]->user));
}

/* A shard may have slots here and there: its users together, and by slot among themselves. */
static void part_by_shard(struct op *op, struct sweep *sweep)
{
    uint32_t shards = hy_stores_count(op->parts->stores);
    size_t count = sweep->req->n_users, begin = 0;
    const uint32_t *by_slot = users_by_slot(op, sweep);
    uint32_t *users = op_get(op, (count + 1) * sizeof *users);

    sweep->users = users;
    sweep->unlisted = op_get(op, (shards + 1) * sizeof *sweep->unlisted);
    for (size_t i = 0; i < count; i++)
        sweep->unlisted[shard_of(op, sweep, by_slot[i])].end++;
    for (uint32_t shard = 0; shard < shards; shard++) {
        struct unlisted *part = &sweep->unlisted[shard];

        begin += part->end;
        part->at = part->end = begin - part->end;
    }
    for (size_t i = 0; i < count; i++)
        users[sweep->unlisted[shard_of(op, sweep, by_slot[i])].end++] = by_slot[i];
}

/* The next few of each shard, until there are no more. */
static void ask_lists(struct op *op)
{
    struct sweep *sweep = op->work;
    bool any = false;

    for (uint32_t shard = 0; shard < hy_stores_count(op->parts->stores); shard++) {
        struct unlisted *left = &sweep->unlisted[shard];

        for (int i = 0; i < LISTS_AT_ONCE && left->at < left->end; i++) {
            size_t count = left->end - left->at < LIST_USERS ? left->end - left->at : LIST_USERS;

            ask_list(op, sweep, sweep->users + left->at, count);
            left->at += count;
            any = true;
        }
    }
    op_then(op, any ? ask_lists : on_lists);
}

/* All of one app, with names? */
static bool well_formed(const Hy__SweepReq *req)
{
    for (size_t i = 0; req != NULL && i < req->n_users; i++)
        if (req->users[i]->app != req->users[0]->app || req->users[i]->user[0] == '\0')
            return false;
    return req != NULL;
}

/* A process that hands over users may have lost sight of them: who is online anywhere stays. */
static void spare_online(const struct parts *parts, Hy__SweepReq *req)
{
    size_t kept = 0;

    for (size_t i = 0; i < req->n_users; i++)
        if (!roll_online(parts->roll, req->users[i]->app, req->users[i]->user))
            req->users[kept++] = req->users[i];
    req->n_users = kept;
}

void sweep_begin(struct parts *parts, struct hy_peer *peer, const struct hy_record *record)
{
    struct op *op = op_begin(parts, peer, record);
    struct sweep *sweep = op_get(op, sizeof *sweep);
    Hy__SweepReq *req = hy__sweep_req__unpack(&op->arena.pb, record->len, record->payload);

    op->refuse = refuse;
    op->work = sweep;
    sweep->req = req;
    if (!well_formed(sweep->req)) {
        op_refuse(op, HY_CODE_PARAM);
        return;
    }
    sweep->failed = op_get(op, sweep->req->n_users + 1);
    if (!applist_ready(parts->applist)) { /* whether their apps sweep is not known yet */
        memset(sweep->failed, true, sweep->req->n_users);
        answer(op, sweep);
        return;
    }
    spare_online(parts, req);
    if (sweep->req->n_users > 0)
        sweep->app = sweep->req->users[0]->app;
    part_by_shard(op, sweep);
    ask_lists(op);
}

/* ---- scan ---- */

static void scan_answer(struct op *op, const Hy__SweepScanRes *res)
{
    hy_bus_reply_pb(&op->reply, &res->base);
    op_end(op);
}

static void scan_refuse(struct op *op, uint32_t code, const char *info)
{
    Hy__SweepScanRes res = HY__SWEEP_SCAN_RES__INIT;

    (void)info;
    res.code = code;
    scan_answer(op, &res);
}

static void on_scanned(struct op *op)
{
    const struct op_ask *ask = op->work;

    if (!op_failed(op, ask))
        scan_answer(op, ask->answer);
}

void sweep_scan_begin(struct parts *parts, struct hy_peer *peer, const struct hy_record *record)
{
    struct op *op = op_begin(parts, peer, record);
    Hy__SweepScanReq *req = hy__sweep_scan_req__unpack(&op->arena.pb, record->len, record->payload);

    op->refuse = scan_refuse;
    if (req == NULL || req->shard >= hy_stores_count(parts->stores)) {
        op_refuse(op, HY_CODE_PARAM);
        return;
    }
    if (!hy_stores_owns(parts->stores, req->shard)) { /* and may have no stores any more */
        Hy__SweepScanRes none = HY__SWEEP_SCAN_RES__INIT;

        scan_answer(op, &none);
        return;
    }
    op->work = op_shard(op, req->shard, HY__BUS_KIND__STORE_SWEEP_SCAN, &req->base,
                        &hy__sweep_scan_res__descriptor);
    op_then(op, on_scanned);
}
