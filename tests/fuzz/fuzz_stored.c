/* Keys and values as they may lie on a damaged disk. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/slot.h"
#include "store/expire.h"
#include "store/key.h"
#include "store/move/rows.h"
#include "store/roster.h"
#include "store/value.h"

static void try_log(const uint8_t *data, size_t size)
{
    struct value_log log;
    struct hy_buf place = {0};

    if (value_get_log(data, size, &log) != HY_OK)
        return;
    (void)value_log_from(&log, "anna");
    if (value_put_place(&place, &log) == HY_OK &&
        value_get_log(place.data, place.len, &log) != HY_OK)
        __builtin_trap(); /* what we write we can read */
    hy_buf_free(&place);
}

static void try_record(const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t size)
{
    ProtobufCMessage *msg;

    if (value_get(type, NULL, data, size, &msg) == HY_OK)
        protobuf_c_message_free_unpacked(msg, NULL);
}

static enum hy_err see_change(void *arg, const struct db_change *change)
{
    (void)arg;
    return move_row_in(&(struct move_run){0, HY_SLOTS - 1}, change) ? HY_OK : HY_EDENIED;
}

/* What another shard sends, and what a log says was written. */
static void try_rows(const uint8_t *data, size_t size)
{
    struct move_rows_walk walk = {.at = data, .end = data + size};
    struct db_change row;

    while (move_rows_next(&walk, &row))
        (void)see_change(NULL, &row);
    (void)!db_changes(data, size, see_change, NULL);
}

/* Of a list that can be walked through, the first can be taken out and put back. */
static void try_roster(const uint8_t *data, size_t size)
{
    Hy__Member member = HY__MEMBER__INIT;
    ProtobufCBinaryData list, copy = {0};
    struct roster_entry entry;
    struct roster_walk walk;

    if (roster_list(data, size, &list) != HY_OK)
        return;
    copy.data = malloc(list.len + 1);
    if (copy.data == NULL)
        return;
    copy.len = list.len;
    if (list.len > 0)
        memcpy(copy.data, list.data, list.len);
    roster_begin(&walk, copy);
    if (roster_next(&walk, &entry))
        roster_cut(&copy, &entry);
    member.user = (char *)"anna";
    if (roster_put(&copy, &member) == HY_OK && roster_find(copy, "anna", &entry) != HY_OK)
        __builtin_trap(); /* who was put there is found */
    free(copy.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ProtobufCMessageDescriptor *const types[] = {
        &hy__pair__descriptor,    &hy__group__descriptor,       &hy__member__descriptor,
        &hy__user__descriptor,    &hy__app__descriptor,         &hy__index_row__descriptor,
        &hy__effect__descriptor,  &hy__mute__descriptor,        &hy__group_count__descriptor,
        &hy__roster__descriptor,  &hy__shard_slots__descriptor, &hy__move_out__descriptor,
        &hy__move_in__descriptor,
    };
    static struct appset *apps;
    struct key_parts parts;
    char text[KEY_TEXT_MAX + 1];
    Hy__DedupeRow *row;
    size_t cut = size == 0 ? 0 : data[0] % (size + 1);

    if (apps == NULL && appset_open(&apps) != HY_OK)
        return 0;
    try_rows(data, size);
    if (key_parse(data, size, &parts) == HY_OK) {
        (void)key_copy_text(parts.first, parts.first_len, text);
        (void)key_copy_text(parts.second, parts.second_len, text);
    }
    try_log(data, size);
    try_roster(data, size);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        try_record(types[i], data, size);
    if (value_get_dedupe(NULL, data, size, &row) == HY_OK)
        hy__dedupe_row__free_unpacked(row, NULL);
    (void)expire_due(apps, UINT64_MAX / 2, FAMILY_LOG, data, cut, data + cut, size - cut);
    (void)expire_due(apps, UINT64_MAX / 2, FAMILY_DEDUPE, data, cut, data + cut, size - cut);
    return 0;
}
