/* coord_int - inner part of coord.h: the copy of all values, changes under way, and what a
 * coordinator ("static", "etcd") has to do. */

#ifndef COMMON_COORD_INT_H
#define COMMON_COORD_INT_H

#include "common/coord.h"

/* ---- changes under way ---- */

/* A change, copied; one block. */
struct coord_op {
    struct coord_op *next;
    struct hy_coord_change change;
    hy_coord_done_fn *done; /* NULL: forgotten */
    void *arg;
    uint64_t due_ms;   /* when its outcome is unknown */
    uint64_t revision; /* that it was done at; 0: not known yet */
};

/* In order of coming. */
struct coord_ops {
    struct coord_op *first, **end;
};
void coord_ops_init(struct coord_ops *ops);
void coord_ops_add(struct coord_ops *ops, struct coord_op *op);
struct coord_op *coord_ops_take(struct coord_ops *ops); /* the first; NULL: none */
void coord_ops_free(struct coord_ops *ops);             /* forget all */
void coord_ops_forget(struct coord_ops *ops, const void *arg);

/* ---- a coordinator ---- */

struct coord_opening {
    const struct hy_common_settings *settings;
    uint32_t lease_s;
    const char *lease_file;
};

struct coord_driver {
    /* A new state that tells coord later. */
    enum hy_err (*open)(struct hy_coord *coord, const struct coord_opening *opening, void **state,
                        char why[static 256]);
    void (*close)(void *state);                       /* NULL is fine */
    void (*change)(void *state, struct coord_op *op); /* takes op, ends with coord_finish() */
    void (*forget)(void *state, const void *arg);     /* as hy_coord_forget() */
    uint64_t (*trusted_until_ms)(const void *state);
};

extern const struct coord_driver coord_static_driver, coord_etcd_driver;

/* ---- what a coordinator tells; none of these from inside open ---- */

struct hy_loop *coord_loop(const struct hy_coord *coord);

/* Newest revision that the copy shows. */
uint64_t coord_revision(const struct hy_coord *coord);

/* A value came or changed, text not NULL, or went, text NULL and changed the revision of that. What
 * the copy shows already is not told again. HY_ENOMEM: nothing changed. */
enum hy_err coord_apply(struct hy_coord *coord, const struct hy_coord_value *value) HY_CHECKED;

/* These are all values, at this revision: the differences are told, in the order of their
 * revisions. values are sorted on the way. HY_ENOMEM: some may be missing, do it again. */
enum hy_err coord_replace(struct hy_coord *coord, struct hy_coord_value *values, size_t count,
                          uint64_t revision) HY_CHECKED;

/* The copy has all up to revision. */
void coord_reached(struct hy_coord *coord, uint64_t revision);

void coord_whole(struct hy_coord *coord);
void coord_lease_lost(struct hy_coord *coord);
void coord_leased(struct hy_coord *coord);

/* Do all guards hold in the copy? */
bool coord_guards_hold(const struct hy_coord *coord, const struct hy_coord_change *change);

/* Is something of it to be leased? */
bool coord_wants_lease(const struct hy_coord_change *change);

/* Tell the outcome and free the change. */
void coord_finish(struct coord_op *op, enum hy_err err, uint64_t revision);

#endif
