#include "gateway/rest_group.h"

#include <stdio.h>
#include <string.h>

#include "common/body.h"
#include "common/slot.h"
#include "gateway/rest_json.h"

enum { MOST_ANSWER_BYTES = 1 << 20, MOST_KEY_BYTES = 16 };

static const struct rest_family family = {
    .service = "group_open_http_svc",
    .bad_json = HY_CODE_GROUP_JSON,
    .bad_param = HY_CODE_GROUP_PARAM,
    .no_account = HY_CODE_GROUP_ACCOUNT,
    .internal = HY_CODE_GROUP_INTERNAL,
    .most_answer_bytes = MOST_ANSWER_BYTES,
};

static const struct rest_command commands[] = {
    {"create_group", rest_create_group},
    {"get_appid_group_list", rest_get_appid_group_list},
    {"get_group_info", rest_get_group_info},
    {"get_group_member_info", rest_get_group_member_info},
    {"modify_group_base_info", rest_modify_group_base_info},
    {"add_group_member", rest_add_group_member},
    {"delete_group_member", rest_delete_group_member},
    {"modify_group_member_info", rest_modify_group_member_info},
    {"destroy_group", rest_destroy_group},
    {"get_joined_group_list", rest_get_joined_group_list},
    {"get_role_in_group", rest_get_role_in_group},
    {"forbid_send_msg", rest_forbid_send_msg},
    {"send_group_msg", rest_send_group_msg},
    {"send_group_system_notification", rest_send_group_system_notification},
    {"group_msg_get_simple", rest_group_msg_get_simple},
    {"delete_group_msg_by_sender", rest_delete_group_msg_by_sender},
    {"get_online_member_num", rest_get_online_member_num},
    {NULL, NULL},
};

const struct rest_service rest_group_service = {&family, commands};

/* ---------------------------------------------------------------- reading */

bool rest_need_group(struct rest_call *call, char **group)
{
    if (rest_word(call->body, "GroupId", group) != REST_GOT)
        return rest_fail(call, HY_CODE_GROUP_PARAM, "GroupId is missing or not a string");
    if (!hy_group_id_ok(*group, false))
        return rest_fail(call, HY_CODE_GROUP_ID_BAD,
                         "GroupId takes 1 to 48 bytes of printable ASCII");
    return true;
}

bool rest_fields_open(struct rest_call *call, size_t count, struct rest_fields *fields)
{
    *fields = (struct rest_fields){.cap = count};
    fields->list = hy_arena_zalloc(&call->arena, (count + 1) * sizeof(Hy__Field *));
    return fields->list != NULL || rest_fail(call, HY_CODE_GROUP_INTERNAL, NULL);
}

static Hy__Field *new_field(struct rest_fields *fields, struct hy_arena *arena, const char *name)
{
    Hy__Field *field = hy_arena_alloc(arena, sizeof *field);
    char *copy = hy_arena_strdup(arena, name, strlen(name));

    if (field == NULL || copy == NULL || fields->count == fields->cap)
        return NULL;
    hy__field__init(field);
    field->name = copy;
    fields->list[fields->count++] = field;
    return field;
}

void rest_fields_text(struct rest_fields *fields, struct hy_arena *arena, const char *name,
                      const char *text, size_t len)
{
    Hy__Field *field = new_field(fields, arena, name);

    if (field != NULL)
        field->str = (ProtobufCBinaryData){len, (uint8_t *)text};
}

void rest_fields_num(struct rest_fields *fields, struct hy_arena *arena, const char *name,
                     uint64_t num)
{
    Hy__Field *field = new_field(fields, arena, name);

    if (field != NULL)
        field->num = num;
}

/* ---------------------------------------------------------------- custom fields */

const struct rest_custom_rule rest_group_custom = {"AppDefinedData", 20, 512};
const struct rest_custom_rule rest_member_custom = {"AppMemberDefinedData", 5, 64};

static bool key_ok(const char *key)
{
    size_t len = strlen(key);

    return len > 0 && len <= MOST_KEY_BYTES &&
           strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == len;
}

bool rest_group_read_custom(struct rest_call *call, const struct rest_value *object,
                            const struct rest_custom_rule *rule, const char *prefix,
                            struct rest_fields *fields)
{
    const struct rest_value *array = NULL;
    enum rest_got got = rest_objects(object, rule->field, &call->arena, &array);
    char name[64];

    if (got == REST_BAD || rest_count(array) > rule->most_keys)
        return rest_failf(call, HY_CODE_GROUP_PARAM,
                          "%s must be an array of at most %zu {\"Key\", \"Value\"}", rule->field,
                          rule->most_keys);
    for (size_t i = 0; i < rest_count(array); i++) {
        const struct rest_value *item = rest_at(array, i);
        char *key = NULL;
        ProtobufCBinaryData value = {0};

        if (rest_text(item, "Key", &key) != REST_GOT || !key_ok(key))
            return rest_failf(call, HY_CODE_GROUP_PARAM,
                              "a Key of %s takes 1 to 16 letters, digits or _", rule->field);
        if (rest_bytes(item, "Value", &value) == REST_BAD || value.len > rule->most_value_bytes)
            return rest_failf(call, HY_CODE_GROUP_PARAM,
                              "a Value of %s must be a string of at most %zu bytes", rule->field,
                              rule->most_value_bytes);
        snprintf(name, sizeof name, "%s%s", prefix, key);
        rest_fields_text(fields, &call->arena, name, (const char *)value.data, value.len);
    }
    return true;
}

/* ---------------------------------------------------------------- group info */

static const struct text_rule {
    const char *name;
    size_t most_bytes;
    const char *words[3]; /* if any, the only values */
} text_rules[] = {
    {"Name", 30, {NULL}},
    {"Introduction", 240, {NULL}},
    {"Notification", 300, {NULL}},
    {"FaceUrl", 100, {NULL}},
    {"ApplyJoinOption", 32, {"FreeAccess", "NeedPermission", "DisableApply"}},
    {"InviteJoinOption", 32, {"FreeAccess", "NeedPermission", "DisableInvite"}},
};

static bool among(const char *const words[3], const char *word)
{
    for (size_t i = 0; i < 3; i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return false;
}

static bool read_text(struct rest_call *call, const struct text_rule *rule,
                      struct rest_fields *fields)
{
    bool choice = rule->words[0] != NULL;
    char *text = NULL;
    enum rest_got got = choice ? rest_word(call->body, rule->name, &text)
                               : rest_text(call->body, rule->name, &text);

    if (got == REST_ABSENT)
        return true;
    if (got == REST_BAD)
        return rest_failf(call, HY_CODE_GROUP_PARAM, "%s must be a string", rule->name);
    if (choice && !among(rule->words, text))
        return rest_failf(call, HY_CODE_GROUP_PARAM, "%s must be %s, %s or %s", rule->name,
                          rule->words[0], rule->words[1], rule->words[2]);
    if (strlen(text) > rule->most_bytes)
        return rest_failf(call, HY_CODE_GROUP_PARAM, "%s takes at most %zu bytes", rule->name,
                          rule->most_bytes);
    rest_fields_text(fields, &call->arena, rule->name, text, strlen(text));
    return true;
}

static bool read_mute_all(struct rest_call *call, struct rest_fields *fields)
{
    char *word = NULL;

    switch (rest_word(call->body, "ShutUpAllMember|MuteAllMember", &word)) {
    case REST_ABSENT:
        return true;
    case REST_BAD:
        break;
    case REST_GOT:
        if (strcmp(word, "On") != 0 && strcmp(word, "Off") != 0)
            break;
        rest_fields_num(fields, &call->arena, "MuteAllMember", strcmp(word, "On") == 0);
        return true;
    }
    return rest_fail(call, HY_CODE_GROUP_PARAM, "ShutUpAllMember must be On or Off");
}

bool rest_group_read_info(struct rest_call *call, struct rest_fields *fields)
{
    int64_t most = 0, sweep = 0;
    enum rest_got got;

    for (size_t i = 0; i < sizeof text_rules / sizeof text_rules[0]; i++)
        if (!read_text(call, &text_rules[i], fields))
            return false;
    got = rest_int(call->body, "MaxMemberNum|MaxMemberCount", 1, UINT32_MAX, &most);
    if (got == REST_BAD)
        return rest_fail(call, HY_CODE_GROUP_PARAM, "MaxMemberNum must be an integer of 1 or more");
    if (got == REST_GOT)
        rest_fields_num(fields, &call->arena, "MaxMemberNum", (uint64_t)most);
    got = rest_int(call->body, "OfflineSweep", 0, 2, &sweep);
    if (got == REST_BAD)
        return rest_fail(call, HY_CODE_GROUP_PARAM,
                         "OfflineSweep must be 0 (as the app says), 1 (on) or 2 (off)");
    if (got == REST_GOT)
        rest_fields_num(fields, &call->arena, "Sweep", (uint64_t)sweep);
    return read_mute_all(call, fields);
}

enum rest_mute rest_group_read_mute(struct rest_call *call, uint32_t *seconds)
{
    int64_t value = 0, now_s = (int64_t)(call->wall_ms / 1000);
    enum rest_got got = rest_int(call->body, "ShutUpTime|MuteTime", 0, UINT32_MAX, &value);

    if (got == REST_ABSENT) { /* the other spelling says until when */
        got = rest_int(call->body, "ShutUpUntil|MuteUntil", 0, UINT32_MAX, &value);
        if (got == REST_GOT && value != UINT32_MAX)
            value = value > now_s ? value - now_s : 0;
    }
    if (got == REST_ABSENT)
        return REST_MUTE_ABSENT;
    if (got == REST_BAD) {
        rest_fail(call, HY_CODE_GROUP_PARAM, "ShutUpTime must be an integer of seconds, 0 lifts");
        return REST_MUTE_WRONG;
    }
    *seconds = (uint32_t)value;
    return REST_MUTE_GIVEN;
}

/* ---------------------------------------------------------------- asking */

struct one {
    const char *group, *user;
    Hy__Frame *frame;
};

static void ask_one(struct rest_call *call, size_t index)
{
    const struct one *one = call->state;

    rest_ask_frame(call, index, hy_slot_group(call->app, one->group), one->user, one->frame);
}

static void on_one(struct rest_call *call)
{
    if (!rest_group_failed(call))
        rest_ok(call, NULL);
}

void rest_group_do(struct rest_call *call, const char *group, const char *user, Hy__Frame *frame)
{
    struct one *one = rest_state(call, sizeof *one);

    if (one == NULL)
        return;
    *one = (struct one){group, user, frame};
    rest_gather(call, 1, ask_one, on_one);
}

const Hy__Frame *rest_group_frame(const struct rest_call *call, size_t i, int body_case)
{
    const Hy__Frame *frame = call->gather.answers[i].frame;

    return frame != NULL && (int)frame->body_case == body_case ? frame : NULL;
}

bool rest_group_failed(struct rest_call *call)
{
    const struct rest_answer *failed = rest_gather_failed(call);

    if (failed == NULL)
        return false;
    rest_fail(call, failed->code, failed->info);
    return true;
}
