#include "router/memory.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"

static void *there(void *memory, size_t bytes)
{
    if (memory != NULL)
        return memory;
    hy_log_error("memory.exhausted", "bytes=%zu", bytes);
    abort();
}

void *memory_get(size_t bytes)
{
    return there(calloc(1, bytes), bytes);
}

void *memory_grow(void *old, size_t bytes)
{
    return there(realloc(old, bytes), bytes);
}

void *memory_from(struct hy_arena *arena, size_t bytes)
{
    return there(hy_arena_zalloc(arena, bytes), bytes);
}

char *memory_text(struct hy_arena *arena, const char *text)
{
    size_t len = strlen(text);

    return there(hy_arena_strdup(arena, text, len), len);
}
