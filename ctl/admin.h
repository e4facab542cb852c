/* admin - ask a cluster's routers as an operator: one blocking AdminCall over the bus. */

#ifndef CTL_ADMIN_H
#define CTL_ADMIN_H

#include <stddef.h>
#include <stdint.h>

#include "cluster.pb-c.h"
#include "common/arena.h"
#include "common/err.h"
#include "common/loop.h"
#include "ctl/cluster.h"

/* A change of an app that was acknowledged is known to every process within this (A14). */
enum { ADMIN_KNOWN_MS = 1000 };

struct admin;

struct admin_config {
    const char *cluster_id;
    const char *curve_dir;      /* NULL or "": no CURVE */
    const char *const *routers; /* "name=endpoint" */
    size_t router_count;
};

/* Dial the routers. Prints what is wrong. */
enum hy_err admin_open(struct hy_loop *loop, const struct admin_config *config,
                       struct admin **admin) HY_CHECKED;
/* The same with what cluster.json says. */
enum hy_err admin_open_cluster(struct hy_loop *loop, const struct cluster *cluster,
                               struct admin **admin) HY_CHECKED;
void admin_close(struct admin **admin);

/* Ask any router that is up, for at most wait_ms, turning the loop. op_id and caller of call are
 * filled in. *answer lives in arena. HY_ETIMEOUT: nobody answered. */
enum hy_err admin_call(struct admin *admin, uint32_t app, Hy__AdminCall *call, uint32_t wait_ms,
                       struct hy_arena *arena, Hy__AdminAnswer **answer) HY_CHECKED;

/* The same without waiting: done is called once, later, with an answer lent for the call (NULL
 * unless err is HY_OK). */
typedef void admin_fn(void *arg, enum hy_err err, const Hy__AdminAnswer *answer);
void admin_begin(struct admin *admin, uint32_t app, Hy__AdminCall *call, uint32_t wait_ms,
                 admin_fn *done, void *arg);

/* Open, call, close, with the routers that DIR/cluster.json names; prints what is wrong, also an
 * answer with a code. */
enum hy_err admin_ask(const char *dir, uint32_t app, Hy__AdminCall *call, struct hy_arena *arena,
                      Hy__AdminAnswer **answer) HY_CHECKED;

#endif
