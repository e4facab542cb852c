#include "store/group_field.h"

#include <stdlib.h>
#include <string.h>

#include "common/body.h"
#include "common/codes.h"
#include "store/fieldset.h"
#include "store/rows.h"

enum { CAP_2018 = 10000 };

static const struct fieldset_limits custom_limits = {.count = 20, .name_len = 16, .value_len = 512};
static const char *const joins[] = {"FreeAccess", "NeedPermission", "DisableApply", NULL};
static const char *const invites[] = {"FreeAccess", "NeedPermission", "DisableInvite", NULL};

enum kind { TEXT, OPTION, NUMBER };

/* Every field there is. any_member: also ordinary members, where the type lets them edit. */
static const struct rule {
    const char *name;
    size_t offset; /* in Hy__GroupInfo */
    size_t most;   /* bytes, or value */
    const char *const *options;
    enum kind kind;
    bool any_member;
} rules[] = {
    {"Name", offsetof(Hy__GroupInfo, name), 30, NULL, TEXT, true},
    {"Introduction", offsetof(Hy__GroupInfo, introduction), 240, NULL, TEXT, true},
    {"Notification", offsetof(Hy__GroupInfo, notification), 300, NULL, TEXT, true},
    {"FaceUrl", offsetof(Hy__GroupInfo, face), 100, NULL, TEXT, true},
    {"ApplyJoinOption", offsetof(Hy__GroupInfo, apply_join), 0, joins, OPTION, false},
    {"InviteJoinOption", offsetof(Hy__GroupInfo, invite_join), 0, invites, OPTION, false},
    {"MaxMemberNum", offsetof(Hy__GroupInfo, max_member_num), CAP_2018, NULL, NUMBER, false},
    {"MuteAllMember", offsetof(Hy__GroupInfo, mute_all), 1, NULL, NUMBER, false},
    {"Sweep", offsetof(Hy__GroupInfo, sweep), 2, NULL, NUMBER, false},
};

enum { RULES = sizeof rules / sizeof *rules };

static const struct rule *rule_of(const char *name)
{
    for (int i = 0; i < RULES; i++)
        if (strcmp(rules[i].name, name) == 0)
            return &rules[i];
    return NULL;
}

static bool listed(const char *const *options, const char *text, size_t len)
{
    for (; *options != NULL; options++)
        if (strlen(*options) == len && memcmp(*options, text, len) == 0)
            return true;
    return false;
}

static bool text_ok(const struct rule *rule, const char *text, size_t len)
{
    if (rule->kind == OPTION)
        return listed(rule->options, text, len);
    return len <= rule->most && hy_utf8(text, len);
}

static bool number_ok(const struct rule *rule, const struct hy_group_type *type,
                      uint32_t member_num, uint64_t n)
{
    if (rule->offset != offsetof(Hy__GroupInfo, max_member_num))
        return n <= rule->most;
    return n > 0 && n >= member_num && n <= rule->most &&
           (type->max_members == 0 || n <= type->max_members);
}

/* Ordinary members may edit the face of a Private group; owner and admins everything; in a live
 * room only the owner, in a BChatRoom nobody but the app. */
static bool may_set(const struct hy_group_type *type, struct group_asker asker,
                    const struct rule *rule)
{
    if (asker.admin)
        return true;
    if (type->only_admin_sends || asker.role == HY__ROLE__ROLE_NONE)
        return false;
    if (asker.role == HY__ROLE__ROLE_OWNER || (asker.role == HY__ROLE__ROLE_ADMIN && !type->live))
        return !type->members_edit || rule == NULL || rule->any_member ||
               rule->offset == offsetof(Hy__GroupInfo, sweep);
    return type->members_edit && rule != NULL && rule->any_member;
}

static uint32_t check_one(const struct hy_group_type *type, uint32_t member_num,
                          struct group_asker asker, const Hy__Field *field)
{
    const struct rule *rule = rule_of(field->name);
    bool ok;

    if (rule == NULL && fieldset_custom(field->name) == NULL)
        return HY_CODE_GROUP_PARAM;
    if (!may_set(type, asker, rule))
        return HY_CODE_GROUP_DENIED;
    if (rule == NULL)
        return HY_CODE_OK;
    if (rule->offset == offsetof(Hy__GroupInfo, mute_all) && !type->mutes)
        return HY_CODE_GROUP_DENIED;
    ok = rule->kind == NUMBER ? number_ok(rule, type, member_num, field->num)
                              : text_ok(rule, (const char *)field->str.data, field->str.len);
    return ok ? HY_CODE_OK : HY_CODE_GROUP_PARAM;
}

uint32_t group_field_check(const struct hy_group_type *type, const Hy__GroupInfo *info,
                           uint32_t member_num, struct group_asker asker, size_t count,
                           Hy__Field *const *fields)
{
    uint32_t code = count == 0 ? HY_CODE_GROUP_PARAM : HY_CODE_OK;

    for (size_t i = 0; i < count && code == HY_CODE_OK; i++)
        code = check_one(type, member_num, asker, fields[i]);
    if (code == HY_CODE_OK && !fieldset_fits(&custom_limits, info->n_custom, info->custom, count,
                                             (const Hy__Field *const *)fields))
        code = HY_CODE_GROUP_PARAM;
    return code;
}

static enum hy_err set_text(char **text, const Hy__Field *field)
{
    char *copy = malloc(field->str.len + 1);

    if (copy == NULL)
        return HY_ENOMEM;
    if (field->str.len > 0)
        memcpy(copy, field->str.data, field->str.len);
    copy[field->str.len] = '\0';
    if (*text != protobuf_c_empty_string)
        free(*text);
    *text = copy;
    return HY_OK;
}

enum hy_err group_field_set(Hy__GroupInfo *info, const Hy__Field *field)
{
    const struct rule *rule = rule_of(field->name);

    if (rule == NULL)
        return fieldset_set(&info->n_custom, &info->custom, fieldset_custom(field->name), field);
    if (rule->kind != NUMBER)
        return set_text((char **)((char *)info + rule->offset), field);
    if (rule->offset == offsetof(Hy__GroupInfo, mute_all))
        info->mute_all = field->num != 0;
    else
        *(uint32_t *)((char *)info + rule->offset) = (uint32_t)field->num;
    return HY_OK;
}

uint32_t group_field_check_new(const struct hy_group_type *type, const Hy__GroupInfo *info)
{
    if (*info->name == '\0')
        return HY_CODE_GROUP_PARAM;
    for (int i = 0; i < RULES; i++) {
        const struct rule *rule = &rules[i];
        const char *text =
            rule->kind == NUMBER ? "" : *(char *const *)((const char *)info + rule->offset);

        if (*text != '\0' && !text_ok(rule, text, strlen(text)))
            return HY_CODE_GROUP_PARAM;
    }
    if (info->max_member_num != 0 &&
        !number_ok(rule_of("MaxMemberNum"), type, 1, info->max_member_num))
        return HY_CODE_GROUP_PARAM;
    if (info->n_custom > custom_limits.count || info->sweep > 2)
        return HY_CODE_GROUP_PARAM;
    return HY_CODE_OK;
}

bool group_field_sweep(const Hy__Field *field)
{
    return strcmp(field->name, "Sweep") == 0;
}
