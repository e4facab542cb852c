/* http - see http.h. */

#include "bench/http.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"

enum { REQUEST_MOST = 64 * 1024, READ_BYTES = 16 * 1024, EVENTS = 256, IDLE_US = 10000 };

struct asked { /* one request under way */
    uint64_t number, due_us;
};

struct connection {
    struct http *http;
    TAILQ_ENTRY(connection) link; /* among the free ones */
    bool is_free;
    int fd;
    bool wants_write;
    struct hy_buf out, in;
    struct asked *asked; /* a ring of `pipeline` */
    uint32_t first, count;
};

struct http {
    struct http_job job;
    struct sockaddr_storage address;
    socklen_t address_len;
    int epoll;
    struct connection *connections;
    TAILQ_HEAD(, connection) unused; /* with room for one more request */
    uint64_t number;                 /* of the last request */
    uint64_t begun_us, due;          /* open loop: when it began, and how many have left */
    bool stopping, measuring, unreachable;
    struct http_count count;
};

/* ---------------------------------------------------------------- addresses, answers */

bool http_url(const char *url, char host[static 256], char port[static 8], const char **path)
{
    size_t len, host_len;
    const char *colon;

    if (strncmp(url, "http://", 7) != 0)
        return false;
    url += 7;
    len = strcspn(url, "/?");
    colon = memrchr(url, ':', len);
    host_len = colon != NULL ? (size_t)(colon - url) : len;
    if (host_len == 0 || host_len > 255 || (colon != NULL && len - host_len > 6))
        return false;
    snprintf(host, 256, "%.*s", (int)host_len, url);
    if (colon != NULL)
        snprintf(port, 8, "%.*s", (int)(len - host_len - 1), colon + 1);
    else
        snprintf(port, 8, "80");
    *path = url[len] == '/' ? url + len : "/";
    return true;
}

/* The value of a header line, or NULL when the line is of another one. */
static const char *value_of(const char *line, const char *name)
{
    size_t len = strlen(name);

    if (strncasecmp(line, name, len) != 0 || line[len] != ':')
        return NULL;
    line += len + 1;
    return line + strspn(line, " \t");
}

long http_parse(const char *bytes, size_t len, struct http_answer *answer, bool *close)
{
    const char *head_end = memmem(bytes, len, "\r\n\r\n", 4);
    bool has_length = false;
    size_t body_len = 0;

    if (head_end == NULL)
        return len > REQUEST_MOST ? -1 : 0;
    if (strncmp(bytes, "HTTP/1.1 ", 9) != 0)
        return -1;
    answer->status = atoi(bytes + 9);
    *close = false;
    for (const char *line = memmem(bytes, len, "\r\n", 2); line < head_end;
         line = memmem(line + 2, len - (size_t)(line + 2 - bytes), "\r\n", 2)) {
        const char *value = value_of(line + 2, "Content-Length");

        if (value != NULL) {
            body_len = strtoul(value, NULL, 10);
            has_length = true;
        }
        value = value_of(line + 2, "Connection");
        if (value != NULL && strncasecmp(value, "close", 5) == 0)
            *close = true;
    }
    if (!has_length)
        return -1;
    answer->body = head_end + 4;
    answer->len = body_len;
    len -= (size_t)(answer->body - bytes);
    return len < body_len ? 0 : (long)(answer->body - bytes) + (long)body_len;
}

/* ---------------------------------------------------------------- connections */

static void set_free(struct connection *c, bool is_free)
{
    if (c->is_free == is_free)
        return;
    if (is_free)
        TAILQ_INSERT_TAIL(&c->http->unused, c, link);
    else
        TAILQ_REMOVE(&c->http->unused, c, link);
    c->is_free = is_free;
}

static bool interest(struct connection *c, int how, bool write)
{
    struct epoll_event event = {.events = EPOLLIN | (write ? EPOLLOUT : 0u), .data.ptr = c};

    c->wants_write = write;
    return epoll_ctl(c->http->epoll, how, c->fd, &event) == 0;
}

/* Blocks for as long as loopback takes; a server that does not listen any more ends the run. */
static bool dial(struct connection *c)
{
    int one = 1, fd = socket(c->http->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return false;
    if (connect(fd, (struct sockaddr *)&c->http->address, c->http->address_len) != 0 ||
        fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
        close(fd);
        return false;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->fd = fd;
    set_free(c, true);
    return interest(c, EPOLL_CTL_ADD, false);
}

static void hang_up(struct connection *c)
{
    c->http->count.cut += c->count;
    c->count = 0;
    c->out.len = c->in.len = 0;
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    set_free(c, false);
}

static void again(struct connection *c)
{
    hang_up(c);
    if (!c->http->stopping && !dial(c))
        c->http->unreachable = true;
}

/* ---------------------------------------------------------------- requests */

/* Send what waits. False: the connection is lost. */
static bool flush(struct connection *c)
{
    while (c->out.len > 0) {
        ssize_t n = send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            break;
        if (n < 0)
            return false;
        hy_buf_drop(&c->out, (size_t)n);
    }
    return c->wants_write == (c->out.len > 0) || interest(c, EPOLL_CTL_MOD, c->out.len > 0);
}

static bool may_ask(const struct http *http)
{
    return !http->stopping && (http->job.most == 0 || http->number < http->job.most);
}

static bool under_way(const struct http *http)
{
    return http->count.good + http->count.bad + http->count.cut < http->count.sent;
}

/* Append one request; flush() sends it. */
static bool ask(struct connection *c, uint64_t due_us)
{
    struct http *http = c->http;
    size_t len;

    if (hy_buf_reserve(&c->out, REQUEST_MOST) != HY_OK)
        return false;
    len = http->job.write(http->job.ctx, http->number + 1, (char *)c->out.data + c->out.len,
                          REQUEST_MOST);
    if (len == 0) {
        fprintf(stderr, "a request is over %u bytes\n", REQUEST_MOST);
        http->unreachable = true;
        return false;
    }
    c->out.len += len;
    c->asked[(c->first + c->count) % http->job.pipeline] =
        (struct asked){.number = ++http->number, .due_us = due_us};
    c->count++;
    http->count.sent++;
    set_free(c, c->count < http->job.pipeline);
    return true;
}

/* Closed loop: fill every place of a connection. */
static bool fill(struct connection *c)
{
    while (may_ask(c->http) && c->http->job.rate == 0 && c->count < c->http->job.pipeline)
        if (!ask(c, hy_steady_us()))
            return false;
    return flush(c);
}

static void judge(struct connection *c, struct http_answer *answer)
{
    struct http *http = c->http;
    struct asked asked = c->asked[c->first];

    c->first = (c->first + 1) % http->job.pipeline;
    c->count--;
    set_free(c, true);
    answer->number = asked.number;
    answer->due_us = asked.due_us;
    if (!http->job.good(http->job.ctx, answer)) {
        if (http->count.bad++ == 0)
            fprintf(stderr, "a request failed: HTTP %d %.*s\n", answer->status,
                    (int)(answer->len > 300 ? 300 : answer->len), answer->body);
        return;
    }
    http->count.good++;
    if (http->measuring)
        hist_add(&http->count.latency, hy_steady_us() - asked.due_us);
}

/* False: the connection ends here. */
static bool take_answers(struct connection *c)
{
    size_t used = 0;

    while (c->count > 0 && used < c->in.len) {
        struct http_answer answer = {0};
        bool close = false;
        long len = http_parse((char *)c->in.data + used, c->in.len - used, &answer, &close);

        if (len < 0)
            return false;
        if (len == 0)
            break;
        judge(c, &answer);
        used += (size_t)len;
        if (close)
            return false;
    }
    if (c->count == 0 && used < c->in.len)
        return false; /* more than was asked for */
    hy_buf_drop(&c->in, used);
    return true;
}

static bool read_some(struct connection *c)
{
    ssize_t n;

    if (hy_buf_reserve(&c->in, READ_BYTES) != HY_OK)
        return false;
    n = recv(c->fd, c->in.data + c->in.len, READ_BYTES, 0);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    if (n == 0)
        return false;
    c->in.len += (size_t)n;
    return take_answers(c);
}

static void on_ready(struct connection *c, uint32_t events)
{
    bool good = true;

    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        good = read_some(c);
    if (good)
        good = fill(c); /* and what waited for room */
    if (!good)
        again(c);
}

/* ---------------------------------------------------------------- time */

/* Open loop: when request number k of this run is due. */
static uint64_t due_us(const struct http *http)
{
    return http->begun_us + http->due * 1000000ull / http->job.rate;
}

static void send_due(struct http *http)
{
    while (http->job.rate > 0 && may_ask(http) && !http->unreachable &&
           !TAILQ_EMPTY(&http->unused) && due_us(http) <= hy_steady_us()) {
        struct connection *c = TAILQ_FIRST(&http->unused);

        if (ask(c, due_us(http)))
            http->due++;
        if (!flush(c))
            again(c);
    }
}

static void take_ready(struct http *http, const struct timespec *pause)
{
    struct epoll_event events[EVENTS];
    int n = epoll_pwait2(http->epoll, events, EVENTS, pause, NULL);

    for (int i = 0; i < n; i++)
        on_ready(events[i].data.ptr, events[i].events);
}

static void turn(struct http *http, uint64_t until_us)
{
    uint64_t now = hy_steady_us(), wait = IDLE_US;
    struct timespec pause;

    if (http->job.rate > 0 && may_ask(http) && !TAILQ_EMPTY(&http->unused) &&
        due_us(http) < now + wait)
        wait = due_us(http) > now ? due_us(http) - now : 0;
    if (until_us < now + wait)
        wait = until_us > now ? until_us - now : 0;
    pause = (struct timespec){.tv_sec = 0, .tv_nsec = (long)wait * 1000};
    take_ready(http, &pause);
}

void http_begin(struct http *http)
{
    http->begun_us = hy_steady_us();
    for (uint32_t i = 0; i < http->job.connections; i++)
        if (!fill(&http->connections[i]))
            again(&http->connections[i]);
}

int http_fd(const struct http *http)
{
    return http->epoll;
}

void http_stop(struct http *http)
{
    http->stopping = true;
}

bool http_settled(const struct http *http)
{
    return !under_way(http);
}

static enum hy_err reachable(const struct http *http)
{
    if (http->unreachable)
        fprintf(stderr, "%s: not reachable any more\n", http->job.url);
    return http->unreachable ? HY_EIO : HY_OK;
}

enum hy_err http_step(struct http *http)
{
    const struct timespec now = {0};

    send_due(http);
    take_ready(http, &now);
    return reachable(http);
}

enum hy_err http_run(struct http *http, uint64_t ms, bool measure)
{
    uint64_t until = hy_steady_us() + ms * 1000;

    http->measuring = measure;
    if (http->begun_us == 0)
        http_begin(http);
    while (!http->unreachable && hy_steady_us() < until && (may_ask(http) || under_way(http))) {
        send_due(http);
        turn(http, until);
    }
    http->measuring = false;
    return reachable(http);
}

void http_settle(struct http *http, uint64_t ms)
{
    uint64_t until = hy_steady_us() + ms * 1000;

    http->stopping = true;
    while (under_way(http) && hy_steady_us() < until)
        turn(http, until);
    for (uint32_t i = 0; i < http->job.connections; i++)
        hang_up(&http->connections[i]);
}

const struct http_count *http_counted(const struct http *http)
{
    return &http->count;
}

/* ---------------------------------------------------------------- opening */

static enum hy_err look_up(struct http *http)
{
    char host[256], port[8];
    const char *path = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;

    if (!http_url(http->job.url, host, port, &path) ||
        getaddrinfo(host, port, &hints, &found) != 0 || found == NULL) {
        fprintf(stderr, "%s: not an address like http://127.0.0.1:8080\n", http->job.url);
        return HY_ECONFIG;
    }
    memcpy(&http->address, found->ai_addr, found->ai_addrlen);
    http->address_len = found->ai_addrlen;
    freeaddrinfo(found);
    return HY_OK;
}

static enum hy_err connect_all(struct http *http)
{
    for (uint32_t i = 0; i < http->job.connections; i++) {
        struct connection *c = &http->connections[i];

        c->http = http;
        c->fd = -1;
        c->asked = calloc(http->job.pipeline, sizeof *c->asked);
        if (c->asked == NULL)
            return HY_ENOMEM;
        if (!dial(c)) {
            fprintf(stderr, "%s: %s (connection %u)\n", http->job.url, strerror(errno), i + 1);
            return HY_EIO;
        }
    }
    return HY_OK;
}

enum hy_err http_open(const struct http_job *job, struct http **http)
{
    enum hy_err err = HY_ENOMEM;
    struct http *h = calloc(1, sizeof *h);

    if (h == NULL)
        return err;
    h->job = *job;
    if (h->job.pipeline == 0)
        h->job.pipeline = 1;
    TAILQ_INIT(&h->unused);
    h->epoll = epoll_create1(EPOLL_CLOEXEC);
    h->connections = calloc(job->connections, sizeof *h->connections);
    if (h->epoll >= 0 && h->connections != NULL)
        err = look_up(h);
    if (err == HY_OK)
        err = connect_all(h);
    if (err == HY_OK)
        *http = h;
    else
        http_close(&h);
    return err;
}

void http_close(struct http **http)
{
    struct http *h = *http;

    if (h == NULL)
        return;
    *http = NULL;
    for (uint32_t i = 0; h->connections != NULL && i < h->job.connections; i++) {
        struct connection *c = &h->connections[i];

        if (c->http == NULL)
            break;
        hang_up(c);
        hy_buf_free(&c->out);
        hy_buf_free(&c->in);
        free(c->asked);
    }
    free(h->connections);
    if (h->epoll >= 0)
        close(h->epoll);
    free(h);
}
