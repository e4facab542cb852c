#include "store/totals.h"

#include <stdlib.h>
#include <string.h>

#include "store/core.h"
#include "store/value.h"

enum { TYPE_NAME = 16 };

struct total {
    uint32_t app;
    char type[TYPE_NAME];
    uint32_t count;
};

struct totals {
    struct total *list; /* a handful for each app */
    size_t count, size;
};

enum hy_err totals_open(struct totals **totals)
{
    *totals = calloc(1, sizeof **totals);
    return *totals == NULL ? HY_ENOMEM : HY_OK;
}

void totals_close(struct totals **totals)
{
    if (*totals == NULL)
        return;
    free((*totals)->list);
    free(*totals);
    *totals = NULL;
}

static enum hy_err add(struct totals *totals, uint32_t app, const char *type, int change)
{
    struct total *list;
    size_t size;

    for (size_t i = 0; i < totals->count; i++) {
        struct total *t = &totals->list[i];

        if (t->app == app && strcmp(t->type, type) == 0) {
            t->count = change < 0 && t->count < (uint32_t)-change ? 0 : t->count + (uint32_t)change;
            return HY_OK;
        }
    }
    if (totals->count == totals->size) {
        size = totals->size == 0 ? 16 : totals->size * 2;
        list = realloc(totals->list, size * sizeof *list);
        if (list == NULL)
            return HY_ENOMEM;
        totals->list = list;
        totals->size = size;
    }
    totals->list[totals->count] =
        (struct total){.app = app, .count = change < 0 ? 0 : (uint32_t)change};
    strncpy(totals->list[totals->count].type, type, TYPE_NAME - 1);
    totals->count++;
    return HY_OK;
}

static enum hy_err load_row(struct core *core, const struct db_scan *scan)
{
    struct key_parts parts;
    ProtobufCMessage *msg;
    Hy__GroupCount *row;
    size_t len;
    const uint8_t *bytes = db_scan_key(scan, &len);
    enum hy_err err;

    if (key_parse(bytes, len, &parts) != HY_OK || parts.format != KEY_GROUP_COUNT ||
        !core_owns(core, parts.home.slot))
        return HY_OK;
    bytes = db_scan_value(scan, &len);
    err = value_get(&hy__group_count__descriptor, NULL, bytes, len, &msg);
    if (err != HY_OK)
        return err;
    row = (Hy__GroupCount *)msg;
    for (size_t i = 0; i < row->n_by_type && err == HY_OK; i++)
        err = add(core->totals, parts.home.app, row->by_type[i]->key, (int)row->by_type[i]->value);
    hy__group_count__free_unpacked(row, NULL);
    return err;
}

enum hy_err totals_load(struct core *core)
{
    struct key first = {.len = 0}, end = {.len = 2, .bytes = {0xFF, 0xFF}};
    struct db_scan *scan;
    enum hy_err err = db_scan_open(core->db, FAMILY_DEFAULT, &first, &end, true, &scan);

    if (err != HY_OK)
        return err;
    core->totals->count = 0;
    for (bool there = db_scan_seek(scan, NULL); there && err == HY_OK; there = db_scan_next(scan))
        err = load_row(core, scan);
    if (err == HY_OK)
        err = db_scan_err(scan);
    db_scan_close(&scan);
    return err;
}

uint32_t totals_get(const struct totals *totals, uint32_t app, const char *type)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < totals->count; i++) {
        const struct total *t = &totals->list[i];

        if (t->app == app && (type == NULL || *type == '\0' || strcmp(type, t->type) == 0))
            sum += t->count;
    }
    return sum;
}

/* The entry of a type in the row, made if need be; NULL: no memory. */
static Hy__GroupCount__ByTypeEntry *entry_of(Hy__GroupCount *row, const char *type)
{
    Hy__GroupCount__ByTypeEntry *entry, **list;

    for (size_t i = 0; i < row->n_by_type; i++)
        if (strcmp(row->by_type[i]->key, type) == 0)
            return row->by_type[i];
    entry = malloc(sizeof *entry);
    list = realloc(row->by_type, (row->n_by_type + 1) * sizeof(Hy__GroupCount__ByTypeEntry *));
    if (list != NULL)
        row->by_type = list;
    if (entry == NULL || list == NULL) {
        free(entry);
        return NULL;
    }
    hy__group_count__by_type_entry__init(entry);
    if (rows_text(&entry->key, type) != HY_OK) {
        free(entry);
        return NULL;
    }
    row->by_type[row->n_by_type++] = entry;
    return entry;
}

enum hy_err totals_add(struct core *core, struct key_home home, const char *type, int change)
{
    static const Hy__GroupCount none = HY__GROUP_COUNT__INIT;
    Hy__GroupCount__ByTypeEntry *entry;
    struct row *row;
    struct key key;
    enum hy_err err;

    key_head(&key, home, KEY_GROUP_COUNT);
    err = rows_get(core->rows, FAMILY_DEFAULT, &key, &hy__group_count__descriptor, &row);
    if (err != HY_OK)
        return err;
    if (row->msg == NULL) {
        ProtobufCMessage *fresh = rows_copy(&none.base);

        if (fresh == NULL)
            return HY_ENOMEM;
        rows_set(core->rows, row, fresh);
    }
    entry = entry_of((Hy__GroupCount *)row->msg, type);
    if (entry == NULL)
        return HY_ENOMEM;
    if (change > 0 || entry->value > 0)
        entry->value += (uint32_t)change;
    rows_touch(core->rows, row);
    return add(core->totals, home.app, type, change);
}
