/* joinrule - what happens when somebody asks to join a group. Pure. */

#ifndef ROUTER_JOINRULE_H
#define ROUTER_JOINRULE_H

#include "client.pb-c.h"

enum join_way {
    JOIN_NOW,      /* becomes a member */
    JOIN_ALREADY,  /* is one */
    JOIN_AUDIENCE, /* a live room: the gateway lets them in */
    JOIN_ASK,      /* owner and admins decide */
    JOIN_DENIED,   /* the type or the group lets nobody in that way */
};

/* The way in for somebody whose membership is self (NULL or without role: none). */
enum join_way joinrule(const Hy__GroupInfo *group, const Hy__MemberInfo *self);

#endif
