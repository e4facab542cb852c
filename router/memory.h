/* memory - memory that is there, or the process ends.
 *
 * A router keeps nothing that is not elsewhere as well: when the machine has no memory left, dying
 * costs clients a resync, and a path for each refused allocation would cost code that no one ever
 * runs. What a peer sends is bounded before it comes here. */

#ifndef ROUTER_MEMORY_H
#define ROUTER_MEMORY_H

#include <stddef.h>

#include "common/arena.h"

/* Cleared memory from the heap; free() it. */
void *memory_get(size_t bytes);

/* Make an array larger, as realloc(). */
void *memory_grow(void *old, size_t bytes);

/* Cleared memory from an arena. */
void *memory_from(struct hy_arena *arena, size_t bytes);

/* A copy of a text in an arena. */
char *memory_text(struct hy_arena *arena, const char *text);

#endif
