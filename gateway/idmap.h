/* idmap - pointers by 64-bit id, open addressing: 16 bytes a place, a cache line a look. Ids are
 * random or mixed by the map; 0 is no id. */

#ifndef GATEWAY_IDMAP_H
#define GATEWAY_IDMAP_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* Zeroed at first. */
struct idmap {
    struct idmap_place {
        uint64_t id;
        void *value;
    } * places;
    size_t count, cap;
};

/* NULL: not there. */
void *idmap_get(const struct idmap *map, uint64_t id);

/* Put or replace. HY_ENOMEM changes nothing. */
enum hy_err idmap_put(struct idmap *map, uint64_t id, void *value) HY_CHECKED;

/* Take out, if it is there. */
void idmap_drop(struct idmap *map, uint64_t id);

void idmap_free(struct idmap *map);

#endif
