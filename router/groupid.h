/* groupid - the ids that the server gives to groups. Pure. */

#ifndef ROUTER_GROUPID_H
#define ROUTER_GROUPID_H

#include <stdint.h>

enum { GROUPID_SIZE = 16 };

/* "@TGS#" and nine of 0-9A-Z. The same operation gives the same id in each of its tries, so a retry
 * finds the group that its first try made; attempt counts on when an id was taken by another. */
void groupid_make(const char *op_id, uint32_t attempt, char out[static GROUPID_SIZE]);

#endif
