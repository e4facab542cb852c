/* mark - what a user has read, and how they want to see a conversation. */

#include <string.h>

#include "store/group.h"
#include "store/handlers.h"
#include "store/index.h"
#include "store/member.h"
#include "store/pair.h"

enum { SCAN_MOST = 100000 }; /* messages looked at to count what a mark in the middle leaves */

static void answer_read(struct core *core, const struct request *req, uint32_t unread,
                        uint64_t read_seq, bool changed)
{
    Hy__StoreReadRes res = HY__STORE_READ_RES__INIT;

    res.unread = unread;
    res.read_seq = read_seq;
    res.changed = changed;
    core_answer(core, req, &res.base);
}

/* Unread messages beyond seq; a log scan only when seq is not the newest. */
static enum hy_err count_left(struct core *core, const struct convlog *log, uint64_t seq,
                              uint64_t last, const char *user, uint32_t *left)
{
    *left = 0;
    if (seq == 0 || seq >= last)
        return HY_OK;
    return convlog_unread(core->db, log, seq + 1, last, user, SCAN_MOST, left);
}

static void read_pair(struct core *core, const struct request *req, const Hy__StoreReadReq *in)
{
    struct pair_ref ref;
    struct convlog log;
    uint32_t left = 0;
    bool changed;
    enum hy_err err = pair_find(core, in->app, in->user, in->peer, &ref);

    if (err == HY_OK && ref.pair == NULL) {
        answer_read(core, req, 0, 0, false);
        return;
    }
    if (err == HY_OK) {
        log = pair_log(&ref);
        err = count_left(core, &log, in->seq, ref.pair->last_seq, in->user, &left);
    }
    if (err != HY_OK) {
        core_broken(core, req, err);
        return;
    }
    changed = pair_read(ref.pair, ref.side, in->seq, left);
    if (changed)
        rows_touch(core->rows, ref.row);
    answer_read(core, req, ref.pair->sides[ref.side]->unread, ref.pair->sides[ref.side]->read_seq,
                changed);
}

static void read_group(struct core *core, const struct request *req, const Hy__StoreReadReq *in)
{
    struct group_ref ref;
    struct convlog log;
    struct row *row;
    Hy__Member *member;
    uint32_t left = 0;
    bool changed;
    enum hy_err err;

    if (!group_need(core, req, in->app, in->peer, &ref))
        return;
    err = member_find(core, &ref, in->user, &row);
    if (err == HY_OK && row->msg == NULL) {
        core_refuse(core, req, HY_CODE_GROUP_DENIED);
        return;
    }
    if (err == HY_OK && ref.type->unread) {
        log = group_log(&ref);
        err = count_left(core, &log, in->seq, ref.group->last_seq, in->user, &left);
    }
    if (err != HY_OK) {
        core_broken(core, req, err);
        return;
    }
    member = (Hy__Member *)row->msg;
    changed = member_read(ref.group, member, in->seq, left);
    if (changed)
        member_touch(core, &ref, row);
    answer_read(core, req, member_unread(ref.type, ref.group, member), member->read_seq, changed);
}

/* A mark in the middle of a log counts what is committed: settle first. */
static bool settle_for(struct core *core, const struct request *req, uint64_t seq)
{
    enum hy_err err = seq == 0 ? HY_OK : core_settle(core);

    if (err != HY_OK)
        core_broken(core, req, err);
    return err == HY_OK;
}

static bool texts_ok(struct core *core, const struct request *req, const char *user,
                     const char *peer)
{
    if (key_text_ok(user) && key_text_ok(peer))
        return true;
    core_refuse(core, req, HY_CODE_PARAM);
    return false;
}

void read_handle(struct core *core, const struct request *req)
{
    const Hy__StoreReadReq *in = core_decode(core, req, &hy__store_read_req__descriptor);

    if (in == NULL || !texts_ok(core, req, in->user, in->peer))
        return;
    if (!core_needs(core, hy_slot_conv(in->app, (int)in->conv_type, in->user, in->peer))) {
        core_refuse(core, req, HY_CODE_UNAVAILABLE);
        return;
    }
    if (!settle_for(core, req, in->seq))
        return;
    if (in->conv_type == HY__CONV_TYPE__CONV_C2C)
        read_pair(core, req, in);
    else
        read_group(core, req, in);
}

/* ---- how a conversation is seen ---- */

static enum hy_err clear_pair(struct core *core, const Hy__StoreConvSetReq *in)
{
    struct pair_ref ref;
    enum hy_err err = pair_find(core, in->app, in->user, in->req->peer, &ref);

    if (err != HY_OK || ref.pair == NULL)
        return err;
    pair_clear(ref.pair, ref.side);
    rows_touch(core->rows, ref.row);
    return HY_OK;
}

static enum hy_err clear_group(struct core *core, const Hy__StoreConvSetReq *in)
{
    struct group_ref ref;
    Hy__Member *member;
    struct row *row;
    enum hy_err err = group_find(core, in->app, in->req->peer, &ref);

    if (err == HY_OK)
        err = member_find(core, &ref, in->user, &row);
    if (err != HY_OK)
        return err;
    member = (Hy__Member *)row->msg;
    if (member == NULL)
        return HY_EDENIED;
    member->clear_seq = ref.group->last_seq;
    (void)member_read(ref.group, member, 0, 0);
    member_touch(core, &ref, row);
    return HY_OK;
}

void conv_set_handle(struct core *core, const struct request *req)
{
    const Hy__StoreConvSetReq *in = core_decode(core, req, &hy__store_conv_set_req__descriptor);
    Hy__StoreRes res = HY__STORE_RES__INIT;
    bool clear, pair;
    uint16_t slot;
    enum hy_err err;

    if (in == NULL)
        return;
    if (in->req == NULL) {
        core_refuse(core, req, HY_CODE_PARAM);
        return;
    }
    if (!texts_ok(core, req, in->user, in->req->peer))
        return;
    clear = in->req->op == HY__CONV_SET_REQ__OP__CLEAR;
    pair = in->req->type == HY__CONV_TYPE__CONV_C2C;
    slot = clear ? hy_slot_conv(in->app, (int)in->req->type, in->user, in->req->peer)
                 : hy_slot_user(in->app, in->user);
    if (!core_needs(core, slot)) {
        core_refuse(core, req, HY_CODE_UNAVAILABLE);
        return;
    }
    if (!clear)
        err = index_mark(core, in->app, in->user, in->req, in->last_seq);
    else
        err = pair ? clear_pair(core, in) : clear_group(core, in);
    if (err == HY_OK)
        core_answer(core, req, &res.base);
    else if (err == HY_ENOTFOUND)
        core_refuse(core, req, HY_CODE_GROUP_UNKNOWN);
    else if (err == HY_EDENIED)
        core_refuse(core, req, HY_CODE_GROUP_DENIED);
    else if (err == HY_EMALFORMED)
        core_refuse(core, req, HY_CODE_PARAM);
    else
        core_broken(core, req, err);
}
