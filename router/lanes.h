/* lanes - the links of a group's members, one list for each gateway worker. */

#ifndef ROUTER_LANES_H
#define ROUTER_LANES_H

#include <stddef.h>
#include <stdint.h>

#include "router/push.h"
#include "router/users.h"

struct lane {
    struct gate *gate;
    uint64_t *links;
    size_t count, cap;
};

/* A struct of zeros is empty and ready. */
struct lanes {
    struct lane *all;
    size_t count;
    size_t links; /* in all lanes */
};

/* Add the link of a place that is not there yet. */
void lanes_add(struct lanes *lanes, const struct place *place);

/* Take it out; nothing happens if it is not there. */
void lanes_remove(struct lanes *lanes, const struct place *place);

/* From the places a member had to those he has now. */
void lanes_move(struct lanes *lanes, const struct place *before, size_t before_count,
                const struct place *now, size_t now_count);

/* One item for each lane, but not to except (NULL: to all). */
void lanes_push(const struct lanes *lanes, struct push *push, const struct place *except,
                const struct push_frame *frame);

void lanes_free(struct lanes *lanes);

#endif
