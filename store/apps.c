#include "store/apps.h"

#include <stdlib.h>
#include <string.h>

#include "store/handlers.h"
#include "store/value.h"

static struct key_home list_home(void)
{
    return (struct key_home){hy_slot(0, HY_KIND_APP, "", 0), 0};
}

uint32_t apps_owner(const struct hy_shardmap *map)
{
    return map->owner[list_home().slot];
}

static bool owner(const struct core *core)
{
    return apps_owner(core->map) == core->shard;
}

static void app_key(bool owns, uint32_t app, struct key *key)
{
    struct key_home home = {owns ? list_home().slot : KEY_SLOT_SHARD, app};

    key_head(key, home, owns ? KEY_APP : KEY_APP_COPY);
}

static enum family app_family(bool owns)
{
    return owns ? FAMILY_ENTITY : FAMILY_DEFAULT;
}

/* ---- loading ---- */

static enum hy_err read_row(const struct db_scan *scan, struct hy_apps *apps)
{
    ProtobufCMessage *msg;
    Hy__App *app;
    size_t len;
    const uint8_t *value = db_scan_value(scan, &len);
    enum hy_err err = value_get(&hy__app__descriptor, NULL, value, len, &msg);

    if (err != HY_OK)
        return err;
    app = (Hy__App *)msg;
    err = hy_apps_merge(apps, 1, &app, app->version);
    hy__app__free_unpacked(app, NULL);
    return err;
}

enum hy_err apps_read(struct db *db, bool owns, struct hy_apps *apps)
{
    struct db_scan *scan;
    struct key first, end;
    enum hy_err err;

    app_key(owns, 0, &first);
    first.len -= 4; /* any app */
    end = first;
    key_after(&end);
    err = db_scan_open(db, app_family(owns), &first, &end, true, &scan);
    if (err != HY_OK)
        return err;
    for (bool there = db_scan_seek(scan, NULL); there && err == HY_OK; there = db_scan_next(scan))
        err = read_row(scan, apps);
    if (err == HY_OK)
        err = db_scan_err(scan);
    db_scan_close(&scan);
    return err;
}

enum hy_err apps_load(struct core *core)
{
    struct hy_apps *fresh;
    enum hy_err err = hy_apps_open(&fresh);

    if (err != HY_OK)
        return err;
    hy_apps_close(&core->apps);
    core->apps = fresh;
    core->keeps_apps = owner(core);
    err = apps_read(core->db, owner(core), core->apps);
    core->knows_apps = owner(core) || hy_apps_version(core->apps) > 0;
    return err == HY_OK ? appset_learn(core->appset, core->apps) : err;
}

static void put(struct core *core, const Hy__App *app)
{
    struct key key;

    app_key(owner(core), app->sdkappid, &key);
    batch_put_record(core->batch, app_family(owner(core)), &key, &app->base);
}

static void put_one(void *arg, const Hy__App *app)
{
    put(arg, app);
}

enum hy_err apps_remap(struct core *core)
{
    if (owner(core) == core->keeps_apps)
        return HY_OK;
    if (owner(core))
        return apps_load(core);
    core->keeps_apps = false;
    hy_apps_each(core->apps, put_one, core);
    return HY_OK;
}

enum hy_err apps_learn(struct core *core, const Hy__AppsRes *res)
{
    enum hy_err err;

    core->knows_apps = core->knows_apps || res->code == 0;
    if (res->code != 0 || res->n_apps == 0)
        return HY_OK;
    err = hy_apps_merge(core->apps, res->n_apps, res->apps, res->version);
    if (err != HY_OK)
        return err;
    for (size_t i = 0; i < res->n_apps; i++)
        put(core, res->apps[i]);
    return appset_learn(core->appset, core->apps);
}

/* ---- asking ---- */

struct gather {
    uint64_t since;
    size_t count, size;
    Hy__App **apps;
    bool failed;
};

static void gather_app(void *arg, const Hy__App *app)
{
    struct gather *g = arg;

    if (app->version <= g->since)
        return;
    if (g->count == g->size) {
        size_t size = g->size == 0 ? 16 : g->size * 2;
        Hy__App **apps = realloc(g->apps, size * sizeof(Hy__App *));

        if (apps == NULL) {
            g->failed = true;
            return;
        }
        g->apps = apps;
        g->size = size;
    }
    g->apps[g->count++] = (Hy__App *)app;
}

static void answer_since(struct core *core, const struct request *req, uint64_t since)
{
    Hy__AppsRes res = HY__APPS_RES__INIT;
    struct gather g = {.since = since};

    hy_apps_each(core->apps, gather_app, &g);
    res.version = hy_apps_version(core->apps);
    res.n_apps = g.count;
    res.apps = g.apps;
    if (g.failed)
        core_broken(core, req, HY_ENOMEM);
    else
        core_answer(core, req, &res.base);
    free(g.apps);
}

void apps_handle(struct core *core, const struct request *req)
{
    const Hy__AppsReq *in = core_decode(core, req, &hy__apps_req__descriptor);

    if (in == NULL)
        return;
    if (core_needs(core, list_home().slot))
        answer_since(core, req, in->since_version);
    else
        core_refuse(core, req, HY_CODE_UNAVAILABLE);
}

/* ---- changing ---- */

static uint64_t floor_for(const Hy__App *before, const Hy__App *after, int type, uint64_t floor,
                          uint64_t now_ms)
{
    uint64_t was = hy_app_floor_ms(before, type, now_ms);

    return hy_app_floor_ms(after, type, now_ms) < was ? was : floor;
}

void apps_floors(const Hy__App *before, Hy__App *after, uint64_t now_ms)
{
    after->c2c_floor_ms = before->c2c_floor_ms;
    after->group_floor_ms = before->group_floor_ms;
    after->c2c_floor_ms =
        floor_for(before, after, HY__CONV_TYPE__CONV_C2C, before->c2c_floor_ms, now_ms);
    after->group_floor_ms =
        floor_for(before, after, HY__CONV_TYPE__CONV_GROUP, before->group_floor_ms, now_ms);
}

static bool app_ok(const Hy__App *app)
{
    return app != NULL && app->sdkappid != 0 && app->n_keys <= 2 && app->n_public_keys <= 2 &&
           app->state <= 2;
}

/* A create that comes twice is one create. */
static bool same_app(const Hy__App *a, const Hy__App *b)
{
    if (strcmp(a->name, b->name) != 0 || a->n_keys != b->n_keys || a->n_admins != b->n_admins)
        return false;
    for (size_t i = 0; i < a->n_keys; i++)
        if (strcmp(a->keys[i], b->keys[i]) != 0)
            return false;
    for (size_t i = 0; i < a->n_admins; i++)
        if (strcmp(a->admins[i], b->admins[i]) != 0)
            return false;
    return true;
}

/* Rare, and seen by all who ask once it is done: so it is a batch of its own. */
void app_put_handle(struct core *core, const struct request *req)
{
    const Hy__AppPutReq *in = core_decode(core, req, &hy__app_put_req__descriptor);
    const Hy__App *before;
    uint64_t now_ms = core_now(core), since;
    Hy__App *app;
    enum hy_err err;

    if (in == NULL)
        return;
    app = in->app;
    if (!core_needs(core, list_home().slot) || !app_ok(app)) {
        core_refuse(core, req, HY_CODE_PARAM);
        return;
    }
    before = hy_apps_find(core->apps, app->sdkappid);
    if (before != NULL && in->create) {
        if (same_app(before, app))
            answer_since(core, req, before->version - 1);
        else
            core_refuse(core, req, HY_CODE_PARAM);
        return;
    }
    hy_app_repair(app);
    since = hy_apps_version(core->apps);
    app->created_s = before == NULL ? now_ms / 1000 : before->created_s;
    app->changed_s = now_ms / 1000;
    app->version = since + 1;
    app->c2c_floor_ms = app->group_floor_ms = 0;
    if (before != NULL)
        apps_floors(before, app, now_ms);
    put(core, app);
    err = core_commit(core);
    if (err == HY_OK)
        err = hy_apps_merge(core->apps, 1, &in->app, app->version);
    if (err == HY_OK)
        err = appset_learn(core->appset, core->apps);
    if (err != HY_OK)
        core_broken(core, req, err);
    else
        answer_since(core, req, since);
}
