/* What an encoded batch of RocksDB does: a head of 12 bytes, then records of a tag, the number of
 * the family where it is not the first, and one or two counted strings. */

#include "store/db.h"
#include "store/value.h"

enum { HEAD = 12 };

/* Tags of RocksDB's format on disk. */
enum {
    TAG_DELETE = 0x0,
    TAG_PUT = 0x1,
    TAG_LOG_DATA = 0x3,
    TAG_FAMILY_DELETE = 0x4,
    TAG_FAMILY_PUT = 0x5,
    TAG_FAMILY_DELETE_RANGE = 0xE,
    TAG_DELETE_RANGE = 0xF,
};

static const struct shape {
    bool known, in_family, two;
    enum db_change_kind kind;
} shapes[] = {
    [TAG_DELETE] = {true, false, false, DB_DELETE},
    [TAG_PUT] = {true, false, true, DB_PUT},
    [TAG_FAMILY_DELETE] = {true, true, false, DB_DELETE},
    [TAG_FAMILY_PUT] = {true, true, true, DB_PUT},
    [TAG_FAMILY_DELETE_RANGE] = {true, true, true, DB_DELETE_RANGE},
    [TAG_DELETE_RANGE] = {true, false, true, DB_DELETE_RANGE},
};

enum { SHAPES = sizeof shapes / sizeof *shapes };

struct place {
    const uint8_t *at, *end;
};

static bool take_number(struct place *p, uint64_t *n)
{
    p->at = value_varint(p->at, p->end, n);
    return p->at != NULL;
}

static bool take_bytes(struct place *p, const uint8_t **bytes, size_t *len)
{
    uint64_t n;

    if (!take_number(p, &n) || n > (uint64_t)(p->end - p->at))
        return false;
    *bytes = p->at;
    *len = (size_t)n;
    p->at += n;
    return true;
}

static bool take_change(struct place *p, const struct shape *shape, struct db_change *change)
{
    uint64_t family = FAMILY_DEFAULT;

    *change = (struct db_change){.kind = shape->kind};
    if (shape->in_family && (!take_number(p, &family) || family >= FAMILY_COUNT))
        return false;
    change->family = (enum family)family;
    return take_bytes(p, &change->key, &change->key_len) &&
           (!shape->two || take_bytes(p, &change->value, &change->value_len));
}

enum hy_err db_changes(const uint8_t *bytes, size_t len,
                       enum hy_err (*fn)(void *arg, const struct db_change *change), void *arg)
{
    struct place p = {bytes + HEAD, bytes + len};
    enum hy_err err = len < HEAD ? HY_EMALFORMED : HY_OK;

    while (err == HY_OK && p.at < p.end) {
        uint8_t tag = *p.at++;
        struct db_change change;
        const uint8_t *note;
        size_t note_len;

        if (tag == TAG_LOG_DATA)
            err = take_bytes(&p, &note, &note_len) ? HY_OK : HY_EMALFORMED;
        else if (tag >= SHAPES || !shapes[tag].known || !take_change(&p, &shapes[tag], &change))
            err = HY_EMALFORMED;
        else
            err = fn(arg, &change);
    }
    return err;
}
