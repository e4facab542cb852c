#include "ctl/stores.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/bus.h"
#include "common/clock.h"
#include "common/settings.h"

enum { RETRY_MS = 1000 };

struct question {
    struct stores *stores;
    enum hy_err *result;
    Hy__BackupRes **answer;
};

struct stores {
    struct hy_loop *loop, *own_loop;
    struct hy_bus *bus;
    struct stores_shard shards[STORES_MOST];
    struct hy_peer *peers[STORES_MOST][STORES_WHOM];
    struct question questions[STORES_MOST];
    size_t count, waiting;
};

static void on_record(void *ctx, struct hy_peer *peer, const struct hy_record *record)
{
    (void)ctx;
    (void)peer;
    (void)record;
}

/* Where a store of this name is; HY_ENOTFOUND. */
static enum hy_err find_endpoint(const struct cluster *cluster, const char *name,
                                 char endpoint[static 256])
{
    const json_t *list = json_object_get(json_object_get(cluster->json, "bus"), "stores");

    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        char found[64];

        if (text != NULL && hy_settings_peer(text, found, endpoint) == HY_OK &&
            strcmp(found, name) == 0)
            return HY_OK;
    }
    return HY_ENOTFOUND;
}

static enum hy_err dial(struct stores *s, const struct cluster *cluster, const char *name,
                        struct hy_peer **peer)
{
    char endpoint[256];
    enum hy_err err = find_endpoint(cluster, name, endpoint);

    return err == HY_OK ? hy_bus_dial(s->bus, "store", name, endpoint, peer) : err;
}

static enum hy_err dial_all(struct stores *s, const struct cluster *cluster)
{
    enum hy_err err = s->count > 0 ? HY_OK : HY_ENOTFOUND;

    for (size_t i = 0; i < s->count && err == HY_OK; i++) {
        const struct stores_shard *shard = &s->shards[i];

        err = dial(s, cluster, shard->names[STORES_LEADERS], &s->peers[i][STORES_LEADERS]);
        if (strcmp(shard->names[STORES_LEADERS], shard->names[STORES_COPIES]) == 0)
            s->peers[i][STORES_COPIES] = s->peers[i][STORES_LEADERS];
        else if (err == HY_OK)
            err = dial(s, cluster, shard->names[STORES_COPIES], &s->peers[i][STORES_COPIES]);
    }
    return err;
}

static enum hy_err open_bus(struct stores *s, const struct cluster *cluster)
{
    static const struct hy_bus_handler handler = {.record = on_record};
    bool curve = cluster->curve_dir != NULL && *cluster->curve_dir != '\0';
    char name[64];

    snprintf(name, sizeof name, "ctl-%d-%08x", (int)getpid(), (unsigned)hy_random64());
    return hy_bus_open(s->loop,
                       &(struct hy_bus_config){.name = name,
                                               .component = "ctl",
                                               .cluster_id = cluster->id,
                                               .curve_dir = curve ? cluster->curve_dir : NULL},
                       &handler, s, &s->bus);
}

enum hy_err stores_open(const struct cluster *cluster, struct hy_loop *loop,
                        const struct stores_shard *shards, size_t count, struct stores **stores)
{
    struct stores *s = calloc(1, sizeof *s);
    enum hy_err err = HY_OK;

    if (s == NULL)
        return HY_ENOMEM;
    s->count = count < STORES_MOST ? count : STORES_MOST;
    memcpy(s->shards, shards, s->count * sizeof *shards);
    if (loop == NULL)
        err = hy_loop_open(&s->own_loop);
    s->loop = loop == NULL ? s->own_loop : loop;
    if (err == HY_OK)
        err = open_bus(s, cluster);
    if (err == HY_OK)
        err = dial_all(s, cluster);
    if (err != HY_OK) {
        fprintf(stderr, "hongyanctl: the stores cannot be dialled: %s\n", hy_err_text(err));
        stores_close(&s);
        return err;
    }
    *stores = s;
    return HY_OK;
}

void stores_close(struct stores **stores)
{
    struct stores *s = *stores;

    if (s == NULL)
        return;
    *stores = NULL;
    hy_bus_close(&s->bus);
    hy_loop_close(&s->own_loop);
    free(s);
}

size_t stores_count(const struct stores *stores)
{
    return stores->count;
}

uint32_t stores_number(const struct stores *stores, size_t i)
{
    return stores->shards[i].shard;
}

const char *stores_name(const struct stores *stores, enum stores_whom whom, size_t i)
{
    return stores->shards[i].names[whom];
}

static void on_answer(void *arg, enum hy_err err, const struct hy_record *record)
{
    struct question *q = arg;

    q->stores->waiting--;
    if (err == HY_OK)
        *q->answer = hy__backup_res__unpack(NULL, record->len, record->payload);
    *q->result = err == HY_OK && *q->answer == NULL ? HY_EMALFORMED : err;
}

void stores_backup(struct stores *s, enum stores_whom whom, const Hy__BackupReq *reqs,
                   uint32_t wait_ms, enum hy_err *results, Hy__BackupRes **answers)
{
    s->waiting = s->count;
    for (size_t i = 0; i < s->count; i++) {
        struct hy_call call = {.kind = HY__BUS_KIND__STORE_BACKUP,
                               .deadline_ms = wait_ms,
                               .retry_ms = RETRY_MS,
                               .peer = s->peers[i][whom],
                               .done = on_answer,
                               .arg = &s->questions[i]};

        answers[i] = NULL;
        s->questions[i] = (struct question){s, &results[i], &answers[i]};
        hy_bus_call_pb(s->bus, &call, &reqs[i].base);
    }
    while (s->waiting > 0)
        hy_loop_turn(s->loop, 100);
}

void stores_rest(struct stores *s, uint32_t ms)
{
    uint64_t until = hy_steady_ms() + ms, now;

    while ((now = hy_steady_ms()) < until)
        hy_loop_turn(s->loop, (uint32_t)(until - now));
}
