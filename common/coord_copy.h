/* coord_copy - values by key, in order of keys: a process's copy of what the coordinator holds.
 *
 * Some hundreds of values that change rarely: a sorted array. */

#ifndef COMMON_COORD_COPY_H
#define COMMON_COORD_COPY_H

#include "common/coord.h"

struct coord_entry {
    struct hy_coord_value value; /* key and text lie behind it */
    bool seen;                   /* a mark for who goes through all */
};

struct coord_copy {
    struct coord_entry **entries;
    size_t count, cap;
};

void coord_copy_free(struct coord_copy *copy);

/* Where key is, or would be. */
size_t coord_copy_place(const struct coord_copy *copy, const char *key);

/* NULL: not there. */
struct coord_entry *coord_copy_find(const struct coord_copy *copy, const char *key);

/* Copy a value in, in place of the one of its key. HY_ENOMEM leaves all as it was. */
enum hy_err coord_copy_put(struct coord_copy *copy, const struct hy_coord_value *value) HY_CHECKED;

/* Take out the one at place i; free() it. */
struct coord_entry *coord_copy_take(struct coord_copy *copy, size_t i);

#endif
