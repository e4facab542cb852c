#include "ctl/first_app.h"

#include <stdio.h>
#include <string.h>

#include "common/app.h"
#include "ctl/appset.h"

/* Ask, again while the stores are coming up. */
static enum hy_err ask(struct admin *admin, Hy__AdminCall *call, uint32_t wait_ms,
                       struct hy_arena *arena, Hy__AdminAnswer **answer)
{
    enum hy_err err = admin_call(admin, 0, call, wait_ms, arena, answer);

    if (err != HY_OK)
        fprintf(stderr, "hongyanctl: the first app cannot be made: %s\n", hy_err_text(err));
    else if ((*answer)->code != 0)
        fprintf(stderr, "hongyanctl: the first app cannot be made: %u %s\n", (*answer)->code,
                (*answer)->info);
    else
        return HY_OK;
    return err != HY_OK ? err : HY_EDENIED;
}

static enum hy_err put(struct admin *admin, Hy__App *app, bool create, const struct plan *plan,
                       uint32_t wait_ms, struct hy_arena *arena)
{
    Hy__AdminCall call = HY__ADMIN_CALL__INIT;
    Hy__AppPutReq req = HY__APP_PUT_REQ__INIT;
    Hy__AdminAnswer *answer = NULL;

    for (size_t i = 0; i < plan->app_sets.count; i++)
        if (appset_apply(app, plan->app_sets.items[i]) != HY_OK)
            return HY_ECONFIG;
    req.app = app;
    req.create = create;
    call.op_case = HY__ADMIN_CALL__OP_APP_PUT;
    call.app_put = &req;
    return ask(admin, &call, wait_ms, arena, &answer);
}

static enum hy_err create(struct admin *admin, const struct layout *layout, const struct plan *plan,
                          uint32_t wait_ms, struct hy_arena *arena)
{
    const json_t *entry = json_array_get(layout->apps, 0);
    char *key = (char *)json_string_value(json_object_get(entry, "key"));
    char *admins[] = {(char *)json_string_value(json_object_get(entry, "admin"))};
    Hy__App app = HY__APP__INIT;

    app.sdkappid = (uint32_t)json_integer_value(json_object_get(entry, "sdkappid"));
    app.name = (char *)"first";
    app.keys = &key;
    app.n_keys = 1;
    app.admins = admins;
    app.n_admins = 1;
    hy_app_defaults(&app);
    return put(admin, &app, true, plan, wait_ms, arena);
}

static Hy__App *find(const Hy__AdminAnswer *answer, uint32_t sdkappid)
{
    for (size_t i = 0; answer->apps != NULL && i < answer->apps->n_apps; i++)
        if (answer->apps->apps[i]->sdkappid == sdkappid)
            return answer->apps->apps[i];
    return NULL;
}

enum hy_err first_app_put(struct hy_loop *loop, const struct layout *layout,
                          const struct plan *plan, const struct admin_config *config,
                          uint32_t wait_ms, bool *changed)
{
    const json_t *entry = json_array_get(layout->apps, 0);
    uint32_t sdkappid = (uint32_t)json_integer_value(json_object_get(entry, "sdkappid"));
    Hy__AdminCall call = HY__ADMIN_CALL__INIT;
    Hy__AppsReq req = HY__APPS_REQ__INIT;
    Hy__AdminAnswer *answer = NULL;
    struct admin *admin = NULL;
    struct hy_arena arena;
    Hy__App *app = NULL;
    enum hy_err err = admin_open(loop, config, &admin);

    hy_arena_init(&arena);
    *changed = false;
    call.op_case = HY__ADMIN_CALL__OP_APPS;
    call.apps = &req;
    if (err == HY_OK)
        err = ask(admin, &call, wait_ms, &arena, &answer);
    if (err != HY_OK)
        goto done;
    app = find(answer, sdkappid);
    *changed = app == NULL || plan->app_sets.count > 0;
    if (app == NULL)
        err = create(admin, layout, plan, wait_ms, &arena);
    else if (*changed)
        err = put(admin, app, false, plan, wait_ms, &arena);

done:
    admin_close(&admin);
    hy_arena_free(&arena);
    return err;
}
