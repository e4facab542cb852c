/* arrivals - how fast new links come from one address. A table of fixed size; an IPv6 address
 * counts by its /64, since a host has all of that. */

#ifndef GATEWAY_ARRIVALS_H
#define GATEWAY_ARRIVALS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/err.h"

struct arrivals;

enum hy_err arrivals_open(struct arrivals **arrivals) HY_CHECKED;
void arrivals_close(struct arrivals **arrivals);

/* May one more come from there, at rate a second and twice that at once? */
bool arrivals_allow(struct arrivals *arrivals, const struct sockaddr *from, uint64_t now_ms,
                    uint32_t rate);

#endif
