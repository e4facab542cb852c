/* xmpp - cuts an XMPP stream into the stanzas that a client of a benchmark gets, and finds in one
 * what it needs. Pure, and no XML library: what a server sends is a small, regular part of XML. */

#ifndef BENCH_PEERS_XMPP_H
#define BENCH_PEERS_XMPP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct xmpp_slice { /* lies in the bytes it was read from; text NULL: there is none */
    const char *text;
    size_t len;
};

struct xmpp_stanza {
    struct xmpp_slice whole, name;
    bool opens; /* <stream:stream ...>, whose end comes with the connection's */
};

/* Read the stanza that bytes begin with (after white space). Gives what it takes of the bytes, 0
 * when it is not all there yet, -1 when it is not well formed or the stream ends. */
ssize_t xmpp_read(const char *bytes, size_t len, struct xmpp_stanza *stanza);

bool xmpp_is(const struct xmpp_stanza *stanza, const char *name);

/* The value of an attribute of the stanza's own tag, as it is written. */
struct xmpp_slice xmpp_attribute(const struct xmpp_stanza *stanza, const char *name);

/* The text in the first element of that name without elements of its own: name is "<body". */
struct xmpp_slice xmpp_text(const struct xmpp_stanza *stanza, const char *tag);

/* Does the stanza hold these bytes? */
bool xmpp_has(const struct xmpp_stanza *stanza, const char *bytes);

bool xmpp_same(struct xmpp_slice slice, const char *text);

/* base64 of NUL user NUL password, as SASL PLAIN wants it; cut short when out is too small. */
void xmpp_plain(const char *user, const char *password, char *out, size_t size);

#endif
