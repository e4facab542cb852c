#include "store/key.h"

#include <string.h>

bool key_text_ok(const char *text)
{
    size_t len = strnlen(text, KEY_TEXT_MAX + 1);

    return len > 0 && len <= KEY_TEXT_MAX;
}

static void put_number(struct key *key, uint64_t n, unsigned bytes)
{
    for (unsigned i = bytes; i-- > 0;)
        key->bytes[key->len++] = (uint8_t)(n >> (8 * i));
}

/* Longer texts never come here; were one to, a cut key is still a key. */
static void put_text(struct key *key, const char *text)
{
    size_t len = strnlen(text, KEY_TEXT_MAX);

    memcpy(key->bytes + key->len, text, len);
    key->len = (uint16_t)(key->len + len);
}

void key_head(struct key *key, struct key_home home, enum key_format format)
{
    key->len = 0;
    put_number(key, home.slot, 2);
    put_number(key, format, 1);
    put_number(key, home.app, 4);
}

void key_number(struct key *key, struct key_home home, enum key_format format, uint64_t number)
{
    key_head(key, home, format);
    put_number(key, number, 8);
}

void key_text(struct key *key, struct key_home home, enum key_format format, const char *text)
{
    key_head(key, home, format);
    put_text(key, text);
}

void key_member(struct key *key, struct key_home home, enum key_format format,
                uint64_t conversation, const char *user)
{
    key_head(key, home, format);
    put_number(key, conversation, 8);
    if (user != NULL)
        put_text(key, user);
}

void key_pair(struct key *key, struct key_home home, enum key_format format, const char *a,
              const char *b)
{
    bool swap = strcmp(a, b) > 0;

    key_head(key, home, format);
    put_text(key, swap ? b : a);
    put_number(key, 0, 1);
    put_text(key, swap ? a : b);
}

void key_log(struct key *key, struct key_home home, enum key_format format, uint64_t conversation,
             uint64_t seq)
{
    key_head(key, home, format);
    put_number(key, conversation, 8);
    put_number(key, seq, 8);
}

void key_index(struct key *key, struct key_home home, const char *user, uint8_t type,
               const char *peer, enum key_index_part part)
{
    key_head(key, home, KEY_INDEX);
    put_text(key, user);
    put_number(key, 0, 1);
    if (type == 0)
        return;
    put_number(key, type, 1);
    if (peer == NULL)
        return;
    put_text(key, peer);
    put_number(key, 0, 1);
    put_number(key, part, 1);
}

void key_sent(struct key *key, struct key_home home, uint64_t conversation, const char *user,
              const char *client_id)
{
    key_head(key, home, KEY_SENT);
    put_number(key, conversation, 8);
    if (user == NULL)
        return;
    put_text(key, user);
    put_number(key, 0, 1);
    put_text(key, client_id);
}

void key_op(struct key *key, struct key_home home, uint16_t kind, const char *op_id)
{
    key_head(key, home, KEY_OP);
    put_number(key, kind, 2);
    put_text(key, op_id);
}

void key_after(struct key *key)
{
    while (key->len > 0 && key->bytes[key->len - 1] == 0xFF)
        key->len--;
    if (key->len > 0)
        key->bytes[key->len - 1]++;
}

/* ---- reading back ---- */

struct reader {
    const uint8_t *at, *end;
    bool bad;
};

static uint64_t take_number(struct reader *r, unsigned bytes)
{
    uint64_t n = 0;

    if ((size_t)(r->end - r->at) < bytes) {
        r->bad = true;
        return 0;
    }
    while (bytes-- > 0)
        n = n << 8 | *r->at++;
    return n;
}

/* A text that ends with a NUL, which is eaten. */
static const char *take_text(struct reader *r, size_t *len)
{
    const char *text = (const char *)r->at;
    const uint8_t *nul = r->at < r->end ? memchr(r->at, 0, (size_t)(r->end - r->at)) : NULL;

    *len = 0;
    if (nul == NULL) {
        r->bad = true;
        return text;
    }
    *len = (size_t)(nul - r->at);
    r->at = nul + 1;
    return text;
}

static const char *take_rest(struct reader *r, size_t *len)
{
    const char *text = (const char *)r->at;

    *len = (size_t)(r->end - r->at);
    r->at = r->end;
    return text;
}

static void parse_tail(struct reader *r, struct key_parts *parts)
{
    switch (parts->format) {
    case KEY_COUNTER:
    case KEY_GROUP_COUNT:
    case KEY_APP_COPY:
    case KEY_SLOTS:
    case KEY_APP:
        break;
    case KEY_EPOCH:
    case KEY_ONLINE:
    case KEY_MOVE_OUT:
    case KEY_MOVE_IN:
        parts->number = take_number(r, 8);
        break;
    case KEY_USER:
    case KEY_GROUP:
        parts->first = take_rest(r, &parts->first_len);
        break;
    case KEY_MEMBER:
    case KEY_MUTE:
    case KEY_OUT_MEMBER:
        parts->conversation = take_number(r, 8);
        parts->first = take_rest(r, &parts->first_len);
        break;
    case KEY_ROSTER:
        parts->conversation = take_number(r, 8);
        break;
    case KEY_PAIR:
    case KEY_OUT_PAIR:
        parts->first = take_text(r, &parts->first_len);
        parts->second = take_rest(r, &parts->second_len);
        break;
    case KEY_LOG_C2C:
    case KEY_LOG_GROUP:
        parts->conversation = take_number(r, 8);
        parts->number = take_number(r, 8);
        break;
    case KEY_INDEX:
        parts->first = take_text(r, &parts->first_len);
        parts->type = (uint8_t)take_number(r, 1);
        parts->second = take_text(r, &parts->second_len);
        parts->part = (uint8_t)take_number(r, 1);
        break;
    case KEY_SENT:
        parts->conversation = take_number(r, 8);
        parts->first = take_text(r, &parts->first_len);
        parts->second = take_rest(r, &parts->second_len);
        break;
    case KEY_OP:
        parts->number = take_number(r, 2);
        parts->first = take_rest(r, &parts->first_len);
        break;
    default:
        r->bad = true;
    }
}

enum hy_err key_parse(const void *bytes, size_t len, struct key_parts *parts)
{
    struct reader r = {.at = bytes, .end = (const uint8_t *)bytes + len};

    *parts = (struct key_parts){0};
    parts->home.slot = (uint16_t)take_number(&r, 2);
    parts->format = (enum key_format)take_number(&r, 1);
    parts->home.app = (uint32_t)take_number(&r, 4);
    if (!r.bad)
        parse_tail(&r, parts);
    return r.bad || r.at != r.end ? HY_EMALFORMED : HY_OK;
}

bool key_copy_text(const char *text, size_t len, char out[static KEY_TEXT_MAX + 1])
{
    if (len == 0 || len > KEY_TEXT_MAX || memchr(text, 0, len) != NULL)
        return false;
    memcpy(out, text, len);
    out[len] = '\0';
    return true;
}
