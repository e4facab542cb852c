#include "store/batch.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "common/buf.h"
#include "store/replica.h"
#include "store/value.h"

/* Rows that can be found again: an open-addressed table of places in one run of bytes. */
struct seen {
    uint64_t hash;
    uint32_t at; /* in bytes; key, then value */
    uint32_t key_len, value_len;
};

/* A row of the index, put or deleted. Users' slots have nothing to do with the order in which
 * anything happens, so rows of the index come in none: a memtable finds the place of a key near
 * that of the one before much sooner, so they are put into the batch in the order of their keys. */
struct index_op {
    uint32_t at; /* in index_bytes; key, then value */
    uint32_t key_len, value_len;
    uint32_t number; /* of it: the last counts */
    bool deletes;
};

struct batch {
    struct replica *replica;
    struct db_batch *rows;
    struct index_op *index; /* to be put into rows yet */
    uint32_t index_count, index_size;
    struct hy_buf index_bytes;
    enum hy_err err;
    struct hy_buf scratch; /* a record being packed */
    struct hy_buf bytes;   /* of what was seen */
    struct seen *table;    /* hash 0: free */
    uint32_t mask, used;
    batch_tee_fn *tee; /* NULL: nobody */
    void *tee_arg;
};

enum { TABLE_START = 1024 };

enum hy_err batch_open(struct db *db, struct replica *replica, struct batch **batch)
{
    struct batch *b = calloc(1, sizeof *b);
    enum hy_err err = HY_ENOMEM;

    if (b == NULL)
        return err;
    b->replica = replica;
    b->table = calloc(TABLE_START, sizeof *b->table);
    b->mask = TABLE_START - 1;
    if (b->table != NULL)
        err = db_batch_open(db, &b->rows);
    if (err != HY_OK) {
        batch_close(&b);
        return err;
    }
    *batch = b;
    return HY_OK;
}

void batch_close(struct batch **batch)
{
    struct batch *b = *batch;

    if (b == NULL)
        return;
    *batch = NULL;
    db_batch_close(&b->rows);
    hy_buf_free(&b->scratch);
    hy_buf_free(&b->bytes);
    hy_buf_free(&b->index_bytes);
    free(b->index);
    free(b->table);
    free(b);
}

void batch_fail(struct batch *batch, enum hy_err err)
{
    if (batch->err == HY_OK)
        batch->err = err;
}

/* ---- rows of the index ---- */

static enum hy_err index_add(struct batch *b, const struct key *key, const void *value, size_t len,
                             bool deletes)
{
    struct index_op *op;

    if (b->index_count == b->index_size) {
        uint32_t size = b->index_size == 0 ? 256 : b->index_size * 2;

        op = realloc(b->index, size * sizeof *op);
        if (op == NULL)
            return HY_ENOMEM;
        b->index = op;
        b->index_size = size;
    }
    if (hy_buf_reserve(&b->index_bytes, key->len + len) != HY_OK)
        return HY_ENOMEM;
    op = &b->index[b->index_count];
    *op = (struct index_op){(uint32_t)b->index_bytes.len, key->len, (uint32_t)len, b->index_count++,
                            deletes};
    memcpy(b->index_bytes.data + op->at, key->bytes, key->len);
    if (len > 0)
        memcpy(b->index_bytes.data + op->at + key->len, value, len);
    b->index_bytes.len += key->len + len;
    return HY_OK;
}

static int by_key(const void *a, const void *b, void *bytes)
{
    const struct index_op *x = a, *y = b;
    const uint8_t *base = bytes;
    int order =
        memcmp(base + x->at, base + y->at, x->key_len < y->key_len ? x->key_len : y->key_len);

    if (order == 0)
        order = (int)x->key_len - (int)y->key_len;
    return order != 0 ? order : (int)x->number - (int)y->number;
}

static void index_flush(struct batch *b)
{
    struct key key;

    if (b->index_count > 1)
        qsort_r(b->index, b->index_count, sizeof *b->index, by_key, b->index_bytes.data);
    for (uint32_t i = 0; i < b->index_count; i++) {
        const struct index_op *op = &b->index[i];
        const uint8_t *bytes = b->index_bytes.data + op->at;

        key.len = (uint16_t)op->key_len;
        memcpy(key.bytes, bytes, op->key_len);
        if (op->deletes)
            db_batch_delete(b->rows, FAMILY_INDEX, &key);
        else
            db_batch_put(b->rows, FAMILY_INDEX, &key, bytes + op->key_len, op->value_len);
    }
    b->index_count = 0;
    b->index_bytes.len = 0;
}

/* ---- rows ---- */

void batch_put(struct batch *batch, enum family family, const struct key *key, const void *value,
               size_t len)
{
    if (family != FAMILY_INDEX)
        db_batch_put(batch->rows, family, key, value, len);
    else if (index_add(batch, key, value, len, false) != HY_OK)
        batch_fail(batch, HY_ENOMEM);
}

void batch_put_record(struct batch *batch, enum family family, const struct key *key,
                      const ProtobufCMessage *record)
{
    batch->scratch.len = 0;
    if (value_put(&batch->scratch, record) != HY_OK)
        batch_fail(batch, HY_ENOMEM);
    else
        batch_put(batch, family, key, batch->scratch.data, batch->scratch.len);
}

static uint64_t hash_of(enum family family, const struct key *key)
{
    uint64_t hash = XXH3_64bits_withSeed(key->bytes, key->len, (XXH64_hash_t)family + 1);

    return hash == 0 ? 1 : hash;
}

/* The entry of the key, or the free one where it belongs. */
static struct seen *lookup(const struct batch *b, uint64_t hash, const struct key *key)
{
    for (uint32_t i = (uint32_t)hash & b->mask;; i = (i + 1) & b->mask) {
        struct seen *s = &b->table[i];

        if (s->hash == 0)
            return s;
        if (s->hash == hash && s->key_len == key->len &&
            memcmp(b->bytes.data + s->at, key->bytes, key->len) == 0)
            return s;
    }
}

static enum hy_err grow(struct batch *b)
{
    uint32_t mask = b->mask * 2 + 1;
    struct seen *table = calloc((size_t)mask + 1, sizeof *table);

    if (table == NULL)
        return HY_ENOMEM;
    for (uint32_t i = 0; i <= b->mask; i++) {
        uint32_t at = (uint32_t)b->table[i].hash & mask;

        if (b->table[i].hash == 0)
            continue;
        while (table[at].hash != 0)
            at = (at + 1) & mask;
        table[at] = b->table[i];
    }
    free(b->table);
    b->table = table;
    b->mask = mask;
    return HY_OK;
}

static enum hy_err remember(struct batch *b, enum family family, const struct key *key,
                            const void *value, size_t len)
{
    uint64_t hash = hash_of(family, key);
    struct seen *s;

    if (b->used * 2 >= b->mask && grow(b) != HY_OK)
        return HY_ENOMEM;
    if (hy_buf_reserve(&b->bytes, key->len + len) != HY_OK)
        return HY_ENOMEM;
    s = lookup(b, hash, key);
    b->used += s->hash == 0;
    *s = (struct seen){hash, (uint32_t)b->bytes.len, key->len, (uint32_t)len};
    memcpy(b->bytes.data + b->bytes.len, key->bytes, key->len);
    memcpy(b->bytes.data + b->bytes.len + key->len, value, len);
    b->bytes.len += key->len + len;
    return HY_OK;
}

void batch_put_seen(struct batch *batch, enum family family, const struct key *key,
                    const void *value, size_t len)
{
    if (remember(batch, family, key, value, len) != HY_OK)
        batch_fail(batch, HY_ENOMEM);
    else
        batch_put(batch, family, key, value, len);
}

bool batch_find(const struct batch *batch, enum family family, const struct key *key,
                const uint8_t **value, size_t *len)
{
    const struct seen *s;

    if (batch->used == 0)
        return false;
    s = lookup(batch, hash_of(family, key), key);
    if (s->hash == 0)
        return false;
    *value = batch->bytes.data + s->at + s->key_len;
    *len = s->value_len;
    return true;
}

void batch_delete(struct batch *batch, enum family family, const struct key *key)
{
    if (family != FAMILY_INDEX)
        db_batch_delete(batch->rows, family, key);
    else if (index_add(batch, key, NULL, 0, true) != HY_OK)
        batch_fail(batch, HY_ENOMEM);
}

/* Rows of the index that came before are to come before it. */
void batch_delete_range(struct batch *batch, enum family family, const struct key *first,
                        const struct key *end)
{
    if (family == FAMILY_INDEX)
        index_flush(batch);
    db_batch_delete_range(batch->rows, family, first, end);
}

void batch_delete_prefix(struct batch *batch, enum family family, const struct key *first)
{
    struct key end = *first;

    key_after(&end);
    batch_delete_range(batch, family, first, &end);
}

void batch_tee(struct batch *batch, batch_tee_fn *tee, void *arg)
{
    batch->tee = tee;
    batch->tee_arg = arg;
}

size_t batch_ops(const struct batch *batch)
{
    return db_batch_count(batch->rows) + batch->index_count;
}

size_t batch_bytes(const struct batch *batch)
{
    return db_batch_bytes(batch->rows) + batch->index_bytes.len;
}

enum hy_err batch_write(struct batch *batch)
{
    const uint8_t *bytes;
    size_t len;
    enum hy_err err;

    if (batch->err != HY_OK)
        return batch->err;
    if (batch_ops(batch) == 0)
        return HY_OK;
    index_flush(batch);
    err = replica_write(batch->replica, batch->rows);
    if (err == HY_OK && batch->tee != NULL) {
        bytes = db_batch_data(batch->rows, &len);
        batch->tee(batch->tee_arg, bytes, len);
    }
    return err;
}

void batch_clear(struct batch *batch)
{
    db_batch_clear(batch->rows);
    batch->index_count = 0;
    batch->index_bytes.len = 0;
    if (batch->used > 0)
        memset(batch->table, 0, ((size_t)batch->mask + 1) * sizeof *batch->table);
    batch->used = 0;
    batch->bytes.len = 0;
    batch->err = HY_OK;
}
