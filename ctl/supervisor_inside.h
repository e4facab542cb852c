/* supervisor_inside - what supervisor.c and supervisor_start.c share. */

#ifndef CTL_SUPERVISOR_INSIDE_H
#define CTL_SUPERVISOR_INSIDE_H

#include <jansson.h>
#include <stdbool.h>

#include "ctl/child.h"
#include "ctl/supervisor.h"

enum { SUPERVISOR_SIGNALS = 5 };

struct supervisor {
    struct hy_loop *loop;
    struct plan *plan;
    struct layout *layout;
    struct event *signals[SUPERVISOR_SIGNALS];
    struct hy_timer *tick;
    struct child *children; /* in the order of parts; the demo last */
    size_t count, room;
    json_t *endpoints[PARTS];
    char bin[4096], console[4096];
    bool curve, running, stopping;
    int started; /* parts up to here may run */
};

/* Start who is due, and learn ports; the timer's function. */
void supervisor_tick(struct supervisor *s);

/* Do what hongyanctl add or remove asks for (supervisor_change.c). */
void supervisor_change(struct supervisor *s);

/* Run an etcd (supervisor_etcd.c). */
void supervisor_run_etcd(struct supervisor *s, struct child *child, const char *log);

/* One more child of a part. */
struct child *supervisor_add(struct supervisor *s, int part, size_t number);

/* Write cluster.json. */
void supervisor_report(struct supervisor *s);

#endif
