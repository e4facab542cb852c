/* bus_fixture - one end of a bus and what happened to it; a pair of them.
 *
 * Buses of one test share a loop, unless one of them has to stand still. */

#ifndef TESTS_UNIT_BUS_FIXTURE_H
#define TESTS_UNIT_BUS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bus.h"
#include "common/clock.h"
#include "common/log.h"

enum { KIND = 0x101, PUSH = 0x201, PATIENCE_MS = 30000 };

enum mood { ECHO, ANSWER, SILENT, HOLD };

/* One end: a bus and what happened to it. */
struct node {
    struct hy_loop *loop;
    struct hy_bus *bus;
    enum mood mood;
    unsigned long records, bytes, up, down, restarted;
    struct hy_reply held;
    struct hy_peer **undial;
};

static inline void on_record(void *ctx, struct hy_peer *peer, const struct hy_record *record)
{
    struct node *node = ctx;

    node->records++;
    node->bytes += record->len;
    if (node->mood == ECHO)
        assert_int_equal(
            hy_bus_send(peer, record->kind, record->id, record->payload, record->len), HY_OK);
    else if (node->mood == ANSWER)
        hy_bus_answer(peer, record->kind, record->id, record->payload, record->len);
    else if (node->mood == HOLD)
        node->held = hy_bus_reply_to(peer, record);
    if (node->undial != NULL && *node->undial != NULL)
        hy_bus_undial(node->bus, node->undial);
}

static inline void on_peer(void *ctx, struct hy_peer *peer, enum hy_peer_event event)
{
    struct node *node = ctx;

    assert_int_equal(hy_peer_up(peer), event != HY_PEER_DOWN);
    node->up += event == HY_PEER_UP;
    node->down += event == HY_PEER_DOWN;
    node->restarted += event == HY_PEER_RESTARTED;
}

static const struct hy_bus_handler handler = {on_record, on_peer};

static inline enum hy_err open_with(struct node *node, struct hy_loop *loop, struct hy_bus_config config)
{
    node->loop = loop;
    if (config.cluster_id == NULL)
        config.cluster_id = "test";
    if (config.curve_dir == NULL)
        config.curve_dir = HY_BUS_PLAIN; /* "" leaves it out */
    return hy_bus_open(loop, &config, &handler, node, &node->bus);
}

static inline void open_store(struct node *node, struct hy_loop *loop, const char *name, const char *bind)
{
    struct hy_bus_config config = {.name = name, .component = "store", .bind = bind};

    assert_int_equal(open_with(node, loop, config), HY_OK);
}

/* ZeroMQ gives a port free a little after the bus is closed. */
static inline void reopen_store(struct node *node, struct hy_loop *loop, const char *name,
                         const char *bind)
{
    struct hy_bus_config config = {.name = name, .component = "store", .bind = bind};
    uint64_t until = hy_steady_ms() + PATIENCE_MS;

    while (open_with(node, loop, config) != HY_OK)
        assert_true(hy_steady_ms() < until);
}

static inline void open_router(struct node *node, struct hy_loop *loop)
{
    struct hy_bus_config config = {.name = "router-0", .component = "router"};

    assert_int_equal(open_with(node, loop, config), HY_OK);
}

static inline struct hy_peer *dial(struct node *node, const char *name, const char *endpoint)
{
    struct hy_peer *peer = NULL;

    assert_int_equal(hy_bus_dial(node->bus, "store", name, endpoint, &peer), HY_OK);
    return peer;
}

#define TURN_UNTIL(loop, condition)                                  \
    do {                                                             \
        uint64_t turn_until_ = hy_steady_ms() + PATIENCE_MS;         \
        while (!(condition)) {                                       \
            assert_true(hy_steady_ms() < turn_until_);               \
            hy_loop_turn(loop, 10);                                  \
        }                                                            \
    } while (0)

/* A store that serves and a router that is connected to it. */
struct pair {
    struct hy_loop *loop;
    struct node store, router;
    struct hy_peer *peer;
    char endpoint[256];
};

static inline void pair_open(struct pair *pair)
{
    memset(pair, 0, sizeof *pair);
    assert_int_equal(hy_loop_open(&pair->loop), HY_OK);
    open_store(&pair->store, pair->loop, "store-0", "tcp://127.0.0.1:*");
    snprintf(pair->endpoint, sizeof pair->endpoint, "%s", hy_bus_endpoint(pair->store.bus));
    open_router(&pair->router, pair->loop);
    pair->peer = dial(&pair->router, "store-0", pair->endpoint);
    TURN_UNTIL(pair->loop, pair->router.up == 1 && pair->store.up == 1);
}

static inline void pair_close(struct pair *pair)
{
    hy_bus_close(&pair->router.bus);
    hy_bus_close(&pair->store.bus);
    hy_loop_close(&pair->loop);
}

/* Calls and how they ended. */
struct tally {
    unsigned long ok, timeout, busy, twice, doubtful;
    uint8_t done[5000];
};

struct ask {
    struct tally *tally;
    unsigned number;
};

static inline void on_done(void *arg, enum hy_err err, const struct hy_record *answer)
{
    struct ask *ask = arg;

    assert_int_equal(answer != NULL, err == HY_OK);
    if (answer != NULL)
        assert_memory_equal(answer->payload, &ask->number, sizeof ask->number);
    ask->tally->twice += ask->tally->done[ask->number]++ > 0;
    ask->tally->ok += err == HY_OK;
    ask->tally->doubtful += err == HY_OK && answer->doubtful;
    ask->tally->timeout += err == HY_ETIMEOUT;
    ask->tally->busy += err == HY_EBUSY;
}

static inline uint64_t call(struct node *node, struct hy_peer *peer, struct ask *ask, uint32_t deadline_ms)
{
    struct hy_call how = {.kind = KIND, .peer = peer, .done = on_done, .arg = ask,
                          .deadline_ms = deadline_ms, .retry_ms = 200};

    return hy_bus_call(node->bus, &how, &ask->number, sizeof ask->number);
}

#endif
