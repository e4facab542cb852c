#include "gateway/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <time.h>

static enum hy_err load(SSL_CTX *ctx, const char *certificate, const char *key, const char **why)
{
    *why = "tls.certificate cannot be read";
    if (SSL_CTX_use_certificate_chain_file(ctx, certificate) != 1)
        return HY_ECONFIG;
    *why = "tls.key cannot be read";
    if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
        return HY_ECONFIG;
    *why = "tls.key is not the key of tls.certificate";
    return SSL_CTX_check_private_key(ctx) == 1 ? HY_OK : HY_ECONFIG;
}

enum hy_err tls_open(const char *certificate, const char *key,
                     const uint8_t ticket_key[static TLS_TICKET_KEY], struct ssl_ctx_st **tls,
                     const char **why)
{
    static const unsigned char context[] = "hongyan";
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    enum hy_err err = HY_ENOMEM;

    *why = "out of memory";
    if (ctx == NULL)
        return HY_ENOMEM;
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* tickets need no memory here */
    SSL_CTX_set_num_tickets(ctx, 1);
    SSL_CTX_set_session_id_context(ctx, context, sizeof context - 1);
    if (SSL_CTX_set_tlsext_ticket_keys(ctx, (void *)(uintptr_t)ticket_key, TLS_TICKET_KEY) == 1)
        err = load(ctx, certificate, key, why);
    ERR_clear_error();
    if (err == HY_OK)
        *tls = ctx;
    else
        SSL_CTX_free(ctx);
    return err;
}

void tls_close(struct ssl_ctx_st **tls)
{
    SSL_CTX_free(*tls); /* NULL is fine */
    *tls = NULL;
}

int64_t tls_expires_s(struct ssl_ctx_st *tls)
{
    struct tm tm = {0};

    if (ASN1_TIME_to_tm(X509_get0_notAfter(SSL_CTX_get0_certificate(tls)), &tm) != 1)
        return 0;
    return timegm(&tm);
}

struct ssl_st *tls_accept(struct ssl_ctx_st *tls, int fd)
{
    SSL *ssl = SSL_new(tls);

    if (ssl == NULL)
        return NULL;
    if (SSL_set_fd(ssl, fd) != 1) {
        SSL_free(ssl);
        return NULL;
    }
    SSL_set_accept_state(ssl);
    return ssl;
}
