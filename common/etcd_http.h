/* etcd_http - HTTP/1.1 requests on a loop, over libcurl, whose only door this is.
 *
 * Connections are kept and used again. A request ends with one call of its done; or it is a stream
 * whose lines come until it ends. Nothing is called from inside a function of this header. */

#ifndef COMMON_ETCD_HTTP_H
#define COMMON_ETCD_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/loop.h"

struct etcd_http;
struct etcd_http_call;

/* Files for https; each may be "". Kept, not copied. */
struct etcd_http_tls {
    const char *ca, *certificate, *key;
};

enum hy_err etcd_http_open(struct hy_loop *loop, const struct etcd_http_tls *tls,
                           struct etcd_http **http) HY_CHECKED;
void etcd_http_close(struct etcd_http **http); /* and what is open */

/* How a request ended. Lent. */
struct etcd_http_answer {
    enum hy_err err;  /* HY_OK: answered. HY_ECLOSED: surely nobody heard it. HY_ETIMEOUT, HY_EIO:
                         somebody may have */
    long status;      /* of HTTP */
    const char *text; /* of a stream: "" */
    size_t len;
    const char *why; /* for logs, if err is not HY_OK */
};

typedef void etcd_http_line_fn(void *arg, const char *line, size_t len);
typedef void etcd_http_done_fn(void *arg, const struct etcd_http_answer *answer);

struct etcd_http_request {
    const char *url, *body; /* a POST of JSON; copied */
    const char *token;      /* for the header Authorization; NULL: without */
    uint32_t timeout_ms;    /* of all of it; 0: until it ends */
    /* On a connection of its own: what is sent on a kept one that turns out to be dead is sent
     * again, though somebody may have heard it. */
    bool fresh;
    etcd_http_line_fn *line; /* NULL: no stream */
    etcd_http_done_fn *done;
    void *arg;
};

/* NULL: no memory. The call is over, and gone, when done begins. */
struct etcd_http_call *etcd_http_post(struct etcd_http *http,
                                      const struct etcd_http_request *request) HY_CHECKED;

/* End it; done is not called. *call is set to NULL. */
void etcd_http_cancel(struct etcd_http *http, struct etcd_http_call **call);

/* Ask and wait; for the last word of a process. True: answered with 200. */
bool etcd_http_post_now(struct etcd_http *http, const struct etcd_http_request *request);

#endif
