/* rest_account - im_open_login_svc (reference, section 5): accounts are made, looked up, kicked. */

#include <string.h>

#include "common/body.h"
#include "common/slot.h"
#include "gateway/rest_call.h"
#include "gateway/rest_json.h"

enum { MOST_ACCOUNTS = 100, MOST_NICK_BYTES = 500 };

static const struct rest_family family = {
    .service = "im_open_login_svc",
    .bad_json = HY_CODE_ACCOUNT_PARAM,
    .bad_param = HY_CODE_ACCOUNT_PARAM,
    .no_account = HY_CODE_ACCOUNT_UNKNOWN,
    .internal = HY_CODE_ACCOUNT_INTERNAL,
};

/* ---------------------------------------------------------------- import */

struct import {
    char *user, *nick, *face;
    int64_t type;
    uint32_t code; /* of what is wrong with it already */
};

struct imports {
    struct import *items;
    size_t *valid; /* those that are asked for, as places in items */
    size_t count, valid_count;
};

static void ask_import(struct rest_call *call, size_t index)
{
    const struct imports *imports = call->state;
    const struct import *item = &imports->items[imports->valid[index]];
    Hy__AdminCall question = HY__ADMIN_CALL__INIT;
    Hy__UserImport import = HY__USER_IMPORT__INIT;

    import.user = item->user;
    import.nick = item->nick;
    import.face = item->face;
    import.type = (uint32_t)item->type;
    question.op_case = HY__ADMIN_CALL__OP_USER_IMPORT;
    question.user_import = &import;
    rest_ask_admin(call, index, hy_slot_user(call->app, item->user), &question);
}

/* Nick and FaceUrl; "" is as absent: an import never clears what is there. */
static bool read_names(struct rest_call *call, const struct rest_value *json, struct import *item)
{
    item->nick = item->face = (char *)"";
    if (rest_text(json, "Nick", &item->nick) == REST_BAD ||
        rest_text(json, "FaceUrl", &item->face) == REST_BAD)
        return rest_fail(call, HY_CODE_ACCOUNT_PARAM, "Nick and FaceUrl must be strings");
    if (strlen(item->nick) > MOST_NICK_BYTES || strlen(item->face) > MOST_NICK_BYTES)
        return rest_fail(call, HY_CODE_ACCOUNT_PARAM, "Nick and FaceUrl take at most 500 bytes");
    return true;
}

/* NULL after it has answered. */
static struct imports *new_imports(struct rest_call *call, size_t count)
{
    struct imports *imports = rest_state(call, sizeof *imports);

    if (imports == NULL)
        return NULL;
    imports->count = count;
    imports->items = hy_arena_zalloc(&call->arena, count * sizeof *imports->items);
    imports->valid = hy_arena_zalloc(&call->arena, count * sizeof *imports->valid);
    if (imports->items == NULL || imports->valid == NULL) {
        rest_fail(call, HY_CODE_ACCOUNT_INTERNAL, NULL);
        return NULL;
    }
    return imports;
}

static void on_imported(struct rest_call *call)
{
    const struct rest_answer *failed = rest_gather_failed(call);

    if (failed != NULL)
        rest_fail(call, failed->code, failed->info);
    else
        rest_ok(call, NULL);
}

/* The account of a command for one: "not a string" has a code of its own. */
static bool need_user(struct rest_call *call, char **user)
{
    if (rest_text(call->body, "Identifier|UserID", user) == REST_BAD)
        return rest_fail(call, HY_CODE_ACCOUNT_NOT_TEXT, "Identifier (UserID) must be a string");
    return rest_need_account(call, "Identifier|UserID", HY_CODE_ACCOUNT_PARAM, user);
}

static void account_import(struct rest_call *call)
{
    struct imports *imports = new_imports(call, 1);
    struct import *item;

    if (imports == NULL)
        return;
    item = &imports->items[0];
    if (!need_user(call, &item->user) || !read_names(call, call->body, item))
        return;
    if (rest_int(call->body, "Type", 0, 1, &item->type) == REST_BAD) {
        rest_fail(call, HY_CODE_ACCOUNT_PARAM, "Type must be 0 (normal) or 1 (robot)");
        return;
    }
    rest_gather(call, 1, ask_import, on_imported);
}

/* Accounts not imported, in the order given. */
static void answer_imports(struct rest_call *call)
{
    const struct imports *imports = call->state;
    json_t *failed = json_array(), *fields = json_object();

    for (size_t i = 0; i < imports->valid_count; i++)
        imports->items[imports->valid[i]].code = call->gather.answers[i].code;
    for (size_t i = 0; i < imports->count; i++)
        if (imports->items[i].code != HY_CODE_OK)
            json_array_append_new(failed, rest_json_text(imports->items[i].user));
    json_object_set_new(fields, "FailAccounts", failed);
    rest_ok(call, fields);
}

/* Each alone can be wrong without harm to the others; but a wrong type is a mistake of the caller.
 */
static bool read_many(struct rest_call *call, const struct rest_value *array, bool objects,
                      struct imports *imports)
{
    for (size_t i = 0; i < imports->count; i++) {
        struct import *item = &imports->items[i];
        const struct rest_value *json = rest_at(array, i);
        const struct rest_value *id = objects ? rest_field(json, "UserID|Identifier") : json;

        if (!rest_is_string(id))
            return rest_fail(call, HY_CODE_ACCOUNT_NOT_TEXT, NULL);
        item->user = (char *)(uintptr_t)id->string;
        item->nick = item->face = (char *)"";
        if (objects && !read_names(call, json, item))
            return false;
        if (hy_account_ok(item->user) && id->size == strlen(item->user))
            imports->valid[imports->valid_count++] = i;
        else
            item->code = HY_CODE_ACCOUNT_PARAM;
    }
    return true;
}

static void multiaccount_import(struct rest_call *call)
{
    const struct rest_value *array = NULL;
    struct imports *imports;
    enum rest_got got = rest_array(call->body, "Accounts", &array);
    bool objects = got == REST_ABSENT;

    if (objects)
        got = rest_objects(call->body, "AccountList", &call->arena, &array);
    if (got != REST_GOT || rest_count(array) == 0) {
        rest_fail(call, HY_CODE_ACCOUNT_PARAM, "Accounts must be an array of 1 to 100 accounts");
        return;
    }
    if (rest_count(array) > MOST_ACCOUNTS) {
        rest_fail(call, HY_CODE_ACCOUNT_PARAM, "Accounts takes at most 100 accounts in one call");
        return;
    }
    imports = new_imports(call, rest_count(array));
    if (imports != NULL && read_many(call, array, objects, imports))
        rest_gather(call, imports->valid_count, ask_import, answer_imports);
}

/* ---------------------------------------------------------------- check */

static void ask_check(struct rest_call *call, size_t index)
{
    const struct rest_users *users = call->state;
    Hy__AdminCall question = HY__ADMIN_CALL__INIT;
    Hy__UsersGet get = HY__USERS_GET__INIT;

    get.users = users->good;
    get.n_users = users->good_count;
    question.op_case = HY__ADMIN_CALL__OP_USERS_GET;
    question.users_get = &get;
    rest_ask_admin(call, index, hy_slot_user(call->app, users->good[0]), &question);
}

static bool imported(const struct rest_users *users, size_t i, const Hy__UsersGetRes *res)
{
    size_t place = users->place[i];

    return place != REST_NO_PLACE && place < res->n_users && res->users[place]->created_s > 0;
}

static void on_checked(struct rest_call *call)
{
    const struct rest_users *users = call->state;
    static const Hy__UsersGetRes nobody = HY__USERS_GET_RES__INIT;
    const struct rest_answer *failed = rest_gather_failed(call);
    const Hy__UsersGetRes *res = &nobody;
    json_t *items, *fields;

    if (failed != NULL) {
        rest_fail(call, failed->code, failed->info);
        return;
    }
    if (call->gather.count > 0 && call->gather.answers[0].admin->users != NULL)
        res = call->gather.answers[0].admin->users;
    items = json_array();
    for (size_t i = 0; i < users->count; i++)
        json_array_append_new(
            items, json_pack("{s:o, s:i, s:s, s:s}", "UserID", rest_json_text(users->all[i]),
                             "ResultCode", 0, "ResultInfo", "", "AccountStatus",
                             imported(users, i, res) ? "Imported" : "NotImported"));
    fields = json_object();
    json_object_set_new(fields, "ResultItem", items);
    rest_ok(call, fields);
}

static void account_check(struct rest_call *call)
{
    struct rest_users *users = rest_state(call, sizeof *users);
    const struct rest_value *array = NULL;
    char **all;

    if (users == NULL)
        return;
    if (rest_objects(call->body, "CheckItem", &call->arena, &array) != REST_GOT ||
        rest_count(array) == 0) {
        rest_fail(call, HY_CODE_ACCOUNT_PARAM, "CheckItem must be an array of {\"UserID\": ...}");
        return;
    }
    if (rest_count(array) > MOST_ACCOUNTS) {
        rest_fail(call, HY_CODE_ACCOUNT_PARAM, "CheckItem takes at most 100 accounts in one call");
        return;
    }
    all = hy_arena_zalloc(&call->arena, (rest_count(array) + 1) * sizeof *all);
    for (size_t i = 0; all != NULL && i < rest_count(array); i++) {
        enum rest_got got = rest_text(rest_at(array, i), "UserID|Identifier", &all[i]);

        if (got != REST_GOT) {
            rest_fail(call, got == REST_BAD ? HY_CODE_ACCOUNT_NOT_TEXT : HY_CODE_ACCOUNT_PARAM,
                      "each item of CheckItem needs a UserID that is a string");
            return;
        }
    }
    if (all == NULL)
        rest_fail(call, HY_CODE_ACCOUNT_INTERNAL, NULL);
    else if (rest_users_sort(call, all, rest_count(array), users))
        rest_gather(call, users->good_count > 0, ask_check, on_checked);
}

/* ---------------------------------------------------------------- kick */

static void ask_kick(struct rest_call *call, size_t index)
{
    char *user = call->state;
    Hy__AdminCall question = HY__ADMIN_CALL__INIT;
    Hy__UserKick kick = HY__USER_KICK__INIT;

    kick.user = user;
    question.op_case = HY__ADMIN_CALL__OP_USER_KICK;
    question.user_kick = &kick;
    rest_ask_admin(call, index, hy_slot_user(call->app, user), &question);
}

static void on_kicked(struct rest_call *call)
{
    const struct rest_answer *failed = rest_gather_failed(call);

    rest_doubt(call, call->state);
    if (failed != NULL)
        rest_fail(call, failed->code, failed->info);
    else
        rest_ok(call, NULL);
}

static void kick(struct rest_call *call)
{
    char *user = NULL;

    if (!need_user(call, &user))
        return;
    call->state = user;
    rest_gather(call, 1, ask_kick, on_kicked);
}

static const struct rest_command commands[] = {
    {"account_import", account_import},
    {"multiaccount_import", multiaccount_import},
    {"account_check", account_check},
    {"kick", kick},
    {NULL, NULL},
};

const struct rest_service rest_account_service = {&family, commands};
