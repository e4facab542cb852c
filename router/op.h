/* op - one piece of work with several steps: ask others, go on when all have answered, answer once.
 *
 * A step asks with op_store(), op_presence(), op_user() and names the step that follows with
 * op_then(). Nothing waits: a step returns, the next is called when the answers are there, or have
 * failed. What a step makes lives in the op's arena until the op ends. Belongs to the router's
 * loop. */

#ifndef ROUTER_OP_H
#define ROUTER_OP_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

#include "cluster.pb-c.h"
#include "common/arena.h"
#include "common/bus.h"
#include "common/codes.h"
#include "common/slot.h"
#include "router/parts.h"
#include "router/users.h"

struct op;
typedef void op_fn(struct op *op);

/* A question that was asked. */
struct op_ask {
    struct op *op;
    struct op_ask *next;
    const ProtobufCMessageDescriptor *type;
    void *answer;                /* decoded; NULL: code says why, or it is raw */
    const struct hy_record *raw; /* the answer of op_store_raw(); lent to the step that follows */
    uint32_t code; /* of the way there: TIMEOUT, UNAVAILABLE, BUSY; not what the answer says */
    uint64_t call; /* 0 when it is over */
    bool is_raw;
    bool changes; /* without an answer, something may have been stored */
    int shard;
};

struct op {
    struct parts *parts;
    struct hy_arena arena;
    struct hy_reply reply;
    const char *asker; /* name of the process that asks */
    const Hy__Caller *caller;
    const char *op_id;
    void *work; /* the handler's own */
    /* Answer that it did not work; ends the op. Set by the front that made the op. */
    void (*refuse)(struct op *op, uint32_t code, const char *info);
    void *front; /* the front's own */

    /* op.c's own */
    struct op *next_op, *prev_op;
    op_fn *next;
    unsigned pending;
    struct op_ask *asks;
    struct op_user *users;

    struct hint *hints; /* hints.c's own */
};

/* A user whom a step asked for. */
struct op_user {
    struct op_user *next;
    struct user_wait wait; /* wait.user is there for the rest of the op, once the next step runs */
};

enum hy_err ops_open(struct ops **ops) HY_CHECKED;

/* Drop what is under way; the bus is closed. NULL is fine. */
void ops_close(struct ops **ops);

/* Is nothing under way? */
bool ops_idle(const struct ops *ops);

/* Begin to answer a record of peer. */
struct op *op_begin(struct parts *parts, struct hy_peer *peer, const struct hy_record *record);

/* It is over, after the answer; op is gone. */
void op_end(struct op *op);

/* Memory that lives as long as the op, cleared. */
void *op_get(struct op *op, size_t bytes);

/* Ask the shard of a slot. type is that of the answer (&hy__group_res__descriptor). */
struct op_ask *op_store(struct op *op, uint16_t slot, uint16_t kind, const ProtobufCMessage *req,
                        const ProtobufCMessageDescriptor *type);

/* op_store() for an answer that is handed on as it is: it is neither decoded nor copied. It must be
 * all that its step waits for. */
struct op_ask *op_store_raw(struct op *op, uint16_t slot, uint16_t kind,
                            const ProtobufCMessage *req, const ProtobufCMessageDescriptor *type);

/* Reply with head and the raw answer behind it, in the step that follows. */
void op_reply_raw(struct op *op, const struct op_ask *ask, const uint8_t *head, size_t len);

/* Ask a shard by its number. */
struct op_ask *op_shard(struct op *op, uint32_t shard, uint16_t kind, const ProtobufCMessage *req,
                        const ProtobufCMessageDescriptor *type);

/* Ask presence process number index (presences_of()). type NULL: the answer is empty, and of
 * interest only for its coming. */
struct op_ask *op_presence(struct op *op, int index, uint16_t kind, const ProtobufCMessage *req,
                           const ProtobufCMessageDescriptor *type);

/* Ask for a user of the caller's app; need is an enum user_need. */
const struct op_user *op_user(struct op *op, const char *name, unsigned need);

/* Go on with next when all that was asked is answered; at once when nothing is open. The last thing
 * a step does. */
void op_then(struct op *op, op_fn *next);

/* 0, or the code with which the op has to be refused: of the way, or, in an answer that begins with
 * a code, of the answer. info becomes the answer's sentence. */
uint32_t op_code(const struct op_ask *ask, const char **info);

/* The same, and refuse. Returns whether the op is over. */
bool op_failed(struct op *op, const struct op_ask *ask);

/* Refuse with the code's own sentence. */
void op_refuse(struct op *op, uint32_t code);

/* The caller's app; NULL when it is not known. */
const Hy__App *op_app(const struct op *op);

#endif
