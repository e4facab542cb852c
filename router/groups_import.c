/* groups_import - many groups at once, each handed to the shard where it is to live. */

#include <string.h>

#include "common/body.h"
#include "common/grouptype.h"
#include "router/admin.h"
#include "router/groups.h"

enum { GROUPS_MOST = 1000, MEMBERS_MOST = 20000 };

/* What goes to one shard. */
struct part {
    Hy__StoreGroupsImportReq req;
    uint16_t slot;    /* of its first group: asked where that is by then */
    uint32_t *places; /* in the call */
    const struct op_ask *ask;
};

struct import {
    const Hy__GroupsImport *body;
    struct part *parts; /* by shard */
    uint32_t shards;
    uint32_t *codes;
};

static uint32_t check(const Hy__GroupCreateReq *group)
{
    const struct hy_group_type *type =
        group->info == NULL ? NULL : hy_group_type(group->info->type);

    if (type == NULL || group->info->name[0] == '\0')
        return HY_CODE_GROUP_PARAM;
    if (!hy_group_id_ok(group->info->group, true))
        return HY_CODE_GROUP_ID_BAD;
    if (group->n_members > GROUPS_MEMBERS_MOST)
        return HY_CODE_GROUP_TOO_MANY;
    for (size_t i = 0; i < group->n_members; i++)
        if (!hy_account_ok(group->members[i]->user))
            return HY_CODE_GROUP_ACCOUNT;
    return group->info->owner[0] != '\0' && !hy_account_ok(group->info->owner)
               ? HY_CODE_GROUP_ACCOUNT
               : HY_CODE_OK;
}

static bool fits(const Hy__GroupsImport *body)
{
    size_t members = 0;

    for (size_t i = 0; i < body->n_groups; i++)
        members += body->groups[i]->n_members;
    return body->n_groups <= GROUPS_MOST && members <= MEMBERS_MOST;
}

static void add(struct op *op, struct import *import, size_t i)
{
    const Hy__GroupCreateReq *group = import->body->groups[i];
    uint16_t slot = hy_slot_group(op->caller->app, group->info->group);
    struct part *part = &import->parts[hy_stores_shard(op->parts->stores, slot)];
    Hy__StoreGroupCreateReq *req = op_get(op, sizeof *req);

    hy__store_group_create_req__init(req);
    req->app = op->caller->app;
    req->info = group->info;
    req->n_members = group->n_members;
    req->members = group->members;
    if (part->places == NULL) {
        hy__store_groups_import_req__init(&part->req);
        part->slot = slot;
        part->places = op_get(op, import->body->n_groups * sizeof *part->places);
        part->req.groups = op_get(op, import->body->n_groups * sizeof *part->req.groups);
    }
    part->places[part->req.n_groups] = (uint32_t)i;
    part->req.groups[part->req.n_groups++] = req;
}

static void take(struct import *import, const struct part *part)
{
    const Hy__StoreGroupsImportRes *res = part->ask->answer;
    const char *info;
    uint32_t code = op_code(part->ask, &info);

    for (size_t i = 0; i < part->req.n_groups; i++)
        import->codes[part->places[i]] = code != HY_CODE_OK ? code : i < res->n_codes ? res->codes[i]
                                                                   : (uint32_t)HY_CODE_UNAVAILABLE;
}

static void on_imported(struct op *op)
{
    struct import *import = op->work;
    Hy__GroupsImported res = HY__GROUPS_IMPORTED__INIT;

    for (uint32_t shard = 0; shard < import->shards; shard++)
        if (import->parts[shard].ask != NULL)
            take(import, &import->parts[shard]);
    res.n_codes = import->body->n_groups;
    res.codes = import->codes;
    admin_answer(op, HY__ADMIN_ANSWER__RES_IMPORTED, &res.base);
}

void admin_groups_import_begin(struct op *op)
{
    struct import *import = op_get(op, sizeof *import);
    uint32_t shards = hy_stores_count(op->parts->stores);

    op->work = import;
    import->shards = shards;
    import->body = admin_body(op);
    if (!fits(import->body)) {
        op_refuse(op, HY_CODE_GROUP_TOO_MANY);
        return;
    }
    import->codes = op_get(op, (import->body->n_groups + 1) * sizeof *import->codes);
    import->parts = op_get(op, shards * sizeof *import->parts);
    for (size_t i = 0; i < import->body->n_groups; i++) {
        import->codes[i] = check(import->body->groups[i]);
        if (import->codes[i] == HY_CODE_OK)
            add(op, import, i);
    }
    for (uint32_t shard = 0; shard < shards; shard++) {
        struct part *part = &import->parts[shard];

        if (part->places != NULL)
            part->ask = op_store(op, part->slot, HY__BUS_KIND__STORE_GROUPS_IMPORT, &part->req.base,
                                 &hy__store_groups_import_res__descriptor);
    }
    op_then(op, on_imported);
}
