/* Which stores a backup is taken from, and that slots stay where they are meanwhile. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/settings.h"
#include "ctl/backup_job.h"
#include "ctl/coordinate.h"
#include "ctl/rebalance.h"

enum { LEASE_MS = 3000, LEADER_MS = 10000, TURN_MS = 50 };

static const char key[] = "backup";

/* ---- slots stay ---- */

/* What is put with it goes when we end, however that is. */
static bool wait_for_lease(const struct nodes_visit *visit)
{
    uint64_t end_ms = hy_loop_now_ms(visit->loop) + LEASE_MS;

    while (hy_coord_trusted_until_ms(visit->coord) == 0 && hy_loop_now_ms(visit->loop) < end_ms)
        hy_loop_turn(visit->loop, TURN_MS);
    return hy_coord_trusted_until_ms(visit->coord) > 0;
}

static enum hy_err put_value(const struct backup_job *job)
{
    struct hy_coord_value rebalance;
    bool there = hy_coord_get(job->visit->coord, HY_REBALANCE_KEY, &rebalance);
    struct hy_coord_guard guards[] = {
        {.key = key, .test = HY_COORD_ABSENT},
        {.key = HY_REBALANCE_KEY,
         .test = there ? HY_COORD_CHANGED : HY_COORD_ABSENT,
         .revision = there ? rebalance.changed : 0},
    };
    char text[128];
    struct hy_coord_put put = {.key = key, .text = text, .leased = true};
    struct hy_coord_change change = {guards, 2, &put, 1};

    snprintf(text, sizeof text, "{\"time\":\"%s\",\"pid\":%d}", job->time, (int)getpid());
    return coordinate(job->visit, &change);
}

enum hy_err backup_fix_map(struct backup_job *job)
{
    struct hy_coord_value value;
    char why[256];
    enum hy_err err = HY_ECLOSED;

    if (job->visit == NULL)
        return HY_OK;
    if (rebalance_hindered(job->visit->coord, why)) {
        fprintf(stderr, "hongyanctl: no backup now: %s\n", why);
        return HY_EBUSY;
    }
    if (wait_for_lease(job->visit))
        err = put_value(job);
    if (err != HY_OK)
        fprintf(stderr, "hongyanctl: no backup now: %s\n",
                err == HY_EEXIST ? "another begins, or slots are to move" : hy_err_text(err));
    job->map = *hy_fleet_map(job->visit->fleet);
    job->moved = hy_coord_get(job->visit->coord, HY_REBALANCE_KEY, &value);
    return err;
}

bool backup_map_fixed(const struct backup_job *job)
{
    struct hy_coord_value value;

    return job->visit == NULL || (hy_coord_get(job->visit->coord, key, &value) &&
                                  hy_fleet_map(job->visit->fleet)->epoch == job->map.epoch);
}

/* ---- the stores of a cluster that is what its settings say ---- */

static enum hy_err take_listed(struct backup_job *job, struct stores_shard *shards, size_t *count)
{
    const json_t *list = json_object_get(json_object_get(job->cluster.json, "bus"), "stores");
    enum hy_err err = HY_OK;

    *count = json_array_size(list) < STORES_MOST ? json_array_size(list) : STORES_MOST;
    for (size_t i = 0; i < *count && err == HY_OK; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        char endpoint[256];

        shards[i].shard = (uint32_t)i;
        err = text == NULL ? HY_EMALFORMED
                           : hy_settings_peer(text, shards[i].names[STORES_LEADERS], endpoint);
        memcpy(shards[i].names[STORES_COPIES], shards[i].names[STORES_LEADERS], 64);
    }
    if (err == HY_OK && *count > 0)
        hy_shardmap_even(&job->map, (uint32_t)*count);
    else
        fputs("hongyanctl: cluster.json lists no stores\n", stderr);
    return *count > 0 ? err : HY_ENOTFOUND;
}

/* ---- of a cluster on etcd ---- */

/* "store-0b:DB:BOOT": copies that have all that was acknowledged (replica_coord.c). */
static bool follows(const struct hy_fleet *fleet, const char *member, const char *leader,
                    char name[static 64])
{
    size_t len = strcspn(member, ":");
    struct hy_node node;

    if (len >= 64)
        return false;
    memcpy(name, member, len);
    name[len] = '\0';
    return strcmp(name, leader) != 0 && hy_fleet_node(fleet, "store", name, &node) &&
           node.state == HY_NODE_SERVING;
}

/* A follower leaves those who write to their work. */
static void find_copy(const struct nodes_visit *visit, struct stores_shard *shard)
{
    const char *leader = shard->names[STORES_LEADERS];
    struct hy_coord_value value;
    char path[64], name[64];
    json_t *state = NULL;
    const json_t *set;
    bool found = false;

    snprintf(path, sizeof path, "shard/%u/state", shard->shard);
    if (hy_coord_get(visit->coord, path, &value))
        state = json_loads(value.text, 0, NULL);
    set = json_object_get(state, "insync");
    for (size_t i = 0; i < json_array_size(set) && !found; i++) {
        const char *member = json_string_value(json_array_get(set, i));

        found = member != NULL && follows(visit->fleet, member, leader, name);
    }
    snprintf(shard->names[STORES_COPIES], 64, "%s", found ? name : leader);
    json_decref(state);
}

static bool take_shard(const struct nodes_visit *visit, uint32_t number, struct stores_shard *shard)
{
    uint64_t end_ms = hy_loop_now_ms(visit->loop) + LEADER_MS;

    while (*hy_fleet_leader(visit->fleet, number, NULL) == '\0' &&
           hy_loop_now_ms(visit->loop) < end_ms)
        hy_loop_turn(visit->loop, TURN_MS);
    shard->shard = number;
    snprintf(shard->names[STORES_LEADERS], 64, "%s", hy_fleet_leader(visit->fleet, number, NULL));
    if (shard->names[STORES_LEADERS][0] == '\0') {
        fprintf(stderr, "hongyanctl: nobody leads shard %u (hongyanctl status)\n", number);
        return false;
    }
    find_copy(visit, shard);
    return true;
}

struct most {
    uint32_t of[HY_SHARDS_MAX], most;
};

static void count_copy(void *arg, const struct hy_node *node)
{
    struct most *m = arg;

    if (node->shard < HY_SHARDS_MAX && ++m->of[node->shard] > m->most)
        m->most = m->of[node->shard];
}

static enum hy_err take_led(struct backup_job *job, struct stores_shard *shards, size_t *count)
{
    struct most copies = {0};

    *count = 0;
    hy_fleet_each(job->visit->fleet, "store", count_copy, &copies);
    job->copies = copies.most;
    for (uint32_t i = 0; i < job->map.shards; i++) {
        if (hy_shardmap_next(&job->map, i, 0) == HY_SLOTS)
            continue; /* it owns nothing */
        if (*count == STORES_MOST) {
            fprintf(stderr, "hongyanctl: a backup has at most %d shards\n", STORES_MOST);
            return HY_ETOOBIG;
        }
        if (!take_shard(job->visit, i, &shards[(*count)++]))
            return HY_ENOTFOUND;
    }
    return HY_OK;
}

enum hy_err backup_dial(struct backup_job *job)
{
    struct stores_shard shards[STORES_MOST];
    size_t count = 0;
    enum hy_err err =
        job->visit == NULL ? take_listed(job, shards, &count) : take_led(job, shards, &count);

    stores_close(&job->stores);
    if (err != HY_OK)
        return err;
    return stores_open(&job->cluster, job->visit == NULL ? NULL : job->visit->loop, shards, count,
                       &job->stores);
}
