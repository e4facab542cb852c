#include "common/bus_zmq.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <zmq.h>

#include "common/bus.h"
#include "common/bus_context.h"
#include "common/bus_curve.h"
#include "common/clock.h"
#include "common/handover.h"
#include "common/log.h"

enum {
    ENDPOINT_BYTES = 512,
    HIGH_WATER = 256, /* batches; records beyond wait in the bus's own queue */
    LINGER_MS = 200,  /* for a last goodbye */
    DEAD_MS = 5000,   /* TCP gives a connection up when nothing sent was confirmed for so long. A */
                      /* stopped process keeps its links: its kernel confirms */
    CONNECT_MS = 1000, /* for a connection to be made; TCP's own tries come ever more rarely */
    HANDSHAKE_MS = 5000,
    RECONNECT_MS = 20,
    RECONNECT_MOST_MS = 500,
    MESSAGE_MAX = 40 << 20,
    ZAP_DOMAIN_MAX = 254,
};

struct bus_socket {
    void *context, *zmq, *monitor;
    struct hy_watch *watch, *monitor_watch;
    bool serve, used, monitor_fired;
    zmq_msg_t message; /* the one lent */
    char endpoint[ENDPOINT_BYTES];
    void (*ready)(void *arg);
    void *arg;
};

/* ---- opening ---- */

static bool is_ipc(const char *endpoint)
{
    return strncmp(endpoint, "ipc://", 6) == 0;
}

/* An ipc path must fit, and nobody else may put a socket in its place. */
static enum hy_err check_ipc(const char *endpoint, bool serve)
{
    const char *path = endpoint + 6, *slash = strrchr(path, '/');
    char dir[sizeof((struct sockaddr_un *)0)->sun_path] = ".";
    struct stat st;

    if (strlen(path) >= sizeof dir) {
        hy_log_error("bus.endpoint", "endpoint=\"%s\" why=\"an ipc path has at most %zu bytes\"",
                     endpoint, sizeof dir - 1);
        return HY_ECONFIG;
    }
    if (!serve)
        return HY_OK;
    if (slash != NULL)
        snprintf(dir, sizeof dir, "%.*s", (int)(slash > path ? slash - path : 1), path);
    if (stat(dir, &st) != 0) {
        hy_log_error("bus.endpoint", "endpoint=\"%s\" why=\"its directory is not there\"",
                     endpoint);
        return HY_ECONFIG;
    }
    if ((st.st_mode & 022) != 0 && (st.st_mode & S_ISVTX) == 0) {
        hy_log_error("bus.endpoint", "endpoint=\"%s\" why=\"others may write to its directory\"",
                     endpoint);
        return HY_ECONFIG;
    }
    return HY_OK;
}

static bool set(void *zmq, int option, const void *value, size_t len)
{
    return zmq_setsockopt(zmq, option, value, len) == 0;
}

static bool set_int(void *zmq, int option, int value)
{
    return set(zmq, option, &value, sizeof value);
}

/* Half-open connections are found by TCP, since what the bus says every half second must be
 * confirmed. ZeroMQ's heartbeats would do, but libzmq 4.3 aborts the process (!_io_error) when one
 * is due on a link that was reset after its input had been stopped: by ZMQ_ROUTER_HANDOVER, for
 * one. */
static bool set_common(void *zmq)
{
    int64_t message_max = MESSAGE_MAX;

    return set_int(zmq, ZMQ_SNDHWM, HIGH_WATER) && set_int(zmq, ZMQ_RCVHWM, HIGH_WATER) &&
           set_int(zmq, ZMQ_LINGER, LINGER_MS) && set_int(zmq, ZMQ_TCP_MAXRT, DEAD_MS) &&
           set_int(zmq, ZMQ_CONNECT_TIMEOUT, CONNECT_MS) &&
           set_int(zmq, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS) &&
           set_int(zmq, ZMQ_RECONNECT_IVL, RECONNECT_MS) &&
           set_int(zmq, ZMQ_RECONNECT_IVL_MAX, RECONNECT_MOST_MS) &&
           set(zmq, ZMQ_MAXMSGSIZE, &message_max, sizeof message_max);
}

static enum hy_err set_curve(void *zmq, const struct bus_socket_config *config)
{
    struct bus_keys keys;
    char server_key[BUS_KEY];
    bool ok = false;
    enum hy_err err = bus_keys_load(config->curve_dir, config->component, &keys);

    if (err == HY_OK && !config->serve)
        err = bus_keys_public(config->curve_dir, config->server, server_key);
    if (err != HY_OK)
        return err;
    ok = set(zmq, ZMQ_CURVE_SECRETKEY, keys.secret_key, BUS_KEY) &&
         set(zmq, ZMQ_CURVE_PUBLICKEY, keys.public_key, BUS_KEY);
    if (config->serve)
        ok = ok && set_int(zmq, ZMQ_CURVE_SERVER, 1) &&
             strlen(config->curve_dir) <= ZAP_DOMAIN_MAX &&
             set(zmq, ZMQ_ZAP_DOMAIN, config->curve_dir, strlen(config->curve_dir));
    else
        ok = ok && set(zmq, ZMQ_CURVE_SERVERKEY, server_key, BUS_KEY);
    explicit_bzero(&keys, sizeof keys);
    return ok ? HY_OK : HY_ECONFIG;
}

/* Neither loses silently (MANDATORY) nor ignores one who comes back (HANDOVER). */
static bool set_kind(void *zmq, const struct bus_socket_config *config)
{
    if (config->serve)
        return set_int(zmq, ZMQ_ROUTER_MANDATORY, 1) && set_int(zmq, ZMQ_ROUTER_HANDOVER, 1) &&
               set_int(zmq, ZMQ_IPV6, strchr(config->endpoint, '[') != NULL);
    return set(zmq, ZMQ_ROUTING_ID, config->route, BUS_ROUTE) && set_int(zmq, ZMQ_IPV6, 1);
}

static enum hy_err attach(struct bus_socket *s, const struct bus_socket_config *config)
{
    size_t len = sizeof s->endpoint;
    mode_t before;
    int failed;

    if (!config->serve)
        return zmq_connect(s->zmq, config->endpoint) == 0 ? HY_OK : HY_ECONFIG;
    before = umask(077); /* the ipc socket is ours alone */
    failed = zmq_bind(s->zmq, config->endpoint);
    umask(before);
    if (failed != 0) {
        hy_log_error("bus.bind", "endpoint=\"%s\" why=\"%s\"", config->endpoint,
                     zmq_strerror(errno));
        return HY_EIO;
    }
    return zmq_getsockopt(s->zmq, ZMQ_LAST_ENDPOINT, s->endpoint, &len) == 0 ? HY_OK : HY_EIO;
}

static void on_fd(int fd, unsigned ready, void *arg)
{
    struct bus_socket *s = arg;

    (void)fd;
    (void)ready;
    s->ready(s->arg);
}

static void on_monitor_fd(int fd, unsigned ready, void *arg)
{
    struct bus_socket *s = arg;

    (void)fd;
    (void)ready;
    s->monitor_fired = true;
    s->ready(s->arg);
}

static enum hy_err watch(struct hy_loop *loop, void *zmq, hy_watch_fn *fn, struct bus_socket *s,
                         struct hy_watch **watch)
{
    int fd = -1;
    size_t len = sizeof fd;

    if (zmq_getsockopt(zmq, ZMQ_FD, &fd, &len) != 0)
        return HY_EIO;
    return hy_watch_open(loop, fd, HY_READ, fn, s, watch);
}

static enum hy_err open_monitor(struct bus_socket *s)
{
    char endpoint[64];
    int events = ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
                 ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL;

    if (!s->serve)
        events |= ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
    snprintf(endpoint, sizeof endpoint, "inproc://hy-monitor-%llu",
             (unsigned long long)hy_random64());
    if (zmq_socket_monitor(s->zmq, endpoint, events) != 0)
        return HY_EIO;
    s->monitor = zmq_socket(s->context, ZMQ_PAIR);
    if (s->monitor == NULL || !set_int(s->monitor, ZMQ_LINGER, 0) ||
        zmq_connect(s->monitor, endpoint) != 0)
        return HY_EIO;
    return HY_OK;
}

static bool is_plain(const struct bus_socket_config *config)
{
    return config->curve_dir != NULL && strcmp(config->curve_dir, HY_BUS_PLAIN) == 0;
}

/* CURVE, unless somebody said in so many words that he wants none. */
static enum hy_err secure_tcp(void *zmq, const struct bus_socket_config *config)
{
    if (is_plain(config))
        return HY_OK;
    if (config->curve_dir != NULL)
        return set_curve(zmq, config);
    hy_log_error("bus.not_secured",
                 "endpoint=%s why=\"tcp needs keys: set cluster.curve_dir (hongyanctl keygen makes "
                 "them), or to none in a closed network\"",
                 config->endpoint);
    return HY_ECONFIG;
}

/* The monitor comes before bind or connect, to miss nothing. */
static enum hy_err build(struct hy_loop *loop, const struct bus_socket_config *config,
                         struct bus_socket *s)
{
    enum hy_err err = HY_EIO;

    s->zmq = zmq_socket(s->context, config->serve ? ZMQ_ROUTER : ZMQ_DEALER);
    if (s->zmq == NULL || !set_common(s->zmq) || !set_kind(s->zmq, config))
        return HY_EIO;
    if (is_ipc(config->endpoint))
        err = check_ipc(config->endpoint, config->serve);
    else
        err = secure_tcp(s->zmq, config);
    if (err == HY_OK)
        err = open_monitor(s);
    if (err == HY_OK)
        err = attach(s, config);
    if (err == HY_OK)
        err = watch(loop, s->zmq, on_fd, s, &s->watch);
    if (err == HY_OK)
        err = watch(loop, s->monitor, on_monitor_fd, s, &s->monitor_watch);
    return err;
}

enum hy_err bus_socket_open(struct hy_loop *loop, const struct bus_socket_config *config,
                            struct bus_socket **socket)
{
    bool zap = config->serve && config->curve_dir != NULL && !is_plain(config) &&
               !is_ipc(config->endpoint);
    struct bus_socket *s = calloc(1, sizeof *s);
    enum hy_err err = HY_ENOMEM;

    if (s == NULL)
        return HY_ENOMEM;
    snprintf(s->endpoint, sizeof s->endpoint, "%s", config->endpoint);
    s->serve = config->serve;
    s->ready = config->ready;
    s->arg = config->arg;
    s->used = s->monitor_fired = true;
    zmq_msg_init(&s->message);
    err = bus_context_take(zap, &s->context);
    if (err == HY_OK)
        err = build(loop, config, s);
    if (err != HY_OK) {
        bus_socket_close(&s);
        return err;
    }
    *socket = s;
    return HY_OK;
}

void bus_socket_close(struct bus_socket **socket)
{
    struct bus_socket *s = *socket;

    if (s == NULL)
        return;
    *socket = NULL;
    hy_watch_close(&s->watch);
    hy_watch_close(&s->monitor_watch);
    zmq_msg_close(&s->message);
    if (s->monitor != NULL) {
        zmq_socket_monitor(s->zmq, NULL, 0);
        zmq_close(s->monitor);
    }
    if (s->zmq != NULL)
        zmq_close(s->zmq);
    bus_context_give();
    free(s);
}

const char *bus_socket_endpoint(const struct bus_socket *socket)
{
    return socket->endpoint;
}

/* ---- traffic ---- */

static enum hy_err sent_err(void)
{
    switch (errno) {
    case EAGAIN:
    case EINTR:
        return HY_EBUSY;
    case EHOSTUNREACH:
        return HY_ECLOSED;
    default:
        return HY_EIO;
    }
}

/* Takes the message only if it was sent. */
static enum hy_err send_message(struct bus_socket *socket, const uint8_t *route, zmq_msg_t *message)
{
    socket->used = true;
    if (route != NULL &&
        zmq_send(socket->zmq, route, BUS_ROUTE, ZMQ_DONTWAIT | ZMQ_SNDMORE) != BUS_ROUTE)
        return sent_err();
    return zmq_msg_send(message, socket->zmq, ZMQ_DONTWAIT) >= 0 ? HY_OK : sent_err();
}

enum hy_err bus_socket_send(struct bus_socket *socket, const uint8_t *route, const void *data,
                            size_t len)
{
    zmq_msg_t message;
    enum hy_err err;

    if (zmq_msg_init_size(&message, len) != 0)
        return HY_ENOMEM;
    memcpy(zmq_msg_data(&message), data, len);
    err = send_message(socket, route, &message);
    if (err != HY_OK)
        zmq_msg_close(&message);
    return err;
}

/* Memory that a message gives back as it is closed: it was not sent, and the memory is not its
 * own after all. */
static _Thread_local const void *kept;

static void release(void *data, void *memory)
{
    (void)data;
    if (memory == kept)
        return;
    HY_TAKES(memory);
    free(memory);
}

enum hy_err bus_socket_give(struct bus_socket *socket, const uint8_t *route, void *memory,
                            void *data, size_t len)
{
    zmq_msg_t message;
    enum hy_err err;

    if (zmq_msg_init_data(&message, data, len, release, memory) != 0)
        return HY_ENOMEM;
    HY_GIVES(memory);
    err = send_message(socket, route, &message);
    if (err == HY_OK)
        return err;
    kept = memory;
    zmq_msg_close(&message);
    kept = NULL;
    return err;
}

/* Read over frames that do not belong to our kind of message. */
static void skip_rest(struct bus_socket *s)
{
    while (zmq_msg_more(&s->message) && zmq_msg_recv(&s->message, s->zmq, ZMQ_DONTWAIT) >= 0)
        ;
}

static bool receive(struct bus_socket *s)
{
    int got;

    do
        got = zmq_msg_recv(&s->message, s->zmq, ZMQ_DONTWAIT);
    while (got < 0 && errno == EINTR);
    return got >= 0;
}

bool bus_socket_recv(struct bus_socket *socket, struct bus_message *message)
{
    for (;;) {
        if (!receive(socket))
            break;
        if (socket->serve) {
            if (zmq_msg_size(&socket->message) != BUS_ROUTE || !zmq_msg_more(&socket->message)) {
                skip_rest(socket);
                continue;
            }
            memcpy(message->route, zmq_msg_data(&socket->message), BUS_ROUTE);
            if (!receive(socket))
                break;
        }
        if (zmq_msg_more(&socket->message)) {
            skip_rest(socket);
            continue;
        }
        message->data = zmq_msg_data(&socket->message);
        message->len = zmq_msg_size(&socket->message);
        message->user = zmq_msg_gets(&socket->message, "User-Id");
        return true;
    }
    socket->used = false;
    return false;
}

static const struct {
    int zmq;
    enum bus_event event;
} event_names[] = {
    {ZMQ_EVENT_HANDSHAKE_SUCCEEDED, BUS_CONNECTED},
    {ZMQ_EVENT_DISCONNECTED, BUS_DISCONNECTED},
    {ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, BUS_REFUSED},
    {ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, BUS_REFUSED},
    {ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, BUS_REFUSED},
};

/* An event is two frames: u16 event and u32 value in host order, then the endpoint. */
bool bus_socket_event(struct bus_socket *socket, enum bus_event *event)
{
    uint8_t head[6];
    char endpoint[ENDPOINT_BYTES];
    uint16_t number;

    while (socket->monitor_fired) {
        if (zmq_recv(socket->monitor, head, sizeof head, ZMQ_DONTWAIT) != sizeof head) {
            socket->monitor_fired = errno == EINTR;
            continue;
        }
        (void)zmq_recv(socket->monitor, endpoint, sizeof endpoint, ZMQ_DONTWAIT);
        memcpy(&number, head, sizeof number);
        for (size_t i = 0; i < sizeof event_names / sizeof event_names[0]; i++) {
            if (event_names[i].zmq == number) {
                *event = event_names[i].event;
                return true;
            }
        }
    }
    return false;
}

bool bus_socket_pending(struct bus_socket *socket)
{
    int events = 0;
    size_t len = sizeof events;

    if (!socket->used)
        return false;
    socket->used = false;
    return zmq_getsockopt(socket->zmq, ZMQ_EVENTS, &events, &len) == 0 &&
           (events & ZMQ_POLLIN) != 0;
}
