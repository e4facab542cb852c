#include "store/online.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/handlers.h"

enum { LIVE_MS = 30000 }; /* a report counts this long */

struct report {
    struct report *next;
    uint32_t app, users;
    uint64_t heard_ms;
    char presence[64];
};

struct online {
    struct report *reports; /* presence processes times apps: few */
};

enum hy_err online_open(struct online **online)
{
    *online = calloc(1, sizeof **online);
    return *online == NULL ? HY_ENOMEM : HY_OK;
}

void online_close(struct online **online)
{
    if (*online == NULL)
        return;
    for (struct report *r = (*online)->reports, *next; r != NULL; r = next) {
        next = r->next;
        free(r);
    }
    free(*online);
    *online = NULL;
}

enum hy_err online_report(struct online *online, const char *presence, uint32_t app, uint32_t users,
                          uint64_t now_ms)
{
    struct report *r = online->reports;

    while (r != NULL && (r->app != app || strcmp(r->presence, presence) != 0))
        r = r->next;
    if (r == NULL) {
        r = calloc(1, sizeof *r);
        if (r == NULL)
            return HY_ENOMEM;
        r->app = app;
        strncpy(r->presence, presence, sizeof r->presence - 1);
        r->next = online->reports;
        online->reports = r;
    }
    r->users = users;
    r->heard_ms = now_ms;
    return HY_OK;
}

uint32_t online_live(const struct online *online, uint32_t app, uint64_t now_ms)
{
    uint32_t sum = 0;

    for (const struct report *r = online->reports; r != NULL; r = r->next)
        if (r->app == app && r->heard_ms + LIVE_MS > now_ms)
            sum += r->users;
    return sum;
}

uint32_t online_day(uint64_t at_s)
{
    time_t t = (time_t)at_s;
    struct tm tm;

    if (gmtime_r(&t, &tm) == NULL)
        return 0;
    return (uint32_t)(tm.tm_year + 1900) * 10000 + (uint32_t)(tm.tm_mon + 1) * 100 +
           (uint32_t)tm.tm_mday;
}

/* ---- requests: the peak of a day is a row in the app's own slot, written when it grows ---- */

static struct key_home home_of(uint32_t app)
{
    return (struct key_home){hy_slot(app, HY_KIND_APP, "", 0), app};
}

static enum hy_err day_row(struct core *core, uint32_t app, uint32_t day, struct row **row)
{
    struct key key;

    key_number(&key, home_of(app), KEY_ONLINE, day);
    return rows_get(core->rows, FAMILY_ENTITY, &key, &hy__online_day__descriptor, row);
}

static enum hy_err raise_peak(struct core *core, uint32_t app, uint32_t live, uint64_t now_s)
{
    Hy__OnlineDay day = HY__ONLINE_DAY__INIT;
    ProtobufCMessage *fresh;
    struct row *row;
    enum hy_err err = day_row(core, app, online_day(now_s), &row);

    if (err != HY_OK || (row->msg != NULL && ((Hy__OnlineDay *)row->msg)->peak >= live))
        return err;
    day.peak = live;
    day.peak_at_s = now_s;
    fresh = rows_copy(&day.base);
    if (fresh == NULL)
        return HY_ENOMEM;
    rows_set(core->rows, row, fresh);
    return HY_OK;
}

void online_handle(struct core *core, const struct request *req)
{
    const Hy__OnlineReport *in = core_decode(core, req, &hy__online_report__descriptor);
    Hy__StoreRes res = HY__STORE_RES__INIT;
    uint64_t now_ms = core_now(core);
    enum hy_err err = HY_OK;

    if (in == NULL)
        return;
    for (size_t i = 0; i < in->n_apps && err == HY_OK; i++) {
        uint32_t app = in->apps[i]->app;

        if (!core_owns(core, home_of(app).slot))
            continue;
        err = online_report(core->online, in->presence, app, in->apps[i]->users, now_ms);
        if (err == HY_OK)
            err = raise_peak(core, app, online_live(core->online, app, now_ms), now_ms / 1000);
    }
    if (err != HY_OK)
        core_broken(core, req, err);
    else
        core_answer(core, req, &res.base);
}

void online_get_handle(struct core *core, const struct request *req)
{
    const Hy__OnlineGetReq *in = core_decode(core, req, &hy__online_get_req__descriptor);
    Hy__OnlineGetRes res = HY__ONLINE_GET_RES__INIT;
    const Hy__OnlineDay *day;
    uint64_t now_ms = core_now(core);
    struct row *row;
    enum hy_err err;

    if (in == NULL)
        return;
    if (!core_needs(core, home_of(in->app).slot)) {
        core_refuse(core, req, HY_CODE_UNAVAILABLE);
        return;
    }
    err = day_row(core, in->app, in->day == 0 ? online_day(now_ms / 1000) : in->day, &row);
    if (err != HY_OK) {
        core_broken(core, req, err);
        return;
    }
    day = (const Hy__OnlineDay *)row->msg;
    res.live = online_live(core->online, in->app, now_ms);
    res.peak = day == NULL ? 0 : day->peak;
    res.peak_at_s = day == NULL ? 0 : day->peak_at_s;
    core_answer(core, req, &res.base);
}
