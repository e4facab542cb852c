/* numberset - a set of numbers other than 0, 16 bytes a number or less. One thread. A set of zeros
 * is empty and ready. */

#ifndef ROUTER_NUMBERSET_H
#define ROUTER_NUMBERSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct numberset {
    uint64_t *slots;    /* 0: free */
    size_t count, size; /* size is a power of two, or 0 */
};

bool numberset_has(const struct numberset *set, uint64_t number);
void numberset_add(struct numberset *set, uint64_t number);
void numberset_remove(struct numberset *set, uint64_t number);

/* Empty it and give its memory back. */
void numberset_free(struct numberset *set);

#endif
