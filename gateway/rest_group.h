/* rest_group - the commands of group_open_http_svc and what they share. */

#ifndef GATEWAY_REST_GROUP_H
#define GATEWAY_REST_GROUP_H

#include "gateway/rest_call.h"

/* ---- shared reading; each answers and returns false when something is wrong ---- */

/* GroupId, which must be there. */
bool rest_need_group(struct rest_call *call, char **group);

/* GroupType as a filter: *type is a type's name, or "" for all. */
bool rest_group_read_type(struct rest_call *call, char **type);

/* Fields to be set, in arena. */
struct rest_fields {
    Hy__Field **list;
    size_t count, cap;
};

/* Room for count fields. */
bool rest_fields_open(struct rest_call *call, size_t count, struct rest_fields *fields);
void rest_fields_text(struct rest_fields *fields, struct hy_arena *arena, const char *name,
                      const char *text, size_t len);
void rest_fields_num(struct rest_fields *fields, struct hy_arena *arena, const char *name,
                     uint64_t num);

/* AppDefinedData of a group, AppMemberDefinedData of a member. prefix stands before each key. */
struct rest_custom_rule {
    const char *field;
    size_t most_keys, most_value_bytes;
};
extern const struct rest_custom_rule rest_group_custom, rest_member_custom;
bool rest_group_read_custom(struct rest_call *call, const struct rest_value *object,
                            const struct rest_custom_rule *rule, const char *prefix,
                            struct rest_fields *fields);

/* Texts, options and numbers of a group (11.3) that are given in the body, under the names of
 * GroupSetReq. */
bool rest_group_read_info(struct rest_call *call, struct rest_fields *fields);

/* ShutUpTime, seconds. */
enum rest_mute { REST_MUTE_ABSENT, REST_MUTE_GIVEN, REST_MUTE_WRONG };
enum rest_mute rest_group_read_mute(struct rest_call *call, uint32_t *seconds);

/* ---- the usual way: one question, an answer without fields ---- */

/* Ask the group's router one Frame, which lives in arena; then answer OK or the failure. */
void rest_group_do(struct rest_call *call, const char *group, const char *user, Hy__Frame *frame);

/* For gathers: the frame of answer i if it has that body, else NULL. */
const Hy__Frame *rest_group_frame(const struct rest_call *call, size_t i, int body_case);

/* Answer with the first failure. False: there is none. */
bool rest_group_failed(struct rest_call *call);

/* ---- rest_group_show.c: what answers say about groups and members ---- */

/* Filters of 11.5; NULL: not there, all is shown. */
struct rest_filters {
    const struct rest_value *base, *member, *self, *group_custom, *member_custom;
};
/* Read the filters in object, which is ResponseFilter or the body. */
bool rest_group_read_filters(struct rest_call *call, const struct rest_value *object,
                             struct rest_filters *filters);
/* Is this name among those of a filter, or is there no filter? */
bool rest_filter_has(const struct rest_value *filter, const char *name);

/* Put base fields into out. */
void rest_group_show(json_t *out, uint32_t app, const Hy__GroupInfo *info,
                     const struct rest_filters *filters);
json_t *rest_member_show(const Hy__MemberInfo *member, uint64_t now_s,
                         const struct rest_filters *filters);
json_t *rest_self_show(const Hy__MemberInfo *self, const struct rest_value *filter);
const char *rest_role_word(Hy__Role role);

/* ---- commands ---- */

/* rest_group_list.c */
void rest_get_appid_group_list(struct rest_call *call);

/* rest_group_read.c */
void rest_get_group_info(struct rest_call *call);
void rest_get_group_member_info(struct rest_call *call);
void rest_get_role_in_group(struct rest_call *call);

/* rest_group_joined.c */
void rest_get_joined_group_list(struct rest_call *call);
void rest_get_online_member_num(struct rest_call *call);

/* rest_group_write.c */
void rest_create_group(struct rest_call *call);
void rest_modify_group_base_info(struct rest_call *call);
void rest_destroy_group(struct rest_call *call);

/* rest_group_members.c */
void rest_add_group_member(struct rest_call *call);
void rest_delete_group_member(struct rest_call *call);
void rest_modify_group_member_info(struct rest_call *call);
void rest_forbid_send_msg(struct rest_call *call);

/* rest_group_msg.c */
void rest_send_group_msg(struct rest_call *call);
void rest_send_group_system_notification(struct rest_call *call);
void rest_group_msg_get_simple(struct rest_call *call);
void rest_delete_group_msg_by_sender(struct rest_call *call);

#endif
