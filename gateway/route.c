#include "gateway/route.h"

#include <stdlib.h>
#include <string.h>

#include "cluster.pb-c.h"
#include "common/codes.h"
#include "common/grouptype.h"
#include "common/log.h"
#include "gateway/audience.h"
#include "gateway/session.h"
#include "gateway/worker.h"

enum { ASKED_MAX = 128 }; /* requests of one session under way */

/* A request that waits for its answer. The link may go meanwhile: it is found by its handle. */
struct route {
    struct route *prev, *next; /* in worker->routes */
    struct worker *worker;
    uint64_t link;
    uint64_t frame_id;
    uint8_t kind;
    uint8_t after;
    char group[]; /* "": none */
};

/* A live room's audience is kept here; all other groups are the store's. */
static void note_joined(struct worker *worker, struct session *session, const Hy__Frame *frame)
{
    const Hy__GroupJoinRes *res =
        frame->body_case == HY__FRAME__BODY_GROUP_JOIN_RES ? frame->group_join_res : NULL;
    const struct hy_group_type *type;

    if (res == NULL || res->group == NULL || (res->status != 1 && res->status != 2))
        return;
    type = hy_group_type(res->group->type);
    if (type == NULL || !type->live)
        return;
    if (audience_join(worker->audience, session, res->group->group) != HY_OK)
        hy_log_warn("room.refused", "app=%u user=\"%s\" group=\"%s\"", session->app, session->user,
                    res->group->group);
}

static void note_answer(const struct route *route, struct session *session,
                        const struct hy_record *record)
{
    struct worker *worker = route->worker;
    const Hy__Frame *frame = hy__frame__unpack(&worker->arena.pb, record->len, record->payload);

    if (frame == NULL || frame->code != 0)
        return;
    if (route->after == ROUTE_JOINED)
        note_joined(worker, session, frame);
    else
        audience_leave(worker->audience, session, route->group);
}

static void keep_route(struct worker *worker, struct route *route)
{
    route->worker = worker;
    route->next = worker->routes;
    if (route->next != NULL)
        route->next->prev = route;
    worker->routes = route;
}

static void free_route(struct route *route)
{
    if (route->prev != NULL)
        route->prev->next = route->next;
    else
        route->worker->routes = route->next;
    if (route->next != NULL)
        route->next->prev = route->prev;
    free(route);
}

void routes_close(struct worker *worker)
{
    while (worker->routes != NULL) {
        struct route *route = worker->routes;

        worker->routes = route->next;
        free(route);
    }
}

static void on_answer(void *arg, enum hy_err err, const struct hy_record *record)
{
    struct route *route = arg;
    struct worker *worker = route->worker;
    struct link *link = links_find(worker->links, route->link);
    struct parcel *parcel;

    if (link != NULL)
        link_session(link)->asked--;
    if (link != NULL && err == HY_OK) {
        if (route->after != ROUTE_NOTHING)
            note_answer(route, link_session(link), record);
        parcel = parcel_copy(record->payload, record->len);
        link_send(link, &parcel);
    } else if (link != NULL) {
        parcel = parcel_frame(route->frame_id, upstream_code(err), hy_code_text(upstream_code(err)),
                              route->kind, NULL);
        link_send(link, &parcel);
    }
    hy_arena_reset(&worker->arena);
    free_route(route);
}

uint32_t route_call(struct worker *worker, struct link *link, const struct route_to *to,
                    uint64_t frame_id, const uint8_t *bytes, size_t len)
{
    struct session *session = link_session(link);
    const char *group = to->group == NULL ? "" : to->group;
    struct route *route = NULL;
    Hy__Caller caller;
    Hy__RouterCall msg = HY__ROUTER_CALL__INIT;

    if (session->asked < ASKED_MAX)
        route = calloc(1, sizeof *route + strlen(group) + 1);
    if (route == NULL)
        return HY_CODE_BUSY;
    session->asked++;
    keep_route(worker, route);
    route->link = link_handle(link);
    route->frame_id = frame_id;
    route->kind = to->kind;
    route->after = (uint8_t)to->after;
    memcpy(route->group, group, strlen(group) + 1);
    session_caller(session, link,
                   to->group != NULL && audience_has(worker->audience, session, group), &caller);
    msg.caller = &caller;
    msg.frame.data = (uint8_t *)(uintptr_t)bytes;
    msg.frame.len = len;
    upstream_router(worker->upstream, to->slot, HY__BUS_KIND__ROUTER_CALL, 0, &msg.base, on_answer,
                    route);
    return 0;
}
