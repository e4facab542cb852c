/* sockets - the floors of the network: echo, fan-out, connections. */

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench/floor/floor.h"
#include "common/clock.h"

enum { EVENTS = 512, READ_BYTES = 1 << 16 };

struct listener {
    int fd;
    uint16_t port;
};

static bool watch_fd(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* Send back what came; a peer that stops reading is waited for, as all bytes fit its buffers. */
static void echo_one(int fd)
{
    static char buffer[READ_BYTES];
    ssize_t n = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);

    if (n == 0 || (n < 0 && errno != EAGAIN) || (n > 0 && !write_all(fd, buffer, (size_t)n)))
        close(fd);
}

static void echo_side(void *arg)
{
    const struct listener *listener = arg;
    struct epoll_event events[EVENTS];
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    if (!watch_fd(epoll, listener->fd))
        return;
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1);

        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;

            if (fd != listener->fd)
                echo_one(fd);
            else if ((fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
                watch_fd(epoll, fd);
        }
    }
}

struct caller { /* one link of the echo's other side */
    int fd;
    uint64_t sent_us;
    size_t owed; /* bytes that have not come back */
};

static bool call_again(struct caller *caller, const char *frames, size_t len)
{
    caller->owed = len;
    caller->sent_us = hy_steady_us();
    return write_all(caller->fd, frames, len);
}

static bool hear_back(struct caller *caller, const struct floor_options *o, const char *frames,
                      struct result *result)
{
    static char buffer[READ_BYTES];
    ssize_t n = recv(caller->fd, buffer, sizeof buffer, MSG_DONTWAIT);

    if (n <= 0)
        return n < 0 && errno == EAGAIN;
    caller->owed -= (size_t)n < caller->owed ? (size_t)n : caller->owed;
    if (caller->owed > 0)
        return true;
    hist_add(&result->latency, hy_steady_us() - caller->sent_us);
    result->operations += o->window;
    return call_again(caller, frames, (size_t)o->window * o->bytes);
}

static bool call_all(struct caller *callers, const struct floor_options *o, const char *frames,
                     int epoll, uint16_t port)
{
    for (uint32_t i = 0; i < o->links; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &callers[i]};

        callers[i].fd = connect_to(port, i);
        if (callers[i].fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, callers[i].fd, &event) != 0 ||
            !call_again(&callers[i], frames, (size_t)o->window * o->bytes))
            return false;
    }
    return true;
}

enum hy_err floor_echo(const struct floor_options *o, struct result *result)
{
    struct listener listener = {.fd = -1};
    struct caller *callers = calloc(o->links, sizeof *callers);
    char *frames = calloc(o->window, o->bytes);
    struct epoll_event events[EVENTS];
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct watch watch;
    pid_t side = 0;
    bool good = callers != NULL && frames != NULL;

    listener.fd = listen_somewhere(&listener.port);
    side = start_side(1, echo_side, &listener);
    good = good && side > 0 && call_all(callers, o, frames, epoll, listener.port);
    watch_begin(&watch, side);
    memset(&result->latency, 0, sizeof result->latency);
    while (good && !watch_over(&watch, o->seconds)) {
        int count = epoll_wait(epoll, events, EVENTS, 100);

        for (int i = 0; i < count && good; i++)
            good = hear_back(events[i].data.ptr, o, frames, result);
    }
    watch_end(&watch, result);
    result->latency_from = "send to echo";
    stop_side(side);
    for (uint32_t i = 0; callers != NULL && i < o->links; i++)
        close(callers[i].fd);
    free(callers);
    free(frames);
    close(epoll);
    close(listener.fd);
    return good ? HY_OK : HY_EIO;
}

/* ---- fan-out ---- */

struct audience {
    uint32_t links;
    uint16_t port;
    _Atomic uint32_t *connected;
};

/* Read all there is, whatever it is. */
static void audience_side(void *arg)
{
    const struct audience *audience = arg;
    static char buffer[READ_BYTES];
    struct epoll_event events[EVENTS];
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    for (uint32_t i = 0; i < audience->links; i++) {
        int fd = connect_to(audience->port, i);

        if (fd < 0 || !watch_fd(epoll, fd))
            return;
        atomic_fetch_add(audience->connected, 1);
    }
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1);

        for (int i = 0; i < count; i++)
            if (recv(events[i].data.fd, buffer, sizeof buffer, MSG_DONTWAIT) == 0)
                return;
    }
}

static bool accept_all(int listener, int *fds, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        fds[i] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fds[i] < 0)
            return false;
    }
    return true;
}

/* One send() to each; who has no room is left out, as a server would queue it. false: one is gone.
 */
static bool tell_all(const int *fds, const struct floor_options *o, const char *frames,
                     uint64_t *bytes)
{
    uint64_t before = *bytes;
    struct pollfd first = {.fd = fds[0], .events = POLLOUT};

    for (uint32_t i = 0; i < o->links; i++) {
        ssize_t n = send(fds[i], frames, (size_t)o->batch * o->bytes, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno != EAGAIN)
            return false;
        *bytes += n > 0 ? (uint64_t)n : 0;
    }
    if (*bytes == before)
        (void)poll(&first, 1, 10);
    return true;
}

enum hy_err floor_fanout(const struct floor_options *o, struct result *result)
{
    struct audience audience = {.links = o->links, .connected = share(sizeof(uint32_t))};
    int listener = listen_somewhere(&audience.port), *fds = calloc(o->links, sizeof *fds);
    char *frames = calloc(o->batch, o->bytes);
    struct watch watch;
    uint64_t bytes = 0;
    pid_t side = 0;
    bool good = fds != NULL && frames != NULL && audience.connected != NULL;

    side = good ? start_side(1, audience_side, &audience) : -1;
    good = good && side > 0 && accept_all(listener, fds, o->links);
    good = good && tell_all(fds, o, frames, &bytes); /* the first round finds its pages */
    bytes = 0;
    watch_begin(&watch, 0);
    while (good && !watch_over(&watch, o->seconds))
        good = tell_all(fds, o, frames, &bytes);
    result->operations = bytes / o->bytes;
    watch_end(&watch, result);
    stop_side(side);
    for (uint32_t i = 0; fds != NULL && i < o->links; i++)
        if (fds[i] > 0)
            close(fds[i]);
    free(fds);
    free(frames);
    close(listener);
    return good ? HY_OK : HY_EIO;
}

/* ---- connections ---- */

static bool call_once(uint16_t port, uint32_t index, char *frame, size_t len)
{
    int fd = connect_to(port, index);
    bool good = fd >= 0 && write_all(fd, frame, len) && read_all(fd, frame, len);

    if (fd >= 0)
        close(fd);
    return good;
}

struct callers { /* several processes: one would wait for the other side most of the time */
    uint16_t port;
    uint32_t bytes, index;
    _Atomic uint64_t *calls;
};

static void calling_side(void *arg)
{
    const struct callers *callers = arg;
    char frame[READ_BYTES] = {0};

    for (uint32_t i = callers->index; call_once(callers->port, i, frame, callers->bytes); i++)
        atomic_fetch_add(callers->calls, 1);
}

enum hy_err floor_connect(const struct floor_options *o, struct result *result)
{
    enum { CALLERS = 4 };
    struct listener listener = {.fd = -1};
    struct callers callers = {.bytes = o->bytes, .calls = share(sizeof(uint64_t))};
    struct timespec pause = {.tv_nsec = 10000000};
    pid_t side = 0, calling[CALLERS] = {0};
    struct watch watch;
    uint64_t before = 0;
    bool good = true;

    listener.fd = listen_somewhere(&listener.port);
    callers.port = listener.port;
    side = start_side(0, echo_side, &listener);
    for (uint32_t i = 0; i < CALLERS && callers.calls != NULL; i++) {
        callers.index = i;
        calling[i] = start_side(1, calling_side, &callers);
        good = good && calling[i] > 0;
    }
    good = good && callers.calls != NULL && side > 0;
    watch_begin(&watch, side);
    before = good ? atomic_load(callers.calls) : 0;
    while (good && !watch_over(&watch, o->seconds))
        nanosleep(&pause, NULL);
    result->operations = good ? atomic_load(callers.calls) - before : 0;
    watch_end(&watch, result);
    for (uint32_t i = 0; i < CALLERS; i++)
        stop_side(calling[i]);
    stop_side(side);
    close(listener.fd);
    return good && result->operations > 0 ? HY_OK : HY_EIO;
}
