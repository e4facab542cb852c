/* member_walk - all members of a group in order of names, of its roster and of rows of their own,
 * as the database has them. Any thread that may read. */

#ifndef STORE_MEMBER_WALK_H
#define STORE_MEMBER_WALK_H

#include <stdbool.h>

#include "records.pb-c.h"
#include "store/db.h"
#include "store/key.h"
#include "store/roster.h"

struct member_walk {
    struct db_value row; /* the roster's */
    struct roster_walk roster;
    struct roster_entry entry;
    struct db_scan *scan;  /* over rows; NULL: what is wanted is in the roster */
    size_t name_at;        /* in keys of rows */
    bool listed, stands;   /* there is an entry, a row, to be given or given last */
    bool on_entry, on_row; /* which was given last; both: they are of the same member */
    /* Where it is; lent until it moves. The name has no NUL behind it. */
    const char *user;
    size_t user_len;
    const uint8_t *value; /* of a Member */
    size_t len;
};

/* May a member of the group have a row of his own, as its head says? */
bool member_walk_apart(const Hy__Group *group);

/* Begin; then next while it returns true. full: all that is known of each; else who they are, their
 * names, roles and flags. HY_EIO, HY_ECORRUPT, HY_ENOMEM, and HY_EBUSY as db_get(). To be closed
 * only after HY_OK. */
enum hy_err member_walk_open(struct db *db, struct key_home home, const Hy__Group *group, bool full,
                             struct member_walk *walk) HY_CHECKED;
bool member_walk_next(struct member_walk *walk);

/* HY_OK: it ended because there was no more. */
enum hy_err member_walk_err(const struct member_walk *walk) HY_CHECKED;
void member_walk_close(struct member_walk *walk);

#endif
