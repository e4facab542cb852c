/* appset - the apps, as threads other than the writer may ask about them.
 *
 * A copy of common/app.h's list under a read-write lock; reader threads and the compaction filter
 * use it. Any thread. */

#ifndef STORE_APPSET_H
#define STORE_APPSET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/app.h"
#include "common/err.h"

struct appset;

enum hy_err appset_open(struct appset **set) HY_CHECKED;
void appset_close(struct appset **set);

/* Take over what apps holds now; it is true. HY_ENOMEM leaves the set as it was. */
enum hy_err appset_learn(struct appset *set, const struct hy_apps *apps) HY_CHECKED;

/* The same of what was true then and may not be any more. */
enum hy_err appset_learn_then(struct appset *set, const struct hy_apps *apps,
                              uint64_t then_ms) HY_CHECKED;

/* Know of no app. */
void appset_forget(struct appset *set);

/* hy_app_floor_ms() of the app, as it is or was then; 0 for one that is not known. */
uint64_t appset_floor_ms(struct appset *set, uint32_t app, int conv_type, uint64_t now_ms);

/* Does the app ask for its offline members to be removed? */
bool appset_sweeps(struct appset *set, uint32_t app);

/* The app's cap of recent contacts. */
uint32_t appset_recent(struct appset *set, uint32_t app);

#endif
