#include "gateway/wheel.h"

#include <stddef.h>
#include <stdlib.h>

enum { BUCKETS = 512 }; /* 128 s a round; later entries are passed over until their round */

struct wheel {
    struct wheel_entry buckets[BUCKETS]; /* heads of circular lists */
    wheel_fn *fn;
    void *ctx;
    uint64_t tick; /* next to be looked at */
};

static void list_open(struct wheel_entry *head)
{
    head->prev = head->next = head;
}

static void list_add(struct wheel_entry *head, struct wheel_entry *entry)
{
    entry->prev = head->prev;
    entry->next = head;
    head->prev->next = entry;
    head->prev = entry;
}

enum hy_err wheel_open(uint64_t now_ms, wheel_fn *fn, void *ctx, struct wheel **wheel)
{
    struct wheel *w = calloc(1, sizeof *w);

    if (w == NULL)
        return HY_ENOMEM;
    for (size_t i = 0; i < BUCKETS; i++)
        list_open(&w->buckets[i]);
    w->fn = fn;
    w->ctx = ctx;
    w->tick = now_ms / WHEEL_TICK_MS;
    *wheel = w;
    return HY_OK;
}

void wheel_close(struct wheel **wheel)
{
    struct wheel *w = *wheel;

    if (w == NULL)
        return;
    *wheel = NULL;
    for (size_t i = 0; i < BUCKETS; i++)
        while (w->buckets[i].next != &w->buckets[i])
            wheel_clear(w->buckets[i].next);
    free(w);
}

void wheel_set(struct wheel *wheel, struct wheel_entry *entry, uint64_t due_ms)
{
    uint64_t tick = due_ms / WHEEL_TICK_MS + 1; /* the first at which it has passed */

    if (tick < wheel->tick)
        tick = wheel->tick;
    wheel_clear(entry);
    entry->due_ms = due_ms;
    list_add(&wheel->buckets[tick % BUCKETS], entry);
}

void wheel_clear(struct wheel_entry *entry)
{
    if (entry->next == NULL)
        return;
    entry->prev->next = entry->next;
    entry->next->prev = entry->prev;
    entry->prev = entry->next = NULL;
}

static void turn_bucket(struct wheel *wheel, struct wheel_entry *bucket, uint64_t now_ms)
{
    struct wheel_entry list; /* fn may set entries into the bucket: look at what was there */

    list_open(&list);
    while (bucket->next != bucket) {
        struct wheel_entry *entry = bucket->next;

        wheel_clear(entry);
        list_add(&list, entry);
    }
    while (list.next != &list) {
        struct wheel_entry *entry = list.next;

        wheel_clear(entry);
        if (entry->due_ms > now_ms)
            list_add(bucket, entry);
        else
            wheel->fn(wheel->ctx, entry);
    }
}

void wheel_turn(struct wheel *wheel, uint64_t now_ms)
{
    uint64_t now = now_ms / WHEEL_TICK_MS;

    if (now >= wheel->tick + BUCKETS) /* slept for more than a round: one round sees all */
        wheel->tick = now - BUCKETS + 1;
    while (wheel->tick <= now) {
        uint64_t tick = wheel->tick++;

        turn_bucket(wheel, &wheel->buckets[tick % BUCKETS], now_ms);
    }
}
