#include "store/replica/wire.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "cluster.pb-c.h"
#include "store/key.h"

enum { HASH_AT = WIRE_HEAD - 8, BATCH_HEAD = 12, TAG_PUT = 1 };

static uint8_t *put(uint8_t *out, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        out[i] = (uint8_t)(value >> 8 * i);
    return out + size;
}

static uint64_t get(const uint8_t *bytes, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = size; i > 0; i--)
        value = value << 8 | bytes[i - 1];
    return value;
}

static uint64_t hash(const uint8_t *head, const uint8_t *bytes, size_t len)
{
    return XXH3_64bits_withSeed(bytes, len, XXH3_64bits(head, HASH_AT));
}

void wire_batch_head(const struct msg *msg, uint32_t shard, uint8_t head[static WIRE_HEAD])
{
    uint8_t *at = put(head, shard, 4);

    at = put(at, msg->batch.count, 4);
    at = put(at, msg->epoch, 8);
    at = put(at, msg->number, 8);
    at = put(at, msg->stamp, 8);
    at = put(at, msg->commit, 8);
    at = put(at, msg->batch.first, 8);
    put(at, hash(head, msg->batch.bytes, msg->batch.len), 8);
}

uint32_t wire_count(const uint8_t *bytes, size_t len)
{
    return len < BATCH_HEAD ? 0 : (uint32_t)get(bytes + 8, 4);
}

enum hy_err wire_batch_parse(const uint8_t *bytes, size_t len, uint32_t shard, struct msg *msg)
{
    const uint8_t *rows = bytes + WIRE_HEAD;

    if (len < WIRE_HEAD + BATCH_HEAD ||
        hash(bytes, rows, len - WIRE_HEAD) != get(bytes + HASH_AT, 8))
        return HY_EMALFORMED;
    if (get(bytes, 4) != shard)
        return HY_EDENIED;
    *msg = (struct msg){.kind = MSG_BATCH,
                        .epoch = get(bytes + 8, 8),
                        .number = get(bytes + 16, 8),
                        .stamp = get(bytes + 24, 8),
                        .commit = get(bytes + 32, 8)};
    msg->batch = (struct batch_ref){.first = get(bytes + 40, 8),
                                    .count = (uint32_t)get(bytes + 4, 4),
                                    .bytes = rows,
                                    .len = len - WIRE_HEAD};
    if (msg->batch.count == 0 || msg->batch.count != wire_count(rows, msg->batch.len))
        return HY_EMALFORMED;
    msg->batch.reign = wire_reign(rows, msg->batch.len);
    return HY_OK;
}

size_t wire_say(const struct msg *msg, uint32_t shard, uint8_t out[static WIRE_SAY_MAX])
{
    Hy__ReplicaPlace places[PLACES_MAX], *pointers[PLACES_MAX];
    Hy__ReplicaSay say = HY__REPLICA_SAY__INIT;

    for (size_t i = 0; i < msg->place_count; i++) {
        places[i] = (Hy__ReplicaPlace)HY__REPLICA_PLACE__INIT;
        places[i].epoch = msg->places[i].epoch;
        places[i].seq = msg->places[i].seq;
        pointers[i] = &places[i];
    }
    say.shard = shard;
    say.kind = (uint32_t)msg->kind;
    say.epoch = msg->epoch;
    say.number = msg->number;
    say.db = (char *)msg->id.db;
    say.boot = (char *)msg->id.boot;
    say.n_places = msg->place_count;
    say.places = pointers;
    say.rebuilding = msg->rebuilding;
    say.choice = msg->choice;
    say.reign = msg->reign;
    say.commit = msg->commit;
    say.stamp = msg->stamp;
    say.seq = msg->seq;
    return hy__replica_say__pack(&say, out);
}

static enum hy_err take_say(const Hy__ReplicaSay *say, uint32_t shard, const char *from,
                            struct msg *msg)
{
    if (say->shard != shard)
        return HY_EDENIED;
    if (say->kind >= MSG_KINDS || say->kind == MSG_BATCH || say->n_places > PLACES_MAX ||
        strlen(say->db) >= COPY_DB || strlen(say->boot) >= COPY_DB || strlen(from) >= COPY_NODE)
        return HY_EMALFORMED;
    *msg = (struct msg){.kind = (enum msg_kind)say->kind,
                        .epoch = say->epoch,
                        .number = say->number,
                        .place_count = say->n_places,
                        .rebuilding = say->rebuilding,
                        .choice = say->choice,
                        .reign = say->reign,
                        .commit = say->commit,
                        .stamp = say->stamp,
                        .seq = say->seq};
    snprintf(msg->id.node, sizeof msg->id.node, "%s", from);
    snprintf(msg->id.db, sizeof msg->id.db, "%s", say->db);
    snprintf(msg->id.boot, sizeof msg->id.boot, "%s", say->boot);
    for (size_t i = 0; i < say->n_places; i++)
        msg->places[i] = (struct place){say->places[i]->epoch, say->places[i]->seq};
    return HY_OK;
}

enum hy_err wire_say_parse(const uint8_t *bytes, size_t len, uint32_t shard, const char *from,
                           struct msg *msg)
{
    Hy__ReplicaSay *say = hy__replica_say__unpack(NULL, len, bytes);
    enum hy_err err = HY_EMALFORMED;

    if (say != NULL)
        err = take_say(say, shard, from, msg);
    hy__replica_say__free_unpacked(say, NULL);
    return err;
}

/* The first record: tag, length of the key (one byte, as keys of reigns are short), key. */
uint64_t wire_reign(const uint8_t *bytes, size_t len)
{
    struct key_parts parts;
    size_t key_len = len > BATCH_HEAD + 2 ? bytes[BATCH_HEAD + 1] : 0;

    if (wire_count(bytes, len) != 1 || key_len == 0 || key_len >= 128 ||
        bytes[BATCH_HEAD] != TAG_PUT || len < BATCH_HEAD + 2 + key_len ||
        key_parse(bytes + BATCH_HEAD + 2, key_len, &parts) != HY_OK || parts.format != KEY_EPOCH ||
        parts.home.slot != KEY_SLOT_SHARD)
        return 0;
    return parts.number;
}
