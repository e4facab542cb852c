#include "router/admin.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/body.h"
#include "common/clock.h"
#include "router/applist.h"
#include "router/people.h"
#include "router/profile.h"
#include "router/wire.h"

struct front {
    const Hy__AdminCall *call;
};

/* The bodies of a call and of an answer are unions of pointers. */
void *admin_body(const struct op *op)
{
    const struct front *front = op->front;

    return front->call->user_import;
}

static void refuse(struct op *op, uint32_t code, const char *info)
{
    Hy__AdminAnswer answer = HY__ADMIN_ANSWER__INIT;

    answer.code = code;
    answer.info = (char *)info;
    hy_bus_reply_pb(&op->reply, &answer.base);
    op_end(op);
}

void admin_answer(struct op *op, Hy__AdminAnswer__ResCase kind, ProtobufCMessage *res)
{
    Hy__AdminAnswer answer = HY__ADMIN_ANSWER__INIT;

    answer.res_case = kind;
    answer.users = (Hy__UsersGetRes *)res;
    hy_bus_reply_pb(&op->reply, &answer.base);
    op_end(op);
}

void admin_answer_raw(struct op *op, Hy__AdminAnswer__ResCase kind, const struct op_ask *ask)
{
    uint8_t head[WIRE_HEAD_MAX], *end = wire_head(head, kind, ask->raw->len);

    op_reply_raw(op, ask, head, (size_t)(end - head));
    op_end(op);
}

void admin_ok(struct op *op)
{
    admin_answer(op, HY__ADMIN_ANSWER__RES__NOT_SET, NULL);
}

/* The only thing asked is answered by success alone. */
static void on_done(struct op *op)
{
    const struct op_ask *ask = op->work;

    if (!op_failed(op, ask))
        admin_ok(op);
}

/* ---- users ---- */

static Hy__Field *text_field(struct op *op, const char *tag, char *text)
{
    Hy__Field *field = op_get(op, sizeof *field);

    hy__field__init(field);
    field->name = (char *)tag;
    field->str.data = (uint8_t *)text;
    field->str.len = strlen(text);
    return field;
}

static void user_import_begin(struct op *op)
{
    const Hy__UserImport *body = admin_body(op);
    struct profile_change *change = op_get(op, sizeof *change);

    if (!hy_account_ok(body->user)) {
        op_refuse(op, HY_CODE_ACCOUNT_PARAM);
        return;
    }
    *change = (struct profile_change){
        .user = body->user,
        .create = true,
        .type = body->type,
        .done = admin_ok,
    };
    change->fields = op_get(op, 2 * sizeof *change->fields);
    if (body->nick[0] != '\0')
        change->fields[change->count++] = text_field(op, "Tag_Profile_IM_Nick", body->nick);
    if (body->face[0] != '\0')
        change->fields[change->count++] = text_field(op, "Tag_Profile_IM_Image", body->face);
    profile_change(op, change);
}

static void on_users(struct op *op)
{
    const Hy__UsersGet *body = admin_body(op);
    const struct op_ask **asks = op->work;
    Hy__UsersGetRes res = HY__USERS_GET_RES__INIT;

    res.n_users = body->n_users;
    res.users = op_get(op, (body->n_users + 1) * sizeof *res.users);
    for (size_t i = 0; i < body->n_users; i++) {
        const Hy__UserRes *user = asks[i]->answer;

        if (user == NULL) {
            op_failed(op, asks[i]);
            return;
        }
        if (user->code == HY_CODE_OK && user->user != NULL) {
            res.users[i] = user->user;
            continue;
        }
        res.users[i] = op_get(op, sizeof **res.users);
        hy__user__init(res.users[i]);
        res.users[i]->user = body->users[i];
    }
    admin_answer(op, HY__ADMIN_ANSWER__RES_USERS, &res.base);
}

static void users_get_begin(struct op *op)
{
    const Hy__UsersGet *body = admin_body(op);

    if (body->n_users == 0 || body->n_users > ADMIN_USERS_MOST) {
        op_refuse(op, HY_CODE_PARAM);
        return;
    }
    op->work = people_ask(op, body->n_users, body->users);
    op_then(op, on_users);
}

static void profile_set_for_begin(struct op *op)
{
    const Hy__ProfileSetFor *body = admin_body(op);
    struct profile_change *change = op_get(op, sizeof *change);

    *change = (struct profile_change){
        .user = body->user,
        .count = body->n_fields,
        .fields = body->fields,
        .done = admin_ok,
    };
    if (body->n_fields == 0)
        op_refuse(op, HY_CODE_PROFILE_BAD);
    else
        profile_change(op, change);
}

/* ---- kick ---- */

static void on_revoked(struct op *op)
{
    const Hy__UserKick *body = admin_body(op);
    const struct op_ask *ask = op->work;
    Hy__KickUser kick = HY__KICK_USER__INIT;
    Hy__KickedNotice notice = HY__KICKED_NOTICE__INIT;

    if (op_failed(op, ask))
        return;
    notice.why = HY__KICKED_NOTICE__WHY__REST_KICK;
    notice.code = HY_CODE_SIG_REVOKED;
    notice.info = (char *)hy_code_text(notice.code);
    kick.app = op->caller->app;
    kick.user = body->user;
    kick.notice = &notice;
    op->work = op_presence(op, presences_of(op->parts->presences, kick.app, kick.user),
                           HY__BUS_KIND__PRESENCE_KICK, &kick.base, NULL);
    op_then(op, on_done);
}

static void user_kick_begin(struct op *op)
{
    const Hy__UserKick *body = admin_body(op);
    Hy__UserReq req = HY__USER_REQ__INIT;

    req.app = op->caller->app;
    req.user = body->user;
    req.at_s = hy_wall_ms() / 1000;
    op->work = op_store(op, hy_slot_user(req.app, req.user), HY__BUS_KIND__STORE_USER_REVOKE,
                        &req.base, &hy__user_res__descriptor);
    op_then(op, on_revoked);
}

/* ---- roam ---- */

struct roam {
    const struct op_user *user, *peer;
    const struct op_ask *page;
};

static void on_page(struct op *op)
{
    const struct roam *roam = op->work;

    if (!op_failed(op, roam->page))
        admin_answer_raw(op, HY__ADMIN_ANSWER__RES_HISTORY, roam->page);
}

static bool missing(const struct op *op, const struct op_user *user)
{
    return !user->wait.user->exists && !hy_app_admin(op_app(op), user->wait.user->name);
}

static void on_pair(struct op *op)
{
    const Hy__Roam *body = admin_body(op);
    struct roam *roam = op->work;
    Hy__StoreHistoryReq req = HY__STORE_HISTORY_REQ__INIT;
    Hy__HistoryReq page = HY__HISTORY_REQ__INIT;
    uint32_t code =
        roam->user->wait.code != HY_CODE_OK ? roam->user->wait.code : roam->peer->wait.code;

    if (code == HY_CODE_OK && (missing(op, roam->user) || missing(op, roam->peer)))
        code = HY_CODE_REST_TO_UNKNOWN;
    if (code != HY_CODE_OK) {
        op_refuse(op, code);
        return;
    }
    page.conv_type = HY__CONV_TYPE__CONV_C2C;
    page.peer = body->peer;
    if (body->before_seq > 0)
        page.from_seq = body->before_seq - 1;
    page.count = body->max_count;
    req.app = op->caller->app;
    req.user = body->user;
    req.req = &page;
    req.min_time_ms = body->min_time_s * 1000;
    req.max_time_ms = body->max_time_s == 0 ? 0 : body->max_time_s * 1000 + 999;
    req.max_count = body->max_count;
    roam->page = op_store_raw(op, hy_slot_pair(req.app, body->user, body->peer),
                              HY__BUS_KIND__STORE_HISTORY, &req.base, &hy__history_res__descriptor);
    op_then(op, on_page);
}

static void roam_begin(struct op *op)
{
    const Hy__Roam *body = admin_body(op);
    struct roam *roam = op_get(op, sizeof *roam);
    Hy__HistoryRes nothing = HY__HISTORY_RES__INIT;

    if (body->before_seq == 1) {
        nothing.complete = true;
        admin_answer(op, HY__ADMIN_ANSWER__RES_HISTORY, &nothing.base);
        return;
    }
    op->work = roam;
    roam->user = op_user(op, body->user, USER_RECORD);
    roam->peer = op_user(op, body->peer, USER_RECORD);
    op_then(op, on_pair);
}

/* ---- apps, figures ---- */

static void on_apps(struct op *op)
{
    const struct op_ask *ask = op->work;

    if (op_failed(op, ask))
        return;
    applist_hurry(op->parts->applist);
    admin_answer(op, HY__ADMIN_ANSWER__RES_APPS, ask->answer);
}

static void ask_apps(struct op *op, uint16_t kind)
{
    op->work = op_store(op, applist_slot(), kind, admin_body(op), &hy__apps_res__descriptor);
    op_then(op, on_apps);
}

static void app_put_begin(struct op *op)
{
    ask_apps(op, HY__BUS_KIND__STORE_APP_PUT);
}

static void apps_begin(struct op *op)
{
    ask_apps(op, HY__BUS_KIND__STORE_APPS);
}

static void on_figures(struct op *op)
{
    const struct op_ask *ask = op->work;

    if (!op_failed(op, ask))
        admin_answer(op, HY__ADMIN_ANSWER__RES_ONLINE, ask->answer);
}

static void online_get_begin(struct op *op)
{
    const Hy__OnlineGetReq *body = admin_body(op);

    op->work = op_store(op, hy_slot(body->app, HY_KIND_APP, "", 0), HY__BUS_KIND__STORE_ONLINE_GET,
                        &body->base, &hy__online_get_res__descriptor);
    op_then(op, on_figures);
}

/* ---- the table ---- */

static const struct row {
    Hy__AdminCall__OpCase op;
    bool app; /* is about the caller's app, which must be known */
    op_fn *begin;
} rows[] = {
    {HY__ADMIN_CALL__OP_USER_IMPORT, true, user_import_begin},
    {HY__ADMIN_CALL__OP_USERS_GET, true, users_get_begin},
    {HY__ADMIN_CALL__OP_USER_KICK, true, user_kick_begin},
    {HY__ADMIN_CALL__OP_PROFILE_SET, true, profile_set_for_begin},
    {HY__ADMIN_CALL__OP_ROAM, true, roam_begin},
    {HY__ADMIN_CALL__OP_GROUP_SCAN, true, admin_group_scan_begin},
    {HY__ADMIN_CALL__OP_SYSTEM_NOTIFY, true, admin_system_notify_begin},
    {HY__ADMIN_CALL__OP_DELETE_BY_SENDER, true, admin_delete_by_sender_begin},
    {HY__ADMIN_CALL__OP_GROUPS_IMPORT, true, admin_groups_import_begin},
    {HY__ADMIN_CALL__OP_APP_PUT, false, app_put_begin},
    {HY__ADMIN_CALL__OP_APPS, false, apps_begin},
    {HY__ADMIN_CALL__OP_ONLINE_GET, false, online_get_begin},
};

static const struct row *find_row(Hy__AdminCall__OpCase asked)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].op == asked)
            return &rows[i];
    return NULL;
}

void admin_begin(struct parts *parts, struct hy_peer *peer, const struct hy_record *record)
{
    static const Hy__Caller nobody = HY__CALLER__INIT;
    struct op *op = op_begin(parts, peer, record);
    struct front *front = op_get(op, sizeof *front);
    const struct row *row;

    op->front = front;
    op->refuse = refuse;
    front->call = hy__admin_call__unpack(&op->arena.pb, record->len, record->payload);
    row = front->call == NULL ? NULL : find_row(front->call->op_case);
    if (row == NULL) {
        op_refuse(op, HY_CODE_KIND_UNKNOWN);
        return;
    }
    op->caller = front->call->caller != NULL ? front->call->caller : &nobody;
    op->op_id = front->call->op_id;
    if (op->op_id[0] == '\0') {
        char *op_id = op_get(op, 32);

        snprintf(op_id, 32, "a%016" PRIx64, hy_random64());
        op->op_id = op_id;
    }
    if (row->app && op_app(op) == NULL)
        op_refuse(op, applist_refusal(op->parts->applist));
    else
        row->begin(op);
}
