/* home - the directory of a copy: which database is the one in use, what it can go back to.
 *
 *     db/                      the database
 *     checkpoints/EPOCH-SEQ/   databases as they were, where their logs end in the name
 *     aside/                   the database before it was rebuilt, until the new one is whole
 *     rebuilding               marker: what is in db/ lacks rows that this copy confirmed once, so
 *                              it may not lead
 *     db-id                    names the copy; born with an empty directory
 *     fetched/, making/, trash/   half done, removed at start
 *
 * Each step is one rename, synced, and can be done again after a crash at any point. */

#ifndef STORE_REPLICA_HOME_H
#define STORE_REPLICA_HOME_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "store/replica/copies.h"
#include "store/replica/place.h"

enum { HOME_CHECKPOINTS = 2 };

struct home {
    char dir[512];
    char db[540], aside[540], fetched[540], making[540], trash[540], checkpoints[540], marker[540];
    char id[COPY_DB];
    bool rebuilding;
};

/* Make what is missing, clean up what a crash left. The files of a database that lies in dir itself
 * (one machine, before it had copies) move to db/. */
enum hy_err home_open(const char *dir, struct home *home, char why[static 256]) HY_CHECKED;

/* Put the marker down / take it and the old database away. */
enum hy_err home_mark(struct home *home, char why[static 256]) HY_CHECKED;
enum hy_err home_whole(struct home *home, char why[static 256]) HY_CHECKED;

/* Where checkpoints end, newest first; at most HOME_CHECKPOINTS. */
size_t home_places(const struct home *home, struct place places[static HOME_CHECKPOINTS]);

/* `making` is a checkpoint now, ending at this place; the oldest goes. */
enum hy_err home_keep(struct home *home, struct place place, char why[static 256]) HY_CHECKED;

/* The database, which is closed and marked, is from now on: the i-th checkpoint / what was fetched.
 */
enum hy_err home_go_back(struct home *home, size_t i, char why[static 256]) HY_CHECKED;
enum hy_err home_take_fetched(struct home *home, char why[static 256]) HY_CHECKED;

#endif
