#include "common/etcd_http.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"

enum { ANSWER_MAX = 32 << 20, CONNECT_MS = 500 };

struct etcd_http_call {
    struct etcd_http_call *next, **link;
    struct etcd_http *http;
    CURL *easy;
    struct curl_slist *headers;
    struct hy_buf got;
    char error[CURL_ERROR_SIZE];
    bool fresh_lines; /* came since lines were last told */
    etcd_http_line_fn *line;
    etcd_http_done_fn *done;
    void *arg;
};

/* A descriptor of curl's. */
struct socket_watch {
    struct socket_watch *next, **link;
    struct etcd_http *http;
    struct hy_watch *watch;
};

struct etcd_http {
    struct hy_loop *loop;
    struct etcd_http_tls tls;
    CURLM *multi;
    struct hy_timer *timer;
    struct etcd_http_call *calls;
    struct socket_watch *sockets;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init_curl(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        abort(); /* only when there is no memory at the start */
}

/* ---- calls ---- */

static void call_free(struct etcd_http_call *call)
{
    if (call->link != NULL) {
        *call->link = call->next;
        if (call->next != NULL)
            call->next->link = call->link;
    }
    if (call->easy != NULL) {
        (void)curl_multi_remove_handle(call->http->multi, call->easy);
        curl_easy_cleanup(call->easy);
    }
    curl_slist_free_all(call->headers);
    hy_buf_free(&call->got);
    free(call);
}

/* Inside curl: only keep what came. */
static size_t on_bytes(char *bytes, size_t size, size_t count, void *arg)
{
    struct etcd_http_call *call = arg;
    size_t len = size * count;

    if (call->got.len + len > ANSWER_MAX || hy_buf_put(&call->got, bytes, len) != HY_OK)
        return 0; /* ends the transfer */
    call->fresh_lines = call->line != NULL;
    return len;
}

static bool add_header(struct etcd_http_call *call, const char *header)
{
    struct curl_slist *headers = curl_slist_append(call->headers, header);

    if (headers != NULL)
        call->headers = headers;
    return headers != NULL;
}

static bool add_headers(struct etcd_http_call *call, const char *token)
{
    char line[2100];

    /* without the second a member that has lost the others stays silent for ever */
    if (!add_header(call, "Content-Type: application/json") ||
        !add_header(call, "Grpc-Metadata-hasleader: true") || !add_header(call, "Expect:"))
        return false;
    if (token == NULL)
        return true;
    if (snprintf(line, sizeof line, "Authorization: %s", token) >= (int)sizeof line)
        return false;
    bool good = add_header(call, line);

    explicit_bzero(line, sizeof line);
    return good;
}

static void set_tls(CURL *easy, const struct etcd_http_tls *tls)
{
    if (*tls->ca != '\0')
        curl_easy_setopt(easy, CURLOPT_CAINFO, tls->ca);
    if (*tls->certificate != '\0')
        curl_easy_setopt(easy, CURLOPT_SSLCERT, tls->certificate);
    if (*tls->key != '\0')
        curl_easy_setopt(easy, CURLOPT_SSLKEY, tls->key);
}

static bool set_up(struct etcd_http_call *call, const struct etcd_http_request *request)
{
    CURL *easy = call->easy;

    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->error);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 5L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 2L);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, request->fresh ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    set_tls(easy, &call->http->tls);
    return add_headers(call, request->token) &&
           curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_URL, request->url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request->body) == CURLE_OK;
}

static struct etcd_http_call *call_make(struct etcd_http *http,
                                        const struct etcd_http_request *request)
{
    struct etcd_http_call *call = calloc(1, sizeof *call);

    if (call == NULL)
        return NULL;
    call->http = http;
    call->line = request->line;
    call->done = request->done;
    call->arg = request->arg;
    call->easy = curl_easy_init();
    if (call->easy == NULL || !set_up(call, request)) {
        call_free(call);
        return NULL;
    }
    return call;
}

struct etcd_http_call *etcd_http_post(struct etcd_http *http,
                                      const struct etcd_http_request *request)
{
    struct etcd_http_call *call = call_make(http, request);

    if (call != NULL && curl_multi_add_handle(http->multi, call->easy) != CURLM_OK) {
        call_free(call);
        return NULL;
    }
    if (call == NULL)
        return NULL;
    call->next = http->calls;
    call->link = &http->calls;
    if (call->next != NULL)
        call->next->link = &call->next;
    http->calls = call;
    return call;
}

void etcd_http_cancel(struct etcd_http *http, struct etcd_http_call **call)
{
    (void)http;
    if (*call != NULL)
        call_free(*call);
    *call = NULL;
}

bool etcd_http_post_now(struct etcd_http *http, const struct etcd_http_request *request)
{
    struct etcd_http_call *call = call_make(http, request);
    long status = 0;

    if (call == NULL)
        return false;
    if (curl_easy_perform(call->easy) == CURLE_OK)
        curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    call_free(call);
    return status == 200;
}

/* ---- what came ---- */

/* Tell one line of a stream. True: there was one; the call may be gone. */
static bool tell_line(struct etcd_http_call *call)
{
    uint8_t *end = call->got.len > 0 ? memchr(call->got.data, '\n', call->got.len) : NULL;
    struct hy_buf line = {0};

    if (end == NULL)
        return false;
    size_t len = (size_t)(end - call->got.data);

    /* the call may be gone while the line is looked at */
    if (hy_buf_put(&line, call->got.data, len + 1) != HY_OK)
        return false;
    hy_buf_drop(&call->got, len + 1);
    call->line(call->arg, (char *)line.data, len);
    hy_buf_free(&line);
    return true;
}

/* Whoever is told may start and end calls, so that the list is begun anew each time. */
static void tell_lines(struct etcd_http *http)
{
    struct etcd_http_call *call = http->calls;

    while (call != NULL) {
        if (!call->fresh_lines)
            call = call->next;
        else if (tell_line(call))
            call = http->calls;
        else
            call->fresh_lines = false;
    }
}

static enum hy_err outcome(CURL *easy, CURLcode code)
{
    long sent = 0;

    if (code == CURLE_OK)
        return HY_OK;
    curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &sent);
    if (sent == 0)
        return HY_ECLOSED;
    return code == CURLE_OPERATION_TIMEDOUT ? HY_ETIMEOUT : HY_EIO;
}

static void finish(struct etcd_http_call *call, CURLcode code)
{
    etcd_http_done_fn *done = call->done;
    void *arg = call->arg;
    struct hy_buf got = call->got;
    char error[CURL_ERROR_SIZE];
    struct etcd_http_answer answer = {.err = outcome(call->easy, code),
                                      .text = got.len > 0 ? (char *)got.data : "",
                                      .len = got.len,
                                      .why = error};

    snprintf(error, sizeof error, "%s",
             *call->error != '\0' ? call->error : curl_easy_strerror(code));
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &answer.status);
    call->got = (struct hy_buf){0};
    call_free(call);
    done(arg, &answer);
    hy_buf_free(&got);
}

static void tell_ended(struct etcd_http *http)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
        void *call = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
        finish(call, message->data.result);
    }
}

static void act(struct etcd_http *http, curl_socket_t fd, int what)
{
    int running;

    (void)curl_multi_socket_action(http->multi, fd, what, &running);
    tell_lines(http);
    tell_ended(http);
}

/* ---- curl on the loop ---- */

static void on_ready(int fd, unsigned ready, void *arg)
{
    struct socket_watch *s = arg;

    act(s->http, fd,
        (ready & HY_READ ? CURL_CSELECT_IN : 0) | (ready & HY_WRITE ? CURL_CSELECT_OUT : 0));
}

static void on_timer(void *arg)
{
    act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static void socket_free(struct socket_watch *s)
{
    *s->link = s->next;
    if (s->next != NULL)
        s->next->link = s->link;
    hy_watch_close(&s->watch);
    free(s);
}

static struct socket_watch *socket_make(struct etcd_http *http, curl_socket_t fd, unsigned interest)
{
    struct socket_watch *s = calloc(1, sizeof *s);

    if (s == NULL || hy_watch_open(http->loop, fd, interest, on_ready, s, &s->watch) != HY_OK) {
        free(s);
        return NULL;
    }
    s->http = http;
    s->next = http->sockets;
    s->link = &http->sockets;
    if (s->next != NULL)
        s->next->link = &s->next;
    http->sockets = s;
    return s;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *known)
{
    unsigned interest = (what & CURL_POLL_IN ? HY_READ : 0) | (what & CURL_POLL_OUT ? HY_WRITE : 0);
    struct etcd_http *http = ctx;
    struct socket_watch *s = known;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (s != NULL)
            socket_free(s);
        return 0;
    }
    if (s != NULL)
        return hy_watch_set(s->watch, interest) == HY_OK ? 0 : -1;
    s = socket_make(http, fd, interest);
    if (s == NULL)
        return -1;
    (void)curl_multi_assign(http->multi, fd, s);
    return 0;
}

static int on_timeout(CURLM *multi, long ms, void *ctx)
{
    struct etcd_http *http = ctx;

    (void)multi;
    if (ms < 0)
        hy_timer_stop(http->timer);
    else
        hy_timer_set(http->timer, (uint64_t)ms);
    return 0;
}

enum hy_err etcd_http_open(struct hy_loop *loop, const struct etcd_http_tls *tls,
                           struct etcd_http **http)
{
    struct etcd_http *h = calloc(1, sizeof *h);
    enum hy_err err = HY_ENOMEM;

    if (h == NULL)
        return HY_ENOMEM;
    pthread_once(&once, init_curl);
    h->loop = loop;
    h->tls = *tls;
    h->multi = curl_multi_init();
    if (h->multi != NULL)
        err = hy_timer_open(loop, on_timer, h, &h->timer);
    if (err != HY_OK) {
        etcd_http_close(&h);
        return err;
    }
    curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
    curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
    curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
    *http = h;
    return HY_OK;
}

void etcd_http_close(struct etcd_http **http)
{
    struct etcd_http *h = *http;

    if (h == NULL)
        return;
    *http = NULL;
    while (h->calls != NULL)
        call_free(h->calls); /* unlinks itself. NOLINT(clang-analyzer-unix.Malloc) */
    if (h->multi != NULL)
        (void)curl_multi_cleanup(h->multi);
    while (h->sockets != NULL)
        socket_free(h->sockets); /* unlinks itself. NOLINT(clang-analyzer-unix.Malloc) */
    hy_timer_close(&h->timer);
    free(h);
}
