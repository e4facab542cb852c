#include "store/telling.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

struct kept {
    struct kept *next;
    struct hy_reply reply;
    size_t len;
    uint8_t payload[];
};

struct telling {
    struct tellings *all;
    struct telling *prev, *next; /* among those that answers wait for */
    struct kept *first, **end;
    uint64_t until_ms; /* 0: no answer waits yet */
    unsigned refs;
    bool ended;
};

struct tellings {
    answer_fn *fn;
    void *ctx;
    struct telling *first, *last; /* by until_ms; each has a reference */
    size_t count;
};

enum hy_err tellings_open(answer_fn *fn, void *ctx, struct tellings **tellings)
{
    struct tellings *all = calloc(1, sizeof *all);

    if (all == NULL)
        return HY_ENOMEM;
    all->fn = fn;
    all->ctx = ctx;
    *tellings = all;
    return HY_OK;
}

void tellings_close(struct tellings **tellings)
{
    if (*tellings == NULL)
        return;
    tellings_tick(*tellings, UINT64_MAX);
    free(*tellings);
    *tellings = NULL;
}

void tellings_tick(struct tellings *tellings, uint64_t now_ms)
{
    for (struct telling *t = tellings->first, *next; t != NULL && t->until_ms <= now_ms; t = next) {
        next = t->next;
        telling_end(t);
    }
}

size_t tellings_count(const struct tellings *tellings)
{
    return tellings->count;
}

struct telling *telling_begin(struct tellings *tellings)
{
    struct telling *t = calloc(1, sizeof *t);

    if (t == NULL)
        return NULL;
    t->all = tellings;
    t->end = &t->first;
    t->refs = 1;
    tellings->count++;
    return t;
}

struct telling *telling_ref(struct telling *telling)
{
    telling->refs++;
    return telling;
}

void telling_unref(struct telling **telling)
{
    struct telling *t = *telling;

    *telling = NULL;
    if (t == NULL || --t->refs > 0)
        return;
    t->all->count -= !t->ended;
    free(t); /* what waits has a reference, so nothing does */
}

/* ---- the list of those that answers wait for ---- */

static void list_add(struct telling *t)
{
    struct tellings *all = t->all;

    t->until_ms = hy_steady_ms() + TELLING_MS;
    t->prev = all->last;
    *(all->last != NULL ? &all->last->next : &all->first) = telling_ref(t);
    all->last = t;
}

static void list_remove(struct telling *t)
{
    struct tellings *all = t->all;

    *(t->prev != NULL ? &t->prev->next : &all->first) = t->next;
    *(t->next != NULL ? &t->next->prev : &all->last) = t->prev;
    telling_unref(&t);
}

/* ---- answers ---- */

bool telling_add(struct telling *telling, const struct hy_reply *reply, const uint8_t *payload,
                 size_t len)
{
    struct kept *kept = telling->ended ? NULL : malloc(sizeof *kept + len);

    if (kept == NULL)
        return false;
    kept->next = NULL;
    kept->reply = *reply;
    kept->len = len;
    if (len > 0)
        memcpy(kept->payload, payload, len);
    *telling->end = kept;
    telling->end = &kept->next;
    if (telling->until_ms == 0)
        list_add(telling);
    return true;
}

void telling_end(struct telling *telling)
{
    const struct tellings *all = telling->all;

    if (telling->ended)
        return;
    telling->ended = true;
    telling->all->count--;
    for (struct kept *kept = telling->first, *next; kept != NULL; kept = next) {
        next = kept->next;
        all->fn(all->ctx, &kept->reply, kept->payload, kept->len);
        free(kept);
    }
    telling->first = NULL;
    telling->end = &telling->first;
    if (telling->until_ms != 0)
        list_remove(telling);
}

bool telling_ended(const struct telling *telling)
{
    return telling->ended;
}
