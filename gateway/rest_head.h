/* rest_head - the head of an HTTP/1.x request (RFC 9112), and bodies in chunks. Pure; bytes from
 * outside.
 *
 * Strict where two readers could disagree about where a request ends: lines end with CR LF, there
 * is no folding, no blank before a colon, one Content-Length, and never one beside
 * Transfer-Encoding. */

#ifndef GATEWAY_REST_HEAD_H
#define GATEWAY_REST_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REST_HEAD_MAX = 16 * 1024 };

enum rest_method { REST_POST, REST_OPTIONS, REST_OTHER };

enum rest_parsed { REST_MORE, REST_WHOLE, REST_WRONG };

struct rest_head {
    size_t used;     /* WHOLE: length of the head */
    uint16_t status; /* WRONG: 400, 431, 501 or 505 */
    enum rest_method method;
    const char *target; /* lent from bytes */
    size_t target_len;
    uint64_t body_len; /* not chunked: what follows the head */
    bool chunked;
    bool keep_alive;
    bool old;       /* HTTP/1.0: keep-alive must be said */
    bool expects;   /* "Expect: 100-continue" */
    bool head_only; /* HEAD: the answer has no body */
};

/* Look at what has come so far. At REST_HEAD_MAX bytes without an end: WRONG, 431. */
enum rest_parsed rest_head_parse(const char *bytes, size_t len, struct rest_head *head);

/* A body that comes in chunks, decoded where it lies. Begin with all zero. */
struct rest_chunks {
    size_t at;       /* bytes looked at */
    size_t len;      /* decoded bytes, from the start on */
    uint64_t left;   /* of the chunk at hand */
    size_t trailers; /* bytes of trailer lines, which nobody reads */
    unsigned state;
    uint16_t status; /* WRONG: 400, or 413 over most bytes */
};

/* bytes[0..len) is the body as far as it has come; what is before at has been looked at already.
 * WHOLE: the body is bytes[0..chunks->len), and the next request begins at chunks->at. */
enum rest_parsed rest_chunks_take(struct rest_chunks *chunks, char *bytes, size_t len, size_t most);

#endif
