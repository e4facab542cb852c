/* What one shard takes: C2C messages of 200 bytes between random users, decided, written with fsync
 * and answered, at 1, 32 and 256 messages a turn. No bus, no clients: the store alone.
 *
 *     hongyan-bench-store [DIR [SECONDS [PAIRS]]] */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "cluster.pb-c.h"
#include "common/clock.h"
#include "common/slot.h"
#include "store/store.h"

enum { BODY = 200, APP = 1400000001 };

struct bench {
    struct store *store;
    uint64_t sent, good, bad;
    unsigned pairs;
};

static void on_answer(void *ctx, const struct hy_reply *reply, const uint8_t *payload, size_t len)
{
    struct bench *b = ctx;

    (void)reply;
    /* AppendRes.results[0] begins with its seq when the code is 0 */
    if (len > 2 && payload[2] == 0x18)
        b->good++;
    else
        b->bad++;
}

static void say(struct bench *b)
{
    static uint8_t body[BODY], bytes[1024], out[2048];
    Hy__AppendReq req = HY__APPEND_REQ__INIT;
    Hy__AppendItem item = HY__APPEND_ITEM__INIT, *items[1] = {&item};
    Hy__Msg msg = HY__MSG__INIT;
    struct request request = {.kind = HY__BUS_KIND__STORE_APPEND, .payload = out};
    char from[32], to[32], id[32];
    unsigned pair = (unsigned)(hy_mix64(b->sent) % b->pairs);

    for (int i = 0; i < BODY; i += 8)
        memcpy(body + i, &(uint64_t){hy_mix64(b->sent * 31 + (unsigned)i)}, 8);
    snprintf(from, sizeof from, "user%u", pair * 2);
    snprintf(to, sizeof to, "user%u", pair * 2 + 1);
    snprintf(id, sizeof id, "%016llx", (unsigned long long)b->sent);
    msg.conv_type = HY__CONV_TYPE__CONV_C2C;
    msg.from = from;
    msg.to = to;
    msg.client_id = id;
    msg.body = (ProtobufCBinaryData){BODY, body};
    item.client_id = id;
    item.hash = b->sent++;
    item.msg = (ProtobufCBinaryData){hy__msg__pack(&msg, bytes), bytes};
    req.app = APP;
    req.conv_type = HY__CONV_TYPE__CONV_C2C;
    req.from = from;
    req.to = to;
    req.n_items = 1;
    req.items = items;
    request.len = hy__append_req__pack(&req, out);
    store_handle(b->store, &request);
}

static double cpu_s(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_utime.tv_sec + (double)u.ru_utime.tv_usec / 1e6 +
           (double)u.ru_stime.tv_sec + (double)u.ru_stime.tv_usec / 1e6;
}

static void run(struct bench *b, unsigned batch, double seconds)
{
    uint64_t began = hy_steady_us(), until = began + (uint64_t)(seconds * 1e6), now = began;
    uint64_t good = b->good;
    double cpu = cpu_s();

    while (now < until) {
        for (unsigned i = 0; i < batch; i++)
            say(b);
        store_turn(b->store);
        now = hy_steady_us();
    }
    good = b->good - good;
    printf("batch %4u: %8.0f messages/s, %6.1f us CPU each\n", batch,
           (double)good / ((double)(now - began) / 1e6), (cpu_s() - cpu) * 1e6 / (double)good);
}

int main(int argc, char **argv)
{
    static const unsigned batches[] = {1, 32, 256};
    struct bench b = {.pairs = argc > 3 ? (unsigned)atoi(argv[3]) : 10000};
    struct store_config config = {.cluster_id = "bench",
                                  .data_dir = argc > 1 ? argv[1] : "bench-store-data",
                                  .block_cache_bytes = 128 << 20,
                                  .write_buffer_bytes = 32 << 20,
                                  .cache_rows = 200000,
                                  .answer = on_answer,
                                  .ctx = &b};
    char why[256];

    if (store_open(&config, &b.store, why) != HY_OK) {
        fprintf(stderr, "%s\n", why);
        return EXIT_FAILURE;
    }
    b.sent = hy_random64() >> 8; /* so that a second run repeats no client id */
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++)
        run(&b, batches[i], argc > 2 ? atof(argv[2]) : 5);
    printf("refused: %llu\n", (unsigned long long)b.bad);
    store_close(&b.store);
    return EXIT_SUCCESS;
}
