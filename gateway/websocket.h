/* websocket - RFC 6455 frames, the server's side, in place.
 *
 * What a client sends is unmasked where it lies; only fragments are gathered in memory of their
 * own. Text is checked and told apart, so that the link can refuse it. No extensions. */

#ifndef GATEWAY_WEBSOCKET_H
#define GATEWAY_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum websocket_opcode {
    WEBSOCKET_CONTINUE = 0,
    WEBSOCKET_TEXT = 1,
    WEBSOCKET_BINARY = 2,
    WEBSOCKET_CLOSE = 8,
    WEBSOCKET_PING = 9,
    WEBSOCKET_PONG = 10,
};

/* A link's receiving side; zeroed at first. */
struct websocket {
    uint8_t *message; /* fragments so far, NULL without */
    uint32_t len, cap;
    uint8_t opcode; /* of the fragmented message; 0: none under way */
    bool given;     /* message was given out whole */
};

enum websocket_result {
    WEBSOCKET_MORE,  /* the next frame is not whole yet */
    WEBSOCKET_PART,  /* a fragment was taken in; go on */
    WEBSOCKET_WHOLE, /* a message or control frame: see opcode */
    WEBSOCKET_WRONG, /* the client broke the rules: close with code */
};

struct websocket_event {
    size_t used;    /* bytes that were consumed (not with MORE, WRONG) */
    uint8_t opcode; /* TEXT, BINARY, CLOSE, PING or PONG */
    uint8_t *data;  /* lent: until the next call, or the bytes go */
    size_t len;
    uint16_t code; /* WRONG: 1002, 1007 or 1009; CLOSE: the client's, 1005 if it gave none */
};

/* Take the next frame of bytes; a message (with its fragments) is at most max bytes. */
enum websocket_result websocket_next(struct websocket *ws, uint8_t *bytes, size_t len, size_t max,
                                     struct websocket_event *event);

/* Give the memory of a message back that was given out; call it once bytes are used up. */
void websocket_trim(struct websocket *ws);

/* Forget everything. */
void websocket_free(struct websocket *ws);

enum { WEBSOCKET_HEAD_MAX = 10 };

/* Write the head of an unmasked, unfragmented frame. Returns its length. */
size_t websocket_head(uint8_t out[static WEBSOCKET_HEAD_MAX], enum websocket_opcode opcode,
                      size_t len);

/* A whole close frame into out. Returns its length. code 1005: without a code. */
size_t websocket_close_frame(uint8_t out[static 4], uint16_t code);

#endif
