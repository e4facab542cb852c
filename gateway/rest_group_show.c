/* rest_group_show - groups and members as answers show them, by tables of fields (reference 11). */

#include <stddef.h>
#include <string.h>

#include "gateway/rest_group.h"
#include "gateway/rest_json.h"

enum type { TEXT, U32, U64, ON_OFF };
struct field {
    const char *name;
    size_t at;
    enum type type;
    bool only_named; /* a newer field: only shown to who asks for it by name */
};

#define AT(member) offsetof(Hy__GroupInfo, member)
static const struct field base_fields[] = {
    {"Type", AT(type), TEXT, false},
    {"Name", AT(name), TEXT, false},
    {"Introduction", AT(introduction), TEXT, false},
    {"Notification", AT(notification), TEXT, false},
    {"FaceUrl", AT(face), TEXT, false},
    {"Owner_Account", AT(owner), TEXT, false},
    {"CreateTime", AT(create_time_s), U64, false},
    {"InfoSeq", AT(info_seq), U64, false},
    {"LastInfoTime", AT(last_info_time_s), U64, false},
    {"LastMsgTime", AT(last_msg_time_s), U64, false},
    {"NextMsgSeq", AT(next_msg_seq), U64, false},
    {"MemberNum", AT(member_num), U32, false},
    {"MemberCount", AT(member_num), U32, true}, /* a spelling of old samples */
    {"MaxMemberNum", AT(max_member_num), U32, false},
    {"MaxMemberCount", AT(max_member_num), U32, true},
    {"ApplyJoinOption", AT(apply_join), TEXT, false},
    {"InviteJoinOption", AT(invite_join), TEXT, true},
    {"ShutUpAllMember", AT(mute_all), ON_OFF, false},
    {"MuteAllMember", AT(mute_all), ON_OFF, true},
    {"OfflineSweep", AT(sweep), U32, true},
};
#undef AT

bool rest_filter_has(const struct rest_value *filter, const char *name)
{
    if (filter == NULL)
        return true;
    for (size_t i = 0; i < rest_count(filter); i++) {
        const char *text = rest_string(rest_at(filter, i));

        if (text != NULL && strcmp(text, name) == 0)
            return true;
    }
    return false;
}

static json_t *value_of(const struct field *field, const void *from)
{
    const char *at = (const char *)from + field->at;

    switch (field->type) {
    case TEXT:
        return rest_json_text(*(char *const *)at);
    case U32:
        return json_integer(*(const uint32_t *)at);
    case U64:
        return json_integer((json_int_t) * (const uint64_t *)at);
    case ON_OFF:
        return json_string(*(const protobuf_c_boolean *)at ? "On" : "Off");
    }
    return NULL;
}

/* Custom fields that are set, of those named if there is a filter. */
static json_t *custom_of(Hy__Field *const *fields, size_t count, const struct rest_value *filter)
{
    static const char prefix[] = "Custom.";
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++) {
        const char *key = fields[i]->name;

        if (strncmp(key, prefix, sizeof prefix - 1) == 0)
            key += sizeof prefix - 1;
        if (rest_filter_has(filter, key))
            json_array_append_new(
                array, json_pack("{s:s, s:o}", "Key", key, "Value",
                                 rest_json_bytes(fields[i]->str.data, fields[i]->str.len)));
    }
    return array;
}

static void put_custom(json_t *out, const char *name, Hy__Field *const *fields, size_t count,
                       const struct rest_value *filter)
{
    json_t *array = custom_of(fields, count, filter);

    if (filter != NULL || json_array_size(array) > 0)
        json_object_set(out, name, array);
    json_decref(array);
}

void rest_group_show(json_t *out, uint32_t app, const Hy__GroupInfo *info,
                     const struct rest_filters *filters)
{
    for (size_t i = 0; i < sizeof base_fields / sizeof base_fields[0]; i++) {
        const struct field *f = &base_fields[i];

        if (f->only_named && filters->base == NULL)
            continue;
        if (rest_filter_has(filters->base, f->name))
            json_object_set_new(out, f->name, value_of(f, info));
    }
    if (rest_filter_has(filters->base, "Appid"))
        json_object_set_new(out, "Appid", json_integer(app));
    put_custom(out, "AppDefinedData", info->custom, info->n_custom, filters->group_custom);
}

/* ---------------------------------------------------------------- members */

const char *rest_role_word(Hy__Role role)
{
    switch (role) {
    case HY__ROLE__ROLE_OWNER:
        return "Owner";
    case HY__ROLE__ROLE_ADMIN:
        return "Admin";
    case HY__ROLE__ROLE_MEMBER:
        return "Member";
    default:
        return "NotMember";
    }
}

static const char *flag_word(uint32_t flag)
{
    static const char *const words[] = {"AcceptAndNotify", "AcceptNotNotify", "Discard"};

    return flag < 3 ? words[flag] : words[0];
}

static void put_int(json_t *out, const struct rest_value *filter, const char *name, uint64_t value)
{
    if (rest_filter_has(filter, name))
        json_object_set_new(out, name, json_integer((json_int_t)value));
}

static void put_text(json_t *out, const struct rest_value *filter, const char *name,
                     const char *text)
{
    if (rest_filter_has(filter, name))
        json_object_set_new(out, name, rest_json_text(text));
}

json_t *rest_member_show(const Hy__MemberInfo *member, uint64_t now_s,
                         const struct rest_filters *filters)
{
    const struct rest_value *filter = filters->member;
    uint64_t muted = member->mute_until_s > now_s ? member->mute_until_s : 0;
    json_t *out = json_object();

    json_object_set_new(out, "Member_Account", rest_json_text(member->user));
    put_text(out, filter, "Role", rest_role_word(member->role));
    put_int(out, filter, "JoinTime", member->join_time_s);
    put_int(out, filter, "MsgSeq", member->read_seq);
    put_text(out, filter, "MsgFlag", flag_word(member->msg_flag));
    put_int(out, filter, "LastSendMsgTime", member->last_send_s);
    put_text(out, filter, "NameCard", member->name_card);
    put_int(out, filter, "ShutUpUntil", muted);
    if (filter != NULL)
        put_int(out, filter, "MuteUntil", muted);
    put_custom(out, "AppMemberDefinedData", member->custom, member->n_custom,
               filters->member_custom);
    return out;
}

json_t *rest_self_show(const Hy__MemberInfo *self, const struct rest_value *filter)
{
    json_t *out = json_object();

    put_text(out, filter, "Role", rest_role_word(self->role));
    put_int(out, filter, "JoinTime", self->join_time_s);
    put_text(out, filter, "MsgFlag", flag_word(self->msg_flag));
    put_int(out, filter, "UnreadMsgNum", self->unread);
    put_int(out, filter, "MsgSeq", self->read_seq);
    return out;
}

/* ---------------------------------------------------------------- filters */

bool rest_group_read_filters(struct rest_call *call, const struct rest_value *object,
                             struct rest_filters *filters)
{
    const struct {
        const char *name;
        const struct rest_value **array;
    } known[] = {
        {"GroupBaseInfoFilter", &filters->base},
        {"MemberInfoFilter", &filters->member},
        {"SelfInfoFilter", &filters->self},
        {"AppDefinedDataFilter_Group", &filters->group_custom},
        {"AppDefinedDataFilter_GroupMember", &filters->member_custom},
    };

    *filters = (struct rest_filters){0};
    if (object == NULL)
        return true;
    if (!rest_is_object(object))
        return rest_fail(call, HY_CODE_GROUP_PARAM, "ResponseFilter must be an object");
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (rest_array(object, known[i].name, known[i].array) == REST_BAD)
            return rest_failf(call, HY_CODE_GROUP_PARAM, "%s must be an array of field names",
                              known[i].name);
    return true;
}
