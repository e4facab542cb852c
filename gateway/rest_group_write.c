/* rest_group_write - groups are made, changed, dissolved (reference 12.1, 12.6, 12.10). */

#include <string.h>

#include "common/body.h"
#include "common/grouptype.h"
#include "common/slot.h"
#include "gateway/rest_group.h"
#include "gateway/rest_json.h"

enum { MOST_MEMBERS = 500, MOST_INFO_FIELDS = 16, MOST_CUSTOM = 20 };

/* ---------------------------------------------------------------- create_group */

struct create {
    Hy__GroupInfo info;
    Hy__GroupCreateReq req;
    const struct hy_group_type *type;
};

static char *text_of(const Hy__Field *field, struct hy_arena *arena)
{
    char *copy = hy_arena_strdup(arena, (const char *)field->str.data, field->str.len);

    return copy != NULL ? copy : (char *)"";
}

/* The same fields that modify_group_base_info sets, in a new group. */
static void apply(struct rest_call *call, const struct rest_fields *fields, Hy__GroupInfo *info)
{
    const struct {
        const char *name;
        char **text;
    } texts[] = {
        {"Name", &info->name},
        {"Introduction", &info->introduction},
        {"Notification", &info->notification},
        {"FaceUrl", &info->face},
        {"ApplyJoinOption", &info->apply_join},
        {"InviteJoinOption", &info->invite_join},
    };

    for (size_t i = 0; i < fields->count; i++) {
        const Hy__Field *field = fields->list[i];

        for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++)
            if (strcmp(texts[k].name, field->name) == 0)
                *texts[k].text = text_of(field, &call->arena);
        if (strcmp(field->name, "MaxMemberNum") == 0)
            info->max_member_num = (uint32_t)field->num;
        else if (strcmp(field->name, "MuteAllMember") == 0)
            info->mute_all = field->num != 0;
        else if (strcmp(field->name, "Sweep") == 0)
            info->sweep = (uint32_t)field->num;
    }
}

static bool read_new_info(struct rest_call *call, struct create *create)
{
    struct rest_fields fields, custom;
    char *type = NULL;

    if (rest_word(call->body, "Type|GroupType", &type) != REST_GOT)
        return rest_fail(call, HY_CODE_GROUP_PARAM, "Type is missing or not a string");
    create->type = hy_group_type(type);
    if (create->type == NULL)
        return rest_failf(call, HY_CODE_GROUP_PARAM,
                          "no such Type: %.32s; take Private, Public, ChatRoom, AVChatRoom or "
                          "BChatRoom",
                          type);
    create->info.type = (char *)create->type->name;
    if (!rest_fields_open(call, MOST_INFO_FIELDS, &fields) ||
        !rest_fields_open(call, MOST_CUSTOM, &custom) || !rest_group_read_info(call, &fields) ||
        !rest_group_read_custom(call, call->body, &rest_group_custom, "", &custom))
        return false;
    apply(call, &fields, &create->info);
    create->info.custom = custom.list;
    create->info.n_custom = custom.count;
    if (create->info.name[0] == '\0')
        return rest_fail(call, HY_CODE_GROUP_PARAM, "Name is missing or empty");
    return true;
}

/* GroupId and Owner_Account: both may be left out. */
static bool read_ids(struct rest_call *call, struct create *create)
{
    enum rest_got got = rest_word(call->body, "GroupId", &create->info.group);

    if (got == REST_BAD || (got == REST_GOT && !hy_group_id_ok(create->info.group, true)))
        return rest_fail(call, HY_CODE_GROUP_ID_BAD,
                         "GroupId takes 1 to 48 bytes of printable ASCII, not beginning with "
                         "@TGS#");
    got = rest_word(call->body, "Owner_Account", &create->info.owner);
    if (got == REST_BAD)
        return rest_fail(call, HY_CODE_GROUP_PARAM, "Owner_Account must be a string");
    if (got == REST_GOT && !hy_account_ok(create->info.owner))
        return rest_fail(call, HY_CODE_GROUP_ACCOUNT, "Owner_Account does not exist");
    return true;
}

static bool read_member(struct rest_call *call, const struct rest_value *json,
                        Hy__MemberInfo *member)
{
    struct rest_fields custom;
    char *role = (char *)"";

    hy__member_info__init(member);
    member->role = HY__ROLE__ROLE_MEMBER;
    if (!rest_is_object(json) || rest_text(json, "Member_Account", &member->user) != REST_GOT)
        return rest_fail(call, HY_CODE_GROUP_PARAM,
                         "each item of MemberList needs a Member_Account that is a string");
    if (!hy_account_ok(member->user))
        return rest_failf(call, HY_CODE_GROUP_ACCOUNT, "the account %.40s does not exist",
                          member->user);
    if (rest_word(json, "Role", &role) == REST_BAD ||
        (*role != '\0' && strcmp(role, "Admin") != 0 && strcmp(role, "Member") != 0))
        return rest_fail(call, HY_CODE_GROUP_PARAM, "Role in MemberList may only be Admin");
    if (strcmp(role, "Admin") == 0)
        member->role = HY__ROLE__ROLE_ADMIN;
    if (!rest_fields_open(call, 5, &custom) ||
        !rest_group_read_custom(call, json, &rest_member_custom, "", &custom))
        return false;
    member->custom = custom.list;
    member->n_custom = custom.count;
    return true;
}

static bool read_members(struct rest_call *call, struct create *create)
{
    const struct rest_value *array = NULL;
    enum rest_got got = rest_objects(call->body, "MemberList", &call->arena, &array);
    size_t count = rest_count(array);
    Hy__MemberInfo *members;

    if (got == REST_BAD)
        return rest_fail(call, HY_CODE_GROUP_PARAM, "MemberList must be an array of objects");
    if (count == 0)
        return true;
    if (create->type->live)
        return rest_failf(call, HY_CODE_GROUP_DENIED, "a group of type %s takes no MemberList",
                          create->type->name);
    if (count > MOST_MEMBERS)
        return rest_fail(call, HY_CODE_GROUP_TOO_MANY, "MemberList takes at most 500 accounts");
    members = hy_arena_zalloc(&call->arena, count * sizeof *members);
    create->req.members = hy_arena_zalloc(&call->arena, count * sizeof(Hy__MemberInfo *));
    if (members == NULL || create->req.members == NULL)
        return rest_fail(call, HY_CODE_GROUP_INTERNAL, NULL);
    for (size_t i = 0; i < count; i++) {
        if (!read_member(call, rest_at(array, i), &members[i]))
            return false;
        if (strcmp(members[i].user, create->info.owner) != 0)
            create->req.members[create->req.n_members++] = &members[i];
    }
    return true;
}

static void ask_create(struct rest_call *call, size_t index)
{
    struct create *create = call->state;
    Hy__Frame frame = HY__FRAME__INIT;
    uint16_t slot = create->info.group[0] != '\0' ? hy_slot_group(call->app, create->info.group)
                                                  : hy_slot_user(call->app, call->admin);

    create->req.info = &create->info;
    frame.body_case = HY__FRAME__BODY_GROUP_CREATE;
    frame.group_create = &create->req;
    rest_ask_frame(call, index, slot, NULL, &frame);
}

static void on_created(struct rest_call *call)
{
    const Hy__Frame *frame;

    if (rest_group_failed(call))
        return;
    frame = rest_group_frame(call, 0, HY__FRAME__BODY_GROUP_CREATE_RES);
    if (frame == NULL)
        rest_fail(call, HY_CODE_GROUP_INTERNAL, NULL);
    else
        rest_ok(call,
                json_pack("{s:o, s:s}", "GroupId", rest_json_text(frame->group_create_res->group),
                          "Type", ((const struct create *)call->state)->type->name));
}

void rest_create_group(struct rest_call *call)
{
    struct create *create = rest_state(call, sizeof *create);

    if (create == NULL)
        return;
    hy__group_info__init(&create->info);
    hy__group_create_req__init(&create->req);
    if (read_new_info(call, create) && read_ids(call, create) && read_members(call, create))
        rest_gather(call, 1, ask_create, on_created);
}

/* ---------------------------------------------------------------- change, dissolve */

/* A frame and its body, in arena; answers when there is no memory. */
static Hy__Frame *new_frame(struct rest_call *call, size_t body_bytes, void **body)
{
    Hy__Frame *frame = hy_arena_zalloc(&call->arena, sizeof *frame);

    *body = hy_arena_zalloc(&call->arena, body_bytes);
    if (frame == NULL || *body == NULL) {
        rest_fail(call, HY_CODE_GROUP_INTERNAL, NULL);
        return NULL;
    }
    hy__frame__init(frame);
    return frame;
}

void rest_modify_group_base_info(struct rest_call *call)
{
    struct rest_fields fields;
    Hy__GroupSetReq *req;
    char *group, *user = NULL;
    Hy__Frame *frame = new_frame(call, sizeof *req, (void **)&req);

    if (frame == NULL || !rest_need_group(call, &group) ||
        !rest_fields_open(call, MOST_INFO_FIELDS + MOST_CUSTOM, &fields) ||
        !rest_group_read_info(call, &fields) ||
        !rest_group_read_custom(call, call->body, &rest_group_custom, "Custom.", &fields))
        return;
    if (rest_word(call->body, "From_Account", &user) == REST_BAD) {
        rest_fail(call, HY_CODE_GROUP_PARAM, "From_Account must be a string");
        return;
    }
    hy__group_set_req__init(req);
    req->group = group;
    req->fields = fields.list;
    req->n_fields = fields.count;
    frame->body_case = HY__FRAME__BODY_GROUP_SET;
    frame->group_set = req;
    rest_group_do(call, group, user, frame);
}

void rest_destroy_group(struct rest_call *call)
{
    Hy__GroupDestroyReq *req;
    Hy__Frame *frame = new_frame(call, sizeof *req, (void **)&req);
    char *group;

    if (frame == NULL || !rest_need_group(call, &group))
        return;
    hy__group_destroy_req__init(req);
    req->group = group;
    frame->body_case = HY__FRAME__BODY_GROUP_DESTROY;
    frame->group_destroy = req;
    rest_group_do(call, group, NULL, frame);
}
