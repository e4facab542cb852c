#include "router/sign_in.h"

#include <string.h>

struct sign_in {
    const Hy__SignInCall *call;
    const struct op_ask *put;
};

static void refuse(struct op *op, uint32_t code, const char *info)
{
    Hy__SignInAnswer answer = HY__SIGN_IN_ANSWER__INIT;

    answer.code = code;
    answer.info = (char *)info;
    hy_bus_reply_pb(&op->reply, &answer.base);
    op_end(op);
}

static char *field(struct op *op, const Hy__User *user, const char *name)
{
    for (size_t i = 0; i < user->n_profile; i++) {
        const ProtobufCBinaryData *str = &user->profile[i]->str;
        char *text;

        if (strcmp(user->profile[i]->name, name) != 0)
            continue;
        text = op_get(op, str->len + 1);
        if (str->len > 0)
            memcpy(text, str->data, str->len);
        return text;
    }
    return (char *)"";
}

static void on_put(struct op *op)
{
    const struct sign_in *sign_in = op->work;
    const Hy__UserRes *res = sign_in->put->answer;
    Hy__SignInAnswer answer = HY__SIGN_IN_ANSWER__INIT;

    if (op_failed(op, sign_in->put))
        return;
    if (res->user == NULL) {
        op_refuse(op, HY_CODE_UNAVAILABLE);
        return;
    }
    /* A kick makes tickets of the same second useless as well: nobody can tell which came first. */
    if (sign_in->call->sig_time_s <= res->user->revoked_before_s) {
        op_refuse(op, HY_CODE_SIG_REVOKED);
        return;
    }
    answer.nick = field(op, res->user, "Tag_Profile_IM_Nick");
    answer.face = field(op, res->user, "Tag_Profile_IM_Image");
    hy_bus_reply_pb(&op->reply, &answer.base);
    op_end(op);
}

void sign_in_begin(struct parts *parts, struct hy_peer *peer, const struct hy_record *record)
{
    struct op *op = op_begin(parts, peer, record);
    struct sign_in *sign_in = op_get(op, sizeof *sign_in);
    Hy__UserPutReq req = HY__USER_PUT_REQ__INIT;

    op->refuse = refuse;
    op->work = sign_in;
    sign_in->call = hy__sign_in_call__unpack(&op->arena.pb, record->len, record->payload);
    if (sign_in->call == NULL || sign_in->call->user[0] == '\0') {
        op_refuse(op, HY_CODE_PARAM);
        return;
    }
    req.app = sign_in->call->app;
    req.user = sign_in->call->user;
    req.create = true;
    req.sign_in = true;
    sign_in->put = op_store(op, hy_slot_user(req.app, req.user), HY__BUS_KIND__STORE_USER_PUT,
                            &req.base, &hy__user_res__descriptor);
    op_then(op, on_put);
}
