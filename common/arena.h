/* arena - memory for one piece of work, given back all at once.
 *
 * Decoding a protobuf message costs an allocation per field; from an arena they are bumps of a
 * pointer. One thread. */

#ifndef COMMON_ARENA_H
#define COMMON_ARENA_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

struct hy_arena {
    ProtobufCAllocator pb; /* hand &arena.pb to *__unpack(); never call *__free_unpacked() */
    char *block;           /* current block */
    size_t used, size;     /* bytes of the current block */
    void *older;           /* blocks that are full */
};

/* Make an empty arena; takes its first block when first used. */
void hy_arena_init(struct hy_arena *arena);

/* bytes of memory, aligned to 16, not cleared; NULL when there is none. */
void *hy_arena_alloc(struct hy_arena *arena, size_t bytes);

/* The same, cleared. */
void *hy_arena_zalloc(struct hy_arena *arena, size_t bytes);

/* A NUL-terminated copy of len bytes. */
char *hy_arena_strdup(struct hy_arena *arena, const char *text, size_t len);

/* Forget everything handed out; keeps one block for the next piece of work. */
void hy_arena_reset(struct hy_arena *arena);

/* Give all memory back. The arena can be used again. */
void hy_arena_free(struct hy_arena *arena);

#endif
