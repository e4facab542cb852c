/* rest_profile - profile (reference, section 8): standard and custom fields of an account. */

#include <string.h>

#include "common/slot.h"
#include "gateway/rest_call.h"
#include "gateway/rest_json.h"

enum { MOST_ACCOUNTS = 100, MOST_FIELDS = 100, CUSTOM_KEY_BYTES = 8 };

static const struct rest_family family = {
    .service = "profile",
    .bad_json = HY_CODE_PROFILE_BAD,
    .bad_param = HY_CODE_PROFILE_BAD,
    .no_account = HY_CODE_PROFILE_UNKNOWN,
    .internal = HY_CODE_PROFILE_INTERNAL,
    .display = true,
};

/* ---------------------------------------------------------------- tags */

enum type { TEXT, NUMBER, CUSTOM };

static const struct tag {
    const char *name; /* after Tag_Profile_IM_ */
    enum type type;
    size_t most_bytes;
    const char *words[4]; /* if any, the only values */
} tags[] = {
    {"Nick", TEXT, 500, {NULL}},
    {"Gender", TEXT, 500, {"Gender_Type_Unknown", "Gender_Type_Female", "Gender_Type_Male"}},
    {"BirthDay", NUMBER, 0, {NULL}},
    {"Location", TEXT, 16, {NULL}},
    {"SelfSignature", TEXT, 500, {NULL}},
    {"AllowType",
     TEXT,
     500,
     {"AllowType_Type_NeedConfirm", "AllowType_Type_AllowAny", "AllowType_Type_DenyAny"}},
    {"Language", NUMBER, 0, {NULL}},
    {"Image", TEXT, 500, {NULL}},
    {"MsgSettings", NUMBER, 0, {NULL}},
    {"AdminForbidType", TEXT, 500, {"AdminForbid_Type_None", "AdminForbid_Type_SendOut"}},
    {"Level", NUMBER, 0, {NULL}},
    {"Role", NUMBER, 0, {NULL}},
};
static const struct tag custom_tag = {"", CUSTOM, 500, {NULL}};

/* Tag_Profile_Custom_<key>, or the older Tag_Profile_Custom_<sdkappid>_<key>; a key of 1 to 8
 * letters. */
static bool custom_name(const char *name)
{
    static const char prefix[] = "Tag_Profile_Custom_";
    const char *key, *bar;

    if (strncmp(name, prefix, sizeof prefix - 1) != 0)
        return false;
    key = name + sizeof prefix - 1;
    bar = strrchr(key, '_');
    if (bar != NULL && strspn(key, "0123456789") == (size_t)(bar - key) && bar > key)
        key = bar + 1;
    return *key != '\0' && strlen(key) <= CUSTOM_KEY_BYTES &&
           strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") ==
               strlen(key);
}

static const struct tag *tag_of(const char *name)
{
    static const char prefix[] = "Tag_Profile_IM_";

    if (custom_name(name))
        return &custom_tag;
    if (strncmp(name, prefix, sizeof prefix - 1) != 0)
        return NULL;
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++)
        if (strcmp(tags[i].name, name + sizeof prefix - 1) == 0)
            return &tags[i];
    return NULL;
}

/* ---------------------------------------------------------------- get */

struct get {
    struct rest_users users;
    char **tags;
    size_t tag_count;
};

static void ask_get(struct rest_call *call, size_t index)
{
    const struct get *get = call->state;
    Hy__Frame question = HY__FRAME__INIT;
    Hy__ProfileGetReq req = HY__PROFILE_GET_REQ__INIT;

    req.n_users = get->users.good_count;
    req.users = get->users.good;
    question.body_case = HY__FRAME__BODY_PROFILE_GET;
    question.profile_get = &req;
    rest_ask_frame(call, index, hy_slot_user(call->app, get->users.good[0]), NULL, &question);
}

static const Hy__Field *field_named(const Hy__Profile *profile, const char *name)
{
    for (size_t i = 0; i < profile->n_fields; i++)
        if (strcmp(profile->fields[i]->name, name) == 0)
            return profile->fields[i];
    return NULL;
}

static json_t *profile_items(const struct get *get, const Hy__Profile *profile)
{
    json_t *items = json_array();

    for (size_t i = 0; i < get->tag_count; i++) {
        const struct tag *tag = tag_of(get->tags[i]);
        const Hy__Field *field = field_named(profile, get->tags[i]);
        bool number;

        if (field == NULL)
            continue;
        number = tag->type == NUMBER || (tag->type == CUSTOM && field->str.len == 0);
        json_array_append_new(items,
                              json_pack("{s:s, s:o}", "Tag", get->tags[i], "Value",
                                        number ? json_integer((json_int_t)field->num)
                                               : rest_json_bytes(field->str.data, field->str.len)));
    }
    return items;
}

/* One account's item; adds it to invalid when there is no such account, to failed otherwise. */
static json_t *profile_answer(const struct get *get, size_t i, const Hy__ProfileGetRes *res,
                              json_t *failed, json_t *invalid)
{
    size_t place = get->users.place[i];
    const char *user = get->users.all[i];
    uint32_t code = HY_CODE_PROFILE_UNKNOWN;
    json_t *item = json_object();

    if (place != REST_NO_PLACE)
        code = place < res->n_profiles ? rest_code(&family, res->profiles[place]->code)
                                       : (uint32_t)HY_CODE_PROFILE_INTERNAL;
    json_object_set_new(item, "To_Account", rest_json_text(user));
    if (code == HY_CODE_OK)
        json_object_set_new(item, "ProfileItem", profile_items(get, res->profiles[place]));
    else
        json_array_append_new(code == HY_CODE_PROFILE_UNKNOWN ? invalid : failed,
                              rest_json_text(user));
    json_object_set_new(item, "ResultCode", json_integer(code));
    json_object_set_new(item, "ResultInfo", json_string(hy_code_text(code)));
    return item;
}

static void on_got(struct rest_call *call)
{
    static const Hy__ProfileGetRes nobody = HY__PROFILE_GET_RES__INIT;
    const struct get *get = call->state;
    const struct rest_answer *failure = rest_gather_failed(call);
    const Hy__ProfileGetRes *res = &nobody;
    json_t *items, *failed, *invalid, *fields;

    if (failure != NULL) {
        rest_fail(call, failure->code, failure->info);
        return;
    }
    if (call->gather.count > 0 &&
        call->gather.answers[0].frame->body_case == HY__FRAME__BODY_PROFILE_GET_RES)
        res = call->gather.answers[0].frame->profile_get_res;
    items = json_array();
    failed = json_array();
    invalid = json_array();
    for (size_t i = 0; i < get->users.count; i++)
        json_array_append_new(items, profile_answer(get, i, res, failed, invalid));
    fields = json_object();
    json_object_set_new(fields, "UserProfileItem", items);
    json_object_set_new(fields, "CurrentStandardSequence", json_integer(0));
    json_object_set_new(fields, "Fail_Account", failed);
    json_object_set_new(fields, "Invalid_Account", invalid);
    rest_ok(call, fields);
}

static void portrait_get(struct rest_call *call)
{
    static const struct rest_list_codes codes = {HY_CODE_PROFILE_NO_ACCOUNT, HY_CODE_PROFILE_BAD,
                                                 HY_CODE_PROFILE_BAD, HY_CODE_PROFILE_BAD};
    struct get *get = rest_state(call, sizeof *get);
    const struct rest_value *array = NULL;

    if (get == NULL || !rest_need_accounts(call, "To_Account", MOST_ACCOUNTS, &codes, &get->users))
        return;
    if (rest_array(call->body, "TagList", &array) != REST_GOT || rest_count(array) == 0 ||
        !rest_texts(array, &call->arena, &get->tags)) {
        rest_fail(call, HY_CODE_PROFILE_BAD, "TagList must be an array of Tag names, at least one");
        return;
    }
    get->tag_count = rest_count(array);
    for (size_t i = 0; i < get->tag_count; i++)
        if (tag_of(get->tags[i]) == NULL) {
            rest_failf(call, HY_CODE_PROFILE_NO_TAG, "no such Tag: %.64s", get->tags[i]);
            return;
        }
    rest_gather(call, get->users.good_count > 0, ask_get, on_got);
}

/* ---------------------------------------------------------------- set */

struct set {
    char *user;
    Hy__Field **fields;
    size_t count;
};

static void ask_set(struct rest_call *call, size_t index)
{
    const struct set *set = call->state;
    Hy__AdminCall question = HY__ADMIN_CALL__INIT;
    Hy__ProfileSetFor op = HY__PROFILE_SET_FOR__INIT;

    op.user = set->user;
    op.fields = set->fields;
    op.n_fields = set->count;
    question.op_case = HY__ADMIN_CALL__OP_PROFILE_SET;
    question.profile_set = &op;
    rest_ask_admin(call, index, hy_slot_user(call->app, set->user), &question);
}

static void on_set(struct rest_call *call)
{
    const struct rest_answer *failed = rest_gather_failed(call);

    if (failed != NULL)
        rest_fail(call, failed->code, failed->info);
    else
        rest_ok(call, NULL);
}

static bool word_allowed(const struct tag *tag, const Hy__Field *field)
{
    if (tag->words[0] == NULL)
        return true;
    for (size_t i = 0; i < 4 && tag->words[i] != NULL; i++)
        if (strlen(tag->words[i]) == field->str.len &&
            memcmp(tag->words[i], field->str.data, field->str.len) == 0)
            return true;
    return field->str.len == 0; /* back to the default */
}

/* 0, or the code of what is wrong with this value of this tag. */
static uint32_t read_value(const struct rest_value *item, const struct tag *tag, Hy__Field *field)
{
    int64_t number = 0;

    if (rest_field(item, "Value") == NULL)
        return HY_CODE_PROFILE_BAD;
    if (tag->type == NUMBER ||
        (tag->type == CUSTOM && rest_is_integer(rest_field(item, "Value")))) {
        if (rest_int(item, "Value", 0, UINT32_MAX, &number) != REST_GOT)
            return HY_CODE_PROFILE_TYPE;
        field->num = (uint64_t)number;
        return HY_CODE_OK;
    }
    if (rest_bytes(item, "Value", &field->str) != REST_GOT ||
        (tag->type == TEXT && memchr(field->str.data, 0, field->str.len) != NULL))
        return HY_CODE_PROFILE_TYPE;
    if (field->str.len > tag->most_bytes)
        return tag->most_bytes == 500 ? HY_CODE_PROFILE_TOO_LONG : HY_CODE_PROFILE_VALUE;
    return word_allowed(tag, field) ? HY_CODE_OK : HY_CODE_PROFILE_VALUE;
}

static bool read_item(struct rest_call *call, const struct rest_value *item, Hy__Field *field)
{
    const struct tag *tag;
    uint32_t code;

    hy__field__init(field);
    if (!rest_is_object(item) || rest_text(item, "Tag", &field->name) != REST_GOT)
        return rest_fail(call, HY_CODE_PROFILE_BAD,
                         "each item of ProfileItem needs a Tag and a Value");
    tag = tag_of(field->name);
    if (tag == NULL)
        return rest_failf(call, HY_CODE_PROFILE_NO_TAG, "no such Tag: %.64s", field->name);
    code = read_value(item, tag, field);
    if (code != HY_CODE_OK)
        return rest_failf(call, code, "%.64s: %s", field->name, hy_code_text(code));
    return true;
}

static void portrait_set(struct rest_call *call)
{
    struct set *set = rest_state(call, sizeof *set);
    const struct rest_value *array = NULL;
    Hy__Field *fields;

    if (set == NULL ||
        !rest_need_account(call, "From_Account", HY_CODE_PROFILE_NO_ACCOUNT, &set->user))
        return;
    if (rest_objects(call->body, "ProfileItem", &call->arena, &array) != REST_GOT ||
        rest_count(array) == 0 || rest_count(array) > MOST_FIELDS) {
        rest_fail(call, HY_CODE_PROFILE_BAD,
                  "ProfileItem must be an array of 1 to 100 {\"Tag\", \"Value\"}");
        return;
    }
    set->count = rest_count(array);
    fields = hy_arena_zalloc(&call->arena, set->count * sizeof *fields);
    set->fields = hy_arena_zalloc(&call->arena, set->count * sizeof(Hy__Field *));
    if (fields == NULL || set->fields == NULL) {
        rest_fail(call, HY_CODE_PROFILE_INTERNAL, NULL);
        return;
    }
    for (size_t i = 0; i < set->count; i++) {
        if (!read_item(call, rest_at(array, i), &fields[i]))
            return;
        set->fields[i] = &fields[i];
    }
    rest_gather(call, 1, ask_set, on_set);
}

static const struct rest_command commands[] = {
    {"portrait_get", portrait_get},
    {"portrait_set", portrait_set},
    {NULL, NULL},
};

const struct rest_service rest_profile_service = {&family, commands};
