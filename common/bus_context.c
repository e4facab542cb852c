#include "common/bus_context.h"

#include <errno.h>
#include <pthread.h>
#include <zmq.h>

#include "common/bus_curve.h"

enum { SOCKETS_MAX = 8192 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *shared;
static struct bus_zap *zap;
static unsigned users;

enum hy_err bus_context_take(bool with_zap, void **context)
{
    enum hy_err err = HY_OK;

    pthread_mutex_lock(&lock);
    users++;
    if (shared == NULL) {
        shared = zmq_ctx_new();
        if (shared != NULL)
            zmq_ctx_set(shared, ZMQ_MAX_SOCKETS, SOCKETS_MAX);
    }
    if (shared == NULL)
        err = HY_ENOMEM;
    else if (with_zap && zap == NULL)
        err = bus_zap_start(shared, &zap);
    *context = shared;
    pthread_mutex_unlock(&lock);
    return err;
}

void bus_context_give(void)
{
    pthread_mutex_lock(&lock);
    if (--users == 0 && shared != NULL) {
        zmq_ctx_shutdown(shared);
        bus_zap_join(&zap);
        while (zmq_ctx_term(shared) != 0 && errno == EINTR)
            ;
        shared = NULL;
    }
    pthread_mutex_unlock(&lock);
}
