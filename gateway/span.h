/* span - a piece of an HTTP head, lent from the bytes that came: what REST and the WebSocket
 * handshake both ask of a header's value (RFC 9110, 5.6). */

#ifndef GATEWAY_SPAN_H
#define GATEWAY_SPAN_H

#include <stdbool.h>
#include <stddef.h>

struct span {
    const char *at;
    size_t len;
};

/* Is it text, in whatever case? */
bool span_is(struct span span, const char *text);

/* Without the blanks and tabs around it. */
struct span span_trim(struct span span);

/* Is token, in whatever case, one of a comma-separated list? */
bool span_list_has(struct span list, const char *token);

#endif
