/* xmpp - see xmpp.h. */

#include "bench/peers/xmpp.h"

#include <string.h>

enum kind { TAG_OPEN, TAG_CLOSE, TAG_EMPTY, TAG_NOTE };

static const char stream_tag[] = "stream:stream";

/* Where the tag that begins at bytes ends: past its '>', outside of quotes. NULL: not all there. */
static const char *tag_end(const char *bytes, const char *end)
{
    char quote = 0;

    for (const char *at = bytes; at < end; at++) {
        if (quote != 0)
            quote = *at == quote ? 0 : quote;
        else if (*at == '\'' || *at == '"')
            quote = *at;
        else if (*at == '>')
            return at + 1;
    }
    return NULL;
}

/* tag is "<...>". */
static enum kind kind_of(const char *tag, const char *end)
{
    if (tag[1] == '/')
        return TAG_CLOSE;
    if (tag[1] == '?' || tag[1] == '!')
        return TAG_NOTE;
    return end[-2] == '/' ? TAG_EMPTY : TAG_OPEN;
}

static struct xmpp_slice name_of(const char *tag, const char *end)
{
    size_t len = 0;

    while (tag + 1 + len < end && strchr(" \t\r\n/>", tag[1 + len]) == NULL)
        len++;
    return (struct xmpp_slice){tag + 1, len};
}

/* Past the element whose first tag ends at at. NULL: not all there. */
static const char *element_end(const char *at, const char *end)
{
    for (int depth = 1; depth > 0;) {
        const char *tag = memchr(at, '<', (size_t)(end - at));

        at = tag == NULL ? NULL : tag_end(tag, end);
        if (at == NULL)
            return NULL;
        switch (kind_of(tag, at)) {
        case TAG_OPEN:
            depth++;
            break;
        case TAG_CLOSE:
            depth--;
            break;
        default:
            break;
        }
    }
    return at;
}

/* Past white space and <?xml ...?>. NULL: something else than a tag. */
static const char *skip(const char *at, const char *end)
{
    for (;;) {
        const char *past = NULL;

        while (at < end && strchr(" \t\r\n", *at) != NULL && *at != '\0')
            at++;
        if (end - at < 2)
            return at;
        if (*at != '<')
            return NULL;
        if (at[1] != '?')
            return at;
        past = tag_end(at, end);
        if (past == NULL)
            return at;
        at = past;
    }
}

ssize_t xmpp_read(const char *bytes, size_t len, struct xmpp_stanza *stanza)
{
    const char *end = bytes + len, *begin = skip(bytes, end), *at = NULL;

    if (begin == NULL)
        return -1;
    at = end - begin < 3 || begin[1] == '?' ? NULL : tag_end(begin, end);
    if (at == NULL)
        return 0;
    memset(stanza, 0, sizeof *stanza);
    stanza->name = name_of(begin, at);
    switch (kind_of(begin, at)) {
    case TAG_OPEN:
        stanza->opens = xmpp_is(stanza, stream_tag);
        at = stanza->opens ? at : element_end(at, end);
        break;
    case TAG_EMPTY:
        break;
    default:
        return -1;
    }
    if (at == NULL)
        return 0;
    stanza->whole = (struct xmpp_slice){begin, (size_t)(at - begin)};
    return at - bytes;
}

bool xmpp_same(struct xmpp_slice slice, const char *text)
{
    return slice.text != NULL && slice.len == strlen(text) &&
           memcmp(slice.text, text, slice.len) == 0;
}

bool xmpp_is(const struct xmpp_stanza *stanza, const char *name)
{
    return xmpp_same(stanza->name, name);
}

bool xmpp_has(const struct xmpp_stanza *stanza, const char *bytes)
{
    return memmem(stanza->whole.text, stanza->whole.len, bytes, strlen(bytes)) != NULL;
}

/* The next name='value' from at on. NULL: there is none. */
static const char *next_attribute(const char *at, const char *end, struct xmpp_slice *name,
                                  struct xmpp_slice *value)
{
    const char *equals = memchr(at, '=', (size_t)(end - at)), *close = NULL;

    if (equals == NULL || end - equals < 3)
        return NULL;
    name->text = equals;
    while (name->text > at && strchr(" \t\r\n", name->text[-1]) == NULL)
        name->text--;
    name->len = (size_t)(equals - name->text);
    close = memchr(equals + 2, equals[1], (size_t)(end - equals - 2));
    if (close == NULL)
        return NULL;
    *value = (struct xmpp_slice){equals + 2, (size_t)(close - equals - 2)};
    return close + 1;
}

struct xmpp_slice xmpp_attribute(const struct xmpp_stanza *stanza, const char *name)
{
    const char *end = tag_end(stanza->whole.text, stanza->whole.text + stanza->whole.len);
    const char *at = stanza->name.text + stanza->name.len;
    struct xmpp_slice key, value;

    while (end != NULL && (at = next_attribute(at, end, &key, &value)) != NULL)
        if (xmpp_same(key, name))
            return value;
    return (struct xmpp_slice){NULL, 0};
}

struct xmpp_slice xmpp_text(const struct xmpp_stanza *stanza, const char *tag)
{
    const char *end = stanza->whole.text + stanza->whole.len;
    const char *at = memmem(stanza->whole.text, stanza->whole.len, tag, strlen(tag));
    const char *text = at == NULL ? NULL : tag_end(at, end);
    const char *close = text == NULL ? NULL : memchr(text, '<', (size_t)(end - text));

    if (close == NULL || kind_of(at, text) != TAG_OPEN)
        return (struct xmpp_slice){NULL, 0};
    return (struct xmpp_slice){text, (size_t)(close - text)};
}

void xmpp_plain(const char *user, const char *password, char *out, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t names = strlen(user), len = 2 + names + strlen(password), at = 0;

    for (size_t i = 0; i < len && at + 5 <= size; i += 3) {
        unsigned group = 0;

        for (size_t k = i; k < i + 3; k++) {
            unsigned char c = 0;

            if (k > 0 && k <= names)
                c = (unsigned char)user[k - 1];
            else if (k > names + 1 && k < len)
                c = (unsigned char)password[k - names - 2];
            group = group << 8 | c;
        }
        for (unsigned k = 0; k < 4; k++)
            out[at++] = i + k > len ? '=' : digits[group >> (18 - 6 * k) & 63];
    }
    out[at] = '\0';
}
