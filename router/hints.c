#include "router/hints.h"

enum { HINTS_BATCH = 1000 };

struct hint {
    struct hint *next;
    char *user;
    int presence;
};

void hints_add(struct op *op, char *user)
{
    struct hint *hint = op_get(op, sizeof *hint);

    hint->user = user;
    hint->presence = presences_of(op->parts->presences, op->caller->app, user);
    hint->next = op->hints;
    op->hints = hint;
}

/* Tell a process up to a batch of its users, and take them off the list. */
static void tell(struct op *op, int presence)
{
    Hy__SweepHint told = HY__SWEEP_HINT__INIT;

    told.users = op_get(op, HINTS_BATCH * sizeof *told.users);
    for (struct hint **at = &op->hints; *at != NULL && told.n_users < HINTS_BATCH;) {
        Hy__UserKey *key;

        if ((*at)->presence != presence) {
            at = &(*at)->next;
            continue;
        }
        key = op_get(op, sizeof *key);
        hy__user_key__init(key);
        key->app = op->caller->app;
        key->user = (*at)->user;
        told.users[told.n_users++] = key;
        *at = (*at)->next;
    }
    presences_tell(op->parts->presences, presence, HY__BUS_KIND__PRESENCE_SWEEP_HINT, &told.base);
}

void hints_send(struct op *op)
{
    while (op->hints != NULL)
        tell(op, op->hints->presence);
}
