/* http - an HTTP/1.1 load driver: keep-alive connections on one epoll, closed or open loop.
 *
 * Closed loop: each connection keeps `pipeline` requests under way. Open loop: a request is due
 * each 1/rate s whatever the server does; it leaves as soon as a connection is free, and its
 * latency counts from when it was due. Every request is accounted for: good, bad (an answer that is
 * not what was asked for) or cut (its connection ended first, so the outcome is not known). One
 * thread. */

#ifndef BENCH_HTTP_H
#define BENCH_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/hist.h"
#include "common/err.h"

struct http;

/* One answer; the texts are lent for the call. */
struct http_answer {
    uint64_t number; /* of the request, as write() was told */
    uint64_t due_us; /* when it was due */
    int status;
    const char *body;
    size_t len;
};

struct http_job {
    const char *url; /* "http://host:port[/...]"; only the address is used */
    uint32_t connections;
    uint32_t pipeline; /* 0 = 1 */
    uint32_t rate;     /* requests a second; 0 = closed loop */
    uint64_t most;     /* requests in all; 0 = no end */
    /* Write request `number` (1, 2, ...), head and body, into out; its length, or 0: too long. */
    size_t (*write)(void *ctx, uint64_t number, char *out, size_t size);
    bool (*good)(void *ctx, const struct http_answer *answer);
    void *ctx;
};

struct http_count {
    uint64_t sent, good, bad, cut;
    struct hist latency; /* of good ones while measuring */
};

/* Connect all. Says what is wrong and returns HY_EIO or HY_ECONFIG. job is copied. */
enum hy_err http_open(const struct http_job *job, struct http **http) HY_CHECKED;
void http_close(struct http **http);

/* Make requests for ms, or until `most` are answered; what is under way at the end stays so.
 * HY_EIO: the server cannot be reached any more. */
enum hy_err http_run(struct http *http, uint64_t ms, bool measure) HY_CHECKED;

/* The same in somebody else's loop: readable whenever http_step() has something to do, but for what
 * an open loop has due. */
int http_fd(const struct http *http);

/* Begin with the first requests; once. */
void http_begin(struct http *http);

/* Take what has come and send what is due, without waiting. HY_EIO: as http_run(). */
enum hy_err http_step(struct http *http) HY_CHECKED;

/* Make no more requests. */
void http_stop(struct http *http);

/* Is every request answered or cut? */
bool http_settled(const struct http *http);

/* Make no more requests, and wait for the answers of all that are under way: ms at most, then they
 * count as cut. */
void http_settle(struct http *http, uint64_t ms);

const struct http_count *http_counted(const struct http *http);

/* "http://host:port/path?query" to its three parts; false: not that. */
bool http_url(const char *url, char host[static 256], char port[static 8], const char **path);

/* Take one answer from the first len bytes. Its length, 0 when it is not whole yet, or -1 when it
 * is no HTTP/1.1 answer with a Content-Length. *close: the connection ends with it. Pure. */
long http_parse(const char *bytes, size_t len, struct http_answer *answer, bool *close);

#endif
