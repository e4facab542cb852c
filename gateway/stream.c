#include "gateway/stream.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TLS_RECORD = 16384 };

static enum hy_err plain_err(void)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
        return HY_EBUSY;
    return errno == EPIPE || errno == ECONNRESET ? HY_ECLOSED : HY_EIO;
}

static enum hy_err tls_err(SSL *ssl, int result)
{
    enum hy_err err = HY_EIO;

    switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        err = HY_EBUSY;
        break;
    case SSL_ERROR_ZERO_RETURN:
        err = HY_ECLOSED;
        break;
    default:
        break;
    }
    ERR_clear_error(); /* the queue is the thread's: nothing of this link may show in the next */
    return err;
}

/* Whole records while one more fits, so that OpenSSL never holds back bytes that the socket no
 * longer shows. */
static enum hy_err tls_read(SSL *ssl, char *bytes, size_t len, size_t *got)
{
    *got = 0;
    while (len - *got >= TLS_RECORD) {
        int n = SSL_read(ssl, bytes + *got, (int)(len - *got));

        if (n <= 0) {
            enum hy_err err = tls_err(ssl, n);

            return *got > 0 ? HY_OK : err;
        }
        *got += (size_t)n;
    }
    return HY_OK;
}

enum hy_err stream_read(struct stream *stream, void *bytes, size_t len, size_t *got)
{
    ssize_t n;

    if (stream->ssl != NULL)
        return tls_read(stream->ssl, bytes, len, got);
    n = recv(stream->fd, bytes, len, 0);
    if (n == 0)
        return HY_ECLOSED;
    if (n < 0)
        return plain_err();
    *got = (size_t)n;
    return HY_OK;
}

/* Many runs become one record; the order in which they are gathered is the same at a retry. */
static enum hy_err tls_write(SSL *ssl, const struct iovec *iov, size_t n, size_t *sent)
{
    char record[TLS_RECORD];
    size_t len = 0;
    int written;

    for (size_t i = 0; i < n && len < sizeof record; i++) {
        size_t room = sizeof record - len;
        size_t take = iov[i].iov_len < room ? iov[i].iov_len : room;

        memcpy(record + len, iov[i].iov_base, take);
        len += take;
    }
    written = SSL_write(ssl, record, (int)len);
    if (written <= 0)
        return tls_err(ssl, written);
    *sent = (size_t)written;
    return HY_OK;
}

enum hy_err stream_write(struct stream *stream, const struct iovec *iov, size_t n, size_t *sent)
{
    struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = n};
    ssize_t written;

    if (stream->ssl != NULL)
        return tls_write(stream->ssl, iov, n, sent);
    written = n == 1 ? send(stream->fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL)
                     : sendmsg(stream->fd, &msg, MSG_NOSIGNAL);
    if (written < 0)
        return plain_err();
    *sent = (size_t)written;
    return HY_OK;
}

bool stream_secured(const struct stream *stream)
{
    return stream->ssl == NULL || SSL_is_init_finished(stream->ssl);
}

bool stream_resumed(const struct stream *stream)
{
    return stream->ssl != NULL && SSL_session_reused(stream->ssl);
}

bool stream_wants_write(const struct stream *stream)
{
    return stream->ssl != NULL && SSL_want_write(stream->ssl);
}

void stream_finish(struct stream *stream)
{
    if (stream->ssl != NULL && SSL_is_init_finished(stream->ssl)) {
        SSL_shutdown(stream->ssl);
        ERR_clear_error();
    }
    shutdown(stream->fd, SHUT_WR);
}

void stream_close(struct stream *stream)
{
    SSL_free(stream->ssl); /* NULL is fine */
    stream->ssl = NULL;
    if (stream->fd >= 0)
        close(stream->fd);
    stream->fd = -1;
}
