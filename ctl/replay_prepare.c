#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/grouptype.h"
#include "ctl/replay.h"
#include "ctl/rest.h"

enum { USERS_A_CALL = 100, GROUP_ID_TAKEN = 10021, GROUP_ID_OWN = 10025 };

static enum hy_err complain(const char *what, enum hy_err err, int code, const char *info)
{
    if (err == HY_OK && code == 0)
        return HY_OK;
    if (err == HY_OK)
        fprintf(stderr, "hongyanctl: %s: %d %s\n", what, code, info);
    else
        fprintf(stderr, "hongyanctl: %s: %s\n", what, hy_err_text(err));
    if (code == GROUP_ID_TAKEN || code == GROUP_ID_OWN)
        fprintf(
            stderr,
            "hongyanctl: this day was replayed before; try --verify-only, or another --prefix\n");
    return err != HY_OK ? err : HY_EDENIED;
}

static enum hy_err import_people(struct replay *replay)
{
    enum hy_err err = HY_OK;

    for (size_t at = 0; at < replay->person_count && err == HY_OK; at += USERS_A_CALL) {
        json_t *users = json_array();
        char info[256] = "";
        int code = 0;

        for (size_t i = at; i < replay->person_count && i < at + USERS_A_CALL; i++)
            json_array_append_new(users, json_string(replay->people[i].user));
        err = rest_call(&replay->cluster, "im_open_login_svc/multiaccount_import",
                        json_pack("{s:o}", "Accounts", users), &code, info);
        err = complain("accounts", err, code, info);
    }
    return err;
}

static const char *type_for(size_t members)
{
    const struct hy_group_type *public = hy_group_type("Public");

    return members <= public->max_members ? "Public" : "ChatRoom";
}

static enum hy_err create_group(struct replay *replay, const struct day *day)
{
    char info[256] = "";
    int code = 0;
    const char *type = type_for(day->log.user_count);
    json_t *body = json_pack("{s:s, s:s, s:s, s:s}", "GroupId", day->group, "Type", type, "Name",
                             day->group, "Owner_Account", day->members[0].person->user);
    enum hy_err err =
        rest_call(&replay->cluster, "group_open_http_svc/create_group", body, &code, info);

    return complain(day->group, err, code, info);
}

static enum hy_err add_members(struct replay *replay, const struct day *day)
{
    enum hy_err err = HY_OK;

    for (size_t at = 1; at < day->log.user_count && err == HY_OK; at += USERS_A_CALL) {
        json_t *list = json_array();
        char info[256] = "";
        int code = 0;

        for (size_t i = at; i < day->log.user_count && i < at + USERS_A_CALL; i++)
            json_array_append_new(
                list, json_pack("{s:s}", "Member_Account", day->members[i].person->user));
        err = rest_call(
            &replay->cluster, "group_open_http_svc/add_group_member",
            json_pack("{s:s, s:i, s:o}", "GroupId", day->group, "Silence", 1, "MemberList", list),
            &code, info);
        err = complain(day->group, err, code, info);
    }
    return err;
}

enum hy_err replay_prepare(struct replay *replay)
{
    enum hy_err err = import_people(replay);

    for (size_t i = 0; i < replay->day_count && err == HY_OK; i++) {
        err = create_group(replay, &replay->days[i]);
        if (err == HY_OK)
            err = add_members(replay, &replay->days[i]);
    }
    return err;
}
