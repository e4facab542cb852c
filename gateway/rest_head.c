#include "gateway/rest_head.h"

#include <string.h>
#include <strings.h>

#include "gateway/span.h"

enum { LINE_MAX_BYTES = 256 }; /* of a chunk's size with its extensions */
enum { SIZE_LINE, DATA, DATA_END, TRAILER };

/* What of the headers decides where the request ends. */
struct framing {
    bool has_length, has_encoding, close, keep;
};

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

/* ---------------------------------------------------------------- the head */

static enum rest_method method_of(struct span word, bool *head_only)
{
    *head_only = word.len == 4 && memcmp(word.at, "HEAD", 4) == 0;
    if (word.len == 4 && memcmp(word.at, "POST", 4) == 0)
        return REST_POST;
    return word.len == 7 && memcmp(word.at, "OPTIONS", 7) == 0 ? REST_OPTIONS : REST_OTHER;
}

/* "POST /path HTTP/1.1": 0 or a status. */
static uint16_t take_line(struct span line, struct rest_head *head)
{
    const char *first = memchr(line.at, ' ', line.len), *last;
    struct span version;

    if (first == NULL || first == line.at)
        return 400;
    last = memrchr(line.at, ' ', line.len);
    version = (struct span){last + 1, line.len - (size_t)(last + 1 - line.at)};
    if (last <= first + 1 || version.len != 8 || memcmp(version.at, "HTTP/", 5) != 0)
        return 400;
    if (memcmp(version.at, "HTTP/1.", 7) != 0)
        return 505;
    for (const char *c = line.at; c < last; c++)
        if (c != first && ((unsigned char)*c <= ' ' || *c == 0x7f))
            return 400;
    head->old = version.at[7] == '0';
    head->method = method_of((struct span){line.at, (size_t)(first - line.at)}, &head->head_only);
    head->target = first + 1;
    head->target_len = (size_t)(last - first - 1);
    return 0;
}

static bool take_length(struct span value, struct rest_head *head, struct framing *framing)
{
    uint64_t length = 0;

    if (value.len == 0 || value.len > 15)
        return false;
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] < '0' || value.at[i] > '9')
            return false;
        length = length * 10 + (uint64_t)(value.at[i] - '0');
    }
    if (framing->has_length && length != head->body_len)
        return false;
    framing->has_length = true;
    head->body_len = length;
    return true;
}

/* 0 or a status. Names that matter differ in their length, so that most lines cost one look. */
static uint16_t take_value(struct span name, struct span value, struct rest_head *head,
                           struct framing *framing)
{
    switch (name.len) {
    case 6:
        if (span_is(name, "Expect"))
            head->expects |= span_is(value, "100-continue");
        break;
    case 10:
        if (span_is(name, "Connection")) {
            framing->close |= span_list_has(value, "close");
            framing->keep |= span_list_has(value, "keep-alive");
        }
        break;
    case 14:
        if (span_is(name, "Content-Length") && !take_length(value, head, framing))
            return 400;
        break;
    case 17:
        if (!span_is(name, "Transfer-Encoding"))
            break;
        if (framing->has_encoding || !span_is(value, "chunked"))
            return 501;
        framing->has_encoding = true;
        break;
    default:
        break;
    }
    return 0;
}

/* "Name: value": 0 or a status. */
static uint16_t take_header(struct span line, struct rest_head *head, struct framing *framing)
{
    const char *colon = memchr(line.at, ':', line.len);
    struct span name, value;

    if (colon == NULL || colon == line.at)
        return 400;
    name = (struct span){line.at, (size_t)(colon - line.at)};
    value = span_trim((struct span){colon + 1, line.len - name.len - 1});
    for (size_t i = 0; i < name.len; i++)
        if (name.at[i] <= ' ' || name.at[i] > '~')
            return 400;
    for (size_t i = 0; i < value.len; i++)
        if (((unsigned char)value.at[i] < ' ' && value.at[i] != '\t') || value.at[i] == 0x7f)
            return 400;
    return take_value(name, value, head, framing);
}

/* All lines of a head that ends at end (its last line's CR LF included). 0 or a status. */
static uint16_t take_lines(const char *bytes, const char *end, struct rest_head *head)
{
    struct framing framing = {0};
    const char *at = bytes;
    uint16_t status = 0;

    while (status == 0 && at < end) {
        const char *cr = memchr(at, '\r', (size_t)(end - at));
        struct span line = {at, (size_t)(cr - at)};

        if (cr[1] != '\n')
            return 400;
        status = at == bytes ? take_line(line, head) : take_header(line, head, &framing);
        at = cr + 2;
    }
    if (status == 0 && framing.has_encoding && (framing.has_length || head->old))
        status = 400;
    head->chunked = framing.has_encoding;
    head->keep_alive = !framing.close && (!head->old || framing.keep);
    return status;
}

enum rest_parsed rest_head_parse(const char *bytes, size_t len, struct rest_head *head)
{
    size_t most = len < REST_HEAD_MAX ? len : REST_HEAD_MAX;
    const char *end = memmem(bytes, most, "\r\n\r\n", 4);

    *head = (struct rest_head){0};
    if (end == NULL) {
        head->status = len >= REST_HEAD_MAX ? 431 : 0;
        return len >= REST_HEAD_MAX ? REST_WRONG : REST_MORE;
    }
    head->used = (size_t)(end - bytes) + 4;
    head->status = take_lines(bytes, end + 2, head);
    return head->status == 0 ? REST_WHOLE : REST_WRONG;
}

/* ---------------------------------------------------------------- chunks */

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A line from at on: its length without CR LF, or -1 when it has not come, -2 when it is too long.
 */
static long line_at(const struct rest_chunks *chunks, const char *bytes, size_t len)
{
    const char *at = bytes + chunks->at;
    const char *end = memmem(at, len - chunks->at, "\r\n", 2);

    if (end != NULL && end - at <= LINE_MAX_BYTES)
        return end - at;
    return end == NULL && len - chunks->at <= LINE_MAX_BYTES ? -1 : -2;
}

static bool take_size(struct rest_chunks *chunks, const char *line, size_t len)
{
    size_t digits = 0;

    chunks->left = 0;
    while (digits < len && hex(line[digits]) >= 0) {
        if (digits == 8)
            return false;
        chunks->left = chunks->left << 4 | (uint64_t)hex(line[digits++]);
    }
    /* what follows is an extension, which nobody reads */
    return digits > 0 && (digits == len || line[digits] == ';' || blank(line[digits]));
}

static enum rest_parsed wrong(struct rest_chunks *chunks, uint16_t status)
{
    chunks->status = status;
    return REST_WRONG;
}

/* A line of sizes or trailers. WHOLE: it was taken; not that the body is. */
static enum rest_parsed take_chunk_line(struct rest_chunks *chunks, const char *bytes, size_t len,
                                        size_t most, bool *done)
{
    long line = line_at(chunks, bytes, len);

    if (line < 0)
        return line == -1 ? REST_MORE : wrong(chunks, 400);
    if (chunks->state == SIZE_LINE) {
        if (!take_size(chunks, bytes + chunks->at, (size_t)line))
            return wrong(chunks, 400);
        if (chunks->left > most - chunks->len)
            return wrong(chunks, 413);
        chunks->state = chunks->left > 0 ? DATA : TRAILER;
    } else {
        chunks->trailers += (size_t)line;
        if (chunks->trailers > REST_HEAD_MAX)
            return wrong(chunks, 431);
        *done = line == 0;
    }
    chunks->at += (size_t)line + 2;
    return REST_WHOLE;
}

static void take_data(struct rest_chunks *chunks, char *bytes, size_t len)
{
    size_t here = len - chunks->at;

    if (here > chunks->left)
        here = (size_t)chunks->left;
    memmove(bytes + chunks->len, bytes + chunks->at, here);
    chunks->at += here;
    chunks->len += here;
    chunks->left -= here;
    if (chunks->left == 0)
        chunks->state = DATA_END;
}

enum rest_parsed rest_chunks_take(struct rest_chunks *chunks, char *bytes, size_t len, size_t most)
{
    enum rest_parsed parsed;
    bool done = false;

    while (!done) {
        switch (chunks->state) {
        case DATA:
            take_data(chunks, bytes, len);
            if (chunks->left > 0)
                return REST_MORE;
            break;
        case DATA_END:
            if (len - chunks->at < 2)
                return REST_MORE;
            if (memcmp(bytes + chunks->at, "\r\n", 2) != 0)
                return wrong(chunks, 400);
            chunks->at += 2;
            chunks->state = SIZE_LINE;
            break;
        default:
            parsed = take_chunk_line(chunks, bytes, len, most, &done);
            if (parsed != REST_WHOLE)
                return parsed;
            break;
        }
    }
    return REST_WHOLE;
}
