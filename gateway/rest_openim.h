/* rest_openim - the commands of openim, one file a kind: sends, states, history. */

#ifndef GATEWAY_REST_OPENIM_H
#define GATEWAY_REST_OPENIM_H

#include "gateway/rest_call.h"

/* rest_openim.c */
void rest_sendmsg(struct rest_call *call);
void rest_batchsendmsg(struct rest_call *call);

/* rest_state.c */
void rest_querystate(struct rest_call *call);
void rest_query_online_status(struct rest_call *call);

/* rest_roam.c */
void rest_admin_getroammsg(struct rest_call *call);

#endif
