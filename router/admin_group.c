/* admin_group - group commands of REST that clients have not. */

#include <string.h>

#include "router/admin.h"
#include "router/groups.h"
#include "router/notices.h"

/* ---- all groups of an app ---- */

enum { SCAN_MOST = 10000 };

struct scan {
    const Hy__GroupScanReq *body;
    const struct op_ask **totals; /* each shard counts its own */
    const struct op_ask *page;
    uint32_t shards;
    uint32_t run_end; /* the slot where the run ends that is being read */
    uint64_t cursor;
    uint32_t left;
    Hy__GroupScanRes res;
};

static void ask_page(struct op *op, struct scan *scan);

static void on_totals(struct op *op)
{
    struct scan *scan = op->work;

    for (uint32_t s = 0; s < scan->shards; s++) {
        if (scan->totals[s] == NULL)
            continue;
        if (op_failed(op, scan->totals[s]))
            return;
        scan->res.total += ((const Hy__GroupScanRes *)scan->totals[s]->answer)->total;
    }
    ask_page(op, scan);
}

/* Where the next run of slots begins, which another shard owns. 0: there is none. */
static uint64_t next_run(const struct scan *scan)
{
    return scan->run_end < HY_SLOTS ? (uint64_t)scan->run_end << 32 : 0;
}

/* A shard may own more than this run: what is behind it comes when its turn is, so that a cursor is
 * a place among all groups, whoever owns them by then. */
static bool is_behind(const struct op *op, const struct scan *scan, const char *group)
{
    return hy_slot_group(op->caller->app, group) >= scan->run_end;
}

static void on_groups(struct op *op)
{
    struct scan *scan = op->work;
    const Hy__GroupScanRes *page;
    uint64_t cursor;

    if (op_failed(op, scan->page))
        return;
    page = scan->page->answer;
    cursor = page->cursor;
    for (size_t i = 0; i < page->n_groups && scan->left > 0; i++) {
        if (is_behind(op, scan, page->groups[i]))
            break;
        scan->res.groups[scan->res.n_groups++] = page->groups[i];
        scan->left--;
    }
    if (cursor == 0 || cursor >> 32 >= scan->run_end)
        cursor = next_run(scan);
    scan->cursor = cursor;
    if (scan->left == 0 || scan->cursor == 0) {
        scan->res.cursor = scan->cursor;
        admin_answer(op, HY__ADMIN_ANSWER__RES_GROUP_SCAN, &scan->res.base);
        return;
    }
    ask_page(op, scan);
}

static Hy__GroupScanReq question(const struct op *op, const struct scan *scan, uint32_t shard,
                                 uint64_t cursor, uint32_t limit)
{
    Hy__GroupScanReq req = *scan->body;

    req.app = op->caller->app;
    req.shard = shard;
    req.cursor = cursor;
    req.limit = limit;
    return req;
}

static struct op_ask *ask_total(struct op *op, const struct scan *scan, uint32_t shard)
{
    Hy__GroupScanReq req = question(op, scan, shard, 0, 1);

    return op_shard(op, shard, HY__BUS_KIND__STORE_GROUP_SCAN, &req.base,
                    &hy__group_scan_res__descriptor);
}

static void ask_page(struct op *op, struct scan *scan)
{
    const struct hy_stores *stores = op->parts->stores;
    uint16_t slot = (uint16_t)(scan->cursor >> 32);

    Hy__GroupScanReq req =
        question(op, scan, hy_stores_shard(stores, slot), scan->cursor, scan->left);

    scan->run_end = hy_stores_run_end(stores, slot);
    scan->page = op_store(op, slot, HY__BUS_KIND__STORE_GROUP_SCAN, &req.base,
                          &hy__group_scan_res__descriptor);
    op_then(op, on_groups);
}

void admin_group_scan_begin(struct op *op)
{
    struct scan *scan = op_get(op, sizeof *scan);
    const Hy__GroupScanReq *body = admin_body(op);

    if (body->cursor >> 32 >= HY_SLOTS) {
        op_refuse(op, HY_CODE_GROUP_PARAM);
        return;
    }
    op->work = scan;
    scan->body = body;
    scan->shards = hy_stores_count(op->parts->stores);
    scan->cursor = body->cursor;
    scan->left = body->limit == 0 || body->limit > SCAN_MOST ? SCAN_MOST : body->limit;
    hy__group_scan_res__init(&scan->res);
    scan->res.groups = op_get(op, scan->left * sizeof *scan->res.groups);
    scan->totals = op_get(op, scan->shards * sizeof *scan->totals);
    for (uint32_t s = 0; s < scan->shards; s++)
        if (hy_stores_owns(op->parts->stores, s))
            scan->totals[s] = ask_total(op, scan, s);
    op_then(op, on_totals);
}

/* ---- system notification ---- */

struct notify {
    const Hy__SystemNotify *body;
    const struct op_ask *group, *members;
    const struct op_user **users;
    size_t count;
};

static struct notice notice_of(const struct op *op, const struct notify *notify)
{
    const Hy__GroupRes *res = notify->group->answer;

    return (struct notice){
        .type = NOTICE_CUSTOM,
        .group = res->group,
        .operator_id = groups_operator(op),
        .text = notify->body->content,
    };
}

static void on_places(struct op *op)
{
    const struct notify *notify = op->work;
    struct notice notice = notice_of(op, notify);

    for (size_t i = 0; i < notify->count; i++)
        notices_to(op->parts, notify->users[i]->wait.user, 0);
    notices_system(op->parts, &notice);
    admin_ok(op);
}

/* Only members are told, whomever the call names. */
static void on_members(struct op *op)
{
    struct notify *notify = op->work;
    const Hy__StoreMembersGetRes *res = notify->members->answer;

    if (op_failed(op, notify->members))
        return;
    notify->users = op_get(op, (res->n_members + 1) * sizeof *notify->users);
    for (size_t i = 0; i < res->n_members; i++)
        if (res->members[i]->role != HY__ROLE__ROLE_NONE)
            notify->users[notify->count++] = op_user(op, res->members[i]->user, USER_PLACES);
    op_then(op, on_places);
}

static void ask_members(struct op *op, struct notify *notify)
{
    Hy__StoreMembersGetReq req = HY__STORE_MEMBERS_GET_REQ__INIT;
    Hy__MembersGetReq which = HY__MEMBERS_GET_REQ__INIT;

    which.group = notify->body->group;
    which.n_users = notify->body->n_users;
    which.users = notify->body->users;
    req.app = op->caller->app;
    req.admin = true;
    req.req = &which;
    notify->members =
        op_store(op, hy_slot_group(req.app, which.group), HY__BUS_KIND__STORE_MEMBERS_GET,
                 &req.base, &hy__store_members_get_res__descriptor);
    op_then(op, on_members);
}

static void on_group(struct op *op)
{
    struct notify *notify = op->work;
    const Hy__GroupRes *res = notify->group->answer;
    struct notice notice;

    if (op_failed(op, notify->group))
        return;
    if (res->group == NULL) {
        op_refuse(op, HY_CODE_GROUP_UNKNOWN);
        return;
    }
    /* To chosen ones: not in live rooms, whose audience only gateways know. */
    if (notify->body->n_users > 0 && !groups_live(res->group)) {
        ask_members(op, notify);
        return;
    }
    notice = notice_of(op, notify);
    notices_all(op->parts, op->caller->app, res->member_version, &notice);
    admin_ok(op);
}

void admin_system_notify_begin(struct op *op)
{
    struct notify *notify = op_get(op, sizeof *notify);

    op->work = notify;
    notify->body = admin_body(op);
    if (notify->body->n_users > GROUPS_MEMBERS_MOST) {
        op_refuse(op, HY_CODE_GROUP_TOO_MANY);
        return;
    }
    notify->group = groups_ask(op, notify->body->group, "", true);
    op_then(op, on_group);
}

/* ---- delete by sender ---- */

static void on_deleted(struct op *op)
{
    const struct op_ask *ask = op->work;

    if (!op_failed(op, ask))
        admin_ok(op);
}

void admin_delete_by_sender_begin(struct op *op)
{
    const Hy__DeleteBySender *body = admin_body(op);
    Hy__StoreDeleteReq req = HY__STORE_DELETE_REQ__INIT;

    req.app = op->caller->app;
    req.op_id = (char *)op->op_id;
    req.group = body->group;
    req.sender = body->sender;
    op->work = op_store(op, hy_slot_group(req.app, req.group), HY__BUS_KIND__STORE_DELETE_BY_SENDER,
                        &req.base, &hy__store_res__descriptor);
    op_then(op, on_deleted);
}
