/* bench_http_test - the HTTP load driver: addresses, answers, and that every request is accounted
 * for. */

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench/http.h"

static void addresses_are_taken_apart(void **state)
{
    char host[256], port[8];
    const char *path;

    (void)state;
    assert_true(http_url("http://127.0.0.1:8080/a?b", host, port, &path));
    assert_string_equal(host, "127.0.0.1");
    assert_string_equal(port, "8080");
    assert_string_equal(path, "/a?b");
    assert_true(http_url("http://h", host, port, &path));
    assert_string_equal(port, "80");
    assert_string_equal(path, "/");
    assert_false(http_url("https://h", host, port, &path));
    assert_false(http_url("http://", host, port, &path));
    assert_false(http_url("http://h:1234567", host, port, &path));
}

static void answers_are_whole_or_not(void **state)
{
    static const char text[] = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nX: y\r\n\r\nhelloHTTP/1.1";
    struct http_answer answer;
    bool close = true;

    (void)state;
    for (size_t len = 0; len < sizeof text - 1 - 8; len++)
        assert_int_equal(http_parse(text, len, &answer, &close), 0);
    assert_int_equal(http_parse(text, sizeof text - 1, &answer, &close), sizeof text - 1 - 8);
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.len, 5);
    assert_memory_equal(answer.body, "hello", 5);
    assert_false(close);
#define PARSE(text) http_parse(text, strlen(text), &answer, &close)
    assert_true(PARSE("HTTP/1.1 503 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n") > 0);
    assert_true(close);
    assert_int_equal(PARSE("HTTP/1.1 200 OK\r\n\r\n"), -1);
    assert_int_equal(PARSE("SSH-2.0\r\n\r\n"), -1);
}

/* A server that answers `good` requests, then one with 500, then closes without an answer. */
struct server {
    int listener;
    int good;
};

static void *serve(void *arg)
{
    static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    static const char no[] = "HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno";
    struct server *server = arg;
    char text[4096];
    int fd;

    for (int i = 0; (fd = accept(server->listener, NULL, NULL)) >= 0;) {
        while (recv(fd, text, sizeof text, 0) > 0 && i++ <= server->good)
            if (send(fd, i <= server->good ? ok : no, sizeof ok - 1, MSG_NOSIGNAL) < 0)
                break;
        close(fd);
    }
    return NULL;
}

static size_t write_request(void *ctx, uint64_t number, char *out, size_t size)
{
    (void)ctx;
    return (size_t)snprintf(out, size, "GET /%llu HTTP/1.1\r\n\r\n", (unsigned long long)number);
}

static bool is_200(void *ctx, const struct http_answer *answer)
{
    *(uint64_t *)ctx += answer->number;
    return answer->status == 200;
}

static void every_request_is_good_or_bad_or_cut(uint32_t rate)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    struct server server = {.listener = socket(AF_INET, SOCK_STREAM, 0), .good = 20};
    struct http *http = NULL;
    char url[64];
    uint64_t numbers = 0;
    struct http_job job = {.url = url,
                           .connections = 1,
                           .most = 22,
                           .rate = rate,
                           .write = write_request,
                           .good = is_200,
                           .ctx = &numbers};
    pthread_t thread;

    assert_int_equal(bind(server.listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(server.listener, 8), 0);
    assert_int_equal(getsockname(server.listener, (struct sockaddr *)&address, &len), 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%u", ntohs(address.sin_port));
    assert_int_equal(pthread_create(&thread, NULL, serve, &server), 0);
    assert_int_equal(http_open(&job, &http), HY_OK);
    assert_int_equal(http_run(http, 20000, true), HY_OK);
    assert_int_equal(http_counted(http)->sent, 22);
    assert_int_equal(http_counted(http)->good, 20);
    assert_int_equal(http_counted(http)->bad, 1);
    assert_int_equal(http_counted(http)->cut, 1);
    assert_int_equal(http_counted(http)->latency.count, 20);
    assert_int_equal(numbers, 21 * 22 / 2); /* 1..21 in some order, the 22nd was cut */
    http_settle(http, 0);
    http_close(&http);
    shutdown(server.listener, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(server.listener);
}

static void a_closed_loop_accounts_for_all(void **state)
{
    (void)state;
    every_request_is_good_or_bad_or_cut(0);
}

static void an_open_loop_accounts_for_all(void **state)
{
    (void)state;
    every_request_is_good_or_bad_or_cut(1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_taken_apart),
        cmocka_unit_test(answers_are_whole_or_not),
        cmocka_unit_test(a_closed_loop_accounts_for_all),
        cmocka_unit_test(an_open_loop_accounts_for_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
