#include "store/tip.h"

#include <string.h>

#include "store/value.h"

#define TIP_SYSTEM "@TIM#SYSTEM"

/* The encoded body, in the arena. */
static enum hy_err pack_body(struct core *core, Hy__TipElem *tip, ProtobufCBinaryData *body)
{
    Hy__Elem elem = HY__ELEM__INIT, *elems[1] = {&elem};
    Hy__Body whole = HY__BODY__INIT;

    elem.kind_case = HY__ELEM__KIND_TIP;
    elem.tip = tip;
    whole.n_elems = 1;
    whole.elems = elems;
    body->len = hy__body__get_packed_size(&whole);
    body->data = hy_arena_alloc(&core->arena, body->len);
    if (body->data == NULL)
        return HY_ENOMEM;
    hy__body__pack(&whole, body->data);
    return HY_OK;
}

static enum hy_err store(struct core *core, struct group_ref *ref, Hy__Msg *msg, struct place place)
{
    struct convlog log = group_log(ref);
    struct hy_buf packed = {0};
    struct key key;
    enum hy_err err = hy_buf_put_pb(&packed, &msg->base);

    core->scratch.len = 0;
    if (err == HY_OK)
        err = value_put_log(&core->scratch, msg->flags, place.seq, place.time_ms, packed.data,
                            packed.len, NULL);
    if (err == HY_OK) {
        convlog_key(&log, place.seq, &key);
        batch_put(core->batch, FAMILY_LOG, &key, core->scratch.data, core->scratch.len);
    }
    hy_buf_free(&packed);
    return err;
}

enum hy_err tip_append(struct core *core, struct group_ref *ref, const char *operator_id,
                       Hy__TipElem *tip, Hy__Msg **msg)
{
    Hy__Msg *m;
    struct place place;
    enum hy_err err;

    *msg = NULL;
    if (!ref->type->tips)
        return HY_OK;
    m = hy_arena_alloc(&core->arena, sizeof *m);
    if (m == NULL)
        return HY_ENOMEM;
    hy__msg__init(m);
    tip->operator_id = (char *)operator_id;
    err = pack_body(core, tip, &m->body);
    if (err != HY_OK)
        return err;
    m->conv_type = HY__CONV_TYPE__CONV_GROUP;
    m->from = *operator_id == '\0' ? (char *)TIP_SYSTEM : (char *)operator_id;
    m->to = (char *)ref->id;
    m->flags = HY__MSG_FLAG__MSG_SYSTEM | HY__MSG_FLAG__MSG_NO_UNREAD;
    place = group_take(core, ref, m->flags);
    if (!ref->type->live)
        err = store(core, ref, m, place);
    m->seq = place.seq;
    m->time_ms = place.time_ms;
    *msg = m;
    return err;
}

enum hy_err tip_bytes(struct core *core, ProtobufCBinaryData *bytes)
{
    /* store() leaves the value in scratch: a head, then the message with its place and time. */
    bytes->len = core->scratch.len - VALUE_LOG_HEAD;
    bytes->data = hy_arena_alloc(&core->arena, bytes->len);
    if (bytes->data == NULL)
        return HY_ENOMEM;
    memcpy(bytes->data, core->scratch.data + VALUE_LOG_HEAD, bytes->len);
    return HY_OK;
}
