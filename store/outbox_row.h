/* outbox_row - what a row of the outbox has to tell, and to whom. */

#ifndef STORE_OUTBOX_ROW_H
#define STORE_OUTBOX_ROW_H

#include "store/core.h"

/* What the row of a key tells the index of a user: side 0 or 1 of a pair, 0 of a membership. In the
 * core's arena. HY_ENOTFOUND: nothing (any more). */
enum hy_err outbox_row_effect(struct core *core, const struct key *key, int side,
                              Hy__Effect **effect) HY_CHECKED;

#endif
