#include "gateway/tls.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/ticketkey.h"

enum { TICKET_IV = 16 };

/* What a context seals its tickets with. */
struct tickets {
    struct ticketkeys keys;
    EVP_CIPHER *aes; /* fetched once: looking it up costs more than sealing */
};

/* ---- tickets ---- */

static void free_tickets(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long arg,
                         void *more)
{
    struct tickets *tickets = ptr;

    (void)parent, (void)data, (void)index, (void)arg, (void)more;
    if (tickets == NULL)
        return;
    EVP_CIPHER_free(tickets->aes);
    OPENSSL_cleanse(tickets, sizeof *tickets);
    free(tickets);
}

/* Where a context keeps its tickets; they go with its last link. */
static int tickets_index(void)
{
    static _Atomic int index = -1;

    if (index < 0) /* contexts are made by one thread, at start and at a reload */
        index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_tickets);
    return index;
}

/* OpenSSL's question for the key of a ticket. 0: none, shake hands in full. */
static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int seal)
{
    struct tickets *tickets = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), tickets_index());
    uint64_t now_s = (uint64_t)time(NULL);
    const struct ticketkey *key =
        seal ? ticketkeys_now(&tickets->keys, now_s) : ticketkeys_find(&tickets->keys, name, now_s);
    OSSL_PARAM params[3];

    if (key == NULL)
        return 0;
    params[0] = OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)(uintptr_t)key->mac,
                                                  sizeof key->mac);
    params[1] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){"SHA256"}, 0);
    params[2] = OSSL_PARAM_construct_end();
    if (seal) {
        memcpy(name, key->name, sizeof key->name);
        if (RAND_bytes(iv, TICKET_IV) != 1)
            return -1;
    }
    if (EVP_CipherInit_ex2(cipher, tickets->aes, key->cipher, iv, seal, NULL) != 1 ||
        EVP_MAC_CTX_set_params(mac, params) != 1)
        return -1;
    return seal ? 1 : 2; /* 2: and make a new one: a client uses each ticket once */
}

static enum hy_err set_tickets(SSL_CTX *ctx, const uint8_t *secret)
{
    struct tickets *tickets = calloc(1, sizeof *tickets);

    if (tickets == NULL)
        return HY_ENOMEM;
    ticketkeys_init(&tickets->keys, secret);
    tickets->aes = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
    if (tickets->aes == NULL || SSL_CTX_set_ex_data(ctx, tickets_index(), tickets) != 1) {
        free_tickets(NULL, tickets, NULL, 0, 0, NULL);
        return HY_ENOMEM;
    }
    SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket);
    SSL_CTX_set_timeout(ctx, TICKETKEY_LIFE_S);
    return HY_OK;
}

/* ---- contexts ---- */

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
                     const uint8_t secret[static TICKETKEY_SECRET], struct ssl_ctx_st **tls,
                     const char **why)
{
    static const unsigned char context[] = "hongyan";
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    enum hy_err err;

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
    err = set_tickets(ctx, secret);
    if (err == HY_OK)
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
