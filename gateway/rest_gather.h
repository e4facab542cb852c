/* rest_gather - ask routers one or many questions for a call, and go on when all are answered.
 *
 *     rest_gather(call, count, ask, done);
 *
 * calls ask(call, i) for each i, at most REST_WINDOW under way at once; ask says one of
 * rest_ask_*(). Then done(call) finds what came in call->gather.answers. done may gather again. */

#ifndef GATEWAY_REST_GATHER_H
#define GATEWAY_REST_GATHER_H

#include <stddef.h>
#include <stdint.h>

#include "cluster.pb-c.h"

struct rest_call;
struct rest_ask;

enum { REST_WINDOW = 64 };

typedef void rest_ask_fn(struct rest_call *call, size_t index);
typedef void rest_done_fn(struct rest_call *call);

/* What came; code is not 0 when it failed, and then the others may be NULL. */
struct rest_answer {
    uint32_t code;
    const char *info;
    const Hy__AdminAnswer *admin;
    const Hy__Frame *frame;
    const Hy__SendResult *sent;
    const Hy__SignInAnswer *sign_in;
};

struct rest_gather {
    rest_ask_fn *ask;
    rest_done_fn *done;
    struct rest_answer *answers;
    struct rest_ask *asks; /* what is under way */
    size_t count, next, left;
};

/* Begin. With count 0 done is called at once. */
void rest_gather(struct rest_call *call, size_t count, rest_ask_fn *ask, rest_done_fn *done);

/* From an ask function only. The message is packed at once. The caller (admin rights, user or the
 * calling admin when NULL) and op_id or frame id are filled in. */
void rest_ask_admin(struct rest_call *call, size_t index, uint16_t slot, Hy__AdminCall *question);
void rest_ask_frame(struct rest_call *call, size_t index, uint16_t slot, const char *user,
                    Hy__Frame *question);
void rest_ask_send(struct rest_call *call, size_t index, uint16_t slot, const char *user,
                   Hy__SendCall *question);
void rest_ask_sign_in(struct rest_call *call, size_t index, uint16_t slot,
                      Hy__SignInCall *question);

/* Forget what is under way: the call ends. */
void rest_gather_cancel(struct rest_call *call);

/* The first answer with a code, or NULL when all went well. */
const struct rest_answer *rest_gather_failed(const struct rest_call *call);

#endif
