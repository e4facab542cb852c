#include "router/people.h"

#include <string.h>

#include "router/calls.h"

const struct op_ask **people_ask(struct op *op, size_t count, char *const *users)
{
    const struct op_ask **asks = op_get(op, (count + 1) * sizeof *asks);

    for (size_t i = 0; i < count; i++) {
        Hy__UserReq req = HY__USER_REQ__INIT;

        req.app = op->caller->app;
        req.user = users[i];
        asks[i] = op_store(op, hy_slot_user(req.app, req.user), HY__BUS_KIND__STORE_USER_GET,
                           &req.base, &hy__user_res__descriptor);
    }
    return asks;
}

/* ---- profiles ---- */

struct profiles {
    const Hy__ProfileGetReq *body;
    const struct op_ask **asks;
};

static Hy__Profile *profile_of(struct op *op, char *user, const struct op_ask *ask)
{
    Hy__Profile *profile = op_get(op, sizeof *profile);
    const Hy__UserRes *res = ask->answer;
    const char *info;

    hy__profile__init(profile);
    profile->user = user;
    profile->code = op_code(ask, &info);
    if (profile->code != HY_CODE_OK)
        return profile;
    if (res->user == NULL) {
        profile->code = HY_CODE_PROFILE_UNKNOWN;
        return profile;
    }
    profile->n_fields = res->user->n_profile;
    profile->fields = res->user->profile;
    profile->updated_s = res->user->updated_s;
    return profile;
}

static void on_profiles(struct op *op)
{
    const struct profiles *get = op->work;
    Hy__ProfileGetRes res = HY__PROFILE_GET_RES__INIT;
    Hy__Profile **profiles = op_get(op, (get->body->n_users + 1) * sizeof *profiles);

    for (size_t i = 0; i < get->body->n_users; i++)
        profiles[i] = profile_of(op, get->body->users[i], get->asks[i]);
    res.n_profiles = get->body->n_users;
    res.profiles = profiles;
    call_answer(op, &res.base);
}

void profile_get_begin(struct op *op)
{
    const Hy__ProfileGetReq *body = call_body(op);
    struct profiles *get = op_get(op, sizeof *get);

    if (body->n_users == 0 || body->n_users > PEOPLE_PROFILES_MOST) {
        op_refuse(op, body->n_users == 0 ? HY_CODE_PROFILE_NO_ACCOUNT : HY_CODE_PROFILE_BAD);
        return;
    }
    op->work = get;
    get->body = body;
    get->asks = people_ask(op, body->n_users, body->users);
    op_then(op, on_profiles);
}

/* ---- states ---- */

struct states {
    const Hy__StateGetReq *body;
    const struct op_user **users;
    const struct op_ask **asks; /* to each presence process; [0] is for "none is up" */
    size_t asked;
};

static const Hy__UserState *told_state(const struct states *states, const char *user)
{
    for (size_t i = 0; i < states->asked; i++) {
        const Hy__StateGetRes *res = states->asks[i] == NULL ? NULL : states->asks[i]->answer;

        for (size_t k = 0; res != NULL && k < res->n_states; k++)
            if (strcmp(res->states[k]->user, user) == 0)
                return res->states[k];
    }
    return NULL;
}

static void on_states(struct op *op)
{
    const struct states *get = op->work;
    Hy__StateGetRes res = HY__STATE_GET_RES__INIT;
    Hy__UserState **states = op_get(op, (get->body->n_users + 1) * sizeof *states);

    for (size_t i = 0; i < get->asked; i++)
        if (get->asks[i] != NULL && op_failed(op, get->asks[i]))
            return;
    for (size_t i = 0; i < get->body->n_users; i++) {
        const struct user_wait *wait = &get->users[i]->wait;
        const Hy__UserState *told = told_state(get, get->body->users[i]);

        states[i] = op_get(op, sizeof *states[i]);
        hy__user_state__init(states[i]);
        if (told != NULL)
            *states[i] = *told;
        states[i]->user = get->body->users[i];
        if (wait->code == HY_CODE_OK && !wait->user->exists && states[i]->state != 1)
            states[i]->state = 0; /* there is nobody of that name */
    }
    res.n_states = get->body->n_users;
    res.states = states;
    call_answer(op, &res.base);
}

/* The users of one presence process. */
static const struct op_ask *ask_states(struct op *op, const struct states *get, int presence)
{
    Hy__PresenceStateReq req = HY__PRESENCE_STATE_REQ__INIT;
    char **users = op_get(op, (get->body->n_users + 1) * sizeof *users);

    req.app = op->caller->app;
    req.users = users;
    req.detail = true;
    for (size_t i = 0; i < get->body->n_users; i++)
        if (presences_of(op->parts->presences, req.app, get->body->users[i]) == presence)
            users[req.n_users++] = get->body->users[i];
    if (req.n_users == 0)
        return NULL;
    return op_presence(op, presence, HY__BUS_KIND__PRESENCE_STATE, &req.base,
                       &hy__state_get_res__descriptor);
}

void state_get_begin(struct op *op)
{
    const Hy__StateGetReq *body = call_body(op);
    struct states *get = op_get(op, sizeof *get);

    if (body->n_users == 0 || body->n_users > PEOPLE_STATES_MOST) {
        op_refuse(op, HY_CODE_PARAM);
        return;
    }
    op->work = get;
    get->body = body;
    get->users = op_get(op, body->n_users * sizeof *get->users);
    for (size_t i = 0; i < body->n_users; i++)
        get->users[i] = op_user(op, body->users[i], USER_RECORD);
    get->asked = presences_count(op->parts->presences) + 1;
    get->asks = op_get(op, get->asked * sizeof *get->asks);
    for (size_t i = 0; i < get->asked; i++)
        get->asks[i] = ask_states(op, get, (int)i - 1);
    op_then(op, on_states);
}
