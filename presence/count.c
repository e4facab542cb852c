#include "presence/count.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/metrics.h"
#include "presence/device.h"

enum { PLATFORMS = HY__PLATFORM__PLATFORM_MINI_PROGRAM + 1 };

struct app_count {
    uint32_t app, users;
};

struct count {
    struct app_count *apps; /* few; in order of first appearance */
    size_t app_count;
    uint32_t users;
    struct hy_metric *online_users, *online_devices[PLATFORMS];
};

enum hy_err count_open(struct count **count)
{
    static char labels[PLATFORMS][48]; /* metrics keep their labels */
    struct count *c = calloc(1, sizeof *c);

    if (c == NULL)
        return HY_ENOMEM;
    c->online_users = hy_gauge("hongyan_presence_online_users", "", "users with a link now");
    for (int i = 0; i < PLATFORMS; i++) {
        snprintf(labels[i], sizeof labels[i], "platform=\"%s\"", device_platform_name(i));
        c->online_devices[i] =
            hy_gauge("hongyan_presence_online_devices", labels[i], "devices with a link now");
    }
    *count = c;
    return HY_OK;
}

void count_close(struct count **count)
{
    if (*count == NULL)
        return;
    free((*count)->apps);
    free(*count);
    *count = NULL;
}

static struct app_count *find(const struct count *count, uint32_t app)
{
    for (size_t i = 0; i < count->app_count; i++)
        if (count->apps[i].app == app)
            return &count->apps[i];
    return NULL;
}

static struct app_count *add(struct count *count, uint32_t app)
{
    struct app_count *grown = realloc(count->apps, (count->app_count + 1) * sizeof *grown);

    if (grown == NULL)
        return NULL;
    count->apps = grown;
    grown[count->app_count] = (struct app_count){.app = app};
    return &grown[count->app_count++];
}

void count_user(struct count *count, uint32_t app, int change)
{
    struct app_count *one = find(count, app);

    if (one == NULL)
        one = add(count, app);
    if (one != NULL)
        one->users += (uint32_t)change;
    count->users += (uint32_t)change;
    hy_add(count->online_users, change);
}

void count_device(struct count *count, int platform, int change)
{
    if (platform < 0 || platform >= PLATFORMS)
        platform = HY__PLATFORM__PLATFORM_UNKNOWN;
    hy_add(count->online_devices[platform], change);
}

uint32_t count_of(const struct count *count, uint32_t app)
{
    const struct app_count *one = find(count, app);

    if (app == 0)
        return count->users;
    return one != NULL ? one->users : 0;
}

const Hy__OnlineReport *count_report(const struct count *count, char *name, uint64_t now_s,
                                     struct hy_arena *arena)
{
    Hy__OnlineReport *report = hy_arena_alloc(arena, sizeof *report);
    Hy__AppOnline *rows = hy_arena_alloc(arena, (count->app_count + 1) * sizeof *rows);
    Hy__AppOnline **list = hy_arena_alloc(arena, (count->app_count + 1) * sizeof(Hy__AppOnline *));

    if (report == NULL || rows == NULL || list == NULL)
        return NULL;
    hy__online_report__init(report);
    report->presence = name;
    report->at_s = now_s;
    report->apps = list;
    report->n_apps = count->app_count;
    for (size_t i = 0; i < count->app_count; i++) {
        hy__app_online__init(&rows[i]);
        rows[i].app = count->apps[i].app;
        rows[i].users = count->apps[i].users;
        list[i] = &rows[i];
    }
    return report;
}
