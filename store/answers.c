#include "store/answers.h"

#include <stdlib.h>
#include <string.h>

#include "cluster.pb-c.h"
#include "common/codes.h"
#include "store/gate.h"
#include "store/telling.h"
#include "store/value.h"

struct answer {
    struct hy_reply reply;
    struct telling *telling; /* NULL: waits for the disk only */
    size_t at, len;          /* in bytes */
    size_t items;
    uint16_t kind;
    bool misplaced;
};

struct answers {
    struct gate *gate;
    struct answer *list;
    size_t count, size;
    struct hy_buf bytes;
    struct hy_buf refusal;
};

enum hy_err answers_open(struct gate *gate, struct answers **answers)
{
    struct answers *a = calloc(1, sizeof *a);

    if (a == NULL)
        return HY_ENOMEM;
    a->gate = gate;
    *answers = a;
    return HY_OK;
}

static void forget(struct answers *a)
{
    for (size_t i = 0; i < a->count; i++)
        telling_unref(&a->list[i].telling);
    a->count = 0;
    a->bytes.len = 0;
}

void answers_close(struct answers **answers)
{
    if (*answers == NULL)
        return;
    forget(*answers);
    free((*answers)->list);
    hy_buf_free(&(*answers)->bytes);
    hy_buf_free(&(*answers)->refusal);
    free(*answers);
    *answers = NULL;
}

static enum hy_err make_room(struct answers *a)
{
    size_t size = a->size == 0 ? 256 : a->size * 2;
    struct answer *list;

    if (a->count < a->size)
        return HY_OK;
    list = realloc(a->list, size * sizeof *list);
    if (list == NULL)
        return HY_ENOMEM;
    a->list = list;
    a->size = size;
    return HY_OK;
}

static void note(struct answers *a, const struct request *req, size_t at, size_t items)
{
    a->list[a->count++] = (struct answer){
        .reply = req->reply, .kind = req->kind, .at = at, .len = a->bytes.len - at, .items = items};
}

enum hy_err answers_add(struct answers *answers, const struct request *req,
                        const ProtobufCMessage *msg, size_t items)
{
    size_t at = answers->bytes.len;

    if (make_room(answers) != HY_OK || hy_buf_put_pb(&answers->bytes, msg) != HY_OK)
        return HY_ENOMEM;
    note(answers, req, at, items);
    return HY_OK;
}

enum hy_err answers_add_bytes(struct answers *answers, const struct request *req, const void *bytes,
                              size_t len, size_t items)
{
    size_t at = answers->bytes.len;

    if (make_room(answers) != HY_OK || hy_buf_put(&answers->bytes, bytes, len) != HY_OK)
        return HY_ENOMEM;
    note(answers, req, at, items);
    return HY_OK;
}

void answers_wait(struct answers *answers, struct telling *telling)
{
    struct answer *last = &answers->list[answers->count - 1];

    telling_unref(&last->telling);
    last->telling = telling_ref(telling);
}

void answers_misplaced(struct answers *answers)
{
    if (answers->count > 0)
        answers->list[answers->count - 1].misplaced = true;
}

void answers_take_back(struct answers *answers)
{
    struct answer *last;

    if (answers->count == 0)
        return;
    last = &answers->list[--answers->count];
    telling_unref(&last->telling);
    answers->bytes.len = last->at;
}

size_t answers_count(const struct answers *answers)
{
    return answers->count;
}

void answers_send(struct answers *answers)
{
    uint64_t mark = answers->count == 0 ? 0 : gate_mark(answers->gate);

    for (size_t i = 0; i < answers->count; i++) {
        const struct answer *a = &answers->list[i];
        struct gate_answer out = {.reply = a->reply,
                                  .telling = a->telling,
                                  .items = a->items,
                                  .payload = answers->bytes.data + a->at,
                                  .len = a->len};

        if (a->misplaced)
            gate_away(answers->gate, &a->reply, a->items);
        else
            gate_answer(answers->gate, mark, &out);
    }
    forget(answers);
}

void answers_fail(struct answers *answers, uint32_t code)
{
    for (size_t i = 0; i < answers->count; i++) {
        const struct answer *a = &answers->list[i];

        answers->refusal.len = 0;
        if (answer_refusal(a->kind, a->items, code, &answers->refusal) == HY_OK)
            gate_refuse(answers->gate, &a->reply, answers->refusal.data, answers->refusal.len);
    }
    forget(answers);
}

void answers_drop(struct answers *answers)
{
    for (size_t i = 0; i < answers->count; i++)
        gate_away(answers->gate, &answers->list[i].reply, answers->list[i].items);
    forget(answers);
}

/* Answers whose code is not field 1, or that have no info. */
static const struct shape {
    uint16_t kind;
    uint8_t code, info; /* fields */
} shapes[] = {
    {HY__BUS_KIND__STORE_HISTORY, 5, 0},    {HY__BUS_KIND__STORE_HEADS, 2, 0},
    {HY__BUS_KIND__STORE_INDEX, 2, 0},      {HY__BUS_KIND__STORE_APPS, 3, 4},
    {HY__BUS_KIND__STORE_APP_PUT, 3, 4},    {HY__BUS_KIND__STORE_ONLINE_GET, 4, 0},
    {HY__BUS_KIND__STORE_SWEEP_SCAN, 3, 0}, {HY__BUS_KIND__STORE_GROUP_SCAN, 1, 0},
    {HY__BUS_KIND__STORE_EFFECTS, 1, 0},    {HY__BUS_KIND__STORE_SWEEP_LIST, 1, 0},
    {HY__BUS_KIND__STORE_SWEEP, 1, 0},      {HY__BUS_KIND__STORE_GROUPS_IMPORT, 1, 0},
};

static enum hy_err put_plain(uint16_t kind, uint32_t code, struct hy_buf *out)
{
    struct shape shape = {kind, 1, 2};
    const char *text = hy_code_text(code);
    enum hy_err err;

    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if (shapes[i].kind == kind)
            shape = shapes[i];
    err = value_put_varint(out, shape.code, code);
    if (err == HY_OK && shape.info != 0)
        err = value_put_field(out, shape.info, text, strlen(text));
    return err;
}

enum hy_err answer_refusal(uint16_t kind, size_t items, uint32_t code, struct hy_buf *out)
{
    struct hy_buf one = {0};
    enum hy_err err;

    if (kind != HY__BUS_KIND__STORE_APPEND)
        return put_plain(kind, code, out);
    err = put_plain(HY__BUS_KIND__BUS_NONE, code, &one); /* an AppendResult begins alike */
    for (size_t i = 0; i < items && err == HY_OK; i++)
        err = value_put_field(out, 1, one.data, one.len);
    hy_buf_free(&one);
    return err;
}

size_t answer_items(const struct request *req, ProtobufCAllocator *pb)
{
    const Hy__AppendReq *append = NULL;

    if (req->kind == HY__BUS_KIND__STORE_APPEND)
        append = hy__append_req__unpack(pb, req->len, req->payload);
    return append == NULL ? 0 : append->n_items;
}
