/* tip - what happened in a group, told in the group as a message made by the server. */

#ifndef STORE_TIP_H
#define STORE_TIP_H

#include "store/core.h"
#include "store/group.h"

/* Append a tip, if the group's type has them. operator_id "": the system. *msg is the message as it
 * was stored, in the core's arena, or NULL. Live rooms number it and store nothing. */
enum hy_err tip_append(struct core *core, struct group_ref *ref, const char *operator_id,
                       Hy__TipElem *tip, Hy__Msg **msg) HY_CHECKED;

/* The encoded Msg of the tip that was appended last, in the arena; not of a live room. HY_ENOMEM.
 */
enum hy_err tip_bytes(struct core *core, ProtobufCBinaryData *bytes) HY_CHECKED;

#endif
