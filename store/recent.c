#include "store/recent.h"

#include <stdlib.h>
#include <xxhash.h>

/* A key is known by 128 bits of hash; each has one place, where the newest wins. */
struct cell {
    XXH128_hash_t hash;
    struct recent_item item;
};

struct recent {
    size_t mask;
    struct cell cells[];
};

enum hy_err recent_open(size_t size, struct recent **recent)
{
    struct recent *r = calloc(1, sizeof *r + size * sizeof(struct cell));

    if (r == NULL)
        return HY_ENOMEM;
    r->mask = size - 1;
    *recent = r;
    return HY_OK;
}

void recent_close(struct recent **recent)
{
    free(*recent);
    *recent = NULL;
}

static struct cell *cell_of(const struct recent *recent, XXH128_hash_t hash)
{
    return (struct cell *)&recent->cells[hash.low64 & recent->mask];
}

bool recent_find(const struct recent *recent, const struct key *key, struct recent_item *item)
{
    XXH128_hash_t hash = XXH3_128bits(key->bytes, key->len);
    const struct cell *cell = cell_of(recent, hash);

    if (cell->item.seq == 0 || !XXH128_isEqual(cell->hash, hash))
        return false;
    *item = cell->item;
    return true;
}

void recent_put(struct recent *recent, const struct key *key, const struct recent_item *item)
{
    XXH128_hash_t hash = XXH3_128bits(key->bytes, key->len);

    *cell_of(recent, hash) = (struct cell){hash, *item};
}
