#include "store/move/rows.h"

#include <string.h>
#include <xxhash.h>

enum { HEAD = 8 };

static bool slot_in(const struct move_run *run, const uint8_t *key, size_t len)
{
    unsigned slot = len < 2 ? UINT16_MAX : (unsigned)key[0] << 8 | key[1];

    return slot >= run->first && slot <= run->last;
}

/* The end of a range is the first key behind it, maybe of the slot that follows. */
bool move_row_in(const struct move_run *run, const struct db_change *row)
{
    uint8_t behind[2] = {(uint8_t)((run->last + 1) >> 8), (uint8_t)(run->last + 1)};

    if (!slot_in(run, row->key, row->key_len))
        return false;
    return row->kind != DB_DELETE_RANGE || slot_in(run, row->value, row->value_len) ||
           (row->value_len == 2 && memcmp(row->value, behind, 2) == 0);
}

void move_run_keys(const struct move_run *run, struct key *first, struct key *end)
{
    *first = (struct key){.len = 2, .bytes = {(uint8_t)(run->first >> 8), (uint8_t)run->first}};
    *end = (struct key){.len = 2,
                        .bytes = {(uint8_t)((run->last + 1) >> 8), (uint8_t)(run->last + 1)}};
}

enum hy_err move_rows_put(struct hy_buf *buf, const struct db_change *row)
{
    uint8_t *at;

    if (row->key_len > KEY_MAX || row->value_len > UINT32_MAX)
        return HY_ETOOBIG;
    if (hy_buf_reserve(buf, HEAD + row->key_len + row->value_len) != HY_OK)
        return HY_ENOMEM;
    at = buf->data + buf->len;
    at[0] = (uint8_t)row->kind;
    at[1] = (uint8_t)row->family;
    at[2] = (uint8_t)(row->key_len >> 8);
    at[3] = (uint8_t)row->key_len;
    for (int i = 0; i < 4; i++)
        at[4 + i] = (uint8_t)(row->value_len >> (24 - 8 * i));
    memcpy(at + HEAD, row->key, row->key_len);
    if (row->value_len > 0)
        memcpy(at + HEAD + row->key_len, row->value, row->value_len);
    buf->len += HEAD + row->key_len + row->value_len;
    return HY_OK;
}

bool move_rows_next(struct move_rows_walk *walk, struct db_change *row)
{
    const uint8_t *at = walk->at;
    size_t left = (size_t)(walk->end - at);

    if (left == 0)
        return false;
    walk->bad = true;
    if (left < HEAD || at[0] > DB_DELETE_RANGE || at[1] >= FAMILY_COUNT)
        return false;
    *row = (struct db_change){.kind = (enum db_change_kind)at[0],
                              .family = (enum family)at[1],
                              .key = at + HEAD,
                              .key_len = (size_t)at[2] << 8 | at[3],
                              .value_len = (size_t)at[4] << 24 | (size_t)at[5] << 16 |
                                           (size_t)at[6] << 8 | at[7]};
    if (row->key_len > KEY_MAX || row->key_len + row->value_len > left - HEAD)
        return false;
    if (row->kind == DB_DELETE_RANGE && row->value_len > KEY_MAX)
        return false;
    row->value = row->key + row->key_len;
    walk->at = row->value + row->value_len;
    walk->bad = false;
    return true;
}

uint64_t move_rows_hash(uint64_t before, const void *rows, size_t len)
{
    return XXH3_64bits_withSeed(rows, len, before);
}
