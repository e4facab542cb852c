/* link - see link.h. */

#include "bench/peers/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/peers/load.h"

enum { SOURCES = 8, LEAST_ROOM = 512 };

static struct sockaddr_in loopback(uint32_t last, uint16_t port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons(port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK + last)};
}

enum hy_err link_open(struct link *link, uint16_t port)
{
    struct sockaddr_in from = loopback(1 + link->index % SOURCES, 0), to = loopback(0, port);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = link};
    int one = 1;

    link->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (link->fd < 0)
        return HY_EIO;
    (void)setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    (void)setsockopt(link->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    link->blocked = true; /* writable once it is connected */
    if (bind(link->fd, (struct sockaddr *)&from, sizeof from) != 0 ||
        (connect(link->fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS) ||
        epoll_ctl(link->worker->epoll, EPOLL_CTL_ADD, link->fd, &event) != 0) {
        perror("connecting");
        link_close(link);
        return HY_EIO;
    }
    return HY_OK;
}

static void bytes_free(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){.data = NULL};
}

void link_close(struct link *link)
{
    if (link->fd >= 0)
        close(link->fd);
    link->fd = -1;
    link->online = false;
    bytes_free(&link->in);
    bytes_free(&link->out);
}

void link_put(struct link *link, const void *bytes, size_t len)
{
    struct bytes *out = &link->out;

    if (link->fd < 0)
        return;
    if (out->at + out->len + len > out->room) {
        size_t room = 2 * (out->len + len) + LEAST_ROOM;
        uint8_t *data = malloc(room);

        if (data == NULL)
            abort(); /* a driver without memory measures nothing */
        if (out->len > 0)
            memcpy(data, out->data + out->at, out->len);
        free(out->data);
        *out = (struct bytes){data, 0, out->len, room};
    }
    memcpy(out->data + out->at + out->len, bytes, len);
    out->len += len;
    if (!link->dirty) {
        link->dirty = true;
        link->next_dirty = link->worker->dirty;
        link->worker->dirty = link;
    }
}

static void wait_for_room(struct link *link, bool wait)
{
    struct epoll_event event = {.events = wait ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = link};

    if (link->blocked != wait)
        (void)epoll_ctl(link->worker->epoll, EPOLL_CTL_MOD, link->fd, &event);
    link->blocked = wait;
}

enum hy_err link_flush(struct link *link)
{
    struct bytes *out = &link->out;

    while (out->len > 0) {
        ssize_t n = send(link->fd, out->data + out->at, out->len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == ENOTCONN)) {
            wait_for_room(link, true);
            return HY_OK;
        }
        if (n < 0)
            return HY_EIO;
        out->at += (size_t)n;
        out->len -= (size_t)n;
    }
    bytes_free(out); /* an idle link of the driver is small too */
    wait_for_room(link, false);
    return HY_OK;
}
