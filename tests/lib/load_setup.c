#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "ctl/rest.h"
#include "tests/lib/load.h"

enum { USERS_A_CALL = 100 };

static void make_names(struct load *load)
{
    size_t at = 0;

    for (size_t t = 0; t < load->talk_count; t++) {
        struct talk *talk = &load->talks[t];
        bool pair = t < (size_t)load->pairs;

        *talk = (struct talk){.first = at, .count = pair ? 2 : (size_t)load->members};
        talk->type = pair ? HY__CONV_TYPE__CONV_C2C : HY__CONV_TYPE__CONV_GROUP;
        snprintf(talk->group, sizeof talk->group, "%.8s-g%zu", load->run, t);
        for (size_t i = 0; i < talk->count; i++, at++) {
            struct seat *seat = &load->seats[at];

            *seat = (struct seat){.load = load, .talk = talk};
            snprintf(seat->user, sizeof seat->user, "%.8s-%zu", load->run, at);
        }
    }
}

static enum hy_err call(struct load *load, const char *command, json_t *body)
{
    char info[256] = "";
    int code = 0;
    enum hy_err err = rest_call(&load->cluster, command, body, &code, info);

    if (err == HY_OK && code == 0)
        return HY_OK;
    fprintf(stderr, "hongyan-probe: %s: %d %s\n", command, code,
            err == HY_OK ? info : hy_err_text(err));
    return err == HY_OK ? HY_EDENIED : err;
}

static enum hy_err import_users(struct load *load)
{
    enum hy_err err = HY_OK;

    for (size_t at = 0; at < load->seat_count && err == HY_OK; at += USERS_A_CALL) {
        json_t *users = json_array();

        for (size_t i = at; i < load->seat_count && i < at + USERS_A_CALL; i++)
            json_array_append_new(users, json_string(load->seats[i].user));
        err = call(load, "im_open_login_svc/multiaccount_import",
                   json_pack("{s:o}", "Accounts", users));
    }
    return err;
}

static enum hy_err make_group(struct load *load, const struct talk *talk)
{
    json_t *body = json_pack("{s:s, s:s, s:s, s:s}", "GroupId", talk->group, "Type", "Public",
                             "Name", "load", "Owner_Account", load->seats[talk->first].user);
    enum hy_err err = call(load, "group_open_http_svc/create_group", body);

    for (size_t at = 1; at < talk->count && err == HY_OK; at += USERS_A_CALL) {
        json_t *members = json_array();

        for (size_t i = at; i < talk->count && i < at + USERS_A_CALL; i++)
            json_array_append_new(
                members, json_pack("{s:s}", "Member_Account", load->seats[talk->first + i].user));
        err = call(load, "group_open_http_svc/add_group_member",
                   json_pack("{s:s, s:i, s:o}", "GroupId", talk->group, "Silence", 1, "MemberList",
                             members));
    }
    return err;
}

enum hy_err load_set_up(struct load *load)
{
    enum hy_err err = HY_OK;

    snprintf(load->random_run, sizeof load->random_run, "%08x", (unsigned)hy_random64());
    if (load->run == NULL)
        load->run = load->random_run;
    load->talk_count = (size_t)(load->pairs + load->groups);
    load->seat_count = (size_t)(load->pairs * 2 + load->groups * load->members);
    load->talks = calloc(load->talk_count + 1, sizeof *load->talks);
    load->seats = calloc(load->seat_count + 1, sizeof *load->seats);
    if (load->talks == NULL || load->seats == NULL)
        return HY_ENOMEM;
    make_names(load);
    err = import_users(load);
    for (size_t t = (size_t)load->pairs; t < load->talk_count && load->rate > 0 && err == HY_OK; t++)
        err = make_group(load, &load->talks[t]);
    return err;
}
