#include "store/rows.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "store/value.h"

struct entry {
    struct row row; /* first: a row is its entry */
    uint64_t hash;
    struct entry *chain;
    struct entry *older, *newer; /* by last use */
    struct entry *next_changed;
    const ProtobufCMessageDescriptor *type;
    enum family family;
    bool changed;
    bool dropped; /* changed, but not to be written: it goes with a range, or another row says it */
    uint16_t key_len;
    uint8_t key[];
};

struct rows {
    struct db *db;
    size_t limit, count;
    struct entry **table;
    size_t mask;
    struct entry *newest, *oldest;
    struct entry *changed;
};

enum { TABLE_START = 1024 };

enum hy_err rows_open(struct db *db, size_t limit, struct rows **rows)
{
    struct rows *r = calloc(1, sizeof *r);

    if (r == NULL)
        return HY_ENOMEM;
    r->db = db;
    r->limit = limit;
    r->mask = TABLE_START - 1;
    r->table = calloc(TABLE_START, sizeof *r->table);
    if (r->table == NULL) {
        free(r);
        return HY_ENOMEM;
    }
    *rows = r;
    return HY_OK;
}

static void free_msg(struct entry *e)
{
    if (e->row.msg != NULL)
        protobuf_c_message_free_unpacked(e->row.msg, NULL);
    e->row.msg = NULL;
}

static void unlink_age(struct rows *r, struct entry *e)
{
    *(e->newer != NULL ? &e->newer->older : &r->newest) = e->older;
    *(e->older != NULL ? &e->older->newer : &r->oldest) = e->newer;
}

static void link_newest(struct rows *r, struct entry *e)
{
    e->newer = NULL;
    e->older = r->newest;
    *(r->newest != NULL ? &r->newest->newer : &r->oldest) = e;
    r->newest = e;
}

static void evict(struct rows *r, struct entry *e)
{
    struct entry **at = &r->table[e->hash & r->mask];

    while (*at != e)
        at = &(*at)->chain;
    *at = e->chain;
    unlink_age(r, e);
    free_msg(e);
    free(e);
    r->count--;
}

void rows_close(struct rows **rows)
{
    struct rows *r = *rows;

    if (r == NULL)
        return;
    *rows = NULL;
    while (r->newest != NULL)
        evict(r, r->newest);
    free(r->table);
    free(r);
}

static void grow(struct rows *r)
{
    size_t mask = r->mask * 2 + 1;
    struct entry **table = calloc(mask + 1, sizeof *table);

    if (table == NULL)
        return; /* longer chains, no more */
    for (struct entry *e = r->newest; e != NULL; e = e->older) {
        e->chain = table[e->hash & mask];
        table[e->hash & mask] = e;
    }
    free(r->table);
    r->table = table;
    r->mask = mask;
}

static struct entry *find(const struct rows *r, uint64_t hash, enum family family,
                          const struct key *key)
{
    struct entry *e = r->table[hash & r->mask];

    while (e != NULL && (e->hash != hash || e->family != family || e->key_len != key->len ||
                         memcmp(e->key, key->bytes, key->len) != 0))
        e = e->chain;
    return e;
}

/* What the database has; HY_OK with *msg NULL when it has none. */
static enum hy_err load(struct db *db, enum family family, const struct key *key,
                        const ProtobufCMessageDescriptor *type, ProtobufCMessage **msg)
{
    struct db_value value;
    enum hy_err err = db_get(db, family, key, &value);

    *msg = NULL;
    if (err == HY_ENOTFOUND)
        return HY_OK;
    if (err != HY_OK)
        return err;
    err = value_get(type, NULL, value.data, value.len, msg);
    db_drop(&value);
    return err;
}

static void use(struct rows *r, struct entry *e)
{
    unlink_age(r, e);
    link_newest(r, e);
}

/* A new entry; takes msg. */
static enum hy_err keep(struct rows *r, uint64_t hash, enum family family, const struct key *key,
                        const ProtobufCMessageDescriptor *type, ProtobufCMessage *msg,
                        struct entry **entry)
{
    struct entry *e = calloc(1, sizeof *e + key->len);

    if (e == NULL) {
        if (msg != NULL)
            protobuf_c_message_free_unpacked(msg, NULL);
        return HY_ENOMEM;
    }
    e->row.msg = msg;
    e->hash = hash;
    e->family = family;
    e->type = type;
    e->key_len = key->len;
    memcpy(e->key, key->bytes, key->len);
    if (r->count > r->mask)
        grow(r);
    e->chain = r->table[hash & r->mask];
    r->table[hash & r->mask] = e;
    link_newest(r, e);
    r->count++;
    *entry = e;
    return HY_OK;
}

/* Load what is not in memory. */
static enum hy_err add(struct rows *r, struct db *db, uint64_t hash, enum family family,
                       const struct key *key, const ProtobufCMessageDescriptor *type,
                       struct entry **entry)
{
    ProtobufCMessage *msg;
    enum hy_err err = load(db, family, key, type, &msg);

    return err == HY_OK ? keep(r, hash, family, key, type, msg, entry) : err;
}

static uint64_t hash_of(enum family family, const struct key *key)
{
    return XXH3_64bits_withSeed(key->bytes, key->len, family);
}

enum hy_err rows_get(struct rows *rows, enum family family, const struct key *key,
                     const ProtobufCMessageDescriptor *type, struct row **row)
{
    uint64_t hash = hash_of(family, key);
    struct entry *e = find(rows, hash, family, key);
    enum hy_err err = HY_OK;

    if (e != NULL)
        use(rows, e);
    else
        err = add(rows, rows->db, hash, family, key, type, &e);
    if (err == HY_OK)
        *row = &e->row;
    return err;
}

enum hy_err rows_get_new(struct rows *rows, enum family family, const struct key *key,
                         const ProtobufCMessageDescriptor *type, struct row **row)
{
    uint64_t hash = hash_of(family, key);
    struct entry *e = find(rows, hash, family, key);
    enum hy_err err = HY_OK;

    if (e != NULL)
        use(rows, e);
    else
        err = keep(rows, hash, family, key, type, NULL, &e);
    if (err == HY_OK)
        *row = &e->row;
    return err;
}

bool rows_see(struct rows *rows, struct db *db, enum family family, const struct key *key,
              const ProtobufCMessageDescriptor *type, const ProtobufCMessage **msg,
              enum hy_err *err)
{
    uint64_t hash = hash_of(family, key);
    struct entry *e = find(rows, hash, family, key);

    *err = HY_OK;
    if (e != NULL && !e->changed)
        use(rows, e);
    else if (e != NULL || rows->count >= rows->limit)
        return false;
    else
        *err = add(rows, db, hash, family, key, type, &e);
    if (*err == HY_OK)
        *msg = e->row.msg;
    return true;
}

enum hy_err rows_bring(struct rows *rows, enum family family, const struct key *key,
                       const ProtobufCMessageDescriptor *type, const void *value, size_t len)
{
    uint64_t hash = hash_of(family, key);
    ProtobufCMessage *msg;
    struct entry *e;
    enum hy_err err;

    if (find(rows, hash, family, key) != NULL)
        return HY_OK;
    err = value_get(type, NULL, value, len, &msg);
    return err == HY_OK ? keep(rows, hash, family, key, type, msg, &e) : err;
}

struct row *rows_peek(const struct rows *rows, enum family family, const struct key *key)
{
    struct entry *e = find(rows, hash_of(family, key), family, key);

    return e == NULL ? NULL : &e->row;
}

void rows_touch(struct rows *rows, struct row *row)
{
    struct entry *e = (struct entry *)row;

    e->dropped = false;
    if (e->changed)
        return;
    e->changed = true;
    e->next_changed = rows->changed;
    rows->changed = e;
}

void rows_set(struct rows *rows, struct row *row, ProtobufCMessage *msg)
{
    free_msg((struct entry *)row);
    row->msg = msg;
    rows_touch(rows, row);
}

bool rows_fill(struct rows *rows, struct row *row, ProtobufCMessage *msg, bool decided)
{
    struct entry *e = (struct entry *)row;
    bool written = e->changed && !e->dropped;

    free_msg(e);
    row->msg = msg;
    if (decided && !written) {
        rows_touch(rows, row);
        e->dropped = true;
    }
    return written;
}

bool rows_is_changed(const struct row *row)
{
    return ((const struct entry *)row)->changed;
}

void rows_remove(struct rows *rows, struct row *row)
{
    free_msg((struct entry *)row);
    memset(row->note, 0, sizeof row->note);
    rows_touch(rows, row);
}

void rows_drop_prefix(struct rows *rows, enum family family, const struct key *prefix)
{
    for (struct entry *e = rows->newest, *older; e != NULL; e = older) {
        older = e->older;
        if (e->family != family || e->key_len < prefix->len ||
            memcmp(e->key, prefix->bytes, prefix->len) != 0)
            continue;
        /* The row goes with the range; until then others of this batch must find it absent. */
        rows_remove(rows, &e->row);
        e->dropped = true;
    }
}

static void entry_key(const struct entry *e, struct key *key)
{
    key->len = e->key_len;
    memcpy(key->bytes, e->key, e->key_len);
}

void rows_flush(struct rows *rows, struct batch *batch)
{
    struct key key;

    for (struct entry *e = rows->changed; e != NULL; e = e->next_changed) {
        if (e->dropped)
            continue;
        entry_key(e, &key);
        if (e->row.msg == NULL)
            batch_delete(batch, e->family, &key);
        else
            batch_put_record(batch, e->family, &key, e->row.msg);
    }
}

bool rows_changed(const struct rows *rows)
{
    return rows->changed != NULL;
}

void rows_done(struct rows *rows)
{
    for (struct entry *e = rows->changed; e != NULL; e = e->next_changed)
        e->changed = e->dropped = false;
    rows->changed = NULL;
    while (rows->count > rows->limit)
        evict(rows, rows->oldest);
}

void rows_clear(struct rows *rows)
{
    while (rows->oldest != NULL)
        evict(rows, rows->oldest);
}

void rows_forget(struct rows *rows)
{
    for (struct entry *e = rows->changed, *next; e != NULL; e = next) {
        next = e->next_changed;
        evict(rows, e);
    }
    rows->changed = NULL;
}

size_t rows_count(const struct rows *rows)
{
    return rows->count;
}

enum hy_err rows_text(char **field, const char *text)
{
    char *copy = strdup(text);

    if (copy == NULL)
        return HY_ENOMEM;
    if (*field != protobuf_c_empty_string)
        free(*field);
    *field = copy;
    return HY_OK;
}

ProtobufCMessage *rows_copy(const ProtobufCMessage *msg)
{
    size_t len = protobuf_c_message_get_packed_size(msg);
    uint8_t *bytes = malloc(len + 1);
    ProtobufCMessage *copy = NULL;

    if (bytes == NULL)
        return NULL;
    protobuf_c_message_pack(msg, bytes);
    copy = protobuf_c_message_unpack(msg->descriptor, NULL, len, bytes);
    free(bytes);
    return copy;
}
