/* sweep_list - which groups many users of this shard are to leave: their indexes, read in one walk
 * that hops from user to user. From one who is in no group any more it would go on, through the
 * rows of all who were swept before, to the next who is: where it gives up, a walk over the one
 * index has an end. */

#include <string.h>

#include "common/codes.h"
#include "common/slot.h"
#include "store/answers.h"
#include "store/index_entry.h"
#include "store/value.h"
#include "store/view.h"

enum { USERS_MOST = 4096 };

struct listing {
    struct view *view;
    struct db_scan *hops;
    uint32_t app;
    struct hy_buf groups; /* of the user at hand */
};

/* The walk stands on a group of the user. */
static enum hy_err pass_row(struct listing *l, const struct db_scan *scan,
                            const struct key_parts *parts)
{
    ProtobufCMessage *row;
    size_t len;
    const uint8_t *value = db_scan_value(scan, &len);
    enum hy_err err = value_get(&hy__index_row__descriptor, &l->view->arena.pb, value, len, &row);

    if (err != HY_OK || !index_row_swept(l->view->apps, l->app, (Hy__IndexRow *)row))
        return err;
    err = hy_buf_reserve(&l->groups, parts->second_len + 1);
    if (err != HY_OK)
        return err;
    memcpy(l->groups.data + l->groups.len, parts->second, parts->second_len);
    l->groups.data[l->groups.len + parts->second_len] = 0;
    l->groups.len += parts->second_len + 1;
    return HY_OK;
}

/* The rows of first's user. */
static enum hy_err walk(struct listing *l, struct db_scan *scan, const struct key *first)
{
    enum hy_err err = HY_OK;

    l->groups.len = 0;
    for (bool there = db_scan_seek(scan, first); there && err == HY_OK;
         there = db_scan_next(scan)) {
        struct key_parts parts;
        size_t len;
        const uint8_t *key = db_scan_key(scan, &len);

        if (len <= first->len || memcmp(key, first->bytes, first->len) != 0)
            break;
        if (key_parse(key, len, &parts) == HY_OK && parts.part == KEY_INDEX_ROW)
            err = pass_row(l, scan, &parts);
    }
    return err == HY_OK ? db_scan_err(scan) : err;
}

static enum hy_err walk_alone(struct listing *l, const struct key *first)
{
    struct key end = *first;
    struct db_scan *scan = NULL;
    enum hy_err err;

    key_after(&end);
    err = db_scan_open(l->view->db, FAMILY_INDEX, first, &end, true, &scan);
    if (err == HY_OK)
        err = walk(l, scan, first);
    db_scan_close(&scan);
    return err;
}

static enum hy_err list_user(struct listing *l, const char *user)
{
    struct key_home home = {hy_slot_user(l->app, user), l->app};
    struct key first;
    enum hy_err err;

    l->groups.len = 0;
    if (!key_text_ok(user) || !view_needs(l->view, home.slot))
        return HY_OK;
    key_index(&first, home, user, HY__CONV_TYPE__CONV_GROUP, NULL, KEY_INDEX_ROW);
    err = walk(l, l->hops, &first);
    return err == HY_EBUSY ? walk_alone(l, &first) : err;
}

/* A copy in the arena of what was listed. */
static enum hy_err keep(struct listing *l, ProtobufCBinaryData *out)
{
    *out = (ProtobufCBinaryData){.len = l->groups.len};
    if (out->len == 0)
        return HY_OK;
    out->data = hy_arena_alloc(&l->view->arena, out->len);
    if (out->data == NULL)
        return HY_ENOMEM;
    memcpy(out->data, l->groups.data, out->len);
    return HY_OK;
}

enum hy_err sweep_list_read(struct view *view, const uint8_t *payload, size_t len,
                            struct hy_buf *out)
{
    const Hy__StoreSweepListReq *in =
        hy__store_sweep_list_req__unpack(&view->arena.pb, len, payload);
    Hy__StoreSweepListRes res = HY__STORE_SWEEP_LIST_RES__INIT;
    struct listing l = {.view = view};
    enum hy_err err;

    if (in == NULL || in->n_users > USERS_MOST)
        return answer_refusal(HY__BUS_KIND__STORE_SWEEP_LIST, 0, HY_CODE_PARAM, out);
    l.app = in->app;
    res.groups = hy_arena_alloc(&view->arena, (in->n_users + 1) * sizeof *res.groups);
    if (res.groups == NULL)
        return HY_ENOMEM;
    err = db_scan_open_hops(view->db, FAMILY_INDEX, &l.hops);
    while (err == HY_OK && res.n_groups < in->n_users) {
        err = list_user(&l, in->users[res.n_groups]);
        if (err == HY_OK)
            err = keep(&l, &res.groups[res.n_groups++]);
    }
    db_scan_close(&l.hops);
    if (err == HY_OK)
        err = hy_buf_put_pb(out, &res.base);
    hy_buf_free(&l.groups);
    return err;
}
