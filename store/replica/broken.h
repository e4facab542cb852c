/* broken - rules that the simulator can break, to see that its checker notices. Never in a program
 * that serves: there BROKEN() is false when it is compiled. */

#ifndef STORE_REPLICA_BROKEN_H
#define STORE_REPLICA_BROKEN_H

enum broken {
    BROKEN_ACK = 1 << 0,      /* the leader's own disk is enough */
    BROKEN_EPOCH = 1 << 1,    /* followers take what an older reign sends */
    BROKEN_SHRINK = 1 << 2,   /* the set may fall below min_insync */
    BROKEN_REBUILD = 1 << 3,  /* a copy that is being rebuilt may lead */
    BROKEN_LEASE = 1 << 4,    /* a lease is trusted though it ran out */
    BROKEN_DIVERGED = 1 << 5, /* logs are compared by their length alone */
    BROKEN_JOINER = 1 << 6,   /* a joiner counts only when its change is confirmed */
    BROKEN_LEAVER = 1 << 7,   /* a leaver stops to count when its change is sent */
    BROKEN_MEMBER = 1 << 8,   /* who is not in the set may lead */
    BROKEN_FLOOR = 1 << 10,   /* a joiner need not have what earlier reigns told */
    BROKEN_SYNC = 1 << 9,     /* followers confirm what is not synced yet */
    BROKEN_BOOT = 1 << 11,    /* who may have lost the end of its log leads without asking */
};

#ifdef REPLICA_BROKEN
extern unsigned replica_broken_rules;
#define BROKEN(rule) ((replica_broken_rules & (rule)) != 0)
#else
#define BROKEN(rule) (0 && (rule))
#endif

#endif
