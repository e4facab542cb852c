/* Two shards in one process, and the test in place of the bus between them. */

#ifndef STORE_SHARDS_H
#define STORE_SHARDS_H

#include "store_fixture.h"

#include <time.h>

#include "common/clock.h"

struct shards {
    struct fixture *shard[2];
};

static inline int shards_setup(void **state)
{
    struct shards *p = calloc(1, sizeof *p);

    for (uint32_t i = 0; i < 2; i++)
        p->shard[i] = fixture_open(i, 2);
    *state = p;
    return 0;
}

static inline int shards_teardown(void **state)
{
    struct shards *p = *state;

    fixture_close(p->shard[0]);
    fixture_close(p->shard[1]);
    free(p);
    return 0;
}

/* A name like prefix0, prefix1, ... in a slot of the shard. */
static inline void user_of(uint32_t shard, const char *prefix, char out[static 32])
{
    for (int i = 0;; i++) {
        snprintf(out, 32, "%s%d", prefix, i);
        if (hy_slot_shard(hy_slot_user(FIXTURE_APP, out), 2) == shard)
            return;
    }
}

/* Two users of shard 1 whose pair lives in shard 0. */
static inline void strangers(char a[static 32], char b[static 32])
{
    user_of(1, "anna", a);
    for (int i = 0;; i++) {
        snprintf(b, 32, "ben%d", i);
        if (hy_slot_shard(hy_slot_user(FIXTURE_APP, b), 2) == 1 &&
            hy_slot_shard(hy_slot_pair(FIXTURE_APP, a, b), 2) == 0)
            return;
    }
}

/* Turn shard 0 until it wants to send; false: it has nothing within a second. */
static inline bool wait_to_send(struct fixture *f)
{
    uint64_t until = hy_steady_ms() + 1000;
    const struct timespec moment = {0, 2000000};

    while (!f->sending && hy_steady_ms() < until) {
        store_turn(f->store);
        nanosleep(&moment, NULL);
    }
    return f->sending;
}

/* Give shard 1 what shard 0 sent; tell shard 0 so unless the answer is to be lost. */
static inline void deliver(struct shards *p, bool answer)
{
    struct fixture *from = p->shard[0], *to = p->shard[1];
    struct request req = {
        .kind = HY__BUS_KIND__STORE_EFFECTS, .payload = from->send_data, .len = from->send_len};
    Hy__EffectsRes *res;

    assert_int_equal(from->send_shard, 1);
    req.reply.id = to->next_id++;
    req.reply.kind = req.kind;
    store_handle(to->store, &req);
    store_turn(to->store);
    res = fixture_take(to, req.reply.id, &hy__effects_res__descriptor);
    assert_int_equal(res->code, 0);
    DROP(res);
    from->sending = false;
    store_effects_answered(from->store, 1, from->send_token, answer);
}

/* Say it, and turn once. */
static inline uint64_t say(struct shards *p, const char *from, const char *to, const char *id)
{
    uint64_t asked = fixture_say(p->shard[0], (struct say){.from = from, .to = to, .id = id});

    store_turn(p->shard[0]->store);
    return asked;
}

/* Make the pair of two strangers, and let all be told. */
static inline void meet(struct shards *p, char a[static 32], char b[static 32])
{
    uint64_t asked;

    strangers(a, b);
    asked = say(p, a, b, "met");
    assert_true(wait_to_send(p->shard[0]));
    deliver(p, true);
    assert_int_equal(fixture_result(p->shard[0], asked).seq, 1);
}

/* Turn the shard until it answers. */
static inline void wait_answer(struct fixture *f, uint64_t asked)
{
    uint64_t began = hy_steady_ms();
    const struct timespec moment = {0, 2000000};

    while (!fixture_answered(f, asked) && hy_steady_ms() < began + 2000) {
        store_turn(f->store);
        nanosleep(&moment, NULL);
    }
    assert_true(fixture_answered(f, asked));
}

#endif
