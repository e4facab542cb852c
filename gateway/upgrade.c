#include "gateway/upgrade.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "gateway/span.h"

/* What the headers said; each is counted, since twice is wrong. */
struct request {
    struct span key, version, origin;
    unsigned keys, versions, origins, hosts;
    bool upgrade, connection, body;
};

/* 24 characters that are 16 bytes in base64. */
static bool key_ok(struct span key)
{
    uint8_t out[24];
    char text[25];

    if (key.len != 24 || key.at[22] != '=' || key.at[23] != '=' || key.at[21] == '=')
        return false;
    memcpy(text, key.at, 24);
    text[24] = '\0';
    return EVP_DecodeBlock(out, (const unsigned char *)text, 24) == 18;
}

static void accept_of(struct span key, char out[static 32])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char text[24 + sizeof guid];
    unsigned char digest[SHA_DIGEST_LENGTH];

    assert(key.at != NULL); /* check_request() has seen it */
    memcpy(text, key.at, 24);
    memcpy(text + 24, guid, sizeof guid);
    SHA1((const unsigned char *)text, 24 + sizeof guid - 1, digest);
    EVP_EncodeBlock((unsigned char *)out, digest, sizeof digest);
}

static bool origin_ok(struct span origin, const struct hy_text_list *origins)
{
    if (origins->count == 0)
        return true;
    for (size_t i = 0; i < origins->count; i++)
        if (span_is(origin, origins->items[i]))
            return true;
    return false;
}

/* "GET /path HTTP/1.1" */
static uint16_t check_line(struct span line)
{
    const char *space = memchr(line.at, ' ', line.len);
    const char *last = memrchr(line.at, ' ', line.len);
    struct span version;

    if (space == NULL || last == space || space[1] != '/')
        return 400;
    version = (struct span){last + 1, line.len - (size_t)(last + 1 - line.at)};
    if (version.len != 8 || memcmp(version.at, "HTTP/", 5) != 0)
        return 400;
    if (memcmp(version.at, "HTTP/1.1", 8) != 0)
        return 505;
    return (size_t)(space - line.at) == 3 && memcmp(line.at, "GET", 3) == 0 ? 0 : 405;
}

static void take_value(struct request *req, struct span name, struct span value)
{
    if (span_is(name, "Host")) {
        req->hosts++;
    } else if (span_is(name, "Upgrade")) {
        req->upgrade |= span_list_has(value, "websocket");
    } else if (span_is(name, "Connection")) {
        req->connection |= span_list_has(value, "upgrade");
    } else if (span_is(name, "Sec-WebSocket-Key")) {
        req->key = value;
        req->keys++;
    } else if (span_is(name, "Sec-WebSocket-Version")) {
        req->version = value;
        req->versions++;
    } else if (span_is(name, "Origin")) {
        req->origin = value;
        req->origins++;
    } else if (span_is(name, "Content-Length")) {
        req->body |= !span_is(value, "0");
    } else if (span_is(name, "Transfer-Encoding")) {
        req->body = true;
    }
}

/* "Name: value"; a line that begins with a blank (folding) has no name and is refused. */
static bool take_header(struct request *req, struct span line)
{
    const char *colon = memchr(line.at, ':', line.len);
    struct span name, value;

    if (colon == NULL || colon == line.at)
        return false;
    name = (struct span){line.at, (size_t)(colon - line.at)};
    for (size_t i = 0; i < name.len; i++)
        if (name.at[i] <= ' ' || name.at[i] > '~')
            return false;
    value = (struct span){colon + 1, line.len - name.len - 1};
    take_value(req, name, span_trim(value));
    return true;
}

static bool line_clean(struct span line)
{
    for (size_t i = 0; i < line.len; i++)
        if (((unsigned char)line.at[i] < ' ' && line.at[i] != '\t') || line.at[i] == 0x7f)
            return false;
    return true;
}

/* Everything up to the empty line. Returns 0 or a status. */
static uint16_t take_lines(struct request *req, const char *bytes, size_t len)
{
    bool first = true;

    while (len > 2) {
        const char *end = memmem(bytes, len, "\r\n", 2);
        struct span line = {bytes, (size_t)(end - bytes)};
        uint16_t status = 0;

        if (!line_clean(line))
            return 400;
        if (first)
            status = check_line(line);
        else if (!take_header(req, line))
            status = 400;
        if (status != 0)
            return status;
        first = false;
        len -= line.len + 2;
        bytes = end + 2;
    }
    return first ? 400 : 0;
}

static uint16_t check_request(const struct request *req, const struct hy_text_list *origins)
{
    if (req->hosts != 1 || req->keys > 1 || req->versions > 1 || req->origins > 1 || req->body)
        return 400;
    if (!req->upgrade || !req->connection)
        return 426;
    if (req->versions == 0 || !span_is(req->version, "13"))
        return 426;
    if (req->keys == 0 || !key_ok(req->key))
        return 400;
    return req->origins == 0 || origin_ok(req->origin, origins) ? 0 : 403;
}

enum upgrade_result upgrade_parse(const char *bytes, size_t len, const struct hy_text_list *origins,
                                  struct upgrade *upgrade)
{
    size_t seen = len < UPGRADE_MAX ? len : UPGRADE_MAX;
    const char *end = memmem(bytes, seen, "\r\n\r\n", 4);
    struct request req = {0};

    *upgrade = (struct upgrade){.status = 431};
    if (end == NULL)
        return len < UPGRADE_MAX ? UPGRADE_MORE : UPGRADE_BAD;
    upgrade->used = (size_t)(end - bytes) + 4;
    upgrade->status = take_lines(&req, bytes, upgrade->used);
    if (upgrade->status == 0)
        upgrade->status = check_request(&req, origins);
    if (upgrade->status != 0)
        return UPGRADE_BAD;
    upgrade->status = 101;
    accept_of(req.key, upgrade->accept);
    return UPGRADE_GOOD;
}

static const struct {
    uint16_t status;
    const char *reason, *advice;
} refusals[] = {
    {400, "Bad Request", "this is no WebSocket handshake\n"},
    {403, "Forbidden", "this origin is not in ws_origins\n"},
    {405, "Method Not Allowed", "a WebSocket begins with GET\n"},
    {426, "Upgrade Required", "connect with a WebSocket client, version 13\n"},
    {431, "Request Header Fields Too Large", "the handshake is over 8 KB\n"},
    {505, "HTTP Version Not Supported", "a WebSocket begins with HTTP/1.1\n"},
};

size_t upgrade_answer(const struct upgrade *upgrade, char out[static UPGRADE_ANSWER_MAX])
{
    size_t i = 0;

    if (upgrade->status == 101)
        return (size_t)snprintf(out, UPGRADE_ANSWER_MAX,
                                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                                upgrade->accept);
    while (i + 1 < sizeof refusals / sizeof refusals[0] && refusals[i].status != upgrade->status)
        i++;
    return (size_t)snprintf(out, UPGRADE_ANSWER_MAX,
                            "HTTP/1.1 %u %s\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                            "Connection: close\r\nContent-Type: text/plain\r\n"
                            "Content-Length: %zu\r\n\r\n%s",
                            refusals[i].status, refusals[i].reason, strlen(refusals[i].advice),
                            refusals[i].advice);
}
