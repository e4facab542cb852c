/* etcd_follow - keeps a copy of all values below a prefix: reads all, then watches.
 *
 * Whenever the watch ends, for whatever reason, all is read again and the watch begins behind that:
 * one way for a lost member, a compaction and an etcd that was set back. */

#ifndef COMMON_ETCD_FOLLOW_H
#define COMMON_ETCD_FOLLOW_H

#include "common/coord_int.h"
#include "common/etcd_client.h"

struct etcd_follow;

struct etcd_follow_handler {
    void (*whole)(void *arg); /* all was read */
    void (*news)(void *arg);  /* the copy has moved on */
    void *arg;
};

/* Values go to coord; prefix is kept, not copied. */
enum hy_err etcd_follow_open(struct hy_coord *coord, struct etcd_client *client, const char *prefix,
                             const struct etcd_follow_handler *handler,
                             struct etcd_follow **follow) HY_CHECKED;
void etcd_follow_close(struct etcd_follow **follow);

/* Begin anew, at the member that is asked now; why is for the log. Not from inside the handler. */
void etcd_follow_again(struct etcd_follow *follow, const char *why);

/* The client asks another member now. */
void etcd_follow_moved(struct etcd_follow *follow);

#endif
