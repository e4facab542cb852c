/* bio: OpenSSL's way to the socket. */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "sdk/c/bio.h"

static BIO *open_pair(int fds[static 2])
{
    BIO *bio;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    bio = bio_new(fds[0]);
    assert_non_null(bio);
    return bio;
}

static void bytes_come_and_go_and_later_is_no_error(void **state)
{
    int fds[2];
    char got[8];
    BIO *bio = open_pair(fds);

    (void)state;
    assert_int_equal(BIO_read(bio, got, sizeof got), -1);
    assert_true(BIO_should_read(bio));
    assert_int_equal(BIO_write(bio, "hello", 5), 5);
    assert_int_equal(read(fds[1], got, sizeof got), 5);
    assert_int_equal(write(fds[1], "you", 3), 3);
    assert_int_equal(BIO_read(bio, got, sizeof got), 3);
    assert_false(BIO_should_retry(bio));
    BIO_free(bio);
    close(fds[0]);
    close(fds[1]);
}

static void a_dead_peer_is_an_error_and_no_signal(void **state)
{
    int fds[2];
    char got[8];
    BIO *bio = open_pair(fds);

    (void)state;
    signal(SIGPIPE, SIG_DFL); /* would end this test */
    close(fds[1]);
    assert_int_equal(BIO_write(bio, "hello", 5), -1);
    assert_false(BIO_should_retry(bio));
    assert_int_equal(BIO_read(bio, got, sizeof got), 0);
    assert_true(BIO_eof(bio));
    BIO_free(bio);
    close(fds[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_come_and_go_and_later_is_no_error),
        cmocka_unit_test(a_dead_peer_is_an_error_and_no_signal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
