/* applist - the apps, read again from the store several times a second, for this router and for
 * those who ask it.
 *
 * Belongs to the router's loop. */

#ifndef ROUTER_APPLIST_H
#define ROUTER_APPLIST_H

#include <stdbool.h>
#include <stdint.h>

#include "common/app.h"
#include "common/bus.h"
#include "common/err.h"
#include "common/loop.h"
#include "common/stores.h"

struct applist;

/* Begin to read. */
enum hy_err applist_open(struct hy_loop *loop, struct hy_stores *stores,
                         struct applist **applist) HY_CHECKED;

/* The bus is closed. NULL is fine. */
void applist_close(struct applist **applist);

/* The app, or NULL; lent for the turn. */
const Hy__App *applist_find(const struct applist *applist, uint32_t sdkappid);

/* Why an app is not in the list: APP_UNKNOWN, or UNAVAILABLE while the list has not been read. A
 * client takes the first as final and the second as "try again". */
uint32_t applist_refusal(const struct applist *applist);

/* Read at once: something was changed. */
void applist_hurry(struct applist *applist);

/* Answer an AppsReq with what changed since the version it names. */
void applist_answer(struct applist *applist, struct hy_peer *peer, const struct hy_record *record);

/* Have the apps been read once? Any thread may ask. */
bool applist_ready(const struct applist *applist);

/* Where the list of apps lives. */
uint16_t applist_slot(void);

#endif
