/* heads - conversations as their user sees them now: last message, unread, marks. */

#include <string.h>

#include "common/codes.h"
#include "store/answers.h"
#include "store/member.h"
#include "store/value.h"
#include "store/view.h"

enum { LOOK_BACK = 64 }; /* messages looked at to find one to show */
enum { CONV_LAST_MSG = 5, RES_CONVS = 1, RES_ELSEWHERE = 3 };

static bool stands(const struct span *span, const struct value_log *row)
{
    return (row->flags & HY__MSG_FLAG__MSG_NO_LAST) == 0 && span_shows(span, row, false);
}

/* The newest of all, in memory or not. HY_ENOTFOUND. */
static enum hy_err newest(struct view *view, const struct span *span, struct db_value *value,
                          struct value_log *row)
{
    const struct run *run =
        view->runs == NULL ? NULL : runs_find(view->runs, &span->log, span->last);
    ProtobufCBinaryData field;
    struct key key;
    enum hy_err err;

    *value = (struct db_value){0};
    if (run != NULL)
        return run_row(run, span->last, row, &field) ? HY_OK : HY_ENOTFOUND;
    convlog_key(&span->log, span->last, &key);
    err = db_get(view->db, FAMILY_LOG, &key, value);
    if (err == HY_OK && value_get_log(value->data, value->len, row) != HY_OK)
        err = HY_ENOTFOUND; /* as a walk does, go past it */
    return err;
}

/* Mostly it is the newest of all, which needs no walk. False: it is not, or there is none. */
static bool put_newest(struct view *view, const struct span *span, struct hy_buf *out,
                       enum hy_err *err)
{
    struct value_log row;
    struct db_value value;
    bool done = false;

    *err = newest(view, span, &value, &row);
    if (*err == HY_OK && stands(span, &row)) {
        *err = value_put_field(out, CONV_LAST_MSG, row.msg, row.msg_len);
        done = true;
    } else if (*err == HY_ENOTFOUND) {
        *err = HY_OK;
    }
    db_drop(&value);
    return done;
}

/* The newest message that may stand for the conversation; nothing is put when there is none. */
static enum hy_err put_last(struct view *view, const struct span *span, struct hy_buf *out)
{
    struct convlog_walk walk;
    enum hy_err err;
    int looks = LOOK_BACK;

    if (span->first > span->last)
        return HY_OK;
    if (put_newest(view, span, out, &err) || err != HY_OK)
        return err;
    err = convlog_open(view->db, &span->log, span->first, span->last, &walk);
    if (err != HY_OK)
        return err;
    for (convlog_seek_back(&walk, span->last); walk.valid && looks-- > 0; convlog_prev(&walk)) {
        if (!stands(span, &walk.row))
            continue;
        err = value_put_field(out, CONV_LAST_MSG, walk.row.msg, walk.row.msg_len);
        break;
    }
    if (err == HY_OK)
        err = db_scan_err(walk.scan);
    convlog_close(&walk);
    return err;
}

/* What has expired or was cleared is not unread any more. */
static uint32_t clamp_unread(const struct span *span, uint32_t unread)
{
    uint64_t visible = span->first > span->last ? 0 : span->last - span->first + 1;

    return unread > visible ? (uint32_t)visible : unread;
}

static void fill_pair(const struct span *span, Hy__Conv *conv)
{
    const Hy__PairSide *mine = span->pair->sides[span->side];

    conv->type = HY__CONV_TYPE__CONV_C2C;
    conv->last_seq = span->pair->last_seq;
    conv->last_time_ms = span->pair->last_time_ms;
    conv->unread = clamp_unread(span, mine->unread);
    conv->read_seq = mine->read_seq;
    conv->peer_read_seq = span->pair->sides[1 - span->side]->read_seq;
}

/* Texts are shared with the rows in the arena. */
static enum hy_err fill_group(struct view *view, const struct span *span, Hy__Conv *conv)
{
    Hy__GroupInfo *info = hy_arena_alloc(&view->arena, sizeof *info);
    Hy__MemberInfo *self = hy_arena_alloc(&view->arena, sizeof *self);
    ProtobufCMessage *mute = NULL;
    struct key key;
    enum hy_err err = self == NULL || info == NULL ? HY_ENOMEM : HY_OK;

    if (err == HY_OK && group_mutes(span->type, span->group)) {
        key_member(&key, span->log.home, KEY_MUTE, span->group->conversation, span->member->user);
        err = view_get(view, FAMILY_ENTITY, &key, &hy__mute__descriptor, &mute);
    }
    if (err != HY_OK)
        return err;
    member_info(span->type, span->group, span->member,
                mute == NULL ? 0 : ((Hy__Mute *)mute)->until_s, self);
    self->unread = clamp_unread(span, self->unread);
    *info = *span->group->info;
    info->last_msg_time_s = span->group->last_time_ms / 1000;
    info->next_msg_seq = span->group->last_seq + 1;
    info->member_num = span->group->member_num;
    conv->type = HY__CONV_TYPE__CONV_GROUP;
    conv->last_seq = span->group->last_seq;
    conv->last_time_ms = span->group->last_time_ms;
    conv->unread = self->unread;
    conv->read_seq = span->member->read_seq;
    conv->name = info->name;
    conv->face = info->face;
    conv->group_type = (char *)span->type->name;
    conv->group = info;
    conv->self = self;
    return HY_OK;
}

/* One Conv, encoded into out; empty when the user has no part in it. */
static enum hy_err put_conv(struct view *view, const Hy__HeadsReq *in, const Hy__ConvKey *which,
                            struct hy_buf *out)
{
    Hy__Conv conv = HY__CONV__INIT;
    struct span span;
    enum hy_err err =
        span_open(view, in->app, (int)which->type, in->user, which->peer, false, &span);

    conv.peer = which->peer;
    if (err == HY_OK && span.code == HY_CODE_OK && span.pair != NULL)
        fill_pair(&span, &conv);
    else if (err == HY_OK && span.code == HY_CODE_OK && span.member != NULL)
        err = fill_group(view, &span, &conv);
    if (err != HY_OK)
        return err;
    if (conv.type != HY__CONV_TYPE__CONV_NONE)
        conv.first_seq = span.first;
    err = hy_buf_put_pb(out, &conv.base);
    if (err == HY_OK && conv.type != HY__CONV_TYPE__CONV_NONE && !in->no_last_msg)
        err = put_last(view, &span, out);
    return err;
}

enum hy_err heads_read(struct view *view, const uint8_t *payload, size_t len, struct hy_buf *out)
{
    Hy__HeadsReq *in = hy__heads_req__unpack(&view->arena.pb, len, payload);
    struct hy_buf conv = {0};
    size_t elsewhere = 0;
    enum hy_err err = HY_OK;

    if (in == NULL)
        return answer_refusal(HY__BUS_KIND__STORE_HEADS, 0, HY_CODE_PARAM, out);
    for (size_t i = 0; i < in->n_convs && err == HY_OK; i++) {
        view->misplaced = false;
        conv.len = 0;
        err = put_conv(view, in, in->convs[i], &conv);
        if (err == HY_OK)
            err = value_put_field(out, RES_CONVS, conv.data, conv.len);
        if (err == HY_OK && view->misplaced)
            err = value_put_varint(out, RES_ELSEWHERE, i + 1);
        elsewhere += view->misplaced;
    }
    view->misplaced = elsewhere > 0 && elsewhere == in->n_convs; /* else the others are answered */
    hy_buf_free(&conv);
    return err;
}
