#include "gateway/rest_value.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/body.h"

enum { DEEPEST = 512 };

struct parser {
    char *at, *end;
    const char *begin;
    struct hy_arena *arena;
    const char *wrong;                /* what was expected, and is not there */
    struct rest_value *open[DEEPEST]; /* the arrays and objects around here */
    struct rest_value **tail[DEEPEST];
    size_t depth;
};

static bool fail(struct parser *p, const char *wrong)
{
    p->wrong = wrong;
    return false;
}

static void skip_blanks(struct parser *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\r' || *p->at == '\t'))
        p->at++;
}

/* ---------------------------------------------------------------- strings */

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four hex digits at text; -1: not that. */
static int32_t unit(const char *text, const char *end)
{
    int32_t value = 0;

    if (end - text < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex(text[i]);

        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

static char *put_utf8(char *out, int32_t c)
{
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xc0 | c >> 6);
        *out++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *out++ = (char)(0xe0 | c >> 12);
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    } else {
        *out++ = (char)(0xf0 | c >> 18);
        *out++ = (char)(0x80 | (c >> 12 & 0x3f));
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    }
    return out;
}

/* \uXXXX, or two of them that make one character; p->at is behind the u. */
static bool take_unicode(struct parser *p, char **out)
{
    int32_t c = unit(p->at, p->end), low = 0;

    if (c < 0)
        return fail(p, "four hex digits are expected after \\u");
    p->at += 4;
    if (c >= 0xd800 && c < 0xdc00) {
        if (p->end - p->at >= 6 && p->at[0] == '\\' && p->at[1] == 'u')
            low = unit(p->at + 2, p->end);
        if (low < 0xdc00 || low > 0xdfff)
            return fail(p, "half a surrogate pair");
        p->at += 6;
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    } else if (c >= 0xdc00 && c < 0xe000) {
        return fail(p, "half a surrogate pair");
    }
    *out = put_utf8(*out, c);
    return true;
}

/* p->at is at the backslash. What is decoded is never longer than what was written. */
static bool take_escape(struct parser *p, char **out)
{
    static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const char *letter;

    if (p->end - p->at < 2)
        return fail(p, "the string does not end");
    if (p->at[1] == 'u') {
        p->at += 2;
        return take_unicode(p, out);
    }
    letter = p->at[1] == '\0' ? NULL : strchr(letters, p->at[1]);
    if (letter == NULL)
        return fail(p, "there is no such escape");
    *(*out)++ = values[letter - letters];
    p->at += 2;
    return true;
}

/* Eight bytes at once, as most texts are: no quote, backslash, control or byte over 0x7f. */
static bool plain8(const char *at)
{
    const uint64_t ones = 0x0101010101010101ull, high = ones << 7;
    uint64_t x, quote, slash;

    memcpy(&x, at, sizeof x);
    quote = x ^ ones * '"';
    slash = x ^ ones * '\\';
    return ((x | (x - ones * 0x20) | ((quote - ones) & ~quote) | ((slash - ones) & ~slash)) &
            high) == 0;
}

/* hy_utf8(), with NULs between: a text may hold "\\u0000". */
static bool utf8(const char *text, size_t len)
{
    for (;;) {
        const char *nul = memchr(text, '\0', len);
        size_t here = nul != NULL ? (size_t)(nul - text) : len;

        if (!hy_utf8(text, here))
            return false;
        if (nul == NULL)
            return true;
        text += here + 1;
        len -= here + 1;
    }
}

/* p->at is behind the opening quote. Decode in place, and let the text end with NUL. */
static bool take_string(struct parser *p, const char **text, size_t *len)
{
    char *begin = p->at, *out = begin;
    bool wide = false;

    for (;;) {
        char c;

        while (p->end - p->at >= 8 && plain8(p->at)) {
            if (out != p->at)
                memmove(out, p->at, 8);
            out += 8;
            p->at += 8;
        }
        if (p->at == p->end)
            return fail(p, "the string does not end");
        c = *p->at;
        if (c == '"')
            break;
        if (c == '\\') {
            if (!take_escape(p, &out))
                return false;
            continue;
        }
        if ((unsigned char)c < 0x20)
            return fail(p, "a control character in a string; escape it");
        wide |= (unsigned char)c >= 0x80;
        *out++ = c;
        p->at++;
    }
    *len = (size_t)(out - begin);
    if (wide && !utf8(begin, *len)) {
        p->at = begin;
        return fail(p, "a string that is not UTF-8");
    }
    *out = '\0'; /* at the closing quote, or before */
    p->at++;
    *text = begin;
    return true;
}

/* ---------------------------------------------------------------- numbers, words */

static char *skip_digits(char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

/* The end of a number that begins at p->at, or NULL. */
static char *number_end(struct parser *p, bool *real)
{
    char *at = p->at + (*p->at == '-'), *digits = at;

    at = skip_digits(at, p->end);
    if (at == digits || (*digits == '0' && at > digits + 1))
        return NULL;
    if (at < p->end && *at == '.') {
        digits = ++at;
        at = skip_digits(at, p->end);
        if (at == digits)
            return NULL;
        *real = true;
    }
    if (at < p->end && (*at | 0x20) == 'e') {
        at++;
        at += at < p->end && (*at == '+' || *at == '-');
        digits = at;
        at = skip_digits(at, p->end);
        if (at == digits)
            return NULL;
        *real = true;
    }
    return at;
}

static bool take_integer(const char *at, const char *end, int64_t *value)
{
    bool negative = *at == '-';
    int64_t number = 0;

    for (at += negative; at < end; at++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_sub_overflow(number, *at - '0', &number))
            return false;
    *value = number; /* below 0, where there is one more than above */
    return negative || !__builtin_sub_overflow(0, number, value);
}

static bool take_number(struct parser *p, struct rest_value *value)
{
    bool real = false;
    char *end = number_end(p, &real), *copy;

    if (end == NULL)
        return fail(p, "a number is expected");
    value->kind = real ? REST_REAL : REST_INTEGER;
    if (!real && !take_integer(p->at, end, &value->integer))
        return fail(p, "an integer over 64 bits");
    if (real) {
        copy = hy_arena_strdup(p->arena, p->at, (size_t)(end - p->at));
        if (copy == NULL)
            return fail(p, "out of memory");
        value->real = strtod(copy, NULL);
        if (isinf(value->real))
            return fail(p, "a number that is too large");
    }
    p->at = end;
    return true;
}

static bool take_word(struct parser *p, struct rest_value *value)
{
    static const struct {
        const char *word;
        size_t len;
        enum rest_value_kind kind;
    } words[] = {{"null", 4, REST_NULL}, {"true", 4, REST_TRUE}, {"false", 5, REST_FALSE}};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if ((size_t)(p->end - p->at) < words[i].len ||
            memcmp(p->at, words[i].word, words[i].len) != 0)
            continue;
        value->kind = words[i].kind;
        p->at += words[i].len;
        return true;
    }
    return fail(p, "a value is expected");
}

/* ---------------------------------------------------------------- arrays, objects */

/* An array or object begins. */
static bool open_one(struct parser *p, struct rest_value *value, enum rest_value_kind kind)
{
    if (p->depth == DEEPEST)
        return fail(p, "too deep");
    value->kind = kind;
    value->first = NULL;
    p->open[p->depth] = value;
    p->tail[p->depth++] = &value->first;
    p->at++;
    return true;
}

/* An array's items were a list while they came; now they get a table. */
static bool close_one(struct parser *p)
{
    struct rest_value *value = p->open[--p->depth], **items, *item;
    size_t i = 0;

    p->at++;
    if (value->kind == REST_OBJECT)
        return true;
    item = value->first;
    items = hy_arena_alloc(p->arena, (value->size + 1ull) * sizeof(struct rest_value *));
    if (items == NULL)
        return fail(p, "out of memory");
    for (; item != NULL; item = item->next)
        items[i++] = item;
    value->items = items;
    return true;
}

static bool take_value(struct parser *p, struct rest_value *value)
{
    size_t len = 0;

    if (p->at == p->end)
        return fail(p, "a value is expected");
    switch (*p->at) {
    case '{':
        return open_one(p, value, REST_OBJECT);
    case '[':
        return open_one(p, value, REST_ARRAY);
    case '"':
        p->at++;
        value->kind = REST_STRING;
        if (!take_string(p, &value->string, &len))
            return false;
        value->size = (uint32_t)len;
        return true;
    case '-':
    case '0' ... '9':
        return take_number(p, value);
    default:
        return take_word(p, value);
    }
}

static struct rest_value *new_value(struct parser *p)
{
    struct rest_value *value = hy_arena_zalloc(p->arena, sizeof *value);

    if (value == NULL)
        p->wrong = "out of memory";
    return value;
}

/* "name": of a member. */
static bool take_name(struct parser *p, struct rest_value *member)
{
    if (p->at == p->end || *p->at != '"')
        return fail(p, "a name in quotes is expected");
    p->at++;
    if (!take_string(p, &member->name, &member->name_len))
        return false;
    if (memchr(member->name, '\0', member->name_len) != NULL)
        return fail(p, "\\u0000 in a name");
    skip_blanks(p);
    if (p->at == p->end || *p->at != ':')
        return fail(p, "':' is expected after a name");
    p->at++;
    skip_blanks(p);
    return true;
}

/* The next item or member of the innermost array or object, or its end. */
static bool step(struct parser *p)
{
    struct rest_value *open = p->open[p->depth - 1], *value;
    struct rest_value **tail = p->tail[p->depth - 1];
    bool object = open->kind == REST_OBJECT;

    skip_blanks(p);
    if (p->at < p->end && *p->at == (object ? '}' : ']'))
        return close_one(p);
    if (open->size > 0) {
        if (p->at == p->end || *p->at != ',')
            return fail(p, object ? "',' or '}' is expected" : "',' or ']' is expected");
        p->at++;
        skip_blanks(p);
    }
    value = new_value(p);
    if (value == NULL || (object && !take_name(p, value)))
        return false;
    *tail = value;
    p->tail[p->depth - 1] = &value->next;
    open->size++;
    return take_value(p, value);
}

/* Lines are not counted: what was "\n" is a new line by now. */
static const char *explain(const struct parser *p)
{
    char text[128];
    const char *copy;

    snprintf(text, sizeof text, "%s, at byte %zu", p->wrong, (size_t)(p->at - p->begin) + 1);
    copy = hy_arena_strdup(p->arena, text, strlen(text));
    return copy != NULL ? copy : "out of memory";
}

struct rest_value *rest_value_parse(char *text, size_t len, struct hy_arena *arena,
                                    const char **why)
{
    struct parser p;
    struct rest_value *root;
    bool good;

    if (len >= UINT32_MAX) {
        *why = "over 4 GB";
        return NULL;
    }
    p.at = text;
    p.begin = text;
    p.end = text + len;
    p.arena = arena;
    p.wrong = NULL;
    p.depth = 0; /* the two stacks are 8 KB; no need to clear them */
    root = new_value(&p);
    skip_blanks(&p);
    good = root != NULL && take_value(&p, root);
    while (good && p.depth > 0)
        good = step(&p);
    skip_blanks(&p);
    if (good && p.at < p.end)
        good = fail(&p, "something follows the end");
    if (good)
        return root;
    *why = explain(&p);
    return NULL;
}

/* ---------------------------------------------------------------- looking */

bool rest_is_object(const struct rest_value *value)
{
    return value != NULL && value->kind == REST_OBJECT;
}

bool rest_is_array(const struct rest_value *value)
{
    return value != NULL && value->kind == REST_ARRAY;
}

bool rest_is_string(const struct rest_value *value)
{
    return value != NULL && value->kind == REST_STRING;
}

bool rest_is_integer(const struct rest_value *value)
{
    return value != NULL && value->kind == REST_INTEGER;
}

size_t rest_count(const struct rest_value *array)
{
    return rest_is_array(array) ? array->size : 0;
}

const struct rest_value *rest_at(const struct rest_value *array, size_t i)
{
    return i < rest_count(array) ? array->items[i] : NULL;
}

const char *rest_string(const struct rest_value *value)
{
    return rest_is_string(value) ? value->string : NULL;
}

/* All members are looked at: of equal names the last one counts. */
const struct rest_value *rest_value_member(const struct rest_value *object, const char *name,
                                           size_t name_len)
{
    const struct rest_value *found = NULL;

    if (!rest_is_object(object))
        return NULL;
    for (const struct rest_value *v = object->first; v != NULL; v = v->next)
        if (v->name_len == name_len && memcmp(v->name, name, name_len) == 0)
            found = v;
    return found;
}

static json_t *copy_many(const struct rest_value *value)
{
    json_t *json = value->kind == REST_ARRAY ? json_array() : json_object();
    int failed = json == NULL ? -1 : 0;

    for (size_t i = 0; failed == 0 && i < rest_count(value); i++)
        failed = json_array_append_new(json, rest_value_copy(value->items[i]));
    if (value->kind == REST_OBJECT)
        for (const struct rest_value *v = value->first; failed == 0 && v != NULL; v = v->next)
            failed = json_object_setn_new_nocheck(json, v->name, v->name_len, rest_value_copy(v));
    if (failed == 0)
        return json;
    json_decref(json);
    return NULL;
}

json_t *rest_value_copy(const struct rest_value *value)
{
    switch (value->kind) {
    case REST_NULL:
        return json_null();
    case REST_FALSE:
        return json_false();
    case REST_TRUE:
        return json_true();
    case REST_INTEGER:
        return json_integer(value->integer);
    case REST_REAL:
        return json_real(value->real);
    case REST_STRING:
        return json_stringn_nocheck(value->string, value->size);
    case REST_ARRAY:
    case REST_OBJECT:
        break;
    }
    return copy_many(value);
}
