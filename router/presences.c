#include "router/presences.h"

#include <stdlib.h>

#include "common/slot.h"

enum { PRESENCE_RETRY_MS = 500 };

struct presence {
    struct hy_peer *peer;
    bool up;
};

struct presences {
    struct hy_bus *bus;
    size_t count;
    struct presence *all;
    const char **up_names; /* for hy_slot_pick(): NULL where not up */
};

enum hy_err presences_open(struct hy_bus *bus, const struct hy_text_list *list,
                           struct presences **presences)
{
    enum hy_err err = HY_ENOMEM;
    struct presences *p = calloc(1, sizeof *p);

    if (p == NULL)
        return err;
    p->bus = bus;
    p->all = calloc(list->count + 1, sizeof *p->all);
    p->up_names = calloc(list->count + 1, sizeof *p->up_names);
    if (p->all == NULL || p->up_names == NULL)
        goto fail;
    for (size_t i = 0; i < list->count; i++) {
        char name[64], endpoint[256];

        err = hy_settings_peer(list->items[i], name, endpoint);
        if (err == HY_OK)
            err = hy_bus_dial(bus, "presence", name, endpoint, &p->all[i].peer);
        if (err != HY_OK)
            goto fail;
        p->count++;
    }
    *presences = p;
    return HY_OK;

fail:
    presences_close(&p);
    return err;
}

void presences_close(struct presences **presences)
{
    struct presences *p = *presences;

    if (p == NULL)
        return;
    *presences = NULL;
    free(p->all);
    free(p->up_names);
    free(p);
}

size_t presences_count(const struct presences *presences)
{
    return presences->count;
}

int presences_of(const struct presences *presences, uint32_t app, const char *user)
{
    return hy_slot_pick(hy_slot_user(app, user), presences->up_names, presences->count);
}

int presences_index(const struct presences *presences, const struct hy_peer *peer)
{
    for (size_t i = 0; i < presences->count; i++)
        if (presences->all[i].peer == peer)
            return (int)i;
    return -1;
}

/* Whoever is up, for questions that any presence process can answer. */
static struct hy_peer *pick_any(void *arg, const void *key)
{
    const struct presences *presences = arg;

    (void)key;
    for (size_t i = 0; i < presences->count; i++)
        if (presences->all[i].up)
            return presences->all[i].peer;
    return NULL;
}

uint64_t presences_ask(struct presences *presences, const struct presences_call *call,
                       const ProtobufCMessage *msg)
{
    struct hy_call bus = {
        .kind = call->kind,
        .deadline_ms = call->deadline_ms,
        .retry_ms = PRESENCE_RETRY_MS,
        .done = call->done,
        .arg = call->arg,
    };

    if (call->index >= 0) {
        bus.peer = presences->all[call->index].peer;
    } else {
        bus.pick = pick_any;
        bus.pick_arg = presences;
    }
    return hy_bus_call_pb(presences->bus, &bus, msg);
}

void presences_cancel(struct presences *presences, uint64_t call)
{
    if (call != 0)
        hy_bus_cancel(presences->bus, call);
}

void presences_tell(struct presences *presences, int index, uint16_t kind,
                    const ProtobufCMessage *msg)
{
    if (index >= 0 && presences->all[index].up)
        (void)!hy_bus_send_pb(presences->all[index].peer, kind, 0, msg);
}

void presences_peer(struct presences *presences, const struct hy_peer *peer,
                    enum hy_peer_event event)
{
    int i = presences_index(presences, peer);

    if (i < 0)
        return;
    presences->all[i].up = event != HY_PEER_DOWN;
    presences->up_names[i] = presences->all[i].up ? hy_peer_name(peer) : NULL;
}
