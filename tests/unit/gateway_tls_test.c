/* TLS on a stream: versions, tickets, and bytes that arrive whole however little fits at a time. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "gateway/stream.h"
#include "gateway/tls.h"

static char directory[] = "/tmp/hy_tls_XXXXXX";
static char certificate[64], key[64], other_key[64];

static void write_key(const char *path, EVP_PKEY *pkey)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(PEM_write_PrivateKey(file, pkey, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
}

static int make_files(void **state)
{
    EVP_PKEY *pkey = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256");
    X509 *x509 = X509_new();
    FILE *file;

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(certificate, sizeof certificate, "%s/crt", directory);
    snprintf(key, sizeof key, "%s/key", directory);
    snprintf(other_key, sizeof other_key, "%s/other", directory);
    X509_gmtime_adj(X509_getm_notBefore(x509), 0);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_set_pubkey(x509, pkey);
    assert_true(X509_sign(x509, pkey, EVP_sha256()) > 0);
    file = fopen(certificate, "w");
    assert_non_null(file);
    PEM_write_X509(file, x509);
    fclose(file);
    write_key(key, pkey);
    write_key(other_key, other);
    X509_free(x509);
    EVP_PKEY_free(pkey);
    EVP_PKEY_free(other);
    return 0;
}

static int drop_files(void **state)
{
    (void)state;
    unlink(certificate);
    unlink(key);
    unlink(other_key);
    return rmdir(directory);
}

/* A server's stream and a client's SSL over a pair of sockets with small buffers. */
struct pair {
    struct stream server;
    SSL *client;
    int fd;
};

static struct pair pair_open(struct ssl_ctx_st *tls, SSL_CTX *client, SSL_SESSION *session)
{
    struct pair pair;
    int fds[2], small = 8192;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    pair.server = (struct stream){fds[0], tls_accept(tls, fds[0])};
    assert_non_null(pair.server.ssl);
    pair.fd = fds[1];
    pair.client = SSL_new(client);
    SSL_set_fd(pair.client, fds[1]);
    SSL_set_connect_state(pair.client);
    if (session != NULL)
        SSL_set_session(pair.client, session);
    return pair;
}

static void pair_close(struct pair *pair)
{
    SSL_set_shutdown(pair->client, SSL_SENT_SHUTDOWN); /* else its session counts as broken */
    SSL_free(pair->client);
    close(pair->fd);
    stream_close(&pair->server);
}

/* Shake hands; false: one side refused. */
static bool shake(struct pair *pair)
{
    char buffer[20000];

    for (int i = 0; i < 20; i++) {
        size_t got = 0;
        int n = SSL_do_handshake(pair->client);
        enum hy_err err = stream_read(&pair->server, buffer, sizeof buffer, &got);

        if (n != 1 && SSL_get_error(pair->client, n) != SSL_ERROR_WANT_READ)
            return false;
        if (err != HY_EBUSY)
            return false;
        if (n == 1 && stream_secured(&pair->server))
            return true;
    }
    return false;
}

static struct ssl_ctx_st *server_context(const uint8_t secret[static TICKETKEY_SECRET])
{
    struct ssl_ctx_st *tls = NULL;
    const char *why = NULL;

    assert_int_equal(tls_open(certificate, key, secret, &tls, &why), HY_OK);
    return tls;
}

static const uint8_t our_secret[TICKETKEY_SECRET] = {9};

static void old_versions_are_refused(void **state)
{
    static const struct {
        int version;
        bool good;
    } cases[] = {{TLS1_1_VERSION, false}, {TLS1_2_VERSION, true}, {TLS1_3_VERSION, true}};
    struct ssl_ctx_st *tls = server_context(our_secret);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        SSL_CTX *client = SSL_CTX_new(TLS_client_method());
        struct pair pair;

        SSL_CTX_set_security_level(client, 0);
        SSL_CTX_set_min_proto_version(client, cases[i].version);
        SSL_CTX_set_max_proto_version(client, cases[i].version);
        pair = pair_open(tls, client, NULL);
        assert_int_equal(shake(&pair), cases[i].good);
        pair_close(&pair);
        SSL_CTX_free(client);
    }
    tls_close(&tls);
}

/* Shake hands, with the ticket of *session unless that is NULL, which becomes the new ticket's; say
 * whether it was taken. TLS 1.3's ticket comes after the handshake, with the first read. */
static bool resumed(struct ssl_ctx_st *tls, SSL_CTX *client, SSL_SESSION **session)
{
    struct pair pair = pair_open(tls, client, *session);
    char byte;
    bool reused;

    assert_true(shake(&pair));
    reused = SSL_session_reused(pair.client);
    assert_int_equal(SSL_read(pair.client, &byte, 1), -1); /* nothing but the ticket */
    SSL_SESSION_free(*session);
    *session = SSL_get1_session(pair.client);
    pair_close(&pair);
    return reused;
}

/* Get a ticket from one, and another from two with that, and so on: all are taken, or (not good)
 * each handshake is a full one. */
static void check_tickets(struct ssl_ctx_st *one, struct ssl_ctx_st *two, int version, bool good)
{
    SSL_CTX *client = SSL_CTX_new(TLS_client_method());
    SSL_SESSION *session = NULL;

    SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_min_proto_version(client, version);
    SSL_CTX_set_max_proto_version(client, version);
    assert_false(resumed(one, client, &session));
    assert_true(SSL_SESSION_has_ticket(session));
    for (int i = 0; i < 3; i++)
        assert_int_equal(resumed(i % 2 == 0 ? two : one, client, &session), good);
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
}

static void a_ticket_is_good_wherever_the_secret_is_known(void **state)
{
    static const uint8_t other_secret[TICKETKEY_SECRET] = {8};
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    struct ssl_ctx_st *one = server_context(our_secret), *two = server_context(our_secret);
    struct ssl_ctx_st *stranger = server_context(other_secret);

    (void)state;
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        check_tickets(one, two, versions[i], true);
        check_tickets(one, stranger, versions[i], false); /* it shakes hands in full instead */
    }
    tls_close(&one);
    tls_close(&two);
    tls_close(&stranger);
}

static void a_ticket_key_lives_as_long_as_its_tickets(void **state)
{
    const uint64_t now_s = 1700000000;
    struct ticketkeys ours, theirs;
    struct ticketkey first;

    (void)state;
    ticketkeys_init(&ours, our_secret);
    ticketkeys_init(&theirs, our_secret);
    first = *ticketkeys_now(&ours, now_s);
    assert_memory_not_equal(first.cipher, first.mac, sizeof first.mac);
    assert_memory_equal(ticketkeys_now(&theirs, now_s), &first, sizeof first);
    /* sealed by a gateway whose clock is ahead */
    assert_non_null(
        ticketkeys_find(&ours, ticketkeys_now(&theirs, now_s + TICKETKEY_PERIOD_S)->name, now_s));
    assert_memory_not_equal(ticketkeys_now(&ours, now_s + TICKETKEY_PERIOD_S), &first,
                            sizeof first);
    assert_memory_equal(ticketkeys_find(&ours, first.name, now_s + TICKETKEY_LIFE_S), &first,
                        sizeof first);
    assert_null(ticketkeys_find(&ours, first.name, now_s + TICKETKEY_LIFE_S + TICKETKEY_PERIOD_S));
}

static void many_bytes_arrive_whole_through_a_narrow_socket(void **state)
{
    enum { TOTAL = 300000 };
    static uint8_t out[TOTAL], in[TOTAL];
    struct ssl_ctx_st *tls = server_context(our_secret);
    SSL_CTX *client = SSL_CTX_new(TLS_client_method());
    struct pair pair = pair_open(tls, client, NULL);
    size_t sent = 0, got = 0, busy = 0;

    (void)state;
    for (size_t i = 0; i < TOTAL; i++)
        out[i] = (uint8_t)(i * 31 >> 3);
    assert_true(shake(&pair));
    while (got < TOTAL) {
        size_t left = TOTAL - sent, n = 0;
        struct iovec runs[2] = {
            {out + sent, left < 100 ? left : 100},
            {out + sent + (left < 100 ? left : 100), left < 100 ? 0 : left - 100}};
        enum hy_err err = left == 0 ? HY_EBUSY : stream_write(&pair.server, runs, 2, &n);
        int r;

        assert_true(err == HY_OK || err == HY_EBUSY);
        busy += err == HY_EBUSY;
        sent += n;
        r = SSL_read(pair.client, in + got, TOTAL - (int)got);
        got += r > 0 ? (size_t)r : 0;
    }
    assert_true(busy > 0);
    assert_memory_equal(in, out, TOTAL);
    pair_close(&pair);
    SSL_CTX_free(client);
    tls_close(&tls);
}

static void the_end_of_a_stream_is_told(void **state)
{
    struct ssl_ctx_st *tls = server_context(our_secret);
    SSL_CTX *client = SSL_CTX_new(TLS_client_method());
    struct pair pair = pair_open(tls, client, NULL);
    char buffer[20000];
    size_t got = 0;

    (void)state;
    assert_true(shake(&pair));
    SSL_write(pair.client, "bye", 3);
    SSL_shutdown(pair.client);
    assert_int_equal(stream_read(&pair.server, buffer, sizeof buffer, &got), HY_OK);
    assert_int_equal(got, 3);
    assert_int_equal(stream_read(&pair.server, buffer, sizeof buffer, &got), HY_ECLOSED);
    stream_finish(&pair.server);
    pair_close(&pair);
    SSL_CTX_free(client);
    tls_close(&tls);
}

static void wrong_files_are_named(void **state)
{
    struct ssl_ctx_st *tls = NULL;
    const char *why = "";

    (void)state;
    assert_int_equal(tls_open("/nowhere", key, our_secret, &tls, &why), HY_ECONFIG);
    assert_non_null(strstr(why, "tls.certificate"));
    assert_int_equal(tls_open(certificate, "/nowhere", our_secret, &tls, &why), HY_ECONFIG);
    assert_non_null(strstr(why, "tls.key"));
    assert_int_equal(tls_open(certificate, other_key, our_secret, &tls, &why), HY_ECONFIG);
    assert_null(tls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_versions_are_refused),
        cmocka_unit_test(a_ticket_is_good_wherever_the_secret_is_known),
        cmocka_unit_test(a_ticket_key_lives_as_long_as_its_tickets),
        cmocka_unit_test(many_bytes_arrive_whole_through_a_narrow_socket),
        cmocka_unit_test(the_end_of_a_stream_is_told),
        cmocka_unit_test(wrong_files_are_named),
    };

    return cmocka_run_group_tests(tests, make_files, drop_files);
}
