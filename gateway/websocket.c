#include "gateway/websocket.h"

#include <stdlib.h>
#include <string.h>

#include "common/body.h"

enum { PROTOCOL = 1002, NO_CODE = 1005, BAD_TEXT = 1007, TOO_BIG = 1009, NO_MEMORY = 1011 };

/* The head of a frame, decoded. */
struct head {
    bool fin;
    uint8_t opcode;
    uint64_t len;
    size_t size; /* of the head itself, with the mask */
    uint8_t mask[4];
};

static bool is_control(uint8_t opcode)
{
    return (opcode & 8) != 0;
}

/* What the first two bytes may be. Pure rule; 0 or a close code. */
static uint16_t head_rule(const uint8_t *bytes, uint8_t under_way)
{
    uint8_t opcode = bytes[0] & 0x0f;

    if ((bytes[0] & 0x70) != 0 || (bytes[1] & 0x80) == 0)
        return PROTOCOL; /* reserved bits without an extension; clients must mask */
    if (is_control(opcode)) {
        bool whole = (bytes[0] & 0x80) != 0 && (bytes[1] & 0x7f) <= 125;

        return whole && opcode <= WEBSOCKET_PONG ? 0 : PROTOCOL;
    }
    if (opcode > WEBSOCKET_BINARY)
        return PROTOCOL;
    return (opcode == WEBSOCKET_CONTINUE) == (under_way != 0) ? 0 : PROTOCOL;
}

static enum websocket_result head_decode(const uint8_t *bytes, size_t len, uint8_t under_way,
                                         struct head *head, uint16_t *code)
{
    size_t more = 0;

    if (len < 2)
        return WEBSOCKET_MORE;
    *code = head_rule(bytes, under_way);
    if (*code != 0)
        return WEBSOCKET_WRONG;
    head->fin = (bytes[0] & 0x80) != 0;
    head->opcode = bytes[0] & 0x0f;
    head->len = bytes[1] & 0x7f;
    if (head->len > 125)
        more = head->len == 126 ? 2 : 8;
    head->size = 2 + more + sizeof head->mask;
    if (len < 2 + more)
        return WEBSOCKET_MORE;
    if (more > 0)
        head->len = 0;
    for (size_t i = 0; i < more; i++)
        head->len = head->len << 8 | bytes[2 + i];
    /* lengths are written the shortest way, below 2^63 */
    if ((more == 2 && head->len < 126) ||
        (more == 8 && (head->len >> 16 == 0 || head->len >> 63 != 0))) {
        *code = PROTOCOL;
        return WEBSOCKET_WRONG;
    }
    if (len < head->size)
        return WEBSOCKET_MORE;
    memcpy(head->mask, bytes + 2 + more, sizeof head->mask);
    return WEBSOCKET_WHOLE;
}

static void unmask(uint8_t *bytes, size_t len, const uint8_t mask[4])
{
    uint64_t wide, word;
    size_t i = 0;

    memcpy(&wide, mask, 4);
    memcpy((uint8_t *)&wide + 4, mask, 4);
    for (; i + 8 <= len; i += 8) {
        memcpy(&word, bytes + i, 8);
        word ^= wide;
        memcpy(bytes + i, &word, 8);
    }
    for (; i < len; i++)
        bytes[i] ^= mask[i & 3];
}

static bool close_code_ok(uint16_t code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

static uint16_t close_rule(const uint8_t *data, size_t len, uint16_t *code)
{
    *code = NO_CODE;
    if (len == 0)
        return 0;
    if (len == 1)
        return PROTOCOL;
    *code = (uint16_t)(data[0] << 8 | data[1]);
    if (!close_code_ok(*code))
        return PROTOCOL;
    return hy_utf8((const char *)data + 2, len - 2) ? 0 : BAD_TEXT;
}

static enum websocket_result wrong(struct websocket_event *event, uint16_t code)
{
    event->code = code;
    return WEBSOCKET_WRONG;
}

/* A control frame, or the last step of a message. */
static enum websocket_result whole(struct websocket_event *event, uint8_t opcode, uint8_t *data,
                                   size_t len)
{
    uint16_t code = 0;

    event->opcode = opcode;
    event->data = data;
    event->len = len;
    if (opcode == WEBSOCKET_CLOSE)
        code = close_rule(data, len, &event->code);
    else if (opcode == WEBSOCKET_TEXT && !hy_utf8((const char *)data, len))
        code = BAD_TEXT;
    return code == 0 ? WEBSOCKET_WHOLE : wrong(event, code);
}

static bool gather(struct websocket *ws, const uint8_t *data, size_t len)
{
    if (len > ws->cap - ws->len) {
        size_t cap = (size_t)ws->cap * 2 > ws->len + len ? (size_t)ws->cap * 2 : ws->len + len;
        uint8_t *message = realloc(ws->message, cap);

        if (message == NULL)
            return false;
        ws->message = message;
        ws->cap = (uint32_t)cap;
    }
    if (len > 0)
        memcpy(ws->message + ws->len, data, len);
    ws->len += (uint32_t)len;
    return true;
}

static enum websocket_result take_data(struct websocket *ws, const struct head *head, uint8_t *data,
                                       struct websocket_event *event)
{
    if (head->fin && ws->opcode == 0)
        return whole(event, head->opcode, data, head->len);
    if (!gather(ws, data, head->len))
        return wrong(event, NO_MEMORY);
    if (ws->opcode == 0)
        ws->opcode = head->opcode;
    if (!head->fin)
        return WEBSOCKET_PART;
    ws->given = true;
    return whole(event, ws->opcode, ws->message, ws->len);
}

enum websocket_result websocket_next(struct websocket *ws, uint8_t *bytes, size_t len, size_t max,
                                     struct websocket_event *event)
{
    struct head head;
    enum websocket_result result;
    uint8_t *data;

    websocket_trim(ws);
    *event = (struct websocket_event){0};
    result = head_decode(bytes, len, ws->opcode, &head, &event->code);
    if (result != WEBSOCKET_WHOLE)
        return result;
    if (!is_control(head.opcode) && head.len > max - (ws->len < max ? ws->len : max))
        return wrong(event, TOO_BIG);
    if (len - head.size < head.len)
        return WEBSOCKET_MORE;
    data = bytes + head.size;
    unmask(data, head.len, head.mask);
    event->used = head.size + head.len;
    if (is_control(head.opcode))
        return whole(event, head.opcode, data, head.len);
    return take_data(ws, &head, data, event);
}

void websocket_trim(struct websocket *ws)
{
    if (ws->given)
        websocket_free(ws);
}

void websocket_free(struct websocket *ws)
{
    free(ws->message);
    *ws = (struct websocket){0};
}

size_t websocket_head(uint8_t out[static WEBSOCKET_HEAD_MAX], enum websocket_opcode opcode,
                      size_t len)
{
    size_t more = len < 126 ? 0 : len < 65536 ? 2 : 8;

    out[0] = (uint8_t)(0x80 | opcode);
    out[1] = (uint8_t)(more == 0 ? len : more == 2 ? 126 : 127);
    for (size_t i = 0; i < more; i++)
        out[2 + i] = (uint8_t)((uint64_t)len >> (8 * (more - 1 - i)));
    return 2 + more;
}

size_t websocket_close_frame(uint8_t out[static 4], uint16_t code)
{
    out[0] = 0x80 | WEBSOCKET_CLOSE;
    out[1] = code == NO_CODE ? 0 : 2;
    out[2] = (uint8_t)(code >> 8);
    out[3] = (uint8_t)code;
    return code == NO_CODE ? 2 : 4;
}
