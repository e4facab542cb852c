/* parts - what a router is made of, for those who answer calls. router.c joins it. */

#ifndef ROUTER_PARTS_H
#define ROUTER_PARTS_H

#include "common/app.h"
#include "common/bus.h"
#include "common/fleet.h"
#include "common/loop.h"
#include "common/metrics.h"
#include "common/stores.h"
#include "router/presences.h"
#include "router/push.h"
#include "router/rooms.h"
#include "router/routes.h"
#include "router/users.h"

struct applist;
struct roll;
struct ops;
struct sends;

struct parts {
    struct hy_loop *loop;
    struct hy_fleet *fleet;
    struct hy_bus *bus;
    struct hy_stores *stores;
    struct presences *presences;
    struct roll *roll;
    struct users *users;
    struct routes *routes;
    struct rooms *rooms;
    struct push *push;
    struct applist *applist;
    struct ops *ops;
    struct sends *sends;
    uint32_t call_deadline_ms;
};

#endif
