/* sock - the bytes of one connection: a TCP socket that does not block, with or without TLS. */

#ifndef SDK_C_SOCK_H
#define SDK_C_SOCK_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/err.h"

struct sock {
    int fd;
    SSL *ssl;         /* NULL: plain */
    bool wants_write; /* a TLS read or handshake waits for room to write */
};

/* Begin to connect to "host:port", from the numeric address source unless that is NULL; writable
 * when that is done. context NULL: plain. After any error sock_close() is still to be called.
 * HY_ECONFIG: the address is ill-formed or unknown; HY_EIO: it cannot be reached. */
enum hy_err sock_open(struct sock *sock, const char *address, const char *source, SSL_CTX *context,
                      bool insecure) HY_CHECKED;

/* Free everything. A sock with fd -1 and no ssl is fine. */
void sock_close(struct sock *sock);

/* Writable for the first time: has it connected? */
bool sock_connected(const struct sock *sock);

/* Go on with the TLS handshake: 1 done, 0 later, -1 failed with *why. */
int sock_shake(struct sock *sock, const char **why);

/* Read or write once. Returns bytes, 0 to try later, -1 when the link is gone. */
ssize_t sock_read(struct sock *sock, void *out, size_t size);
ssize_t sock_write(struct sock *sock, const void *bytes, size_t len);

/* Are there bytes that were read from the network but not yet by sock_read()? The descriptor will
 * not tell. */
bool sock_holds_back(const struct sock *sock);

#endif
