#include "store/appset.h"

#include <pthread.h>
#include <stdlib.h>

struct list { /* by number */
    Hy__App **apps;
    size_t count, size;
};

struct appset {
    pthread_rwlock_t lock;
    struct list list;
    uint64_t then_ms; /* it was true at this time; UINT64_MAX: it is */
};

enum hy_err appset_open(struct appset **set)
{
    struct appset *s = calloc(1, sizeof *s);

    if (s == NULL)
        return HY_ENOMEM;
    pthread_rwlock_init(&s->lock, NULL);
    *set = s;
    return HY_OK;
}

static void list_free(struct list *list)
{
    for (size_t i = 0; i < list->count; i++)
        hy_app_free(list->apps[i]);
    free(list->apps);
}

void appset_close(struct appset **set)
{
    if (*set == NULL)
        return;
    list_free(&(*set)->list);
    pthread_rwlock_destroy(&(*set)->lock);
    free(*set);
    *set = NULL;
}

struct gather {
    struct list list;
    bool failed;
};

static void gather_app(void *arg, const Hy__App *app)
{
    struct gather *g = arg;
    Hy__App *copy = hy_app_copy(app);

    if (copy != NULL && g->list.count == g->list.size) {
        size_t size = g->list.size == 0 ? 16 : g->list.size * 2;
        Hy__App **apps = realloc(g->list.apps, size * sizeof(Hy__App *));

        if (apps == NULL) {
            hy_app_free(copy);
            copy = NULL;
        } else {
            g->list.apps = apps;
            g->list.size = size;
        }
    }
    if (copy == NULL)
        g->failed = true;
    else
        g->list.apps[g->list.count++] = copy;
}

static int by_number(const void *a, const void *b)
{
    const Hy__App *x = *(Hy__App *const *)a, *y = *(Hy__App *const *)b;

    return x->sdkappid < y->sdkappid ? -1 : x->sdkappid > y->sdkappid;
}

static void replace(struct appset *set, struct list list, uint64_t then_ms)
{
    struct list old;

    pthread_rwlock_wrlock(&set->lock);
    old = set->list;
    set->list = list;
    set->then_ms = then_ms;
    pthread_rwlock_unlock(&set->lock);
    list_free(&old);
}

enum hy_err appset_learn(struct appset *set, const struct hy_apps *apps)
{
    return appset_learn_then(set, apps, UINT64_MAX);
}

enum hy_err appset_learn_then(struct appset *set, const struct hy_apps *apps, uint64_t then_ms)
{
    struct gather g = {0};

    hy_apps_each(apps, gather_app, &g);
    if (g.failed) {
        list_free(&g.list);
        return HY_ENOMEM;
    }
    if (g.list.count > 0)
        qsort(g.list.apps, g.list.count, sizeof *g.list.apps, by_number);
    replace(set, g.list, then_ms);
    return HY_OK;
}

void appset_forget(struct appset *set)
{
    replace(set, (struct list){0}, UINT64_MAX);
}

/* The lock is held. */
static const Hy__App *find(const struct appset *set, uint32_t app)
{
    size_t low = 0, high = set->list.count;

    while (low < high) {
        size_t mid = (low + high) / 2;
        const Hy__App *a = set->list.apps[mid];

        if (a->sdkappid == app)
            return a;
        if (a->sdkappid < app)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

uint64_t appset_floor_ms(struct appset *set, uint32_t app, int conv_type, uint64_t now_ms)
{
    uint64_t floor;

    pthread_rwlock_rdlock(&set->lock);
    floor =
        hy_app_floor_ms(find(set, app), conv_type, now_ms < set->then_ms ? now_ms : set->then_ms);
    pthread_rwlock_unlock(&set->lock);
    return floor;
}

bool appset_sweeps(struct appset *set, uint32_t app)
{
    const Hy__App *a;
    bool sweeps;

    pthread_rwlock_rdlock(&set->lock);
    a = find(set, app);
    sweeps = a != NULL && a->sweep == 1;
    pthread_rwlock_unlock(&set->lock);
    return sweeps;
}

uint32_t appset_recent(struct appset *set, uint32_t app)
{
    const Hy__App *a;
    uint32_t recent;

    pthread_rwlock_rdlock(&set->lock);
    a = find(set, app);
    recent = a == NULL ? 50 : a->recent_contacts;
    pthread_rwlock_unlock(&set->lock);
    return recent;
}
