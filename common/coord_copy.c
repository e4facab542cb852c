#include "common/coord_copy.h"

#include <stdlib.h>
#include <string.h>

void coord_copy_free(struct coord_copy *copy)
{
    for (size_t i = 0; i < copy->count; i++)
        free(copy->entries[i]);
    free(copy->entries);
    *copy = (struct coord_copy){0};
}

size_t coord_copy_place(const struct coord_copy *copy, const char *key)
{
    size_t low = 0, high = copy->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(copy->entries[middle]->value.key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct coord_copy *copy, size_t i, const char *key)
{
    return i < copy->count && strcmp(copy->entries[i]->value.key, key) == 0;
}

struct coord_entry *coord_copy_find(const struct coord_copy *copy, const char *key)
{
    size_t i = coord_copy_place(copy, key);

    return is_at(copy, i, key) ? copy->entries[i] : NULL;
}

static struct coord_entry *entry_make(const struct hy_coord_value *value)
{
    size_t key_size = strlen(value->key) + 1;
    struct coord_entry *entry = malloc(sizeof *entry + key_size + value->len + 1);

    if (entry == NULL)
        return NULL;
    char *key = (char *)(entry + 1), *text = key + key_size;

    memcpy(key, value->key, key_size);
    memcpy(text, value->text, value->len);
    text[value->len] = '\0';
    *entry = (struct coord_entry){.value = *value};
    entry->value.key = key;
    entry->value.text = text;
    return entry;
}

static enum hy_err reserve_one(struct coord_copy *copy)
{
    if (copy->count < copy->cap)
        return HY_OK;
    size_t cap = copy->cap > 0 ? copy->cap * 2 : 64;
    struct coord_entry **entries = realloc(copy->entries, cap * sizeof(struct coord_entry *));

    if (entries == NULL)
        return HY_ENOMEM;
    copy->entries = entries;
    copy->cap = cap;
    return HY_OK;
}

enum hy_err coord_copy_put(struct coord_copy *copy, const struct hy_coord_value *value)
{
    size_t i = coord_copy_place(copy, value->key);
    struct coord_entry *entry = reserve_one(copy) == HY_OK ? entry_make(value) : NULL;

    if (entry == NULL)
        return HY_ENOMEM;
    if (is_at(copy, i, value->key)) {
        free(copy->entries[i]);
    } else {
        memmove(&copy->entries[i + 1], &copy->entries[i],
                (copy->count - i) * sizeof(struct coord_entry *));
        copy->count++;
    }
    copy->entries[i] = entry;
    return HY_OK;
}

struct coord_entry *coord_copy_take(struct coord_copy *copy, size_t i)
{
    struct coord_entry *entry = copy->entries[i];

    copy->count--;
    memmove(&copy->entries[i], &copy->entries[i + 1],
            (copy->count - i) * sizeof(struct coord_entry *));
    return entry;
}
