/* coord_fake - common/coord.h for tests of one process with several nodes: values that all see at
 * once, leases that end when the test says so. Takes the place of the library's functions. */

#ifndef TESTS_UNIT_COORD_FAKE_H
#define TESTS_UNIT_COORD_FAKE_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/coord.h"

enum { FAKE_VALUES = 64, FAKE_NODES = 8 };

struct hy_coord {
    struct hy_loop *loop;
    struct hy_coord_handler handler;
    void *ctx;
    bool open, lease, away; /* away: what is asked is not answered, nothing is seen */
    bool unread;            /* not all values have been read */
};

static struct {
    struct hy_coord nodes[FAKE_NODES];
    struct fake_value {
        char key[HY_COORD_KEY_MAX], text[2048];
        bool there;
        uint64_t created, changed;
        struct hy_coord *lease;
    } values[FAKE_VALUES];
    uint64_t revision;
    struct fake_ask *asks; /* not decided yet */
} fake;

static inline struct fake_value *fake_find(const char *key, bool make)
{
    for (int i = 0; i < FAKE_VALUES; i++) {
        struct fake_value *v = &fake.values[i];

        if (strcmp(v->key, key) == 0)
            return v;
        if (v->key[0] == '\0') {
            if (make)
                snprintf(v->key, sizeof v->key, "%s", key);
            return make ? v : NULL;
        }
    }
    abort();
}

static inline void fake_show(const struct fake_value *v, struct hy_coord_value *out)
{
    *out =
        (struct hy_coord_value){v->key,     v->there ? v->text : NULL, strlen(v->text), v->created,
                                v->changed, v->lease != NULL};
}

static inline void fake_tell(const struct fake_value *v)
{
    struct hy_coord_value value;

    fake_show(v, &value);
    for (int i = 0; i < FAKE_NODES; i++)
        if (fake.nodes[i].open && !fake.nodes[i].away)
            fake.nodes[i].handler.changed(fake.nodes[i].ctx, &value);
}

static inline void fake_put(const char *key, const char *text, struct hy_coord *lease)
{
    struct fake_value *v = fake_find(key, true);

    fake.revision++;
    if (!v->there)
        v->created = fake.revision;
    v->changed = fake.revision;
    v->there = text != NULL;
    v->lease = text == NULL ? NULL : lease;
    snprintf(v->text, sizeof v->text, "%s", text == NULL ? "" : text);
}

static inline struct hy_coord *fake_open(struct hy_loop *loop,
                                         const struct hy_coord_handler *handler, void *ctx)
{
    for (int i = 0; i < FAKE_NODES; i++)
        if (!fake.nodes[i].open) {
            fake.nodes[i] = (struct hy_coord){loop, *handler, ctx, true, true, false, false};
            return &fake.nodes[i];
        }
    abort();
}

/* The lease ends, as when its process was silent for too long. */
static inline void fake_end_lease(struct hy_coord *c)
{
    for (int i = 0; i < FAKE_VALUES; i++)
        if (fake.values[i].lease == c) {
            fake_put(fake.values[i].key, NULL, NULL);
            fake_tell(&fake.values[i]);
        }
}

static inline void fake_close(struct hy_coord *c)
{
    c->open = false;
    fake_end_lease(c);
}

/* ---- common/coord.h ---- */

bool hy_coord_get(const struct hy_coord *c, const char *key, struct hy_coord_value *value)
{
    const struct fake_value *v = fake_find(key, false);

    (void)c;
    if (v == NULL || !v->there)
        return false;
    fake_show(v, value);
    return true;
}

void hy_coord_each(const struct hy_coord *c, const char *prefix,
                   void (*fn)(void *arg, const struct hy_coord_value *value), void *arg)
{
    (void)c;
    for (int i = 0; i < FAKE_VALUES; i++)
        if (fake.values[i].there && strncmp(fake.values[i].key, prefix, strlen(prefix)) == 0) {
            struct hy_coord_value value;

            fake_show(&fake.values[i], &value);
            fn(arg, &value);
        }
}

uint64_t hy_coord_trusted_until_ms(const struct hy_coord *c)
{
    return c->lease && !c->away ? hy_steady_ms() + 1000 : 0;
}

bool hy_coord_whole(const struct hy_coord *c)
{
    return !c->unread;
}

bool hy_coord_static(const struct hy_coord *c)
{
    (void)c;
    return false;
}

struct fake_ask {
    struct fake_ask *next;
    struct hy_coord *coord;
    struct hy_coord_guard guards[2];
    struct hy_coord_put puts[2];
    size_t guard_count, put_count;
    hy_coord_done_fn *done;
    void *arg;
};

static inline bool fake_holds(const struct hy_coord_guard *g)
{
    const struct fake_value *v = fake_find(g->key, false);
    bool there = v != NULL && v->there;

    if (g->test == HY_COORD_ABSENT)
        return !there;
    return there && (g->test == HY_COORD_CREATED ? v->created : v->changed) == g->revision;
}

static inline void fake_decide(void *arg)
{
    struct fake_ask *a = arg, **at = &fake.asks;
    enum hy_err err = a->coord->open && !a->coord->away ? HY_OK : HY_ETIMEOUT;

    while (*at != a)
        at = &(*at)->next;
    *at = a->next;
    for (size_t i = 0; i < a->guard_count && err == HY_OK; i++)
        if (!fake_holds(&a->guards[i]))
            err = HY_EEXIST;
    for (size_t i = 0; i < a->put_count && err == HY_OK; i++)
        fake_put(a->puts[i].key, a->puts[i].text, a->puts[i].leased ? a->coord : NULL);
    for (size_t i = 0; i < a->put_count && err == HY_OK; i++)
        fake_tell(fake_find(a->puts[i].key, false));
    if (a->done != NULL)
        a->done(a->arg, err, fake.revision);
    for (size_t i = 0; i < a->guard_count; i++)
        free((void *)a->guards[i].key);
    for (size_t i = 0; i < a->put_count; i++) {
        free((void *)a->puts[i].key);
        free((void *)a->puts[i].text);
    }
    free(a);
}

void hy_coord_change(struct hy_coord *c, const struct hy_coord_change *change,
                     hy_coord_done_fn *done, void *arg)
{
    struct fake_ask *a = calloc(1, sizeof *a);

    assert(a != NULL && change->guard_count <= 2 && change->put_count <= 2);
    *a = (struct fake_ask){.next = fake.asks,
                           .coord = c,
                           .guard_count = change->guard_count,
                           .put_count = change->put_count,
                           .done = done,
                           .arg = arg};
    for (size_t i = 0; i < a->guard_count; i++) {
        a->guards[i] = change->guards[i];
        a->guards[i].key = strdup(change->guards[i].key);
    }
    for (size_t i = 0; i < a->put_count; i++) {
        a->puts[i] = change->puts[i];
        a->puts[i].key = strdup(change->puts[i].key);
        a->puts[i].text = change->puts[i].text == NULL ? NULL : strdup(change->puts[i].text);
    }
    fake.asks = a;
    if (hy_loop_post(c->loop, fake_decide, a) != HY_OK)
        abort();
}

void hy_coord_forget(struct hy_coord *c, const void *arg)
{
    for (struct fake_ask *a = fake.asks; a != NULL; a = a->next)
        if (a->coord == c && a->arg == arg)
            a->done = NULL;
}

#endif
