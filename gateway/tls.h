/* tls - certificates and the rules of TLS for a worker's links: 1.2 and up, session tickets,
 * buffers released while a link is idle. */

#ifndef GATEWAY_TLS_H
#define GATEWAY_TLS_H

#include <stdint.h>

#include "common/err.h"

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */
struct ssl_st;     /* and SSL */

enum { TLS_TICKET_KEY = 80 };

/* Read certificate and key. ticket_key is the same for all workers, so that a client may come back
 * to any of them. HY_ECONFIG: a file cannot be read or they do not fit; *why says which (a
 * literal). */
enum hy_err tls_open(const char *certificate, const char *key,
                     const uint8_t ticket_key[static TLS_TICKET_KEY], struct ssl_ctx_st **tls,
                     const char **why) HY_CHECKED;
void tls_close(struct ssl_ctx_st **tls);

/* Unix time at which the certificate expires. */
int64_t tls_expires_s(struct ssl_ctx_st *tls);

/* The server's side of a new connection on fd; NULL: no memory. */
struct ssl_st *tls_accept(struct ssl_ctx_st *tls, int fd);

#endif
