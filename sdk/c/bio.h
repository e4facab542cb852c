/* bio - a socket for OpenSSL whose writes raise no SIGPIPE: a library must not end its app because
 * a gateway died. */

#ifndef SDK_C_BIO_H
#define SDK_C_BIO_H

#include <openssl/bio.h>

/* On fd, which stays the caller's. NULL: out of memory. */
BIO *bio_new(int fd);

#endif
