/* gate - what was decided or seen leaves through here, in order, once its mark has passed
 * (replica.h).
 *
 * A shard with one copy has passed by then: all leaves at once, and nothing is copied. Else it
 * waits here while the writer goes on deciding, up to GATE_BATCHES batches or GATE_BYTES; what is
 * still here when the reign ends is not said. Where things go to must not come back here from
 * inside. The writer's thread only. */

#ifndef STORE_GATE_H
#define STORE_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "store/answers.h"
#include "store/outbox.h"
#include "store/replica.h"

enum { GATE_BATCHES = 64, GATE_BYTES = 16 << 20 };

struct gate;
struct telling;

/* Tell who asked that the answer is to be had elsewhere, or why there is none. items: as in
 * answer_refusal(). */
typedef void gate_away_fn(void *ctx, const struct hy_reply *reply, size_t items);

struct gate_config {
    answer_fn *answer;
    outbox_send_fn *send;
    void *ctx; /* of both */
    gate_away_fn *away;
    void *away_ctx;
};

enum hy_err gate_open(const struct gate_config *config, struct gate **gate) HY_CHECKED;

/* Forgets what waits. */
void gate_close(struct gate **gate);

/* Whose marks count; before the others are used. */
void gate_use(struct gate *gate, struct replica *replica);

/* A mark for all that has been written or read until now. */
uint64_t gate_mark(struct gate *gate);

/* Has it passed? Whose answers wait for nothing asks. */
bool gate_has_passed(const struct gate *gate, uint64_t mark);

/* One answer on its way. */
struct gate_answer {
    struct hy_reply reply;
    struct telling *telling; /* waits for it when it has passed (a reference is taken); NULL: no */
    size_t items;            /* as in answer_refusal() */
    const uint8_t *payload;
    size_t len;
};

/* An answer that knows no more than the mark does. Without memory it is lost, and asked for again.
 */
void gate_answer(struct gate *gate, uint64_t mark, const struct gate_answer *answer);

/* A question to another shard. HY_ENOMEM. */
enum hy_err gate_send(struct gate *gate, uint64_t mark, uint32_t shard, uint64_t token,
                      const void *payload, size_t len) HY_CHECKED;

/* What says nothing of the shard's state waits for nobody: a refusal, and that it is elsewhere. */
void gate_refuse(struct gate *gate, const struct hy_reply *reply, const void *payload, size_t len);
void gate_away(struct gate *gate, const struct hy_reply *reply, size_t items);

/* A batch of so many bytes was written, up to mark. */
void gate_wrote(struct gate *gate, uint64_t mark, size_t bytes);

/* Is so much on its way that nothing more should be decided or read? */
bool gate_full(const struct gate *gate);

/* Batches that have not passed. */
size_t gate_batches(const struct gate *gate);

/* All up to here has passed: let it out. */
void gate_passed(struct gate *gate, uint64_t mark);

/* The reign is over: who waits for an answer is sent away, questions are forgotten. */
void gate_drop(struct gate *gate);

#endif
