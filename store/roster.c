#include "store/roster.h"

#include <stdlib.h>
#include <string.h>

#include "store/value.h"

enum { ROSTER_LIST = 1, MEMBER_USER = 1 }; /* fields, from records.proto */

int roster_order(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

    return order != 0 ? order : a_len < b_len ? -1 : a_len > b_len;
}

void roster_begin(struct roster_walk *walk, ProtobufCBinaryData list)
{
    *walk =
        (struct roster_walk){list.data, list.len == 0 ? list.data : list.data + list.len, false};
}

bool roster_next(struct roster_walk *walk, struct roster_entry *entry)
{
    const uint8_t *value, *user;
    uint64_t len;

    if (walk->bad || walk->at == walk->end)
        return false;
    entry->at = walk->at;
    value = value_varint(walk->at, walk->end, &len);
    walk->bad = value == NULL || (uint64_t)(walk->end - value) < len ||
                value_text(value, (size_t)len, MEMBER_USER, &user, &entry->user_len) != HY_OK ||
                user == NULL;
    if (walk->bad)
        return false;
    entry->user = (const char *)user;
    entry->value = value;
    entry->len = (size_t)len;
    entry->end = walk->at = value + len;
    return true;
}

enum hy_err roster_list(const void *value, size_t len, ProtobufCBinaryData *list)
{
    const uint8_t *data;
    enum hy_err err = value_text(value, len, ROSTER_LIST, &data, &list->len);

    list->data = (uint8_t *)data;
    return err;
}

/* The entry of a user or, if he has none, the place where it belongs (at == end). */
static enum hy_err look(ProtobufCBinaryData list, const char *user, struct roster_entry *entry)
{
    size_t len = strlen(user);
    struct roster_walk walk;

    roster_begin(&walk, list);
    while (roster_next(&walk, entry)) {
        int order = roster_order(entry->user, entry->user_len, user, len);

        if (order == 0)
            return HY_OK;
        if (order > 0) {
            entry->end = entry->at;
            return HY_ENOTFOUND;
        }
    }
    entry->at = entry->end = walk.end;
    return walk.bad ? HY_ECORRUPT : HY_ENOTFOUND;
}

enum hy_err roster_find(ProtobufCBinaryData list, const char *user, struct roster_entry *entry)
{
    return look(list, user, entry);
}

bool roster_room(ProtobufCBinaryData list, uint32_t members)
{
    return members < ROSTER_MEMBERS && list.len < ROSTER_BYTES;
}

/* Make the bytes from at up to end so many; returns where they begin now, or NULL. */
static uint8_t *resize(ProtobufCBinaryData *list, const uint8_t *at, const uint8_t *end, size_t len)
{
    size_t before = list->len == 0 ? 0 : (size_t)(at - list->data), was = (size_t)(end - at);
    size_t after = list->len - before - was;
    uint8_t *data = list->data;

    if (len > was) {
        data = realloc(list->data, list->len - was + len);
        if (data == NULL)
            return NULL;
    }
    if (after > 0)
        memmove(data + before + len, data + before + was, after);
    list->data = data;
    list->len = before + len + after;
    return data + before;
}

enum hy_err roster_put(ProtobufCBinaryData *list, const Hy__Member *member)
{
    struct hy_buf value = {0}, entry = {0};
    struct roster_entry old;
    uint8_t *at;
    enum hy_err err = look(*list, member->user, &old);

    if (err != HY_OK && err != HY_ENOTFOUND)
        return err;
    err = value_put(&value, &member->base);
    if (err == HY_OK)
        err = value_put_counted(&entry, value.data, value.len);
    if (err == HY_OK) {
        at = resize(list, old.at, old.end, entry.len);
        err = at == NULL ? HY_ENOMEM : HY_OK;
    }
    if (err == HY_OK)
        memcpy(at, entry.data, entry.len);
    hy_buf_free(&value);
    hy_buf_free(&entry);
    return err;
}

void roster_cut(ProtobufCBinaryData *list, const struct roster_entry *entry)
{
    (void)resize(list, entry->at, entry->end, 0); /* smaller: no memory is asked for */
}
