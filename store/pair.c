#include "store/pair.h"

#include <stdlib.h>
#include <string.h>

#include "store/index.h"
#include "store/outbox.h"
#include "store/telling.h"

/* ---- decisions ---- */

struct place pair_take(Hy__Pair *pair, int side, bool self, uint32_t flags, uint64_t now_ms)
{
    struct place place;

    /* Time never falls along a log, whatever the clock does: expiry and paging rely on it. */
    if (pair->last_time_ms < now_ms)
        pair->last_time_ms = now_ms;
    place.seq = ++pair->last_seq;
    place.time_ms = pair->last_time_ms;
    pair->version++;
    if (!self && (flags & HY__MSG_FLAG__MSG_NO_UNREAD) == 0)
        pair->sides[1 - side]->unread++;
    return place;
}

bool pair_wakes(const Hy__Pair *pair, uint64_t now_ms)
{
    return pair->last_seq == 0 || now_ms > pair->last_time_ms + PAIR_PAUSE_MS;
}

bool pair_read(Hy__Pair *pair, int side, uint64_t seq, uint32_t left)
{
    Hy__PairSide *s = pair->sides[side];

    if (seq == 0 || seq > pair->last_seq)
        seq = pair->last_seq;
    if (seq == pair->last_seq)
        left = 0;
    if (seq < s->read_seq || (seq == s->read_seq && left == s->unread))
        return false;
    s->read_seq = seq;
    s->unread = left;
    return true;
}

void pair_clear(Hy__Pair *pair, int side)
{
    pair->sides[side]->clear_seq = pair->last_seq;
    pair->sides[side]->read_seq = pair->last_seq;
    pair->sides[side]->unread = 0;
}

/* ---- rows ---- */

enum hy_err pair_find(struct core *core, uint32_t app, const char *user, const char *peer,
                      struct pair_ref *ref)
{
    bool first = strcmp(user, peer) <= 0;
    struct key key;
    enum hy_err err;

    *ref = (struct pair_ref){.home = {hy_slot_pair(app, user, peer), app},
                             .users = {first ? user : peer, first ? peer : user},
                             .side = first ? 0 : 1};
    key_pair(&key, ref->home, KEY_PAIR, user, peer);
    err = rows_get(core->rows, FAMILY_ENTITY, &key, &hy__pair__descriptor, &ref->row);
    if (err != HY_OK)
        return err;
    ref->pair = (Hy__Pair *)ref->row->msg;
    if (ref->pair != NULL && ref->pair->n_sides != 2)
        return HY_ECORRUPT;
    return HY_OK;
}

enum hy_err pair_make(struct core *core, struct pair_ref *ref)
{
    Hy__PairSide side = HY__PAIR_SIDE__INIT, *sides[2] = {&side, &side};
    Hy__Pair pair = HY__PAIR__INIT;
    ProtobufCMessage *fresh;
    enum hy_err err;

    if (ref->pair != NULL)
        return HY_OK;
    err = core_conversation(core, ref->home.slot, &pair.conversation);
    if (err != HY_OK)
        return err;
    pair.n_sides = 2;
    pair.sides = sides;
    fresh = rows_copy(&pair.base);
    if (fresh == NULL)
        return HY_ENOMEM;
    rows_set(core->rows, ref->row, fresh);
    ref->pair = (Hy__Pair *)fresh;
    return HY_OK;
}

struct convlog pair_log(const struct pair_ref *ref)
{
    return (struct convlog){ref->home, HY__CONV_TYPE__CONV_C2C, ref->pair->conversation};
}

/* ---- what the indexes are to show ---- */

struct touched_pair {
    struct row *row;
    struct key_home home;
    unsigned sides;
    char users[2][KEY_TEXT_MAX + 1];
};

/* The row's notes: 0 is the batch that showed it last, 1 its place in the list, 2 when the indexes
 * of this shard were told. */
void pair_show(struct core *core, const struct pair_ref *ref, unsigned sides)
{
    struct touched_pair *t;

    if (ref->row->note[0] == core->batch_number) {
        core->pairs[ref->row->note[1]].sides |= sides;
        return;
    }
    if (core->pair_count == core->pair_size) {
        size_t size = core->pair_size == 0 ? 64 : core->pair_size * 2;
        struct touched_pair *list = realloc(core->pairs, size * sizeof *list);

        if (list == NULL) {
            batch_fail(core->batch, HY_ENOMEM);
            return;
        }
        core->pairs = list;
        core->pair_size = size;
    }
    ref->row->note[0] = core->batch_number;
    ref->row->note[1] = core->pair_count;
    t = &core->pairs[core->pair_count++];
    t->row = ref->row;
    t->home = ref->home;
    t->sides = sides;
    for (int i = 0; i < 2; i++)
        strcpy(t->users[i], ref->users[i]);
}

struct telling *pair_telling(struct core *core, const struct pair_ref *ref, unsigned woken)
{
    if (strcmp(ref->users[0], ref->users[1]) == 0)
        woken &= 1u;
    for (int i = 0; i < 2; i++)
        if ((woken & 1u << i) != 0 && core_owns(core, hy_slot_user(ref->home.app, ref->users[i])))
            woken &= ~(1u << i); /* those of this shard are in the batch, or read with it */
    if (woken == 0 && tellings_count(core->tellings) == 0)
        return NULL;
    return outbox_telling(core, ref->home, ref->users[0], ref->users[1], woken);
}

/* A message costs no index write while its conversation is warm: the outbox row says that one is
 * due. */
static void flush_one(struct core *core, const struct touched_pair *t, uint64_t now_ms)
{
    const Hy__Pair *pair = (const Hy__Pair *)t->row->msg;
    bool self = strcmp(t->users[0], t->users[1]) == 0;
    bool warm = now_ms - t->row->note[2] < OUTBOX_WARM_MS;
    unsigned later = 0;

    for (int i = 0; i < (self ? 1 : 2); i++) {
        if ((t->sides & 1u << i) == 0)
            continue;
        if (!warm && core_owns(core, hy_slot_user(t->home.app, t->users[i])))
            index_put_pair(core, t->home.app, t->users[i], t->users[1 - i], pair);
        else
            later |= 1u << i;
    }
    if (!warm)
        t->row->note[2] = now_ms;
    if (later != 0)
        outbox_pair(core, t->home, t->users[0], t->users[1], later);
}

void pair_flush(struct core *core)
{
    uint64_t now_ms = core->pair_count == 0 ? 0 : core_now(core);

    for (size_t i = 0; i < core->pair_count; i++)
        if (core->pairs[i].row->msg != NULL)
            flush_one(core, &core->pairs[i], now_ms);
}

void pair_forget(struct core *core)
{
    core->pair_count = 0;
}
