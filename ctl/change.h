/* change - processes come to a running cluster of this machine and leave it. */

#ifndef CTL_CHANGE_H
#define CTL_CHANGE_H

#include <jansson.h>
#include <stdbool.h>

/* One change after the other: who has it open has the cluster for itself. */
struct change {
    const char *dir;
    json_t *before, *after; /* cluster.json; NULL after a change that did not happen */
    int lock;
};

/* Prints what is wrong: no cluster is up there, or it is what its settings say. */
bool change_open(const char *dir, struct change *change);
void change_close(struct change *change);

/* Ask the supervisor for it ("add", "router") and wait, half a minute at most, until done() finds
 * it in the report. */
typedef bool change_done_fn(const struct change *change, const char *name);
bool change_make(struct change *change, const char *what, const char *name, change_done_fn *done);

/* All processes that came are ready, and there are some. */
bool change_came(const struct change *change, const char *name);

/* The process is gone. */
bool change_went(const struct change *change, const char *name);

/* Call for the name of each process that came. */
void change_each(const struct change *change, void (*fn)(void *arg, const char *name), void *arg);

#endif
