/* routes - for each group in use: which links of which gateway its members have.
 *
 * A route is made when the group's first message is to be told, from the member list of the store
 * and the places of users; it follows presence, is made anew when the group's member version
 * changes, and dropped when idle. Messages wait in order while it is being made. Belongs to the
 * router's loop. */

#ifndef ROUTER_ROUTES_H
#define ROUTER_ROUTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/stores.h"
#include "router/push.h"
#include "router/users.h"

struct routes;

struct routes_config {
    struct hy_stores *stores;
    struct users *users;
    struct push *push;
    uint32_t deadline_ms; /* to read a member list */
    uint64_t idle_ms;     /* a route unused for so long is dropped */
    size_t seats_cap;     /* members in all routes, beyond which the least used go */
};

/* A frame for the members of a group; lent for the call. */
struct routes_post {
    uint32_t app;
    const char *group;
    uint64_t version; /* of the members it is meant for; 0: whoever is one now */
    uint64_t time_ms; /* who joined in a later second is not told; 0: all are */
    struct push_frame frame;
    const struct place *except; /* not to this one; NULL to all */
};

/* The config is copied. */
enum hy_err routes_open(const struct routes_config *config, struct routes **routes) HY_CHECKED;

/* The bus is closed. NULL is fine. */
void routes_close(struct routes **routes);

/* Tell the members, at once or when the route is there; in the order of calls. When they cannot be
 * found out, gateways are made to resync. */
void routes_post(struct routes *routes, const struct routes_post *post);

/* Is there a route of the group, or one being made? */
bool routes_have(const struct routes *routes, uint32_t app, const char *group);

/* Would a post have to ask for the members first? Then let the store say them with the message. */
bool routes_need(const struct routes *routes, uint32_t app, const char *group);

/* The members of a group as they were in this version. */
struct routes_list {
    uint64_t version;
    const uint8_t *hearing, *deaf; /* names (common/names.h); the deaf do not want to receive */
    size_t hearing_len, deaf_len;
};

/* They came with an answer, before the post of the same turn; if they are not needed any more,
 * nothing happens. */
void routes_offer(struct routes *routes, uint32_t app, const char *group,
                  const struct routes_list *list);

/* A command on a group, done: these users came, or left, and the members' version is now this one.
 */
struct routes_change {
    uint32_t app;
    const char *group;
    uint64_t version;
    bool come;
    size_t count;
    char *const *users; /* who came has been asked for with USER_PLACES */
};

/* Take over a change without reading the whole list again; if it is not the next one, nothing
 * happens, and the version of the next post tells. */
void routes_change(struct routes *routes, const struct routes_change *change);

/* The members, or what they want to hear, changed without a new version: look again next time. */
void routes_forget(struct routes *routes, uint32_t app, const char *group);

/* The places of a user with seats are about to change; for users_config. ctx is the routes. */
void routes_moved(void *ctx, struct user *user, const struct place *places, size_t count);

/* Drop what is idle; now and then. */
void routes_tick(struct routes *routes, uint64_t now_ms);

/* Does nothing wait to be told? */
bool routes_idle(const struct routes *routes);

/* How many there are. */
size_t routes_count(const struct routes *routes);

#endif
