/* onlinerule - may this sender say something in a group that nobody keeps? The store judges what it
 * keeps; this judges the rest by the same rules. Pure. */

#ifndef ROUTER_ONLINERULE_H
#define ROUTER_ONLINERULE_H

#include <stdbool.h>
#include <stdint.h>

#include "client.pb-c.h"

/* 0 or a code. self is the sender's membership (NULL: none); admin: by REST. */
uint32_t onlinerule(const Hy__GroupInfo *group, const Hy__MemberInfo *self, bool admin,
                    uint64_t now_s);

#endif
