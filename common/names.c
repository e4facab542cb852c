#include "common/names.h"

#include <string.h>

/* A name begins here if a NUL ends it within the list. */
static const char *name_at(const uint8_t *list, size_t len, size_t at)
{
    return at < len && memchr(list + at, 0, len - at) != NULL ? (const char *)list + at : NULL;
}

const char *hy_names_first(const uint8_t *list, size_t len)
{
    return name_at(list, len, 0);
}

const char *hy_names_next(const uint8_t *list, size_t len, const char *name)
{
    return name_at(list, len, (size_t)(name - (const char *)list) + strlen(name) + 1);
}

size_t hy_names_count(const uint8_t *list, size_t len)
{
    size_t count = 0;

    for (size_t i = 0; i < len; i++)
        count += list[i] == 0;
    return count;
}

enum hy_err hy_names_put(struct hy_buf *list, const void *name, size_t len)
{
    enum hy_err err = hy_buf_reserve(list, len + 1);

    if (err != HY_OK)
        return err;
    memcpy(list->data + list->len, name, len);
    list->data[list->len + len] = 0;
    list->len += len + 1;
    return HY_OK;
}
