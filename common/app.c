#include "common/app.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_MS = 86400000, YEAR_DAYS = 365, RETENTION_DAYS = 7 };

/* Every setting of an app: one row drives hongyanctl, the checks and the documents. */
static const struct setting {
    const char *name;
    size_t offset;
    uint32_t fallback, least, most;
    const char *range; /* the hint for a value that is refused */
    const char *help;
} settings[] = {
#define ROW(name, fallback, least, most, help)                                                     \
    {                                                                                              \
#name, offsetof(Hy__App, name), fallback, least, most, "from " #least " to " #most, help   \
    }
    ROW(multi_device, 1, 1, 4,
        "1 no kick, 2 one mobile and one PC, 3 one Android, one iOS and one PC, 4 one device in "
        "all"),
    ROW(max_message_bytes, 9216, 1024, 12288, "most bytes of a message, all elements together"),
    ROW(c2c_quarters, 0, 0, 4,
        "quarters of a year that one-to-one messages are kept; 0: retention_days"),
    ROW(group_quarters, 0, 0, 4,
        "quarters of a year that group messages are kept; 0: retention_days"),
    ROW(recent_contacts, 50, 0, 500, "most conversations in a user's list; 0 turns the list off"),
    ROW(sweep, 0, 0, 1, "1: members found offline leave the app's groups"),
    ROW(sweep_interval_s, 300, 1, 86400, "seconds between two sweeps"),
    ROW(sweep_grace_s, 60, 0, 86400, "seconds a user must be offline to be swept"),
    ROW(group_rate, 40, 0, 100000, "most messages a second in one group; 0: no limit"),
    ROW(max_groups, 100000, 0, 100000000, "most groups of the app"),
    ROW(retention_days, RETENTION_DAYS, 1, 3650, "days that messages are kept, without quarters"),
#undef ROW
};

enum { SETTINGS = sizeof settings / sizeof *settings };

static uint32_t *value_of(Hy__App *app, const struct setting *setting)
{
    return (uint32_t *)((char *)app + setting->offset);
}

void hy_app_defaults(Hy__App *app)
{
    for (size_t i = 0; i < SETTINGS; i++)
        if (*value_of(app, &settings[i]) == 0)
            *value_of(app, &settings[i]) = settings[i].fallback;
}

void hy_app_repair(Hy__App *app)
{
    for (size_t i = 0; i < SETTINGS; i++)
        if (*value_of(app, &settings[i]) == 0 && settings[i].least > 0)
            *value_of(app, &settings[i]) = settings[i].fallback;
}

static bool parse_u32(const char *text, uint32_t *value)
{
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);

    *value = (uint32_t)number;
    return errno == 0 && *end == '\0' && number <= UINT32_MAX;
}

enum hy_err hy_app_set(Hy__App *app, const char *name, const char *value, const char **hint)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        uint32_t number;

        if (strcmp(settings[i].name, name) != 0)
            continue;
        if (!parse_u32(value, &number) || number < settings[i].least || number > settings[i].most) {
            *hint = settings[i].range;
            return HY_ECONFIG;
        }
        *value_of(app, &settings[i]) = number;
        return HY_OK;
    }
    *hint = "no such setting";
    return HY_ENOTFOUND;
}

void hy_app_settings_each(const Hy__App *app,
                          void (*fn)(void *arg, const char *name, uint32_t value, uint32_t least,
                                     uint32_t most, const char *help),
                          void *arg)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        const uint32_t *value = (const uint32_t *)((const char *)app + settings[i].offset);

        fn(arg, settings[i].name, *value, settings[i].least, settings[i].most, settings[i].help);
    }
}

uint64_t hy_app_floor_ms(const Hy__App *app, int conv_type, uint64_t now_ms)
{
    if (app == NULL)
        return 0;
    bool group = conv_type == HY__CONV_TYPE__CONV_GROUP;
    uint64_t quarters = group ? app->group_quarters : app->c2c_quarters;
    uint64_t floor_ms = group ? app->group_floor_ms : app->c2c_floor_ms;
    uint64_t days = app->retention_days > 0 ? app->retention_days : RETENTION_DAYS;
    uint64_t kept_ms = quarters > 0 ? quarters * YEAR_DAYS * DAY_MS / 4 : days * DAY_MS;
    uint64_t from_ms = now_ms > kept_ms ? now_ms - kept_ms : 0;

    return from_ms > floor_ms ? from_ms : floor_ms;
}

bool hy_app_admin(const Hy__App *app, const char *user)
{
    for (size_t i = 0; i < app->n_admins; i++)
        if (strcmp(app->admins[i], user) == 0)
            return true;
    return false;
}

Hy__App *hy_app_copy(const Hy__App *app)
{
    size_t len = hy__app__get_packed_size(app);
    uint8_t *bytes = malloc(len > 0 ? len : 1);
    Hy__App *copy = NULL;

    if (bytes != NULL)
        copy = hy__app__unpack(NULL, hy__app__pack(app, bytes), bytes);
    free(bytes);
    return copy;
}

void hy_app_free(Hy__App *app)
{
    hy__app__free_unpacked(app, NULL);
}

/* ---- the list ---- */

struct hy_apps {
    Hy__App **list; /* by sdkappid */
    size_t count;
    uint64_t version;
};

enum hy_err hy_apps_open(struct hy_apps **apps)
{
    *apps = calloc(1, sizeof **apps);
    return *apps != NULL ? HY_OK : HY_ENOMEM;
}

static void free_list(Hy__App **list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hy_app_free(list[i]);
    free(list);
}

void hy_apps_close(struct hy_apps **apps)
{
    if (*apps == NULL)
        return;
    free_list((*apps)->list, (*apps)->count);
    free(*apps);
    *apps = NULL;
}

/* Where sdkappid is, or would be. */
static size_t place(const struct hy_apps *apps, uint32_t sdkappid)
{
    size_t low = 0, high = apps->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (apps->list[middle]->sdkappid < sdkappid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct hy_apps *apps, size_t at, uint32_t sdkappid)
{
    return at < apps->count && apps->list[at]->sdkappid == sdkappid;
}

const Hy__App *hy_apps_find(const struct hy_apps *apps, uint32_t sdkappid)
{
    size_t at = place(apps, sdkappid);

    return is_at(apps, at, sdkappid) ? apps->list[at] : NULL;
}

uint64_t hy_apps_version(const struct hy_apps *apps)
{
    return apps->version;
}

/* Put app, which is ours now, where it belongs; there is room. */
static void take(struct hy_apps *apps, Hy__App *app)
{
    size_t at = place(apps, app->sdkappid);

    if (is_at(apps, at, app->sdkappid)) {
        hy_app_free(apps->list[at]);
    } else {
        memmove(apps->list + at + 1, apps->list + at, (apps->count - at) * sizeof(Hy__App *));
        apps->count++;
    }
    apps->list[at] = app;
}

enum hy_err hy_apps_merge(struct hy_apps *apps, size_t count, Hy__App *const *list,
                          uint64_t version)
{
    Hy__App **copies = calloc(count + 1, sizeof(Hy__App *));
    Hy__App **grown = realloc(apps->list, (apps->count + count + 1) * sizeof(Hy__App *));

    if (grown != NULL)
        apps->list = grown;
    if (copies == NULL || grown == NULL)
        goto fail;
    for (size_t i = 0; i < count; i++) {
        copies[i] = hy_app_copy(list[i]);
        if (copies[i] == NULL)
            goto fail;
    }
    for (size_t i = 0; i < count; i++)
        take(apps, copies[i]);
    free(copies);
    if (version > apps->version)
        apps->version = version;
    return HY_OK;

fail:
    if (copies != NULL)
        free_list(copies, count);
    return HY_ENOMEM;
}

void hy_apps_each(const struct hy_apps *apps, void (*fn)(void *arg, const Hy__App *app), void *arg)
{
    for (size_t i = 0; i < apps->count; i++)
        fn(arg, apps->list[i]);
}
