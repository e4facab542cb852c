/* rest_http - HTTP/1.1 for the REST front: connections, limits, requests in, answers out.
 *
 * Knows nothing of REST v4. A connection on which no whole request arrives within timeout_s, or
 * which does not take its answer in that time, is closed, however slowly its bytes trickle; over
 * max_connections new ones are closed at once. Requests of one connection are worked on one after
 * the other, so answers to a pipeline come in its order. One loop.
 *
 * A request costs one recv() and its answer one send(), and nothing else of the kernel; memory is
 * the connection's. (evhttp, which stood here, cost four epoll_ctl() and 30 allocations a call: a
 * third of the gateway's time for a message.) */

#ifndef GATEWAY_REST_HTTP_H
#define GATEWAY_REST_HTTP_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/loop.h"
#include "gateway/rest_head.h"

struct rest_http;
struct rest_request;

struct rest_http_settings {
    size_t max_body_bytes; /* more: 413, and the connection closes */
    uint32_t timeout_s;
    uint32_t max_connections;
};

/* Called for each request; rest_http_answer() must follow once, now or later. */
typedef void rest_http_fn(void *ctx, struct rest_request *request);

/* Serve on a listening, non-blocking socket, which is the server's from now on, also after an
 * error. */
enum hy_err rest_http_open(struct hy_loop *loop, int listener,
                           const struct rest_http_settings *settings, rest_http_fn *fn, void *ctx,
                           struct rest_http **http) HY_CHECKED;

/* Close all connections. Every request must have been answered. NULL is fine. */
void rest_http_close(struct rest_http **http);

/* Stop accepting, and close each connection with its next answer. */
void rest_http_drain(struct rest_http *http);

enum rest_method rest_request_method(const struct rest_request *request);
/* As on the request line. */
const char *rest_request_target(const struct rest_request *request);
/* The body, in one piece, to be changed as you like; *len is its length. Lent until the answer. */
char *rest_request_body(struct rest_request *request, size_t *len);
/* The peer's address; IPv4 as ::ffff:a.b.c.d. Lent until the answer. */
const struct in6_addr *rest_request_peer(const struct rest_request *request);

/* Answer and free *request. type is the content type, or NULL without content. Nothing is sent when
 * the client has gone. */
void rest_http_answer(struct rest_request **request, int status, const char *type, const void *body,
                      size_t len);

#endif
