#include "store/outbox.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "store/gate.h"
#include "store/index.h"
#include "store/outbox_items.h"
#include "store/outbox_row.h"
#include "store/telling.h"

struct outbox {
    struct items items;
    uint64_t token;   /* of the last call; never used again, in no reign */
    uint64_t hold_ms; /* nothing is told until then */
};

#define NO_SHARD UINT32_MAX

enum hy_err outbox_open(struct outbox **outbox)
{
    struct outbox *o = calloc(1, sizeof *o);

    if (o == NULL)
        return HY_ENOMEM;
    if (items_init(&o->items) != HY_OK) {
        outbox_close(&o);
        return HY_ENOMEM;
    }
    *outbox = o;
    return HY_OK;
}

void outbox_close(struct outbox **outbox)
{
    struct outbox *o = *outbox;

    if (o == NULL)
        return;
    *outbox = NULL;
    items_free(&o->items);
    free(o);
}

/* ---- what is to be told ---- */

/* A leg has something to tell. Its lane takes it up when the batch is on the disk; one of this
 * shard may as well wait for more. */
static void leg_need(struct core *core, struct leg *leg, uint32_t app, const char *user,
                     uint32_t own_shard)
{
    if (leg->state == LEG_NONE) {
        leg->shard = lane_of(&core->outbox->items, core->map->owner[hy_slot_user(app, user)]);
        leg->state = LEG_IDLE;
    }
    if (leg->state != LEG_IDLE)
        return;
    if (leg->shard == own_shard)
        leg->due_ms = hy_steady_ms() + OUTBOX_WARM_MS;
    /* What an answer waits for goes first. */
    leg_wait(&core->outbox->items, leg, (leg->item->untold & leg_bit(leg)) != 0);
}

static void need_leg(struct core *core, struct item *item, int i, uint32_t app, const char *user)
{
    leg_need(core, &item->legs[i], app, user, core->shard);
}

void outbox_pair(struct core *core, struct key_home home, const char *a, const char *b,
                 unsigned sides)
{
    const char *users[2] = {a, b};
    struct outbox *o = core->outbox;
    struct item *item;
    struct key key;

    key_pair(&key, home, KEY_OUT_PAIR, a, b);
    item = items_make(&o->items, &key);
    if (item == NULL) {
        batch_fail(core->batch, HY_ENOMEM);
        return;
    }
    if (item->generation++ == 0)
        batch_put(core->batch, FAMILY_OUTBOX, &key, "", 0);
    for (int i = 0; i < 2; i++)
        if ((sides & 1u << i) != 0)
            need_leg(core, item, i, home.app, users[i]);
}

void outbox_member(struct core *core, struct key_home home, uint64_t conversation,
                   const Hy__Effect *effect)
{
    struct outbox *o = core->outbox;
    struct item *item;
    struct key key;

    key_member(&key, home, KEY_OUT_MEMBER, conversation, effect->user);
    item = items_make(&o->items, &key);
    if (item == NULL) {
        batch_fail(core->batch, HY_ENOMEM);
        return;
    }
    item->generation++;
    batch_put_record(core->batch, FAMILY_OUTBOX, &key, &effect->base);
    need_leg(core, item, 0, home.app, effect->user);
}

bool outbox_has_member(const struct core *core, struct key_home home, uint64_t conversation,
                       const char *user)
{
    struct key key;

    key_member(&key, home, KEY_OUT_MEMBER, conversation, user);
    return items_find(&core->outbox->items, &key) != NULL;
}

/* ---- answers that wait for other shards ---- */

struct telling *outbox_telling(struct core *core, struct key_home home, const char *a,
                               const char *b, unsigned sides)
{
    struct outbox *o = core->outbox;
    struct item *item;
    struct key key;

    key_pair(&key, home, KEY_OUT_PAIR, a, b);
    if (sides != 0)
        item = items_make(&o->items, &key);
    else
        item = items_find(&o->items, &key);
    if (item == NULL)
        return NULL;
    if (item->telling != NULL && telling_ended(item->telling)) {
        telling_unref(&item->telling);
        item->untold = 0;
    }
    if (sides == 0)
        return item->telling;
    if (item->telling == NULL)
        item->telling = telling_begin(core->tellings);
    item->told_after = item->generation;
    item->untold |= sides;
    return item->telling;
}

/* The leg's shard has what was sent. */
static void leg_told(struct leg *leg)
{
    struct item *item = leg->item;

    if (item->untold == 0 || leg->sent <= item->told_after)
        return;
    item->untold &= ~leg_bit(leg);
    if (item->untold != 0 || item->telling == NULL)
        return;
    telling_end(item->telling);
    telling_unref(&item->telling);
}

void outbox_hold(struct outbox *outbox, uint64_t until_ms)
{
    outbox->hold_ms = until_ms;
}

bool outbox_quiet(const struct outbox *outbox)
{
    for (uint32_t i = 0; i < outbox->items.shards; i++)
        if (outbox->items.lanes[i].calling != 0)
            return false;
    return true;
}

size_t outbox_count(const struct outbox *outbox)
{
    return outbox->items.count;
}

/* ---- what an earlier run left ---- */

static enum hy_err load_row(struct core *core, const struct db_scan *scan)
{
    char texts[2][KEY_TEXT_MAX + 1];
    struct key_parts parts;
    struct key key;
    struct item *item;
    size_t len;
    const uint8_t *bytes = db_scan_key(scan, &len);
    bool pair;

    if (len > KEY_MAX || key_parse(bytes, len, &parts) != HY_OK ||
        !core_owns(core, parts.home.slot))
        return HY_OK;
    pair = parts.format == KEY_OUT_PAIR;
    if (!pair && parts.format != KEY_OUT_MEMBER)
        return HY_OK;
    if (!key_copy_text(parts.first, parts.first_len, texts[0]) ||
        (pair && !key_copy_text(parts.second, parts.second_len, texts[1])))
        return HY_OK;
    key.len = (uint16_t)len;
    memcpy(key.bytes, bytes, len);
    item = items_make(&core->outbox->items, &key);
    if (item == NULL)
        return HY_ENOMEM;
    item->generation = 1;
    for (int i = 0; i < (pair ? 2 : 1); i++)
        leg_need(core, &item->legs[i], parts.home.app, texts[i], NO_SHARD); /* due at once */
    return HY_OK;
}

void outbox_forget(struct outbox *outbox)
{
    items_drop_all(&outbox->items);
}

/* A lane to each shard that owns something, and to this one. */
static uint32_t lanes_for(const struct core *core)
{
    return core->map->shards > core->shard ? core->map->shards : core->shard + 1;
}

enum hy_err outbox_load(struct core *core)
{
    struct key first = {.len = 0}, end = {.len = 2, .bytes = {0xFF, 0xFF}};
    struct db_scan *scan;
    enum hy_err err = db_scan_open(core->db, FAMILY_OUTBOX, &first, &end, true, &scan);

    if (err != HY_OK)
        return err;
    err = items_reset(&core->outbox->items, lanes_for(core));
    for (bool there = db_scan_seek(scan, NULL); there && err == HY_OK; there = db_scan_next(scan))
        err = load_row(core, scan);
    if (err == HY_OK)
        err = db_scan_err(scan);
    db_scan_close(&scan);
    return err;
}

/* ---- sending ---- */

static enum hy_err effect_of(struct core *core, const struct leg *leg, Hy__Effect **effect)
{
    return outbox_row_effect(core, &leg->item->key, (int)(leg - leg->item->legs), effect);
}

/* ---- indexes of this shard ---- */

/* HY_OK: it is in the batch. */
static enum hy_err tell_here(struct core *core, struct leg *leg, uint64_t now_ms)
{
    struct outbox *o = core->outbox;
    Hy__Effect *effect;
    enum hy_err err = effect_of(core, leg, &effect);

    if (err != HY_OK && err != HY_ENOTFOUND)
        return err;
    if (err == HY_OK)
        index_put_row(core, effect);
    leg_idle(&o->items, leg);
    if (item_done(leg->item))
        items_cool(&o->items, leg->item, now_ms + OUTBOX_EVERY_MS);
    return HY_OK;
}

/* Legs wait in the order in which they are due. */
static void tell_due(struct core *core, uint64_t now_ms)
{
    struct lane *lane = &core->outbox->items.lanes[core->shard];
    struct leg *leg;

    while ((leg = lane->waiting.first) != NULL && leg->due_ms <= now_ms)
        if (tell_here(core, leg, now_ms) != HY_OK)
            return;
}

static bool leg_of(const struct leg *leg, uint32_t app, const char *user, size_t len)
{
    struct key_parts parts;
    bool first = leg == leg->item->legs;

    if (key_parse(leg->item->key.bytes, leg->item->key.len, &parts) != HY_OK ||
        parts.home.app != app)
        return false;
    return (first ? parts.first_len : parts.second_len) == len &&
           memcmp(first ? parts.first : parts.second, user, len) == 0;
}

void outbox_hurry(struct core *core, uint32_t app, const char *user)
{
    size_t len = strlen(user);
    uint64_t now_ms = hy_steady_ms();

    for (struct leg *leg = core->outbox->items.lanes[core->shard].waiting.first, *next; leg != NULL;
         leg = next) {
        next = leg->next;
        if (leg_of(leg, app, user, len))
            (void)tell_here(core, leg, now_ms); /* it waits on if that failed */
    }
}

/* ---- indexes of other shards ---- */

/* Take up to a call's worth of legs that are due. */
static size_t gather(struct core *core, struct lane *lane, uint64_t now_ms, Hy__Effect **effects)
{
    size_t n = 0;
    enum hy_err err;

    for (struct leg *leg = lane->waiting.first, *next; leg != NULL && n < OUTBOX_CALL_MAX;
         leg = next) {
        next = leg->next;
        if (leg->due_ms > now_ms)
            continue;
        leg->due_ms = now_ms + OUTBOX_EVERY_MS;
        err = effect_of(core, leg, &effects[n]);
        if (err != HY_OK && err != HY_ENOTFOUND)
            continue; /* it waits on */
        n += err == HY_OK;
        leg_send(&core->outbox->items, leg);
    }
    return n;
}

static void send_lane(struct core *core, uint32_t shard, uint64_t now_ms)
{
    Hy__Effect *effects[OUTBOX_CALL_MAX];
    Hy__EffectsReq req = HY__EFFECTS_REQ__INIT;
    struct outbox *o = core->outbox;
    struct lane *lane = &o->items.lanes[shard];
    struct hy_buf bytes = {0};

    if (lane->calling != 0 || lane->waiting.first == NULL)
        return;
    req.n_effects = gather(core, lane, now_ms, effects);
    req.effects = effects;
    if (lane->sent.first == NULL)
        return;
    lane->calling = ++o->token;
    if (hy_buf_put_pb(&bytes, &req.base) != HY_OK ||
        gate_send(core->gate, gate_mark(core->gate), shard, lane->calling, bytes.data, bytes.len) !=
            HY_OK)
        outbox_answered(core, shard, lane->calling, false, now_ms);
    hy_buf_free(&bytes);
}

/* Rows that are done and have been quiet for a while go. */
static void drop_cool(struct core *core, uint64_t now_ms)
{
    struct outbox *o = core->outbox;
    struct item *item;

    while ((item = items_cooled(&o->items, now_ms)) != NULL) {
        if (!item_done(item))
            continue;
        batch_delete(core->batch, FAMILY_OUTBOX, &item->key);
        items_drop(&o->items, item);
    }
}

void outbox_tick(struct core *core, uint64_t now_ms)
{
    tell_due(core, now_ms);
    if (now_ms < core->outbox->hold_ms)
        return;
    for (uint32_t shard = 0; shard < core->outbox->items.shards; shard++)
        if (shard != core->shard)
            send_lane(core, shard, now_ms);
    drop_cool(core, now_ms);
    hy_arena_reset(&core->arena);
}

void outbox_answered(struct core *core, uint32_t shard, uint64_t token, bool done, uint64_t now_ms)
{
    struct outbox *o = core->outbox;
    struct lane *lane = &o->items.lanes[shard];
    struct leg_list sent;

    if (shard >= o->items.shards || lane->calling != token) /* of an earlier reign or map */
        return;
    sent = lane->sent;
    lane->calling = 0;
    lane->sent = (struct leg_list){0};
    for (struct leg *leg = sent.first, *next; leg != NULL; leg = next) {
        next = leg->next;
        leg->state = LEG_IDLE;
        if (done)
            leg_told(leg);
        if (!done || leg->sent != leg->item->generation)
            leg_wait(&o->items, leg, false);
        else if (item_done(leg->item))
            items_cool(&o->items, leg->item, now_ms + OUTBOX_EVERY_MS);
    }
}
