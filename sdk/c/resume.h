/* resume - TLS sessions kept for the next link to the same address, which spares both sides most of
 * the handshake. They live with the SSL_CTX, on its loop's thread. */

#ifndef SDK_C_RESUME_H
#define SDK_C_RESUME_H

#include <openssl/ssl.h>

/* Keep the newest session of each address. Without memory links shake hands in full. */
void resume_keep(SSL_CTX *context);

/* A link to address begins: resume, if something was kept. */
void resume_try(SSL *ssl, const char *address);

/* Its handshake failed: the next one is a full one. */
void resume_forget(SSL *ssl);

#endif
