#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/loop.h"
#include "common/status.h"

static char text[1 << 18];

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* Read until the server closes. */
static const char *read_all(int fd)
{
    size_t len = 0;
    ssize_t got;

    while ((got = read(fd, text + len, sizeof text - 1 - len)) > 0)
        len += (size_t)got;
    text[len] = '\0';
    close(fd);
    return text;
}

static const char *get(uint16_t port, const char *method, const char *path)
{
    char request[256];
    int fd = connect_to(port);

    snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: x\r\n\r\n", method, path);
    assert_int_equal(write(fd, request, strlen(request)), (ssize_t)strlen(request));
    return read_all(fd);
}

static const char *why_not(void *arg)
{
    return *(atomic_bool *)arg ? NULL : "no router is connected";
}

static void ready_says_why_not(void **state)
{
    struct hy_status *status = NULL;
    atomic_bool up = false;
    const char *answer = NULL;
    uint16_t port = 0;

    (void)state;
    assert_int_equal(hy_status_open("127.0.0.1:0", &status), HY_OK);
    port = hy_status_port(status);
    assert_int_not_equal(port, 0);
    answer = get(port, "GET", "/readyz"); /* no check: ready */
    assert_non_null(strstr(answer, "HTTP/1.1 200 "));
    hy_status_ready(status, "routers", why_not, &up);
    answer = get(port, "GET", "/readyz");
    assert_non_null(strstr(answer, "HTTP/1.1 503 "));
    assert_non_null(strstr(answer, "{\"status\":\"unavailable\",\"check\":\"routers\","
                                   "\"reason\":\"no router is connected\"}"));
    answer = get(port, "GET", "/readyz?verbose");
    assert_non_null(strstr(answer, "[-] routers failed: no router is connected\nnot ready\n"));
    atomic_store(&up, true);
    answer = get(port, "GET", "/readyz?verbose");
    assert_non_null(strstr(answer, "[+] routers ok\nready\n"));
    hy_status_close(&status);
    hy_status_close(&status);
}

static void live_watches_loops(void **state)
{
    struct hy_status *status = NULL;
    struct hy_loop *loop = NULL;

    (void)state;
    assert_int_equal(hy_loop_open(&loop), HY_OK);
    assert_int_equal(hy_status_open("127.0.0.1:0", &status), HY_OK);
    hy_status_live(status, "main", loop);
    assert_non_null(strstr(get(hy_status_port(status), "GET", "/livez"), "{\"status\":\"ok\"}"));
    assert_non_null(strstr(get(hy_status_port(status), "GET", "/livez?verbose"), "[+] main turned"));
    hy_status_close(&status);
    hy_loop_close(&loop);
}

static void metrics_are_served_and_nothing_else(void **state)
{
    struct hy_status *status = NULL;
    const char *answer = NULL;
    uint16_t port = 0;

    (void)state;
    assert_int_equal(hy_status_open("127.0.0.1:0", &status), HY_OK);
    port = hy_status_port(status);
    answer = get(port, "GET", "/metrics");
    assert_non_null(strstr(answer, "Content-Type: text/plain; version=0.0.4; charset=utf-8"));
    assert_non_null(strstr(answer, "process_open_fds"));
    assert_non_null(strstr(get(port, "GET", "/etc/passwd"), " 404 "));
    assert_null(strstr(get(port, "POST", "/metrics"), " 200 "));
    hy_status_close(&status);
}

static void who_dawdles_is_cut_off(void **state)
{
    struct hy_status *status = NULL;
    int fd = -1, cut = 0;
    uint16_t port = 0;

    (void)state;
    assert_int_equal(hy_status_open("127.0.0.1:0", &status), HY_OK);
    port = hy_status_port(status);
    fd = connect_to(port);
    assert_int_equal(send(fd, "GET /", 5, 0), 5);
    for (int i = 0; i < 400 && !cut; i++) { /* a byte now and then never ends the request */
        cut = send(fd, "x", 1, MSG_NOSIGNAL) < 0;
        usleep(50 * 1000);
    }
    assert_true(cut);
    close(fd);
    assert_non_null(strstr(get(port, "GET", "/livez"), " 200 ")); /* others are served */
    hy_status_close(&status);
}

static void many_connections_leave_it_alive(void **state)
{
    enum { MANY = 300 };
    struct hy_status *status = NULL;
    int fds[MANY];
    char c;

    (void)state;
    assert_int_equal(hy_status_open("127.0.0.1:0", &status), HY_OK);
    for (int i = 0; i < MANY; i++)
        fds[i] = connect_to(hy_status_port(status));
    assert_true(read(fds[MANY - 1], &c, 1) <= 0); /* one too many: cut off at once */
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
    hy_status_close(&status);
}

static void a_bad_address_is_refused(void **state)
{
    struct hy_status *status = NULL;

    (void)state;
    assert_int_not_equal(hy_status_open("nonsense", &status), HY_OK);
    assert_int_equal(hy_status_open("192.0.2.1:1", &status), HY_EIO);
    assert_null(status);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ready_says_why_not),
        cmocka_unit_test(live_watches_loops),
        cmocka_unit_test(metrics_are_served_and_nothing_else),
        cmocka_unit_test(who_dawdles_is_cut_off),
        cmocka_unit_test(many_connections_leave_it_alive),
        cmocka_unit_test(a_bad_address_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
