/* answers - what the store has decided to answer but may not say before the batch is on the disk;
 * then they leave by the gate. */

#ifndef STORE_ANSWERS_H
#define STORE_ANSWERS_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/bus.h"
#include "common/err.h"

/* One request as it came; payload is lent for the call. */
struct request {
    struct hy_reply reply;
    uint16_t kind;
    const uint8_t *payload;
    size_t len;
};

/* Where answers go: the bus, or a test. */
typedef void answer_fn(void *ctx, const struct hy_reply *reply, const uint8_t *payload, size_t len);

struct answers;
struct gate;
struct telling;

enum hy_err answers_open(struct gate *gate, struct answers **answers) HY_CHECKED;
void answers_close(struct answers **answers);

/* Keep an answer. items: how many results an error answer would need (appends), else 0.
 * HY_ENOMEM: the asker will ask again. */
enum hy_err answers_add(struct answers *answers, const struct request *req,
                        const ProtobufCMessage *msg, size_t items) HY_CHECKED;

/* The same for one that is encoded. */
enum hy_err answers_add_bytes(struct answers *answers, const struct request *req, const void *bytes,
                              size_t len, size_t items) HY_CHECKED;

/* The answer added last, once durable, waits for a telling, too (a reference is taken). */
void answers_wait(struct answers *answers, struct telling *telling);

/* The answer added last is to be had elsewhere: say that instead. */
void answers_misplaced(struct answers *answers);

/* The answer added last is not to be said. */
void answers_take_back(struct answers *answers);

size_t answers_count(const struct answers *answers);

/* Say them all, or leave them to what they wait for. */
void answers_send(struct answers *answers);

/* Say code to all instead. */
void answers_fail(struct answers *answers, uint32_t code);

/* Send them all away instead. */
void answers_drop(struct answers *answers);

/* How many results an error answer to a request needs; pb is used to look into it. */
size_t answer_items(const struct request *req, ProtobufCAllocator *pb);

/* Append to out the answer to a kind of request that is code and a sentence. HY_ENOMEM. */
enum hy_err answer_refusal(uint16_t kind, size_t items, uint32_t code,
                           struct hy_buf *out) HY_CHECKED;

#endif
