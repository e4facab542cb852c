#include "store/index_entry.h"

#include <string.h>

#include "common/slot.h"
#include "store/value.h"

enum hy_err index_walk_user(struct view *view, uint32_t app, const char *user, bool groups_only,
                            struct index_walk *walk)
{
    struct key first, end;
    enum hy_err err;

    *walk = (struct index_walk){.view = view, .home = {hy_slot_user(app, user), app}};
    key_index(&first, walk->home, user, groups_only ? HY__CONV_TYPE__CONV_GROUP : 0, NULL,
              KEY_INDEX_ROW);
    end = first;
    key_after(&end);
    err = db_scan_open(view->db, FAMILY_INDEX, &first, &end, false, &walk->scan);
    if (err == HY_OK)
        walk->there = db_scan_seek(walk->scan, NULL);
    return err;
}

void index_walk_close(struct index_walk *walk)
{
    db_scan_close(&walk->scan);
}

bool index_row_swept(struct appset *apps, uint32_t app, const Hy__IndexRow *row)
{
    const struct hy_group_type *type = hy_group_type(row->group_type);

    if (!row->joined || type == NULL || type->live)
        return false;
    return row->sweep_word == 0 ? appset_sweeps(apps, app) : row->sweep_word == 1;
}

/* The rows of one conversation, which lie side by side. */
struct both {
    Hy__IndexRow *row, *marks;
};

static enum hy_err take(struct index_walk *walk, const struct key_parts *parts, struct both *both)
{
    ProtobufCMessage *msg;
    size_t len;
    const uint8_t *value = db_scan_value(walk->scan, &len);
    enum hy_err err =
        value_get(&hy__index_row__descriptor, &walk->view->arena.pb, value, len, &msg);

    if (err != HY_OK)
        return err;
    *(parts->part == KEY_INDEX_ROW ? &both->row : &both->marks) = (Hy__IndexRow *)msg;
    return HY_OK;
}

static bool here(const struct index_walk *walk, struct key_parts *parts)
{
    size_t len;
    const uint8_t *key = walk->there ? db_scan_key(walk->scan, &len) : NULL;

    return key != NULL && key_parse(key, len, parts) == HY_OK;
}

static bool same_peer(const struct key_parts *parts, const Hy__IndexEntry *entry)
{
    return (int)parts->type == (int)entry->type && strlen(entry->peer) == parts->second_len &&
           memcmp(entry->peer, parts->second, parts->second_len) == 0;
}

/* Join; NULL: it stands for nothing. */
static Hy__IndexRow *join(struct index_walk *walk, const Hy__IndexEntry *entry, struct both both)
{
    bool group = entry->type == HY__CONV_TYPE__CONV_GROUP;

    if (group && (both.row == NULL || !both.row->joined))
        return NULL;
    if (both.row == NULL)
        return both.marks != NULL && both.marks->pinned ? both.marks : NULL;
    if (both.marks != NULL) {
        both.row->pinned = both.marks->pinned;
        both.row->remind = both.marks->remind;
        if (!group || both.marks->conversation == both.row->conversation)
            both.row->hidden_seq = both.marks->hidden_seq;
    }
    both.row->sweep = group && index_row_swept(walk->view->apps, walk->home.app, both.row);
    return both.row;
}

enum hy_err index_walk_next(struct index_walk *walk, Hy__IndexEntry **entry)
{
    struct hy_arena *arena = &walk->view->arena;
    struct key_parts parts;
    Hy__IndexEntry *e;
    enum hy_err err;

    *entry = NULL;
    while (here(walk, &parts)) {
        struct both both = {0};

        e = hy_arena_alloc(arena, sizeof *e);
        if (e == NULL)
            return HY_ENOMEM;
        hy__index_entry__init(e);
        e->type = (Hy__ConvType)parts.type;
        e->peer = hy_arena_strdup(arena, parts.second, parts.second_len);
        if (e->peer == NULL)
            return HY_ENOMEM;
        do {
            err = take(walk, &parts, &both);
            if (err != HY_OK)
                return err;
            walk->there = db_scan_next(walk->scan);
        } while (here(walk, &parts) && same_peer(&parts, e));
        e->row = join(walk, e, both);
        if (e->row != NULL) {
            *entry = e;
            return HY_OK;
        }
    }
    return db_scan_err(walk->scan);
}
