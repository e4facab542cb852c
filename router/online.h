/* online - ROUTER_ONLINE: presence tells how many users of each app are online; the app's shard
 * keeps the daily peak. */

#ifndef ROUTER_ONLINE_H
#define ROUTER_ONLINE_H

#include "router/op.h"

/* Begin with an OnlineReport. */
void online_begin(struct parts *parts, struct hy_peer *peer, const struct hy_record *record);

#endif
