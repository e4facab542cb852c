#include "router/applist.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "cluster.pb-c.h"
#include "common/arena.h"
#include "common/codes.h"
#include "common/log.h"
#include "common/slot.h"
#include "router/memory.h"

/* A change has a second to reach the gateways, which ask us every 500 ms. */
enum { POLL_MS = 200, POLL_DEADLINE_MS = 2000 };

struct applist {
    struct hy_apps *apps;
    struct hy_stores *stores;
    struct hy_timer *timer;
    bool asking;
    atomic_bool ready;
};

uint16_t applist_slot(void)
{
    return hy_slot(0, HY_KIND_APP, "", 0);
}

static void on_apps(void *arg, enum hy_err err, const struct hy_record *answer)
{
    struct applist *list = arg;
    struct hy_arena arena;
    Hy__AppsRes *res = NULL;

    list->asking = false;
    hy_arena_init(&arena);
    if (err == HY_OK)
        res = hy__apps_res__unpack(&arena.pb, answer->len, answer->payload);
    if (res != NULL && res->code == HY_CODE_OK) {
        if (hy_apps_merge(list->apps, res->n_apps, res->apps, res->version) == HY_OK)
            atomic_store(&list->ready, true);
    } else {
        hy_log_warn("apps.not_read", "why=\"%s\"",
                    res != NULL ? hy_code_text(res->code) : hy_err_text(err));
    }
    hy_arena_free(&arena);
}

void applist_hurry(struct applist *applist)
{
    struct hy_stores_call call = {
        .kind = HY__BUS_KIND__STORE_APPS,
        .where = hy_stores_at_slot(applist_slot()),
        .deadline_ms = POLL_DEADLINE_MS,
        .done = on_apps,
        .arg = applist,
    };
    Hy__AppsReq req = HY__APPS_REQ__INIT;

    if (applist->asking ||
        !hy_stores_up(applist->stores, hy_stores_shard(applist->stores, applist_slot())))
        return;
    req.since_version = hy_apps_version(applist->apps);
    applist->asking = true;
    hy_stores_ask_pb(applist->stores, &call, &req.base);
}

static void on_timer(void *arg)
{
    applist_hurry(arg);
}

enum hy_err applist_open(struct hy_loop *loop, struct hy_stores *stores, struct applist **applist)
{
    enum hy_err err = HY_ENOMEM;
    struct applist *a = calloc(1, sizeof *a);

    if (a == NULL)
        return err;
    a->stores = stores;
    err = hy_apps_open(&a->apps);
    if (err != HY_OK)
        goto fail;
    err = hy_timer_open(loop, on_timer, a, &a->timer);
    if (err != HY_OK)
        goto fail;
    hy_timer_every(a->timer, POLL_MS);
    *applist = a;
    return HY_OK;

fail:
    applist_close(&a);
    return err;
}

void applist_close(struct applist **applist)
{
    struct applist *a = *applist;

    if (a == NULL)
        return;
    *applist = NULL;
    hy_timer_close(&a->timer);
    hy_apps_close(&a->apps);
    free(a);
}

const Hy__App *applist_find(const struct applist *applist, uint32_t sdkappid)
{
    return hy_apps_find(applist->apps, sdkappid);
}

bool applist_ready(const struct applist *applist)
{
    return atomic_load(&applist->ready);
}

uint32_t applist_refusal(const struct applist *applist)
{
    return applist_ready(applist) ? HY_CODE_APP_UNKNOWN : HY_CODE_UNAVAILABLE;
}

/* ---- for those who ask ---- */

struct gathering {
    uint64_t since;
    Hy__App **apps;
    size_t count;
};

static void count_newer(void *arg, const Hy__App *app)
{
    struct gathering *gathering = arg;

    if (app->version <= gathering->since)
        return;
    if (gathering->apps != NULL)
        gathering->apps[gathering->count] = (Hy__App *)app;
    gathering->count++;
}

void applist_answer(struct applist *applist, struct hy_peer *peer, const struct hy_record *record)
{
    struct gathering gathering = {0};
    Hy__AppsRes res = HY__APPS_RES__INIT;
    Hy__AppsReq *req = hy__apps_req__unpack(NULL, record->len, record->payload);

    if (req == NULL)
        return;
    gathering.since = req->since_version;
    hy__apps_req__free_unpacked(req, NULL);
    hy_apps_each(applist->apps, count_newer, &gathering);
    gathering.apps = memory_get((gathering.count + 1) * sizeof(Hy__App *));
    gathering.count = 0;
    hy_apps_each(applist->apps, count_newer, &gathering);
    res.version = hy_apps_version(applist->apps);
    res.apps = gathering.apps;
    res.n_apps = gathering.count;
    if (!applist_ready(applist))
        res.code = HY_CODE_UNAVAILABLE; /* not the same as "there are none" */
    hy_bus_answer_pb(peer, record->kind, record->id, &res.base);
    free(gathering.apps);
}
