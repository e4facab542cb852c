#include "store/outbox_items.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "store/telling.h"

enum { TABLE_START = 1024 };

/* ---- legs and their lanes ---- */

uint32_t lane_of(const struct items *items, uint32_t owner)
{
    return owner < items->shards ? owner : items->shards;
}

static void list_add(struct leg_list *list, struct leg *leg)
{
    leg->next = NULL;
    leg->prev = list->last;
    *(list->last != NULL ? &list->last->next : &list->first) = leg;
    list->last = leg;
}

static void list_add_first(struct leg_list *list, struct leg *leg)
{
    leg->prev = NULL;
    leg->next = list->first;
    *(list->first != NULL ? &list->first->prev : &list->last) = leg;
    list->first = leg;
}

static void list_remove(struct leg_list *list, struct leg *leg)
{
    *(leg->prev != NULL ? &leg->prev->next : &list->first) = leg->next;
    *(leg->next != NULL ? &leg->next->prev : &list->last) = leg->prev;
    leg->prev = leg->next = NULL;
}

void leg_wait(struct items *items, struct leg *leg, bool first)
{
    struct leg_list *waiting = &items->lanes[leg->shard].waiting;

    leg->state = LEG_WAITS;
    if (first)
        list_add_first(waiting, leg);
    else
        list_add(waiting, leg);
}

static void leg_off(struct items *items, struct leg *leg)
{
    if (leg->state == LEG_WAITS)
        list_remove(&items->lanes[leg->shard].waiting, leg);
    else if (leg->state == LEG_SENT)
        list_remove(&items->lanes[leg->shard].sent, leg);
}

void leg_idle(struct items *items, struct leg *leg)
{
    leg_off(items, leg);
    leg->state = LEG_IDLE;
}

void leg_send(struct items *items, struct leg *leg)
{
    leg_off(items, leg);
    leg->state = LEG_SENT;
    leg->sent = leg->item->generation;
    list_add(&items->lanes[leg->shard].sent, leg);
}

unsigned leg_bit(const struct leg *leg)
{
    return 1u << (leg - leg->item->legs);
}

/* ---- the table ---- */

enum hy_err items_init(struct items *items)
{
    *items = (struct items){.mask = TABLE_START - 1};
    items->cool_end = &items->cool;
    items->table = calloc(TABLE_START, sizeof *items->table);
    return items->table == NULL ? HY_ENOMEM : HY_OK;
}

enum hy_err items_reset(struct items *items, uint32_t shards)
{
    struct lane *lanes;

    items_drop_all(items);
    if (shards == items->shards)
        return HY_OK;
    lanes = calloc(shards + 1U, sizeof *lanes);
    if (lanes == NULL)
        return HY_ENOMEM;
    free(items->lanes);
    items->lanes = lanes;
    items->shards = shards;
    return HY_OK;
}

void items_free(struct items *items)
{
    items_drop_all(items);
    free(items->lanes);
    free(items->table);
    *items = (struct items){0};
}

static void grow(struct items *items)
{
    size_t mask = items->mask * 2 + 1;
    struct item **table = calloc(mask + 1, sizeof *table);

    if (table == NULL)
        return;
    for (size_t i = 0; i <= items->mask; i++)
        for (struct item *item = items->table[i], *next; item != NULL; item = next) {
            next = item->chain;
            item->chain = table[item->hash & mask];
            table[item->hash & mask] = item;
        }
    free(items->table);
    items->table = table;
    items->mask = mask;
}

static struct item *look(const struct items *items, const struct key *key, uint64_t hash)
{
    struct item *item = items->table[hash & items->mask];

    while (item != NULL && (item->hash != hash || item->key.len != key->len ||
                            memcmp(item->key.bytes, key->bytes, key->len) != 0))
        item = item->chain;
    return item;
}

struct item *items_find(const struct items *items, const struct key *key)
{
    return look(items, key, XXH3_64bits(key->bytes, key->len));
}

struct item *items_make(struct items *items, const struct key *key)
{
    uint64_t hash = XXH3_64bits(key->bytes, key->len);
    struct item *item = look(items, key, hash);

    if (item != NULL)
        return item;
    item = calloc(1, sizeof *item);
    if (item == NULL)
        return NULL;
    if (items->count > items->mask)
        grow(items);
    item->hash = hash;
    item->key = *key;
    for (int i = 0; i < 2; i++)
        item->legs[i].item = item;
    item->chain = items->table[hash & items->mask];
    items->table[hash & items->mask] = item;
    items->count++;
    return item;
}

void items_drop(struct items *items, struct item *item)
{
    struct item **at = &items->table[item->hash & items->mask];

    while (*at != item)
        at = &(*at)->chain;
    *at = item->chain;
    for (int i = 0; i < 2; i++)
        leg_off(items, &item->legs[i]);
    telling_unref(&item->telling); /* ends by itself, in time */
    free(item);
    items->count--;
}

void items_drop_all(struct items *items)
{
    for (size_t i = 0; i <= items->mask && items->table != NULL; i++) {
        for (struct item *item = items->table[i], *next; item != NULL; item = next) {
            next = item->chain;
            telling_unref(&item->telling);
            free(item);
        }
        items->table[i] = NULL;
    }
    items->count = 0;
    items->cool = NULL;
    items->cool_end = &items->cool;
    for (uint32_t i = 0; i <= items->shards && items->lanes != NULL; i++)
        items->lanes[i] = (struct lane){0};
}

/* ---- items that are done ---- */

bool item_done(const struct item *item)
{
    for (int i = 0; i < 2; i++)
        if (item->legs[i].state != LEG_NONE && item->legs[i].state != LEG_IDLE)
            return false;
    return true;
}

void items_cool(struct items *items, struct item *item, uint64_t until_ms)
{
    if (item->cooling)
        return;
    item->cooling = true;
    item->cool_ms = until_ms;
    item->next_cool = NULL;
    *items->cool_end = item;
    items->cool_end = &item->next_cool;
}

struct item *items_cooled(struct items *items, uint64_t now_ms)
{
    struct item *item = items->cool;

    if (item == NULL || item->cool_ms > now_ms)
        return NULL;
    items->cool = item->next_cool;
    if (items->cool == NULL)
        items->cool_end = &items->cool;
    item->cooling = false;
    return item;
}
