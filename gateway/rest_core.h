/* rest_core - what rest.c has for the other rest_*.c, besides the handlers' view in rest_call.h. */

#ifndef GATEWAY_REST_CORE_H
#define GATEWAY_REST_CORE_H

#include "gateway/rest.h"
#include "gateway/rest_call.h"

struct upstream *rest_upstream(const struct rest *rest);

/* The service of a path, or NULL. */
const struct rest_service *rest_service_find(const char *service);

/* The command of a service, or NULL. */
const struct rest_command *rest_command_find(const struct rest_service *service,
                                             const char *command);

/* The code for a service or command that does not exist: 10003 among the group services, else
 * 60009. */
uint32_t rest_no_command(const char *service);

/* For calls that end before their service is known. */
extern const struct rest_family rest_entry_family;

/* Send the answer and end the call: code 0 with fields (taken), or a failure with info. */
void rest_finish(struct rest_call *call, json_t *fields, uint32_t code, const char *info);

/* The same for a success whose members are text already: "\"A\":1,\"B\":2". */
void rest_finish_text(struct rest_call *call, const char *members);

#endif
