/* strings - the texts inside a decoded message, whatever its type (by its descriptor). */

#ifndef GATEWAY_STRINGS_H
#define GATEWAY_STRINGS_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "client.pb-c.h"

/* Are all string fields, at any depth, well-formed UTF-8? (Fields of bytes are not looked at.) */
bool strings_ok(const ProtobufCMessage *msg);

/* The body of a frame, whichever it is; NULL without one. */
const ProtobufCMessage *strings_body(const Hy__Frame *frame);

#endif
