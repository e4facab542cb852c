/* passage - how a router or a presence process comes into use and goes out of it.
 *
 *     joining   everybody who dials it connects, and tells it what it has to know
 *     serving
 *     leaving   everybody tells those who follow what they have to know
 *     left      nobody asks it anything new; what is under way ends
 *
 * A step is taken when all whom it concerns have told that they have seen the one before
 * (NODE_SEEN, sent by tier.h), and after a while in any case: a process that does not answer must
 * not hold up the others. With the static coordinator there are no steps. Belongs to one loop. */

#ifndef COMMON_PASSAGE_H
#define COMMON_PASSAGE_H

#include <stdbool.h>

#include "common/bus.h"
#include "common/err.h"
#include "common/fleet.h"

struct hy_passage;

enum { HY_PASSAGE_STEP_MS = 5000 }; /* at most */

struct hy_passage_config {
    struct hy_loop *loop;
    struct hy_bus *bus;
    struct hy_fleet *fleet;
    const char *const *diallers; /* components that dial this one; NULL at the end */
    /* May it begin to join? It is not told to anybody before. */
    bool (*ready)(void *ctx);
    /* Has it all that it needs in order to serve? May be NULL. */
    bool (*complete)(void *ctx);
    /* Nothing is under way. May be NULL. */
    bool (*idle)(void *ctx);
    /* It serves from now on, or no longer. May be NULL. */
    void (*changed)(void *ctx, enum hy_node_state state);
    void *ctx;
};

enum hy_err hy_passage_open(const struct hy_passage_config *config,
                            struct hy_passage **passage) HY_CHECKED;
void hy_passage_close(struct hy_passage **passage);

/* A NODE_SEEN came. False: it does not decode. */
bool hy_passage_seen(struct hy_passage *passage, const struct hy_peer *peer,
                     const struct hy_record *record);

/* Go out of use, then call left(arg): at once with the static coordinator, or when it never joined.
 */
void hy_passage_leave(struct hy_passage *passage, void (*left)(void *arg), void *arg);

enum hy_node_state hy_passage_state(const struct hy_passage *passage);

#endif
