/* resume - TLS sessions kept for later links to the same address, which spares both sides a part of
 * the handshake. Each is used once, so that who listens cannot tell that links are one app's. They
 * live with the SSL_CTX, on its loop's thread. */

#ifndef SDK_C_RESUME_H
#define SDK_C_RESUME_H

#include <openssl/ssl.h>

/* Keep sessions, at most *most (which may change, and outlives the context) of each address.
 * Without memory links shake hands in full. */
void resume_keep(SSL_CTX *context, const unsigned *most);

/* This link goes to address. */
void resume_name(SSL *ssl, const char *address);

/* Its handshake begins: resume, if something was kept. */
void resume_try(SSL *ssl);

/* Its handshake failed, and not the network: what was kept may be why. */
void resume_forget(SSL *ssl);

#endif
