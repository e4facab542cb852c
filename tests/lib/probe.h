/* probe - many users of a cluster in one process, driven line by line, for tests.
 *
 * Without arguments: commands on stdin, answers and events on stdout, each one JSON object a line.
 *   {"op": "connect", "u": "anna", "sdkappid": N, "sig": "...", "addr": "host:port" or [...],
 * "user": "anna", "tls": false, "platform": "android", "device": "d1", "heartbeat_ms": N,
 * "backlog": "now|unread|first", "raw": false, "own": false, "window": 1, "reconnect": true}
 *   {"op": "send", "u": ..., "to": ..., "group": false, "text": ... or "body": hex, "client_id":
 * ..., "flags": N}
 *   {"op": "history", "u": ..., "peer": ..., "group": false, "from_seq": N, "newer": false,
 * "count": N}
 *   {"op": "conv_list", "u": ...}   {"op": "read", "u": ..., "peer": ..., "group": false, "seq": N}
 *   {"op": "request", "u": ..., "kind": "group_create", "body": {...}}   any request of
 * proto/client.proto
 *   {"op": "cut" | "sync" | "sign_out" | "disconnect", "u": ...}   {"op": "pause", "u": ..., "on":
 * true} A command may have an "id" of any form; its answer has it too: {"ev": "answer", "id": ...,
 * "code": 0, ...}. Events: {"ev": "state" | "message" | "read" | "conv" | "profile" | "system",
 * "u": ...}. Bytes are hex.
 *
 * `hongyan-probe load --help` tells of the load with exact accounts for fault tests. */

#ifndef TESTS_LIB_PROBE_H
#define TESTS_LIB_PROBE_H

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "common/arena.h"
#include "common/err.h"

/* Read commands until the end of stdin. Returns the exit code. */
int probe_drive(void);

/* The load; argv without the word itself. Returns the exit code. */
int probe_load(int argc, char **argv);

/* Any message as JSON: names as in the schema, bytes as hex, enums as numbers; fields that are
 * empty are left out. */
json_t *probe_to_json(const ProtobufCMessage *msg);

/* The other way round, into the arena. NULL: a field is unknown or has a wrong type; *why says
 * which. */
ProtobufCMessage *probe_from_json(const ProtobufCMessageDescriptor *descriptor, const json_t *json,
                                  struct hy_arena *arena, const char **why);

/* Hex digits into the arena; false when they are none. */
bool probe_unhex(const char *hex, struct hy_arena *arena, ProtobufCBinaryData *out);

#endif
