#include "router/sweep.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/grouptype.h"
#include "router/applist.h"
#include "router/notices.h"
#include "router/table.h"

enum { SWEEP_USERS_MOST = 256 };

struct leaver {
    struct leaver *next;
    size_t which; /* of the request's users */
};

/* Users who leave one group in one command: its members read one tip, not one each. */
struct leaving {
    struct leaving *next;
    uint32_t app;
    const char *group;
    size_t count;
    struct leaver *leavers;
    const struct op_ask *ask;
};

struct sweep {
    const Hy__SweepReq *req;
    const struct op_ask **indexes;
    struct leaving *groups;
    struct table by_group;
    bool failed[SWEEP_USERS_MOST];
};

static void answer(struct op *op, struct sweep *sweep, uint32_t removed)
{
    Hy__SweepRes res = HY__SWEEP_RES__INIT;
    Hy__UserKey *failed[SWEEP_USERS_MOST];

    res.removed = removed;
    res.failed = failed;
    for (size_t i = 0; i < sweep->req->n_users; i++)
        if (sweep->failed[i])
            failed[res.n_failed++] = sweep->req->users[i];
    hy_bus_reply_pb(&op->reply, &res.base);
    table_free(&sweep->by_group);
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

/* ---- removing ---- */

static uint32_t take_removed(struct op *op, struct sweep *sweep, const struct leaving *leaving)
{
    const Hy__StoreMembersRes *res = leaving->ask->answer;
    struct routes_change change;
    uint32_t removed = 0;
    const char *info;
    char **users;
    uint32_t code = op_code(leaving->ask, &info);

    /* Dissolved, or no longer to be swept: nothing is left to do. */
    if (code == HY_CODE_GROUP_UNKNOWN || code == HY_CODE_GROUP_DENIED)
        return 0;
    if (code != HY_CODE_OK) {
        for (const struct leaver *l = leaving->leavers; l != NULL; l = l->next)
            sweep->failed[l->which] = true;
        return 0;
    }
    users = op_get(op, (res->n_results + 1) * sizeof *users);
    for (size_t i = 0; i < res->n_results; i++)
        if (res->results[i]->result == 1)
            users[removed++] = res->results[i]->user;
    change = (struct routes_change){
        .app = leaving->app,
        .group = leaving->group,
        .version = res->member_version,
        .count = removed,
        .users = users,
    };
    routes_change(op->parts->routes, &change);
    notices_tips(op->parts, leaving->app, res->group, res->member_version, res->n_tips, res->tips);
    return removed;
}

static void on_removed(struct op *op)
{
    struct sweep *sweep = op->work;
    uint32_t removed = 0;

    for (const struct leaving *leaving = sweep->groups; leaving != NULL; leaving = leaving->next)
        removed += take_removed(op, sweep, leaving);
    answer(op, sweep, removed);
}

static void remove_members(struct op *op, const struct sweep *sweep, struct leaving *leaving)
{
    Hy__StoreMembersReq req = HY__STORE_MEMBERS_REQ__INIT;
    char op_id[48];

    snprintf(op_id, sizeof op_id, "sweep-%016llx", (unsigned long long)hy_random64());
    req.app = leaving->app;
    req.op_id = op_id;
    req.admin = true;
    req.group = (char *)leaving->group;
    req.sweep = true;
    req.reason = (char *)"sweep";
    req.members = op_get(op, leaving->count * sizeof *req.members);
    for (const struct leaver *l = leaving->leavers; l != NULL; l = l->next) {
        Hy__MemberInfo *member = op_get(op, sizeof *member);

        hy__member_info__init(member);
        member->user = sweep->req->users[l->which]->user;
        req.members[req.n_members++] = member;
    }
    leaving->ask =
        op_store(op, hy_slot_group(req.app, req.group), HY__BUS_KIND__STORE_MEMBERS_REMOVE,
                 &req.base, &hy__store_members_res__descriptor);
}

/* ---- who leaves what ---- */

struct key {
    uint32_t app;
    const char *group;
};

static bool same_group(const void *item, const void *key)
{
    const struct leaving *leaving = item;
    const struct key *k = key;

    return leaving->app == k->app && strcmp(leaving->group, k->group) == 0;
}

static struct leaving *leaving_of(struct op *op, struct sweep *sweep, uint32_t app,
                                  const char *group)
{
    struct key key = {app, group};
    uint64_t hash = table_hash(app, group);
    struct leaving *leaving = table_find(&sweep->by_group, hash, same_group, &key);

    if (leaving != NULL)
        return leaving;
    leaving = op_get(op, sizeof *leaving);
    leaving->app = app;
    leaving->group = group;
    leaving->next = sweep->groups;
    sweep->groups = leaving;
    /* Without its place in the table a group is only asked twice. */
    (void)!table_put(&sweep->by_group, hash, leaving);
    return leaving;
}

static bool to_be_left(const struct op *op, uint32_t app_id, const Hy__IndexEntry *entry)
{
    const Hy__App *app = applist_find(op->parts->applist, app_id);
    const struct hy_group_type *type;

    if (entry->type != HY__CONV_TYPE__CONV_GROUP || entry->row == NULL || !entry->row->joined)
        return false;
    type = hy_group_type(entry->row->group_type);
    if (type != NULL && type->live)
        return false;
    return entry->row->sweep || (app != NULL && app->sweep == 1);
}

static void gather(struct op *op, struct sweep *sweep, size_t i)
{
    const Hy__IndexRes *index = sweep->indexes[i]->answer;
    uint32_t app = sweep->req->users[i]->app;
    const char *info;

    if (op_code(sweep->indexes[i], &info) != HY_CODE_OK) {
        sweep->failed[i] = true;
        return;
    }
    for (size_t k = 0; k < index->n_entries; k++) {
        struct leaving *leaving;
        struct leaver *leaver;

        if (!to_be_left(op, app, index->entries[k]))
            continue;
        leaving = leaving_of(op, sweep, app, index->entries[k]->peer);
        leaver = op_get(op, sizeof *leaver);
        leaver->which = i;
        leaver->next = leaving->leavers;
        leaving->leavers = leaver;
        leaving->count++;
    }
}

static void on_indexes(struct op *op)
{
    struct sweep *sweep = op->work;

    for (size_t i = 0; i < sweep->req->n_users; i++)
        gather(op, sweep, i);
    for (struct leaving *leaving = sweep->groups; leaving != NULL; leaving = leaving->next)
        remove_members(op, sweep, leaving);
    op_then(op, on_removed);
}

void sweep_begin(struct parts *parts, struct hy_peer *peer, const struct hy_record *record)
{
    struct op *op = op_begin(parts, peer, record);
    struct sweep *sweep = op_get(op, sizeof *sweep);

    op->refuse = refuse;
    op->work = sweep;
    sweep->req = hy__sweep_req__unpack(&op->arena.pb, record->len, record->payload);
    if (sweep->req == NULL || sweep->req->n_users > SWEEP_USERS_MOST) {
        op_refuse(op, HY_CODE_PARAM);
        return;
    }
    if (!applist_ready(parts->applist)) { /* whether their apps sweep is not known yet */
        memset(sweep->failed, true, sizeof sweep->failed);
        answer(op, sweep, 0);
        return;
    }
    sweep->indexes = op_get(op, (sweep->req->n_users + 1) * sizeof *sweep->indexes);
    for (size_t i = 0; i < sweep->req->n_users; i++) {
        Hy__IndexReq req = HY__INDEX_REQ__INIT;

        req.app = sweep->req->users[i]->app;
        req.user = sweep->req->users[i]->user;
        req.groups_only = true;
        sweep->indexes[i] = op_store(op, hy_slot_user(req.app, req.user), HY__BUS_KIND__STORE_INDEX,
                                     &req.base, &hy__index_res__descriptor);
    }
    op_then(op, on_indexes);
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
    if (req == NULL || req->shard >= stores_count(parts->stores)) {
        op_refuse(op, HY_CODE_PARAM);
        return;
    }
    op->work = op_shard(op, req->shard, HY__BUS_KIND__STORE_SWEEP_SCAN, &req->base,
                        &hy__sweep_scan_res__descriptor);
    op_then(op, on_scanned);
}
