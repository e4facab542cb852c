/* tls - certificates and the rules of TLS for a worker's links: 1.2 and up, session tickets,
 * buffers released while a link is idle. */

#ifndef GATEWAY_TLS_H
#define GATEWAY_TLS_H

#include <stdint.h>

#include "common/err.h"
#include "gateway/ticketkey.h"

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */
struct ssl_st;     /* and SSL */

/* Read certificate and key. Tickets are sealed with keys of the cluster's secret (copied), so that
 * a client may come back to any worker of any gateway. HY_ECONFIG: a file cannot be read or they do
 * not fit; *why says which (a literal). One thread at a time. */
enum hy_err tls_open(const char *certificate, const char *key,
                     const uint8_t secret[static TICKETKEY_SECRET], struct ssl_ctx_st **tls,
                     const char **why) HY_CHECKED;
void tls_close(struct ssl_ctx_st **tls);

/* Unix time at which the certificate expires. */
int64_t tls_expires_s(struct ssl_ctx_st *tls);

/* The server's side of a new connection on fd; NULL: no memory. */
struct ssl_st *tls_accept(struct ssl_ctx_st *tls, int fd);

#endif
