/* etcd_lease - this process's lease: ends the one of its predecessor, is granted, and renewed.
 *
 * Its id is drawn here and kept in a file before it is asked for, so that whoever runs after this
 * process, however that ended, knows what to end. */

#ifndef COMMON_ETCD_LEASE_H
#define COMMON_ETCD_LEASE_H

#include "common/etcd_client.h"

struct etcd_lease;

/* told is called when the lease is granted (held) and when it is known to be over; a new one is
 * then on its way. file may be "". */
enum hy_err etcd_lease_open(struct hy_loop *loop, struct etcd_client *client, uint32_t lease_s,
                            const char *file, void (*told)(void *arg, bool held), void *arg,
                            struct etcd_lease **lease) HY_CHECKED;

/* Ends the lease, if etcd answers at once. */
void etcd_lease_close(struct etcd_lease **lease);

/* 0: there is none now. */
uint64_t etcd_lease_id(const struct etcd_lease *lease);

/* See hy_coord_trusted_until_ms(). */
uint64_t etcd_lease_trusted_until_ms(const struct etcd_lease *lease);

/* etcd said that lease id is over. */
void etcd_lease_over(struct etcd_lease *lease, uint64_t id);

#endif
