/* sweep - takes users who have been offline for the grace time out of the groups that ask for it.
 */

#ifndef ROUTER_SWEEP_H
#define ROUTER_SWEEP_H

#include "router/op.h"

/* Begin with a SweepReq. */
void sweep_begin(struct parts *parts, struct hy_peer *peer, const struct hy_record *record);

/* Begin with a SweepScanReq: which users of a shard are members of such groups. */
void sweep_scan_begin(struct parts *parts, struct hy_peer *peer, const struct hy_record *record);

#endif
