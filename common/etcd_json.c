#include "common/etcd_json.h"

#include <inttypes.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- questions ---- */

/* Steals object; NULL stays NULL. */
static char *dump(json_t *object)
{
    char *text = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;

    json_decref(object);
    return text;
}

/* As base64. */
static json_t *encoded(const void *bytes, size_t len)
{
    unsigned char *text = malloc((len + 2) / 3 * 4 + 1);
    json_t *string = NULL;

    if (text == NULL)
        return NULL;
    string = json_stringn((char *)text, (size_t)EVP_EncodeBlock(text, bytes, (int)len));
    free(text);
    return string;
}

static json_t *number(uint64_t n)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRIu64, n);
    return json_string(text);
}

static json_t *key_of(const char *prefix, const char *key)
{
    char whole[512];
    int len = snprintf(whole, sizeof whole, "%s%s", prefix, key);

    return len > 0 && (size_t)len < sizeof whole ? encoded(whole, (size_t)len) : NULL;
}

/* The first key behind all that begin with prefix. */
static json_t *end_of(const char *prefix)
{
    char end[512];
    size_t len = strlen(prefix);

    if (len == 0 || len > sizeof end)
        return NULL;
    memcpy(end, prefix, len); /* no text. NOLINT(bugprone-not-null-terminated-result) */
    end[len - 1]++;           /* '/' */
    return encoded(end, len);
}

char *etcd_range_text(const char *prefix)
{
    return dump(json_pack("{s:o, s:o}", "key", key_of(prefix, ""), "range_end", end_of(prefix)));
}

char *etcd_count_text(const char *prefix)
{
    return dump(json_pack("{s:o, s:b}", "key", key_of(prefix, ""), "count_only", 1));
}

char *etcd_watch_text(const char *prefix, uint64_t revision)
{
    return dump(json_pack("{s:{s:o, s:o, s:o}}", "create_request", "key", key_of(prefix, ""),
                          "range_end", end_of(prefix), "start_revision", number(revision)));
}

static json_t *compare_of(const char *prefix, const struct hy_coord_guard *guard)
{
    static const struct {
        const char *target, *field;
    } tests[] = {
        [HY_COORD_ABSENT] = {"CREATE", "create_revision"},
        [HY_COORD_CREATED] = {"CREATE", "create_revision"},
        [HY_COORD_CHANGED] = {"MOD", "mod_revision"},
    };
    uint64_t revision = guard->test == HY_COORD_ABSENT ? 0 : guard->revision;

    return json_pack("{s:o, s:s, s:s, s:o}", "key", key_of(prefix, guard->key), "target",
                     tests[guard->test].target, "result", "EQUAL", tests[guard->test].field,
                     number(revision));
}

static json_t *put_of(const char *prefix, const struct hy_coord_put *put, uint64_t lease)
{
    json_t *key = key_of(prefix, put->key);

    if (put->text == NULL)
        return json_pack("{s:{s:o}}", "requestDeleteRange", "key", key);
    json_t *value = encoded(put->text, strlen(put->text));

    if (!put->leased)
        return json_pack("{s:{s:o, s:o}}", "requestPut", "key", key, "value", value);
    return json_pack("{s:{s:o, s:o, s:o}}", "requestPut", "key", key, "value", value, "lease",
                     number(lease));
}

char *etcd_txn_text(const char *prefix, const struct hy_coord_change *change, uint64_t lease)
{
    json_t *compare = json_array(), *success = json_array();
    bool good = compare != NULL && success != NULL;

    for (size_t i = 0; i < change->guard_count && good; i++)
        good = json_array_append_new(compare, compare_of(prefix, &change->guards[i])) == 0;
    for (size_t i = 0; i < change->put_count && good; i++)
        good = json_array_append_new(success, put_of(prefix, &change->puts[i], lease)) == 0;
    if (good)
        return dump(json_pack("{s:o, s:o}", "compare", compare, "success", success));
    json_decref(compare);
    json_decref(success);
    return NULL;
}

char *etcd_grant_text(uint64_t lease, uint32_t ttl_s)
{
    return dump(json_pack("{s:o, s:o}", "ID", number(lease), "TTL", number(ttl_s)));
}

char *etcd_lease_text(uint64_t lease)
{
    return dump(json_pack("{s:o}", "ID", number(lease)));
}

char *etcd_login_text(const char *user, const char *password)
{
    return dump(json_pack("{s:s, s:s}", "name", user, "password", password));
}

/* ---- answers ---- */

static json_t *parse(const char *text, size_t len)
{
    return json_loadb(text, len, JSON_ALLOW_NUL, NULL);
}

/* A number as text (or as a number); left out: 0. */
static enum hy_err read_number(const json_t *object, const char *name, uint64_t *n)
{
    const json_t *value = json_object_get(object, name);
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);

    *n = 0;
    if (value == NULL)
        return HY_OK;
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        *n = (uint64_t)json_integer_value(value);
        return HY_OK;
    }
    if (text == NULL || len == 0 || len > 19 || strspn(text, "0123456789") != len)
        return HY_EMALFORMED;
    *n = strtoull(text, NULL, 10);
    return HY_OK;
}

/* From base64, NUL-terminated; left out: empty. NULL: it is not base64, or there is no memory. */
static char *read_bytes(const json_t *object, const char *name, struct hy_arena *arena, size_t *len)
{
    const json_t *value = json_object_get(object, name);
    const char *text = value != NULL ? json_string_value(value) : "";
    size_t size = json_string_length(value);
    unsigned char *bytes = NULL;

    if (text == NULL || size % 4 != 0 || size > INT32_MAX)
        return NULL;
    bytes = hy_arena_alloc(arena, size / 4 * 3 + 1);
    if (bytes == NULL)
        return NULL;
    int got = size > 0 ? EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)size) : 0;

    if (got < 0 || (size > 0 && got != (int)(size / 4 * 3)))
        return NULL;
    *len = (size_t)got;
    for (size_t i = 0; i < 2 && i < size && text[size - 1 - i] == '='; i++)
        --*len;
    bytes[*len] = '\0';
    return (char *)bytes;
}

/* The key without prefix; NULL: it is not one of ours. */
static const char *own_key(const char *key, size_t len, const char *prefix)
{
    size_t skip = strlen(prefix);

    if (strlen(key) != len || strncmp(key, prefix, skip) != 0)
        return NULL;
    return len > skip && len - skip <= HY_COORD_KEY_MAX ? key + skip : NULL;
}

/* Add one of etcd's key-values, or the end of it. */
static enum hy_err read_value(const json_t *kv, bool gone, const char *prefix,
                              struct hy_arena *arena, struct etcd_values *values)
{
    struct hy_coord_value value = {0};
    uint64_t lease;
    size_t key_len = 0;
    char *key = read_bytes(kv, "key", arena, &key_len);
    char *text = gone ? NULL : read_bytes(kv, "value", arena, &value.len);

    if (key == NULL || (text == NULL && !gone) ||
        read_number(kv, "create_revision", &value.created) != HY_OK ||
        read_number(kv, "mod_revision", &value.changed) != HY_OK ||
        read_number(kv, "lease", &lease) != HY_OK || value.changed == 0)
        return HY_EMALFORMED;
    value.key = own_key(key, key_len, prefix);
    value.text = text;
    value.leased = lease != 0;
    if (value.key == NULL || value.len > HY_COORD_VALUE_MAX ||
        (text != NULL && strlen(text) != value.len))
        values->unusable++;
    else
        values->values[values->count++] = value;
    return HY_OK;
}

static enum hy_err values_make(struct hy_arena *arena, size_t most, struct etcd_values *values)
{
    values->values = hy_arena_alloc(arena, (most + 1) * sizeof *values->values);
    return values->values != NULL ? HY_OK : HY_ENOMEM;
}

static enum hy_err read_range(const json_t *root, const char *prefix, struct hy_arena *arena,
                              struct etcd_range *range)
{
    const json_t *kvs = json_object_get(root, "kvs"), *kv;
    enum hy_err err = values_make(arena, json_array_size(kvs), &range->values);
    size_t i;

    if (err == HY_OK)
        err = read_number(json_object_get(root, "header"), "revision", &range->revision);
    if (err == HY_OK && range->revision == 0)
        err = HY_EMALFORMED;
    if (err != HY_OK)
        return err;
    json_array_foreach(kvs, i, kv)
    {
        err = read_value(kv, false, prefix, arena, &range->values);
        if (err != HY_OK)
            return err;
    }
    return HY_OK;
}

enum hy_err etcd_range_read(const char *text, size_t len, const char *prefix,
                            struct hy_arena *arena, struct etcd_range *range)
{
    json_t *root = parse(text, len);
    enum hy_err err = HY_EMALFORMED;

    *range = (struct etcd_range){0};
    if (root != NULL)
        err = read_range(root, prefix, arena, range);
    json_decref(root);
    return err;
}

static enum hy_err read_events(const json_t *events, const char *prefix, struct hy_arena *arena,
                               struct etcd_values *values)
{
    enum hy_err err = values_make(arena, json_array_size(events), values);
    const json_t *event;
    size_t i;

    if (err != HY_OK)
        return err;
    json_array_foreach(events, i, event)
    {
        const char *type = json_string_value(json_object_get(event, "type"));
        bool gone = type != NULL && strcmp(type, "DELETE") == 0;

        if (type != NULL && !gone && strcmp(type, "PUT") != 0)
            return HY_EMALFORMED;
        err = read_value(json_object_get(event, "kv"), gone, prefix, arena, values);
        if (err != HY_OK)
            return err;
    }
    return HY_OK;
}

static void copy_text(char *to, size_t size, const json_t *text)
{
    snprintf(to, size, "%s", json_is_string(text) ? json_string_value(text) : "");
}

static enum hy_err read_watch(const json_t *root, const char *prefix, struct hy_arena *arena,
                              struct etcd_watch *watch)
{
    const json_t *result = json_object_get(root, "result"), *error = json_object_get(root, "error");
    enum hy_err err = HY_OK;

    if (error != NULL) {
        watch->ended = true;
        copy_text(watch->why, sizeof watch->why, json_object_get(error, "message"));
        return HY_OK;
    }
    if (!json_is_object(result))
        return HY_EMALFORMED;
    watch->created = json_is_true(json_object_get(result, "created"));
    watch->ended = json_is_true(json_object_get(result, "canceled"));
    copy_text(watch->why, sizeof watch->why, json_object_get(result, "cancel_reason"));
    err = read_number(json_object_get(result, "header"), "revision", &watch->revision);
    if (err == HY_OK)
        err = read_number(result, "compact_revision", &watch->compacted);
    if (err == HY_OK)
        err = read_events(json_object_get(result, "events"), prefix, arena, &watch->values);
    return err;
}

enum hy_err etcd_watch_read(const char *line, size_t len, const char *prefix,
                            struct hy_arena *arena, struct etcd_watch *watch)
{
    json_t *root = parse(line, len);
    enum hy_err err = HY_EMALFORMED;

    *watch = (struct etcd_watch){0};
    if (root != NULL)
        err = read_watch(root, prefix, arena, watch);
    json_decref(root);
    return err;
}

enum hy_err etcd_txn_read(const char *text, size_t len, struct etcd_txn *txn)
{
    json_t *root = parse(text, len);
    enum hy_err err = HY_EMALFORMED;

    txn->succeeded = json_is_true(json_object_get(root, "succeeded"));
    if (root != NULL)
        err = read_number(json_object_get(root, "header"), "revision", &txn->revision);
    if (err == HY_OK && txn->revision == 0)
        err = HY_EMALFORMED;
    json_decref(root);
    return err;
}

enum hy_err etcd_ttl_read(const char *text, size_t len, uint64_t *ttl_s)
{
    json_t *root = parse(text, len);
    const json_t *result = json_object_get(root, "result");
    enum hy_err err = HY_EMALFORMED;

    if (result == NULL)
        result = root; /* a grant's is no stream */
    if (json_is_object(json_object_get(result, "header")))
        err = read_number(result, "TTL", ttl_s);
    json_decref(root);
    return err;
}

enum hy_err etcd_token_read(const char *text, size_t len, char *token, size_t size)
{
    json_t *root = parse(text, len);
    const json_t *value = json_object_get(root, "token");
    size_t token_len = json_string_length(value);
    enum hy_err err = HY_EMALFORMED;

    /* it goes into a header */
    if (token_len > 0 && token_len < size &&
        strcspn(json_string_value(value), "\r\n") == token_len) {
        memcpy(token, json_string_value(value), token_len + 1);
        err = HY_OK;
    }
    json_decref(root);
    return err;
}

void etcd_error_read(const char *text, size_t len, struct etcd_error *error)
{
    json_t *root = parse(text, len);

    *error = (struct etcd_error){0};
    if (json_is_integer(json_object_get(root, "code")))
        error->code = (int)json_integer_value(json_object_get(root, "code"));
    copy_text(error->text, sizeof error->text, json_object_get(root, "message"));
    json_decref(root);
}
