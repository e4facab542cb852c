/* floor - see floor.h: what the floors share. */

#include "bench/floor/floor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/peers/server.h"
#include "common/clock.h"

enum { BACKLOG = 4096, SOURCES = 8 };

static bool pinned;

void pin_sides(void)
{
    pinned = true;
}

void pin_to(int core)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(core, &set);
    if (pinned && sysconf(_SC_NPROCESSORS_ONLN) > core)
        (void)sched_setaffinity(0, sizeof set, &set);
}

pid_t start_side(int core, void (*side)(void *arg), void *arg)
{
    pid_t parent = getpid(), pid = fork();

    if (pid != 0)
        return pid;
    pin_to(core);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent)
        side(arg);
    _exit(EXIT_SUCCESS);
}

void stop_side(pid_t pid)
{
    if (pid <= 0)
        return;
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
}

void *share(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

static void own_cpu(uint64_t *user_us, uint64_t *system_us)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    *user_us = (uint64_t)usage.ru_utime.tv_sec * 1000000 + (uint64_t)usage.ru_utime.tv_usec;
    *system_us = (uint64_t)usage.ru_stime.tv_sec * 1000000 + (uint64_t)usage.ru_stime.tv_usec;
}

void watch_begin(struct watch *watch, pid_t server)
{
    watch->server = server;
    if (server > 0) {
        struct server_use use = server_use(&server, 1);

        watch->server_user_us = use.user_us;
        watch->server_system_us = use.system_us;
    }
    own_cpu(&watch->user_us, &watch->system_us);
    watch->begun_us = hy_steady_us();
}

bool watch_over(const struct watch *watch, uint32_t seconds)
{
    return hy_steady_us() - watch->begun_us >= seconds * 1000000ull;
}

void watch_end(const struct watch *watch, struct result *result)
{
    uint64_t user_us = 0, system_us = 0;

    result->seconds = (double)(hy_steady_us() - watch->begun_us) / 1e6;
    result->workers = 1;
    own_cpu(&user_us, &system_us);
    user_us -= watch->user_us;
    system_us -= watch->system_us;
    if (watch->server > 0) {
        struct server_use use = server_use(&watch->server, 1);

        result->driver_user_us = user_us;
        result->driver_system_us = system_us;
        user_us = use.user_us - watch->server_user_us;
        system_us = use.system_us - watch->server_system_us;
    }
    result->server.of[USAGE_OTHER].user_us = user_us;
    result->server.of[USAGE_OTHER].system_us = system_us;
}

int listen_somewhere(uint16_t *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, BACKLOG) == 0 &&
        getsockname(fd, (struct sockaddr *)&at, &len) == 0) {
        *port = ntohs(at.sin_port);
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

int connect_to(uint16_t port, uint32_t index)
{
    struct sockaddr_in from = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + index % SOURCES)};
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) == 0 &&
        connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    close(fd);
    return -1;
}

bool write_all(int fd, const void *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = send(fd, (const char *)bytes + at, len - at, MSG_NOSIGNAL);

        if (n < 0 && errno != EINTR)
            return false;
        at += n > 0 ? (size_t)n : 0;
    }
    return true;
}

bool read_all(int fd, void *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = recv(fd, (char *)bytes + at, len - at, 0);

        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
        at += n > 0 ? (size_t)n : 0;
    }
    return true;
}
