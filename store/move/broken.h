/* broken - rules of moves that the simulator breaks, to see that its checker notices. Nothing else
 * does: without MOVE_BROKEN all of this is false. */

#ifndef STORE_MOVE_BROKEN_H
#define STORE_MOVE_BROKEN_H

enum move_broken {
    MOVE_BROKEN_FREEZE = 1 << 0,  /* a frozen run is served */
    MOVE_BROKEN_DURABLE = 1 << 1, /* the target answers before it has all copies' word */
    MOVE_BROKEN_PASSED = 1 << 2,  /* it is decided before the frozen row has passed */
    MOVE_BROKEN_THAW = 1 << 3,    /* a new leader thaws what it finds */
    MOVE_BROKEN_ATTEMPT = 1 << 4, /* parts of any attempt are taken */
    MOVE_BROKEN_GUARD = 1 << 5,   /* it is decided though another attempt began, or it was cancelled */
    MOVE_BROKEN_FRESH = 1 << 6,   /* a map counts though a newer one was acted upon */
};

#ifdef MOVE_BROKEN
extern unsigned move_broken_rules;
#define move_broken(rule) ((move_broken_rules & (rule)) != 0)
#else
#define move_broken(rule) 0
#endif

#endif
