/* Gives a stopped cluster's shard a past: messages between the users that hongyan-bench s2 and s9
 * let talk, evenly over their pairs, decided and written by the store's own code as a router would
 * ask for them, many of a conversation at a time.
 *
 *     hongyan-bench-fill DIR MESSAGES PAIRS [SHARD SHARDS]
 *
 * Ends when what it caused is done: no file is compacted any more. DIR is the folder of hongyanctl
 * up. MESSAGES are those of all shards; a pair that is another shard's is left out. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/stamp.h"
#include "cluster.pb-c.h"
#include "common/clock.h"
#include "common/slot.h"
#include "store/store.h"

enum {
    APP = 1400000001, /* the first of hongyanctl up */
    AT_ONCE = 128,    /* messages of one request */
    A_TURN = 64,      /* requests of one turn: one batch, one fsync */
    MSG_SIZE = 512,
    SECOND_US = 1000000,
};

struct fill {
    struct store *store;
    uint64_t bad, nonce;
    uint32_t shard, shards;
    uint8_t body[STAMP_BYTES];
    uint8_t msgs[AT_ONCE][MSG_SIZE];
    char ids[AT_ONCE][24];
    uint8_t packed[AT_ONCE * (MSG_SIZE + 64)];
};

/* AppendRes.results[0] begins with its seq when the code is 0. */
static void on_answer(void *ctx, const struct hy_reply *reply, const uint8_t *payload, size_t len)
{
    struct fill *fill = ctx;

    (void)reply;
    fill->bad += len <= 2 || payload[2] != 0x18;
}

/* Effects wait in the outbox until the cluster starts. */
static void keep_effects(void *ctx, uint32_t shard, uint64_t token, const void *payload, size_t len)
{
    (void)ctx;
    (void)shard;
    (void)token;
    (void)payload;
    (void)len;
}

/* Count messages, numbers first.., of one pair. */
static void say(struct fill *fill, uint64_t pair, uint64_t first, unsigned count)
{
    Hy__AppendReq req = HY__APPEND_REQ__INIT;
    Hy__AppendItem items[AT_ONCE], *list[AT_ONCE];
    struct request request = {.kind = HY__BUS_KIND__STORE_APPEND, .payload = fill->packed};
    char from[32], to[32];

    snprintf(from, sizeof from, "pair%" PRIu64, 2 * pair);
    snprintf(to, sizeof to, "pair%" PRIu64, 2 * pair + 1);
    for (unsigned i = 0; i < count; i++) {
        Hy__Msg msg = HY__MSG__INIT;
        uint64_t hash = hy_mix64(fill->nonce ^ hy_mix64(pair) ^ (first + i));

        stamp_write(&(struct stamp){pair, first + i, hash}, fill->body);
        snprintf(fill->ids[i], sizeof fill->ids[i], "%016" PRIx64, hash);
        msg.conv_type = HY__CONV_TYPE__CONV_C2C;
        msg.from = from;
        msg.to = to;
        msg.client_id = fill->ids[i];
        msg.random = (uint32_t)hash;
        msg.body = (ProtobufCBinaryData){STAMP_BYTES, fill->body};
        hy__append_item__init(&items[i]);
        items[i].client_id = fill->ids[i];
        items[i].hash = hash;
        items[i].msg = (ProtobufCBinaryData){hy__msg__pack(&msg, fill->msgs[i]), fill->msgs[i]};
        list[i] = &items[i];
    }
    req.app = APP;
    req.conv_type = HY__CONV_TYPE__CONV_C2C;
    req.from = from;
    req.to = to;
    req.n_items = count;
    req.items = list;
    request.len = hy__append_req__pack(&req, fill->packed);
    store_handle(fill->store, &request);
}

static bool is_ours(const struct fill *fill, uint64_t pair)
{
    char from[32], to[32];

    snprintf(from, sizeof from, "pair%" PRIu64, 2 * pair);
    snprintf(to, sizeof to, "pair%" PRIu64, 2 * pair + 1);
    return hy_slot_shard(hy_slot_pair(APP, from, to), fill->shards) == fill->shard;
}

/* Rounds over all pairs, AT_ONCE messages for each, until every pair has its share. */
static uint64_t fill_all(struct fill *fill, uint64_t messages, uint64_t pairs)
{
    uint64_t each = (messages + pairs - 1) / pairs, written = 0, told_us = hy_steady_us();
    unsigned in_turn = 0;

    for (uint64_t first = 1; first <= each; first += AT_ONCE) {
        unsigned count = each - first + 1 < AT_ONCE ? (unsigned)(each - first + 1) : AT_ONCE;

        for (uint64_t pair = 0; pair < pairs; pair++) {
            if (!is_ours(fill, pair))
                continue;
            say(fill, pair, first, count);
            written += count;
            if (++in_turn % A_TURN == 0)
                store_turn(fill->store);
            if (hy_steady_us() - told_us > SECOND_US) {
                store_tick(fill->store);
                fprintf(stderr, "\r%" PRIu64 " of about %" PRIu64 " written ", written,
                        messages / fill->shards);
                told_us = hy_steady_us();
            }
        }
    }
    store_turn(fill->store);
    fputs("\n", stderr);
    return written;
}

/* What is measured afterwards is the cost of many messages, not of having written them just now. A
 * merge that ends may ask for another. */
static void settle(struct store *store)
{
    enum { LOOK_US = 50000, LOOKS = 20 };

    for (int quiet = 0; quiet < LOOKS; usleep(LOOK_US))
        quiet = store_settled(store) ? quiet + 1 : 0;
}

static bool read_id(const char *dir, char id[static 128])
{
    char path[512];
    FILE *file = NULL;
    bool good = false;

    snprintf(path, sizeof path, "%s/keys/id", dir);
    file = fopen(path, "r");
    good = file != NULL && fgets(id, 128, file) != NULL;
    if (file != NULL)
        fclose(file);
    id[strcspn(id, "\n")] = '\0';
    return good;
}

static uint64_t number(int argc, char **argv, int at, uint64_t otherwise)
{
    return at < argc ? strtoull(argv[at], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    static struct fill fill;
    uint64_t messages = number(argc, argv, 2, 0), pairs = number(argc, argv, 3, 0);
    char id[128] = "", data[512], why[256];
    static struct hy_shardmap map;
    struct store_config config = {.cluster_id = id,
                                  .map = &map,
                                  .data_dir = data,
                                  .block_cache_bytes = 128 << 20,
                                  .write_buffer_bytes = 128 << 20,
                                  .cache_rows = 200000,
                                  .answer = on_answer,
                                  .send = keep_effects,
                                  .ctx = &fill};
    uint64_t begun = 0, written = 0;

    fill.shard = config.shard = (uint32_t)number(argc, argv, 4, 0);
    fill.shards = (uint32_t)number(argc, argv, 5, 1);
    if (messages == 0 || pairs == 0 || fill.shard >= fill.shards || !read_id(argv[1], id)) {
        fputs("usage: hongyan-bench-fill DIR MESSAGES PAIRS [SHARD SHARDS], DIR of hongyanctl up\n",
              stderr);
        return 2;
    }
    hy_shardmap_even(&map, fill.shards);
    snprintf(data, sizeof data, "%s/data/store-%u", argv[1], fill.shard);
    if (store_open(&config, &fill.store, why) != HY_OK) {
        fprintf(stderr, "%s: %s\n", data, why);
        return EXIT_FAILURE;
    }
    fill.nonce = hy_random64(); /* so that a second run repeats no client id */
    begun = hy_steady_us();
    written = fill_all(&fill, messages, pairs);
    printf(
        "%" PRIu64 " messages of %" PRIu64 " pairs, %.0f a second, %" PRIu64 " requests refused\n",
        written, pairs, (double)written / ((double)(hy_steady_us() - begun) / SECOND_US), fill.bad);
    settle(fill.store);
    store_close(&fill.store);
    return fill.bad == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
