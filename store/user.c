/* user - accounts: existence, profile, revocation of tickets. */

#include "store/fieldset.h"
#include "store/handlers.h"

/* Find the row of a user of this shard; answers and returns false on failure. */
static bool find(struct core *core, const struct request *req, uint32_t app, const char *user,
                 struct row **row)
{
    struct key_home home;
    struct key key;
    enum hy_err err;

    if (!key_text_ok(user)) {
        core_refuse(core, req, HY_CODE_PROFILE_UNKNOWN);
        return false;
    }
    home = (struct key_home){hy_slot_user(app, user), app};
    if (!core_needs(core, home.slot)) {
        core_refuse(core, req, HY_CODE_UNAVAILABLE);
        return false;
    }
    key_text(&key, home, KEY_USER, user);
    err = rows_get(core->rows, FAMILY_ENTITY, &key, &hy__user__descriptor, row);
    if (err != HY_OK)
        core_broken(core, req, err);
    return err == HY_OK;
}

static void answer(struct core *core, const struct request *req, const struct row *row,
                   bool created)
{
    Hy__UserRes res = HY__USER_RES__INIT;

    res.user = (Hy__User *)row->msg;
    res.created = created;
    core_answer(core, req, &res.base);
}

void user_get_handle(struct core *core, const struct request *req)
{
    const Hy__UserReq *in = core_decode(core, req, &hy__user_req__descriptor);
    struct row *row;

    if (in == NULL || !find(core, req, in->app, in->user, &row))
        return;
    if (row->msg == NULL)
        core_refuse(core, req, HY_CODE_PROFILE_UNKNOWN);
    else
        answer(core, req, row, false);
}

static enum hy_err create(struct core *core, struct row *row, const Hy__UserPutReq *in)
{
    Hy__User user = HY__USER__INIT;
    ProtobufCMessage *fresh;

    user.user = in->user;
    user.created_s = core_now(core) / 1000;
    user.type = in->type;
    fresh = rows_copy(&user.base);
    if (fresh == NULL)
        return HY_ENOMEM;
    rows_set(core->rows, row, fresh);
    return HY_OK;
}

static void set_profile(struct core *core, struct row *row, const Hy__UserPutReq *in)
{
    Hy__User *user = (Hy__User *)row->msg;

    if (in->n_fields == 0)
        return;
    for (size_t i = 0; i < in->n_fields; i++)
        if (fieldset_set(&user->n_profile, &user->profile, in->fields[i]->name, in->fields[i]) !=
            HY_OK)
            batch_fail(core->batch, HY_ENOMEM);
    user->profile_version++;
    user->updated_s = core_now(core) / 1000;
    rows_touch(core->rows, row);
}

void user_put_handle(struct core *core, const struct request *req)
{
    const Hy__UserPutReq *in = core_decode(core, req, &hy__user_put_req__descriptor);
    bool created = false;
    struct row *row;
    enum hy_err err;

    if (in == NULL || !find(core, req, in->app, in->user, &row))
        return;
    if (row->msg == NULL) {
        if (!in->create && !in->sign_in) {
            core_refuse(core, req, HY_CODE_PROFILE_UNKNOWN);
            return;
        }
        err = create(core, row, in);
        if (err != HY_OK) {
            core_broken(core, req, err);
            return;
        }
        created = true;
    }
    if (!in->sign_in)
        set_profile(core, row, in);
    answer(core, req, row, created);
}

void user_revoke_handle(struct core *core, const struct request *req)
{
    const Hy__UserReq *in = core_decode(core, req, &hy__user_req__descriptor);
    Hy__User *user;
    struct row *row;

    if (in == NULL || !find(core, req, in->app, in->user, &row))
        return;
    user = (Hy__User *)row->msg;
    if (user == NULL) {
        core_refuse(core, req, HY_CODE_ACCOUNT_UNKNOWN);
        return;
    }
    if (in->at_s > user->revoked_before_s) {
        user->revoked_before_s = in->at_s;
        rows_touch(core->rows, row);
    }
    answer(core, req, row, false);
}
