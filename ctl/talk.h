/* talk - opens signed-in clients of a cluster for the commands that chat. */

#ifndef CTL_TALK_H
#define CTL_TALK_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/loop.h"
#include "ctl/cluster.h"
#include "sdk/c/hongyan.h"

/* Fill what the cluster knows (addresses, app, a ticket for a day) into *config, which has the
 * rest, and open a client. gateway SIZE_MAX: any of them, else this one only. HY_ECONFIG: it has no
 * such address. */
enum hy_err talk_open(struct hy_loop *loop, const struct cluster *cluster, const char *user,
                      size_t gateway, struct hongyan_config *config,
                      struct hongyan_client **client) HY_CHECKED;

/* A line for the eye: "[14:03] anna: hello". */
void talk_line(const Hy__Msg *msg, char *out, size_t size);

#endif
