/* rest_state - who is online (reference 6.4), in the form of 2018 and in that of 2021. */

#include <string.h>

#include "common/slot.h"
#include "gateway/rest_json.h"
#include "gateway/rest_openim.h"

enum { MOST_TARGETS = 500, CHUNK = 100 };

static const char *state_word(uint32_t state)
{
    static const char *const words[] = {"Offline", "Online", "Offline", "PushOnline"};

    return state < 4 ? words[state] : "Offline";
}

static const char *platform_word(Hy__Platform platform)
{
    switch (platform) {
    case HY__PLATFORM__PLATFORM_ANDROID:
        return "Android";
    case HY__PLATFORM__PLATFORM_IPHONE:
        return "iPhone";
    case HY__PLATFORM__PLATFORM_IPAD:
        return "iPad";
    case HY__PLATFORM__PLATFORM_MAC:
        return "Mac";
    case HY__PLATFORM__PLATFORM_WEB:
    case HY__PLATFORM__PLATFORM_MINI_PROGRAM:
        return "Web";
    default:
        return "PC";
    }
}

struct query {
    struct rest_users users;
    bool detail;
    bool modern; /* query_online_status */
};

/* Question 0 is about states; the others are about who exists, so many accounts each. */
static void ask_states(struct rest_call *call)
{
    const struct query *query = call->state;
    Hy__Frame question = HY__FRAME__INIT;
    Hy__StateGetReq req = HY__STATE_GET_REQ__INIT;

    req.users = query->users.good;
    req.n_users = query->users.good_count;
    question.body_case = HY__FRAME__BODY_STATE_GET;
    question.state_get = &req;
    rest_ask_frame(call, 0, hy_slot_user(call->app, query->users.good[0]), NULL, &question);
}

static void ask(struct rest_call *call, size_t index)
{
    const struct query *query = call->state;
    Hy__AdminCall question = HY__ADMIN_CALL__INIT;
    Hy__UsersGet get = HY__USERS_GET__INIT;
    size_t first, left;

    if (index == 0) {
        ask_states(call);
        return;
    }
    first = (index - 1) * CHUNK;
    left = query->users.good_count - first;
    get.users = query->users.good + first;
    get.n_users = left < CHUNK ? left : CHUNK;
    question.op_case = HY__ADMIN_CALL__OP_USERS_GET;
    question.users_get = &get;
    rest_ask_admin(call, index, hy_slot_user(call->app, get.users[0]), &question);
}

static bool exists(const struct rest_call *call, size_t place)
{
    const Hy__AdminAnswer *answer = call->gather.answers[1 + place / CHUNK].admin;

    return answer->users != NULL && place % CHUNK < answer->users->n_users &&
           answer->users->users[place % CHUNK]->created_s > 0;
}

static const Hy__UserState *state_of(const struct rest_call *call, size_t place)
{
    const Hy__Frame *frame = call->gather.answers[0].frame;

    if (frame->body_case != HY__FRAME__BODY_STATE_GET_RES ||
        place >= frame->state_get_res->n_states)
        return NULL;
    return frame->state_get_res->states[place];
}

static json_t *write_state(const struct query *query, const char *user, const Hy__UserState *state)
{
    const char *name = query->modern ? "Status" : "State";
    json_t *item = json_object(), *detail;

    json_object_set_new(item, "To_Account", rest_json_text(user));
    json_object_set_new(item, name, json_string(state_word(state != NULL ? state->state : 0)));
    if (!query->detail || state == NULL || state->n_detail == 0)
        return item;
    detail = json_array();
    for (size_t i = 0; i < state->n_detail; i++)
        json_array_append_new(detail, json_pack("{s:s, s:s}", "Platform",
                                                platform_word(state->detail[i]->platform), name,
                                                state_word(state->detail[i]->state)));
    json_object_set_new(item, "Detail", detail);
    return item;
}

static void on_states(struct rest_call *call)
{
    const struct query *query = call->state;
    const struct rest_answer *failed = rest_gather_failed(call);
    json_t *results, *errors, *fields;

    if (failed != NULL) {
        rest_fail(call, failed->code, failed->info);
        return;
    }
    results = json_array();
    errors = json_array();
    for (size_t i = 0; i < query->users.count; i++) {
        size_t place = query->users.place[i];
        bool known = place != REST_NO_PLACE && (!query->modern || exists(call, place));

        if (known || !query->modern)
            json_array_append_new(results, write_state(query, query->users.all[i],
                                                       known ? state_of(call, place) : NULL));
        else
            json_array_append_new(errors, json_pack("{s:o, s:i}", "To_Account",
                                                    rest_json_text(query->users.all[i]),
                                                    "ErrorCode", HY_CODE_ACCOUNT_UNKNOWN));
    }
    fields = json_object();
    json_object_set_new(fields, "QueryResult", results);
    if (query->modern)
        json_object_set(fields, "ErrorList", errors);
    json_decref(errors);
    rest_ok(call, fields);
}

static void query_states(struct rest_call *call, bool modern)
{
    static const struct rest_list_codes codes = {HY_CODE_REST_TO, HY_CODE_REST_JSON,
                                                 HY_CODE_REST_TARGETS, HY_CODE_REST_TO};
    struct query *query = rest_state(call, sizeof *query);
    size_t chunks;

    if (query == NULL ||
        !rest_need_accounts(call, "To_Account", MOST_TARGETS, &codes, &query->users))
        return;
    query->modern = modern;
    query->detail = rest_flag(call->body, "IsNeedDetail");
    chunks = modern ? (query->users.good_count + CHUNK - 1) / CHUNK : 0;
    rest_gather(call, query->users.good_count > 0 ? 1 + chunks : 0, ask, on_states);
}

void rest_querystate(struct rest_call *call)
{
    query_states(call, false);
}

void rest_query_online_status(struct rest_call *call)
{
    query_states(call, true);
}
