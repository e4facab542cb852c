#include "common/body.h"

#include <protobuf-c/protobuf-c.h>
#include <string.h>

#include "common/buf.h"
#include "common/codes.h"

/* The wire is walked as it came, without decoding: it costs no memory, and what a decoder would
 * hide (a NUL inside a text, unknown fields) is seen and counted. */

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };
enum { DEPTH_MAX = 4 }; /* Elem, its kind, a list entry; one to spare */

struct cursor {
    const uint8_t *at, *end;
};

/* One field of the wire; data is NULL for numbers. */
struct field {
    uint32_t tag;
    unsigned wire;
    const uint8_t *data;
    size_t len; /* of data, or of the number as counted: 4 or 8 */
};

/* What has been found so far. */
struct check {
    uint64_t bytes; /* sum of all element fields */
    bool content;   /* some element says something */
};

static bool take_varint(struct cursor *c, unsigned most, uint64_t *value)
{
    *value = 0;
    for (unsigned i = 0; i < most && c->at < c->end; i++) {
        uint8_t byte = *c->at++;

        *value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if ((byte & 0x80) == 0)
            return true;
    }
    return false;
}

static bool take_bytes(struct cursor *c, size_t len, const uint8_t **data)
{
    if (len > (size_t)(c->end - c->at))
        return false;
    *data = c->at;
    c->at += len;
    return true;
}

static bool take_field(struct cursor *c, struct field *f)
{
    uint64_t value;
    const uint8_t *number;

    if (!take_varint(c, 5, &value) || value >> 3 == 0 || value > UINT32_MAX)
        return false;
    *f = (struct field){.tag = (uint32_t)(value >> 3), .wire = value & 7};
    switch (f->wire) {
    case WIRE_VARINT:
        f->len = 4;
        return take_varint(c, 10, &value);
    case WIRE_64:
    case WIRE_32:
        f->len = f->wire == WIRE_64 ? 8 : 4;
        return take_bytes(c, f->len, &number);
    case WIRE_BYTES:
        if (!take_varint(c, 5, &value) || value > INT32_MAX)
            return false;
        f->len = (size_t)value;
        return take_bytes(c, f->len, &f->data);
    default:
        return false;
    }
}

static unsigned wire_of(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return WIRE_BYTES;
    case PROTOBUF_C_TYPE_DOUBLE:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return WIRE_64;
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED32:
        return WIRE_32;
    default:
        return WIRE_VARINT;
    }
}

static uint32_t walk(struct check *check, const ProtobufCMessageDescriptor *type,
                     const struct field *from, unsigned depth, uint32_t *filled);

/* Count one field of an element and check its text. */
static uint32_t take_value(struct check *check, const ProtobufCFieldDescriptor *known,
                           const struct field *f, unsigned depth)
{
    uint32_t inner = 0;

    if (known == NULL) { /* of a newer client: it is kept, so it counts */
        check->bytes += f->len;
        return 0;
    }
    if (f->wire != wire_of(known->type))
        return HY_CODE_MSG_INVALID;
    if (known->type == PROTOBUF_C_TYPE_MESSAGE)
        return walk(check, known->descriptor, f, depth + 1, &inner);
    check->bytes += f->len;
    if (known->type == PROTOBUF_C_TYPE_STRING && !hy_utf8((const char *)f->data, f->len))
        return HY_CODE_NOT_UTF8;
    return 0;
}

/* Walk a message of a known type. *filled gets a bit for each field number below 32 that is there
 * and not empty; of a field given twice the last counts, as decoders see it. */
static uint32_t walk(struct check *check, const ProtobufCMessageDescriptor *type,
                     const struct field *from, unsigned depth, uint32_t *filled)
{
    struct cursor c = {from->data, from->data + from->len};
    struct field f;

    if (depth > DEPTH_MAX)
        return HY_CODE_MSG_INVALID;
    while (c.at < c.end) {
        if (!take_field(&c, &f))
            return HY_CODE_MSG_INVALID;
        const ProtobufCFieldDescriptor *known =
            protobuf_c_message_descriptor_get_field(type, f.tag);
        uint32_t code = take_value(check, known, &f, depth);

        if (code != 0)
            return code;
        if (known == NULL || f.tag >= 32)
            continue;
        if (f.len > 0)
            *filled |= 1u << f.tag;
        else if (known->label != PROTOBUF_C_LABEL_REPEATED)
            *filled &= ~(1u << f.tag);
    }
    return 0;
}

/* Which fields make an element say something, by the number of its kind. A face or a place says
 * something even when all its numbers are 0. */
#define BIT(n) (1u << (n))
static const uint32_t content_of[] = {
    [1] = BIT(1),                            /* text */
    [2] = UINT32_MAX,                        /* face */
    [3] = BIT(1) | BIT(3),                   /* image: uuid, infos */
    [4] = BIT(1) | BIT(2),                   /* sound: url, uuid */
    [5] = BIT(1) | BIT(2),                   /* file: url, uuid */
    [6] = UINT32_MAX,                        /* location */
    [7] = BIT(1) | BIT(2) | BIT(3),          /* custom: data, desc, ext */
    [8] = BIT(1) | BIT(2),                   /* video: url, uuid */
    [9] = BIT(1) | BIT(3) | BIT(5) | BIT(6), /* relay: title, text, msg_list, json_msg_key */
};

static uint32_t check_kind(struct check *check, const ProtobufCFieldDescriptor *kind,
                           const struct field *f)
{
    uint32_t filled = 0;

    if (f->wire != WIRE_BYTES || kind->id >= sizeof content_of / sizeof *content_of)
        return HY_CODE_MSG_INVALID; /* a tip: only the server makes them */
    uint32_t code = walk(check, kind->descriptor, f, 1, &filled);

    if (content_of[kind->id] == UINT32_MAX || (filled & content_of[kind->id]) != 0)
        check->content = true;
    return code;
}

/* An element has exactly one kind. */
static uint32_t check_elem(struct check *check, const struct field *elem)
{
    struct cursor c = {elem->data, elem->data + elem->len};
    struct field f;
    unsigned kinds = 0;

    while (c.at < c.end) {
        if (!take_field(&c, &f))
            return HY_CODE_MSG_INVALID;
        const ProtobufCFieldDescriptor *kind =
            protobuf_c_message_descriptor_get_field(&hy__elem__descriptor, f.tag);

        if (kind == NULL) {
            check->bytes += f.len;
            continue;
        }
        uint32_t code = check_kind(check, kind, &f);

        if (code != 0)
            return code;
        kinds++;
    }
    return kinds == 1 ? 0 : HY_CODE_MSG_INVALID;
}

uint32_t hy_body_check(const uint8_t *body, size_t len, uint32_t max_bytes)
{
    struct check check = {0};
    struct cursor c = {body, body};
    struct field f;

    if (len > 0) /* nothing is added to a NULL */
        c.end += len;
    /* What is far over the limit is not worth a walk; it also bounds elements that count nothing. */
    if (len > 2 * (size_t)max_bytes + 1024)
        return HY_CODE_MSG_TOO_LONG;
    while (c.at < c.end) {
        if (!take_field(&c, &f))
            return HY_CODE_MSG_INVALID;
        if (f.tag != 1) {
            check.bytes += f.len;
            continue;
        }
        uint32_t code = f.wire == WIRE_BYTES ? check_elem(&check, &f) : HY_CODE_MSG_INVALID;

        if (code != 0)
            return code;
    }
    if (check.bytes > max_bytes)
        return HY_CODE_MSG_TOO_LONG;
    return check.content ? 0 : HY_CODE_MSG_EMPTY;
}

uint32_t hy_body_check_decoded(const Hy__Body *body, uint32_t max_bytes)
{
    struct hy_buf buf = {0};
    uint32_t code;

    if (hy__body__get_packed_size(body) > 2 * (size_t)max_bytes + 1024)
        return HY_CODE_MSG_TOO_LONG;
    if (hy_buf_put_pb(&buf, &body->base) != HY_OK)
        return HY_CODE_BUSY;
    code = hy_body_check(buf.data, buf.len, max_bytes);
    hy_buf_free(&buf);
    return code;
}

/* Length of the character that begins at s, by table 3-7 of Unicode; 0: ill-formed. */
static size_t utf8_char(const uint8_t *s, size_t left)
{
    static const struct {
        uint8_t first, last, low, high; /* lead bytes, and the second byte's range */
        uint8_t len;
    } forms[] = {
        {0x01, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (s[0] < forms[i].first || s[0] > forms[i].last)
            continue;
        if (forms[i].len > left)
            return 0;
        if (forms[i].len > 1 && (s[1] < forms[i].low || s[1] > forms[i].high))
            return 0;
        for (size_t k = 2; k < forms[i].len; k++)
            if (s[k] < 0x80 || s[k] > 0xbf)
                return 0;
        return forms[i].len;
    }
    return 0;
}

/* Are the eight bytes at s all of 0x01..0x7f? */
static bool ascii8(const uint8_t *s)
{
    uint64_t word;

    memcpy(&word, s, sizeof word);
    /* A byte of 0 borrows from bit 7; a byte over 0x7f has it already. */
    return (((word - 0x0101010101010101) | word) & 0x8080808080808080) == 0;
}

bool hy_utf8(const char *text, size_t len)
{
    const uint8_t *s = (const uint8_t *)text, *end = s;

    if (len > 0)
        end += len;
    while (s < end) {
        if (end - s >= 8 && ascii8(s)) {
            s += 8;
            continue;
        }
        size_t n = utf8_char(s, (size_t)(end - s));

        if (n == 0)
            return false;
        s += n;
    }
    return true;
}

static bool printable(const char *text, size_t most)
{
    size_t len = strnlen(text, most + 1);

    if (len == 0 || len > most)
        return false;
    for (size_t i = 0; i < len; i++)
        if (text[i] < 0x20 || text[i] > 0x7e)
            return false;
    return true;
}

bool hy_account_ok(const char *user)
{
    return printable(user, 32) && strncmp(user, "@TLS#", 5) != 0 && strncmp(user, "@TGS#", 5) != 0;
}

bool hy_group_id_ok(const char *group, bool custom)
{
    return printable(group, 48) && !(custom && strncmp(group, "@TGS#", 5) == 0);
}
