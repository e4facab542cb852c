#include "router/profile.h"

#include "router/calls.h"
#include "router/notices.h"
#include "router/profiletag.h"

struct progress {
    const struct profile_change *change;
    void *work; /* op->work of whoever asked */
    const struct op_ask *put;
    const struct op_user *user;
};

static void tell_devices(struct op *op, const struct progress *progress, const Hy__User *record)
{
    const struct profile_change *change = progress->change;
    Hy__Profile profile = HY__PROFILE__INIT;
    Hy__ProfileNotice told = HY__PROFILE_NOTICE__INIT;
    Hy__Frame frame = HY__FRAME__INIT;

    profile.user = change->user;
    profile.n_fields = change->count;
    profile.fields = change->fields;
    profile.updated_s = record == NULL ? 0 : record->updated_s;
    told.profile = &profile;
    frame.body_case = HY__FRAME__BODY_PROFILE_NOTICE;
    frame.profile_notice = &told;
    notices_to(op->parts, progress->user->wait.user, change->except_session);
    notices_push(op->parts, &frame);
}

static void on_touched(struct op *op)
{
    struct progress *progress = op->work;
    const Hy__UserRes *res = progress->put->answer;

    /* Presence silent is no failure: the profile is set, and others see it when they read it anew.
     */
    tell_devices(op, progress, res->user);
    op->work = progress->work;
    progress->change->done(op);
}

static void touch(struct op *op, struct progress *progress)
{
    const struct profile_change *change = progress->change;
    Hy__Touch touch = HY__TOUCH__INIT;
    Hy__UserKey key = HY__USER_KEY__INIT, *keys[] = {&key};
    int presence = presences_of(op->parts->presences, op->caller->app, change->user);

    users_touch(op->parts->users, op->caller->app, change->user);
    key.app = op->caller->app;
    key.user = change->user;
    touch.n_users = 1;
    touch.users = keys;
    if (presence >= 0)
        op_presence(op, presence, HY__BUS_KIND__PRESENCE_TOUCH, &touch.base, NULL);
    progress->user = op_user(op, change->user, USER_PLACES);
    op_then(op, on_touched);
}

static void on_put(struct op *op)
{
    struct progress *progress = op->work;
    const Hy__UserRes *res = progress->put->answer;

    if (op_failed(op, progress->put))
        return;
    /* Nobody keeps those who did not exist, and nobody needs to know that nothing changed. */
    if (!res->created && progress->change->count > 0) {
        touch(op, progress);
        return;
    }
    op->work = progress->work;
    progress->change->done(op);
}

void profile_change(struct op *op, const struct profile_change *change)
{
    struct progress *progress = op_get(op, sizeof *progress);
    Hy__UserPutReq req = HY__USER_PUT_REQ__INIT;

    for (size_t i = 0; i < change->count; i++) {
        uint32_t code = profiletag_check(change->fields[i], op->caller->admin);

        if (code == HY_CODE_OK)
            continue;
        op_refuse(op, code);
        return;
    }
    progress->change = change;
    progress->work = op->work;
    op->work = progress;
    req.app = op->caller->app;
    req.user = change->user;
    req.create = change->create;
    req.type = change->type;
    req.n_fields = change->count;
    req.fields = change->fields;
    progress->put = op_store(op, hy_slot_user(req.app, req.user), HY__BUS_KIND__STORE_USER_PUT,
                             &req.base, &hy__user_res__descriptor);
    op_then(op, on_put);
}

void profile_set_begin(struct op *op)
{
    const Hy__ProfileSetReq *body = call_body(op);
    struct profile_change *change = op_get(op, sizeof *change);

    if (body->n_fields == 0) {
        op_refuse(op, HY_CODE_PROFILE_BAD);
        return;
    }
    *change = (struct profile_change){
        .user = op->caller->user,
        .count = body->n_fields,
        .fields = body->fields,
        .except_session = op->caller->session_id,
        .done = call_ok,
    };
    profile_change(op, change);
}
