/* fuzz_etcd - what etcd answers: lists of values, lines of a watch, small answers. The first byte
 * chooses. */

#include <stdlib.h>
#include <string.h>

#include "common/etcd_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char prefix[] = "/hongyan/test/";

static void check(const struct etcd_values *values)
{
    for (size_t i = 0; i < values->count; i++) {
        const struct hy_coord_value *value = &values->values[i];

        if (*value->key == '\0' || strlen(value->key) > HY_COORD_KEY_MAX || value->changed == 0)
            abort();
        if (value->text == NULL ? value->len != 0 : strlen(value->text) != value->len)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hy_arena arena;
    struct etcd_range range;
    struct etcd_watch watch;
    struct etcd_txn txn;
    struct etcd_error error;
    uint64_t ttl;
    char token[64];

    if (size < 1)
        return 0;
    char *text = malloc(size); /* no byte more than there are */
    size_t len = size - 1;

    if (text == NULL)
        return 0;
    memcpy(text, data + 1, len);
    hy_arena_init(&arena);
    switch (data[0] % 6) {
    case 0:
        if (etcd_range_read(text, len, prefix, &arena, &range) == HY_OK)
            check(&range.values);
        break;
    case 1:
        if (etcd_watch_read(text, len, prefix, &arena, &watch) == HY_OK)
            check(&watch.values);
        break;
    case 2:
        if (etcd_txn_read(text, len, &txn) == HY_OK && txn.revision == 0)
            abort();
        break;
    case 3:
        (void)!etcd_ttl_read(text, len, &ttl);
        break;
    case 4:
        if (etcd_token_read(text, len, token, sizeof token) == HY_OK &&
            strpbrk(token, "\r\n") != NULL)
            abort();
        break;
    case 5:
        etcd_error_read(text, len, &error);
        break;
    }
    hy_arena_free(&arena);
    free(text);
    return 0;
}
