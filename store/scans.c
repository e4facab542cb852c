/* scans - long walks over a shard, a part at a time: groups of an app, users to be swept. */

#include <string.h>

#include "common/codes.h"
#include "common/slot.h"
#include "store/answers.h"
#include "store/index_entry.h"
#include "store/value.h"
#include "store/view.h"

enum { GROUPS_MOST = 10000, USERS_MOST = 1000, ROWS_AT_ONCE = 50000 };

/* ---- groups of an app: cursor is slot << 32 | groups of the slot already given ---- */

struct group_scan {
    struct view *view;
    const Hy__GroupScanReq *in;
    struct db_scan *scan;
    Hy__GroupScanRes out;
    uint32_t slot, given; /* where it stands: the slot, and how many of its groups were passed */
    uint32_t skip;        /* of the first slot */
    uint32_t limit;
};

static bool type_wanted(struct group_scan *s)
{
    ProtobufCMessage *msg;
    const Hy__Group *group;
    size_t len;
    const uint8_t *value;

    if (*s->in->type == '\0')
        return true;
    value = db_scan_value(s->scan, &len);
    if (value_get(&hy__group__descriptor, &s->view->arena.pb, value, len, &msg) != HY_OK)
        return false;
    group = (const Hy__Group *)msg;
    return group->info != NULL && strcmp(group->info->type, s->in->type) == 0;
}

/* The scan stands on a group of the app. */
static enum hy_err pass_group(struct group_scan *s, const struct key_parts *parts)
{
    char *id;

    if (parts->home.slot != s->slot) {
        s->slot = parts->home.slot;
        s->given = s->skip = 0;
    }
    s->given++;
    if (s->skip > 0) {
        s->skip--;
        return HY_OK;
    }
    if (!type_wanted(s))
        return HY_OK;
    id = hy_arena_strdup(&s->view->arena, parts->first, parts->first_len);
    if (id == NULL)
        return HY_ENOMEM;
    s->out.groups[s->out.n_groups++] = id;
    return HY_OK;
}

/* Other rows lie between the groups of two slots: leap over them. */
static bool leap(struct group_scan *s, const struct key_parts *parts)
{
    struct key_home home = {parts->home.slot, s->in->app};
    struct key key;

    if (parts->format > KEY_GROUP || (parts->format == KEY_GROUP && parts->home.app > s->in->app))
        home.slot++;
    key_head(&key, home, KEY_GROUP);
    return db_scan_seek(s->scan, &key);
}

/* The first slot behind those, from the cursor on, that are served here without a gap. */
static uint32_t run_end(const struct group_scan *s)
{
    uint32_t end = s->slot;

    while (end < HY_SLOTS && view_owns(s->view, (uint16_t)end))
        end++;
    return end;
}

/* The rows of slots that are not served are nobody's, or somebody else's to tell. */
static enum hy_err scan_groups(struct group_scan *s)
{
    struct key_home home = {(uint16_t)s->slot, s->in->app};
    uint32_t behind = run_end(s);
    struct key key, end = {.len = 2, .bytes = {(uint8_t)(behind >> 8), (uint8_t)behind}};
    struct key_parts parts;
    bool there;
    enum hy_err err;

    key_head(&key, home, KEY_GROUP);
    err = db_scan_open(s->view->db, FAMILY_ENTITY, &key, &end, true, &s->scan);
    if (err != HY_OK)
        return err;
    there = db_scan_seek(s->scan, &key);
    while (there && err == HY_OK && s->out.n_groups < s->limit) {
        size_t len;
        const uint8_t *bytes = db_scan_key(s->scan, &len);

        if (key_parse(bytes, len, &parts) != HY_OK) {
            there = db_scan_next(s->scan);
        } else if (parts.format != KEY_GROUP || parts.home.app != s->in->app) {
            there = leap(s, &parts);
        } else {
            err = pass_group(s, &parts);
            there = db_scan_next(s->scan);
        }
    }
    if (err == HY_OK)
        err = db_scan_err(s->scan);
    if (there)
        s->out.cursor = (uint64_t)s->slot << 32 | s->given;
    else if (behind < HY_SLOTS)
        s->out.cursor = (uint64_t)behind << 32;
    db_scan_close(&s->scan);
    return err;
}

static enum hy_err count_groups(struct group_scan *s)
{
    struct key first = {.len = 0}, end = {.len = 2, .bytes = {0xFF, 0xFF}};
    struct db_scan *scan;
    enum hy_err err = db_scan_open(s->view->db, FAMILY_DEFAULT, &first, &end, true, &scan);

    if (err != HY_OK)
        return err;
    for (bool there = db_scan_seek(scan, NULL); there; there = db_scan_next(scan)) {
        struct key_parts parts;
        ProtobufCMessage *msg;
        size_t len;
        const uint8_t *bytes = db_scan_key(scan, &len);

        if (key_parse(bytes, len, &parts) != HY_OK || parts.format != KEY_GROUP_COUNT ||
            parts.home.app != s->in->app || !view_owns(s->view, parts.home.slot))
            continue;
        bytes = db_scan_value(scan, &len);
        if (value_get(&hy__group_count__descriptor, &s->view->arena.pb, bytes, len, &msg) != HY_OK)
            continue;
        for (size_t i = 0; i < ((Hy__GroupCount *)msg)->n_by_type; i++) {
            const Hy__GroupCount__ByTypeEntry *e = ((Hy__GroupCount *)msg)->by_type[i];

            if (*s->in->type == '\0' || strcmp(s->in->type, e->key) == 0)
                s->out.total += e->value;
        }
    }
    err = db_scan_err(scan);
    db_scan_close(&scan);
    return err;
}

enum hy_err group_scan_read(struct view *view, const uint8_t *payload, size_t len,
                            struct hy_buf *out)
{
    struct group_scan s = {.view = view, .out = HY__GROUP_SCAN_RES__INIT};
    const struct hy_group_type *type;
    enum hy_err err;

    s.in = hy__group_scan_req__unpack(&view->arena.pb, len, payload);
    if (s.in == NULL || s.in->cursor >> 32 >= HY_SLOTS ||
        (*s.in->type != '\0' && hy_group_type(s.in->type) == NULL))
        return answer_refusal(HY__BUS_KIND__STORE_GROUP_SCAN, 0, HY_CODE_GROUP_PARAM, out);
    type = hy_group_type(s.in->type);
    if (type != NULL)
        ((Hy__GroupScanReq *)s.in)->type = (char *)type->name;
    s.slot = (uint32_t)(s.in->cursor >> 32);
    s.skip = (uint32_t)s.in->cursor;
    /* Who asks for the total alone (one group from the start) asks any shard. */
    if ((s.in->cursor != 0 || s.in->limit != 1) && !view_needs(view, (uint16_t)s.slot))
        return answer_refusal(HY__BUS_KIND__STORE_GROUP_SCAN, 0, HY_CODE_UNAVAILABLE, out);
    s.limit = s.in->limit == 0 || s.in->limit > GROUPS_MOST ? GROUPS_MOST : s.in->limit;
    s.out.groups = hy_arena_alloc(&view->arena, s.limit * sizeof(char *));
    if (s.out.groups == NULL)
        return HY_ENOMEM;
    err = scan_groups(&s);
    if (err == HY_OK)
        err = count_groups(&s);
    return err == HY_OK ? hy_buf_put_pb(out, &s.out.base) : err;
}

/* ---- users to be swept: cursor is the head of the last user's keys ---- */

struct sweep_scan {
    struct view *view;
    struct db_scan *scan;
    Hy__SweepScanRes out;
    uint32_t limit;
    struct key last; /* slot, app, user NUL of the user whose rows are passed */
    bool named;      /* he is in the answer already */
};

static bool same_user(const struct sweep_scan *s, const uint8_t *key, size_t len)
{
    return s->last.len > 0 && len > s->last.len && memcmp(key, s->last.bytes, s->last.len) == 0;
}

static enum hy_err name_user(struct sweep_scan *s, const struct key_parts *parts)
{
    Hy__UserKey *user = hy_arena_alloc(&s->view->arena, sizeof *user);

    if (user == NULL)
        return HY_ENOMEM;
    hy__user_key__init(user);
    user->app = parts->home.app;
    user->user = hy_arena_strdup(&s->view->arena, parts->first, parts->first_len);
    if (user->user == NULL)
        return HY_ENOMEM;
    s->out.users[s->out.n_users++] = user;
    s->named = true;
    return HY_OK;
}

static enum hy_err pass_row(struct sweep_scan *s, const uint8_t *key, size_t len)
{
    ProtobufCMessage *row;
    struct key_parts parts;
    const uint8_t *value;

    if (key_parse(key, len, &parts) != HY_OK || parts.format != KEY_INDEX ||
        !view_owns(s->view, parts.home.slot))
        return HY_OK;
    if (!same_user(s, key, len)) {
        s->last.len = (uint16_t)(KEY_HEAD + parts.first_len + 1);
        memcpy(s->last.bytes, key, s->last.len);
        s->named = false;
    }
    if (s->named || parts.type != HY__CONV_TYPE__CONV_GROUP || parts.part != KEY_INDEX_ROW)
        return HY_OK;
    value = db_scan_value(s->scan, &len);
    if (value_get(&hy__index_row__descriptor, &s->view->arena.pb, value, len, &row) != HY_OK)
        return HY_OK;
    return index_row_swept(s->view->apps, parts.home.app, (Hy__IndexRow *)row)
               ? name_user(s, &parts)
               : HY_OK;
}

/* Stops between two users only, so a cursor never splits one. */
static enum hy_err scan_users(struct sweep_scan *s, const struct key *from)
{
    struct key first = {.len = 0}, end = {.len = 2, .bytes = {0xFF, 0xFF}};
    bool there;
    size_t rows = 0, len;
    enum hy_err err = db_scan_open(s->view->db, FAMILY_INDEX, &first, &end, true, &s->scan);

    if (err != HY_OK)
        return err;
    for (there = db_scan_seek(s->scan, from); there && err == HY_OK;
         there = db_scan_next(s->scan), rows++) {
        const uint8_t *key = db_scan_key(s->scan, &len);

        if ((s->out.n_users >= s->limit || rows >= ROWS_AT_ONCE) && !same_user(s, key, len))
            break;
        err = pass_row(s, key, len);
    }
    if (err == HY_OK)
        err = db_scan_err(s->scan);
    if (there) {
        s->out.cursor.len = s->last.len;
        s->out.cursor.data = s->last.bytes;
    }
    db_scan_close(&s->scan);
    return err;
}

enum hy_err sweep_scan_read(struct view *view, const uint8_t *payload, size_t len,
                            struct hy_buf *out)
{
    Hy__SweepScanReq *in = hy__sweep_scan_req__unpack(&view->arena.pb, len, payload);
    struct sweep_scan s = {.view = view, .out = HY__SWEEP_SCAN_RES__INIT};
    struct key from = {.len = 0};
    enum hy_err err;

    if (in == NULL || in->cursor.len > KEY_MAX)
        return answer_refusal(HY__BUS_KIND__STORE_SWEEP_SCAN, 0, HY_CODE_PARAM, out);
    if (in->cursor.len > 0) {
        from.len = (uint16_t)in->cursor.len;
        memcpy(from.bytes, in->cursor.data, from.len);
        key_after(&from);
    }
    s.limit = in->limit == 0 || in->limit > USERS_MOST ? USERS_MOST : in->limit;
    s.out.users = hy_arena_alloc(&view->arena, s.limit * sizeof *s.out.users);
    if (s.out.users == NULL)
        return HY_ENOMEM;
    err = scan_users(&s, &from);
    return err == HY_OK ? hy_buf_put_pb(out, &s.out.base) : err;
}
