#include "sdk/c/sock.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/settings.h"
#include "sdk/c/bio.h"
#include "sdk/c/resume.h"

static enum hy_err resolve(const char *host, uint16_t port, struct addrinfo **list)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    char service[8];

    snprintf(service, sizeof service, "%u", port);
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    if (getaddrinfo(host, service, &hints, list) == 0)
        return HY_OK;
    hints.ai_flags = AI_NUMERICSERV;
    return getaddrinfo(host, service, &hints, list) == 0 ? HY_OK : HY_ECONFIG;
}

/* The port is chosen at connect(): many may share one towards different gateways. */
static enum hy_err bind_to(int fd, const char *source)
{
    int on = 1;
    struct addrinfo *list = NULL;
    enum hy_err err = resolve(source, 0, &list);

    if (err == HY_OK && (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) != 0 ||
                         bind(fd, list->ai_addr, list->ai_addrlen) != 0))
        err = HY_EIO;
    if (list != NULL)
        freeaddrinfo(list);
    return err;
}

static enum hy_err connect_to(struct sock *sock, const struct addrinfo *to, const char *source)
{
    int on = 1;

    sock->fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (sock->fd < 0)
        return HY_EIO;
    if (setsockopt(sock->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
        return HY_EIO;
    if (source != NULL && bind_to(sock->fd, source) != HY_OK)
        return HY_EIO;
    if (connect(sock->fd, to->ai_addr, to->ai_addrlen) != 0 && errno != EINPROGRESS)
        return HY_EIO;
    return HY_OK;
}

/* The certificate must be for the host that was asked for, be it a name or a number. */
static enum hy_err start_tls(struct sock *sock, SSL_CTX *context, const char *address,
                             const char *host, bool insecure)
{
    BIO *bio = bio_new(sock->fd);

    sock->ssl = SSL_new(context);
    if (sock->ssl == NULL || bio == NULL) {
        BIO_free(bio); /* NULL is fine */
        return HY_ENOMEM;
    }
    SSL_set_bio(sock->ssl, bio, bio);
    SSL_set_connect_state(sock->ssl);
    resume_name(sock->ssl, address);
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(sock->ssl), host) == 1)
        return HY_OK;
    if (SSL_set_tlsext_host_name(sock->ssl, host) != 1)
        return HY_ENOMEM;
    return insecure || SSL_set1_host(sock->ssl, host) == 1 ? HY_OK : HY_ENOMEM;
}

enum hy_err sock_open(struct sock *sock, const char *address, const char *source, SSL_CTX *context,
                      bool insecure)
{
    struct addrinfo *list = NULL;
    char host[64];
    uint16_t port = 0;
    enum hy_err err = hy_settings_address(address, host, &port);

    *sock = (struct sock){.fd = -1};
    if (err == HY_OK)
        err = resolve(host, port, &list);
    if (err == HY_OK)
        err = connect_to(sock, list, source);
    if (err == HY_OK && context != NULL)
        err = start_tls(sock, context, address, host, insecure);
    if (list != NULL)
        freeaddrinfo(list);
    return err;
}

void sock_close(struct sock *sock)
{
    if (sock->ssl != NULL) /* a session that ends without a farewell would not be resumed */
        SSL_set_shutdown(sock->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(sock->ssl);
    sock->ssl = NULL;
    if (sock->fd >= 0)
        close(sock->fd);
    sock->fd = -1;
}

bool sock_connected(const struct sock *sock)
{
    int error = 0;
    socklen_t size = sizeof error;

    if (getsockopt(sock->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0)
        return false;
    if (sock->ssl != NULL)
        resume_try(sock->ssl); /* not before: who cannot connect uses up no session */
    return true;
}

/* What a TLS call that did not succeed means: 0 later, -1 the end. */
static int tls_later(struct sock *sock, int result, bool reading)
{
    int error = SSL_get_error(sock->ssl, result);

    if (reading)
        sock->wants_write = error == SSL_ERROR_WANT_WRITE;
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

int sock_shake(struct sock *sock, const char **why)
{
    int n = 0;

    ERR_clear_error();
    n = SSL_do_handshake(sock->ssl);
    sock->wants_write = false;
    if (n == 1)
        return 1;
    *why = SSL_get_verify_result(sock->ssl) != X509_V_OK
               ? "the gateway's certificate is not trusted"
               : "the TLS handshake failed";
    if (SSL_get_error(sock->ssl, n) == SSL_ERROR_SSL)
        resume_forget(sock->ssl);
    return tls_later(sock, n, true);
}

static ssize_t plain(ssize_t n)
{
    return n >= 0 ? n : errno == EAGAIN || errno == EINTR ? 0 : -1;
}

ssize_t sock_read(struct sock *sock, void *out, size_t size)
{
    ssize_t n = 0;

    if (sock->ssl == NULL) {
        n = recv(sock->fd, out, size, 0);
        return n == 0 ? -1 : plain(n);
    }
    ERR_clear_error();
    n = SSL_read(sock->ssl, out, size < INT32_MAX ? (int)size : INT32_MAX);
    sock->wants_write = false;
    return n > 0 ? n : tls_later(sock, (int)n, true);
}

ssize_t sock_write(struct sock *sock, const void *bytes, size_t len)
{
    ssize_t n = 0;

    if (sock->ssl == NULL)
        return plain(send(sock->fd, bytes, len, MSG_NOSIGNAL));
    ERR_clear_error();
    n = SSL_write(sock->ssl, bytes, len < INT32_MAX ? (int)len : INT32_MAX);
    return n > 0 ? n : tls_later(sock, (int)n, false);
}

bool sock_holds_back(const struct sock *sock)
{
    return sock->ssl != NULL && SSL_pending(sock->ssl) > 0;
}
