/* totals - how many groups each app has in this shard, by type.
 *
 * The rows are counts per (slot, app); the sums are kept in memory and made anew by a scan when the
 * database opens or a batch fails. */

#ifndef STORE_TOTALS_H
#define STORE_TOTALS_H

#include <stdint.h>

#include "common/err.h"
#include "store/db.h"

struct core;
struct totals;

enum hy_err totals_open(struct totals **totals) HY_CHECKED;
void totals_close(struct totals **totals);

/* Sum the rows of the database, of the slots that are served. */
enum hy_err totals_load(struct core *core) HY_CHECKED;

/* Groups of an app here; type NULL or "": of all types. */
uint32_t totals_get(const struct totals *totals, uint32_t app, const char *type);

/* A group of the slot came (+1) or went (-1): changes the row with the batch, and the sum. */
enum hy_err totals_add(struct core *core, struct key_home home, const char *type,
                       int change) HY_CHECKED;

#endif
