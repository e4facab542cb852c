/* hop - the floor of the bus: ZeroMQ from one process to another. */

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zmq.h>

#include "bench/floor/floor.h"
#include "common/clock.h"

struct inbox {
    const char *address;
    uint32_t batch;
    _Atomic uint64_t *got;
};

static void inbox_side(void *arg)
{
    const struct inbox *inbox = arg;
    void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_PULL);
    zmq_msg_t frame;

    if (zmq_bind(socket, inbox->address) != 0)
        return;
    zmq_msg_init(&frame);
    while (zmq_msg_recv(&frame, socket, 0) >= 0)
        atomic_fetch_add_explicit(inbox->got, inbox->batch, memory_order_relaxed);
}

/* The address is a file of this directory, or a free port. */
static bool address_of(const struct floor_options *o, char *out, size_t size)
{
    uint16_t port = 0;
    int fd = -1;

    if (!o->tcp)
        return snprintf(out, size, "ipc:///tmp/hongyan-bench-floor-%d", (int)getpid()) > 0;
    fd = listen_somewhere(&port);
    if (fd >= 0)
        close(fd);
    return fd >= 0 && snprintf(out, size, "tcp://127.0.0.1:%u", port) > 0;
}

enum hy_err floor_hop(const struct floor_options *o, struct result *result)
{
    char address[64], *frame = calloc(o->batch, o->bytes);
    void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_PUSH);
    struct inbox inbox = {.address = address, .batch = o->batch, .got = share(sizeof(uint64_t))};
    struct watch watch;
    uint64_t before = 0;
    pid_t side = 0;
    bool good = frame != NULL && inbox.got != NULL && address_of(o, address, sizeof address);

    if (good)
        side = start_side(1, inbox_side, &inbox);
    good = good && side > 0 && zmq_connect(socket, address) == 0;
    for (int i = 0; good && i < 1000; i++)
        good = zmq_send(socket, frame, (size_t)o->batch * o->bytes, 0) >= 0;
    for (uint64_t end = hy_steady_ms() + 10000;
         good && atomic_load(inbox.got) < 1000 * (uint64_t)o->batch; good = hy_steady_ms() < end)
        ;
    watch_begin(&watch, side);
    before = good ? atomic_load(inbox.got) : 0;
    while (good && !watch_over(&watch, o->seconds))
        for (int i = 0; good && i < 64; i++)
            good = zmq_send(socket, frame, (size_t)o->batch * o->bytes, 0) >= 0;
    result->operations = good ? atomic_load(inbox.got) - before : 0;
    watch_end(&watch, result);
    stop_side(side);
    zmq_setsockopt(socket, ZMQ_LINGER, &(int){0}, sizeof(int));
    zmq_close(socket);
    zmq_ctx_term(context);
    if (!o->tcp)
        unlink(address + sizeof "ipc://" - 1);
    free(frame);
    return good ? HY_OK : HY_EIO;
}
