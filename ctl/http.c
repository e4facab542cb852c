#include "ctl/http.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { ANSWER_MAX = 1 << 20 };

static bool parse_url(const char *url, struct sockaddr_in *to)
{
    char host[INET_ADDRSTRLEN];
    uint16_t port = 0;

    if (sscanf(url, "http://%15[0-9.]:%" SCNu16, host, &port) != 2)
        return false;
    *to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    return inet_pton(AF_INET, host, &to->sin_addr) == 1;
}

static int open_link(const char *url, uint32_t wait_ms)
{
    struct sockaddr_in to;
    struct timeval wait = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};
    int fd = parse_url(url, &to) ? socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) != 0 ||
        connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int parse(const char *answer, char *body, size_t size)
{
    const char *text = strstr(answer, "\r\n\r\n");
    int status = 0;

    if (sscanf(answer, "HTTP/1.%*d %d", &status) != 1)
        return 0;
    if (size > 0)
        snprintf(body, size, "%s", text != NULL ? text + 4 : "");
    return status;
}

static bool send_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

        if (n <= 0)
            return false;
        text += n;
        len -= (size_t)n;
    }
    return true;
}

/* Ask with this head and text. */
static int ask(const char *url, const char *head, const char *text, uint32_t wait_ms, char *body,
               size_t size)
{
    char *answer = malloc(ANSWER_MAX);
    size_t used = 0;
    ssize_t n = 1;
    int status = 0;
    int fd = open_link(url, wait_ms);

    if (size > 0)
        body[0] = '\0';
    if (fd < 0 || answer == NULL || !send_all(fd, head, strlen(head)) ||
        !send_all(fd, text, strlen(text)))
        goto done;
    while (n > 0 && used < ANSWER_MAX - 1) {
        n = recv(fd, answer + used, ANSWER_MAX - 1 - used, 0);
        used += n > 0 ? (size_t)n : 0;
    }
    answer[used] = '\0';
    status = parse(answer, body, size);

done:
    if (fd >= 0)
        close(fd);
    free(answer);
    return status;
}

int http_get(uint16_t port, const char *path, uint32_t wait_ms, char *body, size_t size)
{
    char head[512], url[32];

    snprintf(url, sizeof url, "http://127.0.0.1:%u", port);
    snprintf(head, sizeof head, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
             path);
    return ask(url, head, "", wait_ms, body, size);
}

int http_post(const char *url, const char *path, const char *text, uint32_t wait_ms, char *body,
              size_t size)
{
    char head[8192];

    snprintf(head, sizeof head,
             "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
             "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
             path, strlen(text));
    return ask(url, head, text, wait_ms, body, size);
}
