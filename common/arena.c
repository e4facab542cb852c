#include "common/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BLOCK = 4096, KEPT_BLOCK = 256 * 1024, ALIGN = 16 };

/* At the start of each block; the rest is handed out. */
struct head {
    struct head *older;
    size_t size; /* of the whole block */
};

enum { HEAD = (sizeof(struct head) + ALIGN - 1) & ~(size_t)(ALIGN - 1) };

static void *pb_alloc(void *arena, size_t bytes)
{
    return hy_arena_alloc(arena, bytes);
}

static void pb_free(void *arena, void *memory)
{
    (void)arena;
    (void)memory; /* goes with the arena */
}

void hy_arena_init(struct hy_arena *arena)
{
    memset(arena, 0, sizeof *arena);
    arena->pb = (ProtobufCAllocator){pb_alloc, pb_free, arena};
}

/* Start a block with room for bytes; each is twice the one before, so there are few of them. */
static bool grow(struct hy_arena *arena, size_t bytes)
{
    size_t size = arena->size > 0 ? arena->size * 2 : FIRST_BLOCK;
    struct head *head = NULL;

    if (bytes > SIZE_MAX / 2 - HEAD)
        return false;
    while (size < bytes + HEAD)
        size *= 2;
    head = malloc(size);
    if (head == NULL)
        return false;
    head->older = (struct head *)arena->block;
    head->size = size;
    arena->older = head->older;
    arena->block = (char *)head;
    arena->size = size;
    arena->used = HEAD;
    return true;
}

void *hy_arena_alloc(struct hy_arena *arena, size_t bytes)
{
    size_t rounded = (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    void *memory = NULL;

    if (rounded < bytes)
        return NULL;
    if ((arena->block == NULL || rounded > arena->size - arena->used) && !grow(arena, rounded))
        return NULL;
    memory = arena->block + arena->used;
    arena->used += rounded;
    return memory;
}

void *hy_arena_zalloc(struct hy_arena *arena, size_t bytes)
{
    void *memory = hy_arena_alloc(arena, bytes);

    return memory != NULL ? memset(memory, 0, bytes) : NULL;
}

char *hy_arena_strdup(struct hy_arena *arena, const char *text, size_t len)
{
    char *copy = len < SIZE_MAX ? hy_arena_alloc(arena, len + 1) : NULL;

    if (copy == NULL)
        return NULL;
    if (len > 0)
        memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

static void free_blocks(struct head *head)
{
    while (head != NULL) {
        struct head *older = head->older;

        free(head);
        head = older;
    }
}

/* The newest block is the largest: keep it, unless one huge message made it so. */
void hy_arena_reset(struct hy_arena *arena)
{
    struct head *head = (struct head *)arena->block;

    if (head == NULL)
        return;
    if (arena->size > KEPT_BLOCK) {
        hy_arena_free(arena);
        return;
    }
    free_blocks(head->older);
    head->older = NULL;
    arena->older = NULL;
    arena->used = HEAD;
}

void hy_arena_free(struct hy_arena *arena)
{
    free_blocks((struct head *)arena->block);
    arena->block = NULL;
    arena->older = NULL;
    arena->used = arena->size = 0;
}
