#include "sdk/c/bio.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

static int fd_of(BIO *bio)
{
    return (int)(intptr_t)BIO_get_data(bio);
}

static bool later(ssize_t n)
{
    return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static int on_write(BIO *bio, const char *bytes, int len)
{
    ssize_t n = send(fd_of(bio), bytes, (size_t)len, MSG_NOSIGNAL);

    BIO_clear_retry_flags(bio);
    if (later(n))
        BIO_set_retry_write(bio);
    return (int)n;
}

static int on_read(BIO *bio, char *out, int size)
{
    ssize_t n = recv(fd_of(bio), out, (size_t)size, 0);

    BIO_clear_retry_flags(bio);
    if (later(n))
        BIO_set_retry_read(bio);
    else if (n == 0)
        BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    return (int)n;
}

static long on_ctrl(BIO *bio, int what, long number, void *more)
{
    (void)number, (void)more;
    if (what == BIO_CTRL_EOF)
        return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
    return what == BIO_CTRL_FLUSH; /* nothing waits here */
}

static BIO_METHOD *method; /* for the life of the process */

static void make_method(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "hongyan socket");

    if (m != NULL && BIO_meth_set_write(m, on_write) == 1 && BIO_meth_set_read(m, on_read) == 1 &&
        BIO_meth_set_ctrl(m, on_ctrl) == 1)
        method = m;
    else
        BIO_meth_free(m);
}

BIO *bio_new(int fd)
{
    static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;
    BIO *bio = NULL;

    CRYPTO_THREAD_run_once(&once, make_method);
    if (method != NULL)
        bio = BIO_new(method);
    if (bio == NULL)
        return NULL;
    BIO_set_data(bio, (void *)(intptr_t)fd);
    BIO_set_init(bio, 1);
    return bio;
}
