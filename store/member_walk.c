#include "store/member_walk.h"

#include <string.h>

bool member_walk_apart(const Hy__Group *group)
{
    return group->apart || group->rostered < group->member_num;
}

static enum hy_err open_roster(struct db *db, struct key_home home, const Hy__Group *group,
                               struct member_walk *walk)
{
    ProtobufCBinaryData list;
    struct key key;
    enum hy_err err;

    key_member(&key, home, KEY_ROSTER, group->conversation, NULL);
    err = db_get(db, FAMILY_ENTITY, &key, &walk->row);
    if (err != HY_OK) /* none: the last of them left since the head was read */
        return err == HY_ENOTFOUND ? HY_OK : err;
    err = roster_list(walk->row.data, walk->row.len, &list);
    if (err != HY_OK)
        return err;
    roster_begin(&walk->roster, list);
    walk->listed = roster_next(&walk->roster, &walk->entry);
    return walk->roster.bad ? HY_ECORRUPT : HY_OK;
}

static enum hy_err open_rows(struct db *db, struct key_home home, const Hy__Group *group,
                             struct member_walk *walk)
{
    struct key first, end;
    enum hy_err err;

    key_member(&first, home, KEY_MEMBER, group->conversation, NULL);
    end = first;
    key_after(&end);
    err = db_scan_open(db, FAMILY_ENTITY, &first, &end, false, &walk->scan);
    if (err != HY_OK)
        return err;
    walk->name_at = first.len;
    walk->stands = db_scan_seek(walk->scan, NULL);
    return HY_OK;
}

enum hy_err member_walk_open(struct db *db, struct key_home home, const Hy__Group *group, bool full,
                             struct member_walk *walk)
{
    enum hy_err err = HY_OK;

    *walk = (struct member_walk){0};
    if (group->rostered > 0)
        err = open_roster(db, home, group, walk);
    if (err == HY_OK && (group->rostered < group->member_num || (full && member_walk_apart(group))))
        err = open_rows(db, home, group, walk);
    if (err != HY_OK)
        member_walk_close(walk);
    return err;
}

/* Which of the two is next, or both, of the same member. False: none. */
static bool choose(struct member_walk *walk)
{
    const char *name = NULL;
    size_t len = 0;
    int order = -1;

    if (walk->stands) {
        name = (const char *)db_scan_key(walk->scan, &len) + walk->name_at;
        len -= walk->name_at;
        order = walk->listed ? roster_order(walk->entry.user, walk->entry.user_len, name, len) : 1;
    }
    walk->on_entry = walk->listed && order <= 0;
    walk->on_row = walk->stands && order >= 0;
    walk->user = walk->on_row ? name : walk->entry.user;
    walk->user_len = walk->on_row ? len : walk->entry.user_len;
    return walk->on_entry || walk->on_row;
}

bool member_walk_next(struct member_walk *walk)
{
    if (walk->on_entry)
        walk->listed = roster_next(&walk->roster, &walk->entry);
    if (walk->on_row)
        walk->stands = db_scan_next(walk->scan);
    if (!choose(walk))
        return false;
    walk->value = walk->entry.value;
    walk->len = walk->entry.len;
    if (walk->on_row)
        walk->value = db_scan_value(walk->scan, &walk->len);
    return true;
}

enum hy_err member_walk_err(const struct member_walk *walk)
{
    if (walk->roster.bad)
        return HY_ECORRUPT;
    return walk->scan == NULL ? HY_OK : db_scan_err(walk->scan);
}

void member_walk_close(struct member_walk *walk)
{
    db_scan_close(&walk->scan);
    db_drop(&walk->row);
}
