#include "gateway/rest_call.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/body.h"
#include "gateway/rest_core.h"
#include "gateway/rest_json.h"

const struct rest_family rest_entry_family = {
    .service = "",
    .bad_json = HY_CODE_BODY_NOT_JSON,
    .bad_param = HY_CODE_BODY_NOT_JSON,
    .no_account = HY_CODE_ACCOUNT_UNKNOWN,
    .internal = HY_CODE_TIMEOUT,
};

static const struct rest_service *const services[] = {&rest_account_service, &rest_openim_service,
                                                      &rest_profile_service, &rest_group_service};

const struct rest_service *rest_service_find(const char *service)
{
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++)
        if (strcmp(services[i]->family->service, service) == 0)
            return services[i];
    return NULL;
}

const struct rest_command *rest_command_find(const struct rest_service *service,
                                             const char *command)
{
    for (const struct rest_command *c = service->commands; c->command != NULL; c++)
        if (strcmp(c->command, command) == 0)
            return c;
    return NULL;
}

uint32_t rest_no_command(const char *service)
{
    static const char *const groups[] = {"group_open_http_svc", "group_open_attr_http_svc",
                                         "group_open_avchatroom_http_svc",
                                         "million_group_open_http_svc"};

    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        if (strcmp(groups[i], service) == 0)
            return HY_CODE_GROUP_NO_COMMAND;
    return HY_CODE_NO_SUCH_PATH;
}

/* ---------------------------------------------------------------- codes */

/* Words of other families, and what kind of word they are. */
enum sense { NO_ACCOUNT, BAD_PARAM, INTERNAL };
static const struct {
    uint32_t code;
    enum sense sense;
} senses[] = {
    {HY_CODE_ACCOUNT_UNKNOWN, NO_ACCOUNT}, {HY_CODE_PROFILE_UNKNOWN, NO_ACCOUNT},
    {HY_CODE_GROUP_ACCOUNT, NO_ACCOUNT},   {HY_CODE_C2C_ACCOUNT, NO_ACCOUNT},
    {HY_CODE_REST_ACCOUNT, NO_ACCOUNT},    {HY_CODE_REST_TO_UNKNOWN, NO_ACCOUNT},
    {HY_CODE_REST_FROM, NO_ACCOUNT},       {HY_CODE_PARAM, BAD_PARAM},
    {HY_CODE_ACCOUNT_PARAM, BAD_PARAM},    {HY_CODE_C2C_PACKET, BAD_PARAM},
    {HY_CODE_MSG_EMPTY, BAD_PARAM},        {HY_CODE_NOT_UTF8, BAD_PARAM},
    {HY_CODE_MSG_INVALID, BAD_PARAM},      {HY_CODE_FRAME_MALFORMED, BAD_PARAM},
    {HY_CODE_REST_MSG_FORMAT, BAD_PARAM},  {HY_CODE_REST_BODY_ARRAY, BAD_PARAM},
    {HY_CODE_REST_NOT_MSG, BAD_PARAM},     {HY_CODE_REST_PUSH_INFO, BAD_PARAM},
    {HY_CODE_KIND_UNKNOWN, INTERNAL},      {HY_CODE_GROUP_INTERNAL, INTERNAL},
    {HY_CODE_PROFILE_INTERNAL, INTERNAL},  {HY_CODE_ACCOUNT_INTERNAL, INTERNAL},
    {HY_CODE_C2C_INTERNAL, INTERNAL},      {HY_CODE_REST_INTERNAL, INTERNAL},
};

/* What one-to-one messages say more exactly than "a parameter is wrong". */
static bool exact(const struct rest_family *family, uint32_t code)
{
    return family == rest_openim_service.family && code >= HY_CODE_REST_JSON &&
           code <= HY_CODE_REST_MSG_KEY;
}

uint32_t rest_code(const struct rest_family *family, uint32_t code)
{
    if (code == HY_CODE_C2C_NETWORK)
        return HY_CODE_TIMEOUT;
    if (exact(family, code) || family == &rest_entry_family)
        return code;
    if (family == rest_openim_service.family &&
        (code == HY_CODE_MSG_EMPTY || code == HY_CODE_MSG_INVALID || code == HY_CODE_NOT_UTF8))
        return HY_CODE_REST_MSG_FORMAT;
    for (size_t i = 0; i < sizeof senses / sizeof senses[0]; i++) {
        if (senses[i].code != code)
            continue;
        switch (senses[i].sense) {
        case NO_ACCOUNT:
            return family->no_account;
        case BAD_PARAM:
            return family->bad_param;
        case INTERNAL:
            return family->internal;
        }
    }
    return code;
}

/* ---------------------------------------------------------------- answers */

void rest_ok(struct rest_call *call, json_t *fields)
{
    rest_finish(call, fields, HY_CODE_OK, "");
}

void rest_okf(struct rest_call *call, const char *format, ...)
{
    char members[512];
    va_list args;

    va_start(args, format);
    vsnprintf(members, sizeof members, format, args);
    va_end(args);
    rest_finish_text(call, members);
}

bool rest_fail(struct rest_call *call, uint32_t code, const char *info)
{
    uint32_t said = rest_code(call->family, code);

    /* A code that is translated may have lost its sentence's point: then the first one's is better.
     */
    if (info == NULL || *info == '\0')
        info = hy_code_text(code);
    rest_finish(call, NULL, said, info);
    return false;
}

bool rest_failf(struct rest_call *call, uint32_t code, const char *format, ...)
{
    char info[512];
    va_list args;

    va_start(args, format);
    vsnprintf(info, sizeof info, format, args);
    va_end(args);
    return rest_fail(call, code, info);
}

void *rest_state(struct rest_call *call, size_t bytes)
{
    call->state = hy_arena_zalloc(&call->arena, bytes);
    if (call->state == NULL)
        rest_fail(call, call->family->internal, NULL);
    return call->state;
}

char *rest_op_id(struct rest_call *call, size_t index)
{
    char id[48];
    int len = snprintf(id, sizeof id, "r%016llx-%zu", (unsigned long long)call->op, index);
    char *copy = hy_arena_strdup(&call->arena, id, (size_t)len);

    return copy != NULL ? copy : (char *)"";
}

/* ---------------------------------------------------------------- shared fields */

bool rest_need_account(struct rest_call *call, const char *names, uint32_t missing, char **user)
{
    enum rest_got got = rest_text(call->body, names, user);
    int len = (int)strcspn(names, "|");

    if (got == REST_ABSENT)
        return rest_failf(call, missing, "%.*s is missing; give one account", len, names);
    if (got == REST_BAD)
        return rest_failf(call, missing, "%.*s must be a string", len, names);
    if (!hy_account_ok(*user))
        return rest_failf(call, missing,
                          "%.*s is no account: 1 to 32 bytes of printable ASCII, not beginning "
                          "with @TLS# or @TGS#",
                          len, names);
    return true;
}

/* Leave the first of each; the lists are short (500), and mostly without repeats. */
static size_t without_repeats(char **users, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        size_t k = 0;

        while (k < kept && strcmp(users[k], users[i]) != 0)
            k++;
        if (k == kept)
            users[kept++] = users[i];
    }
    return kept;
}

bool rest_users_sort(struct rest_call *call, char **all, size_t count, struct rest_users *users)
{
    *users = (struct rest_users){.all = all, .count = count};
    users->good = hy_arena_zalloc(&call->arena, (count + 1) * sizeof *users->good);
    users->place = hy_arena_zalloc(&call->arena, (count + 1) * sizeof *users->place);
    if (users->good == NULL || users->place == NULL)
        return rest_fail(call, call->family->internal, NULL);
    for (size_t i = 0; i < count; i++) {
        users->place[i] = REST_NO_PLACE;
        if (!hy_account_ok(all[i]))
            continue;
        users->place[i] = users->good_count;
        users->good[users->good_count++] = all[i];
    }
    return true;
}

bool rest_need_accounts(struct rest_call *call, const char *names, size_t most,
                        const struct rest_list_codes *codes, struct rest_users *users)
{
    const struct rest_value *array = NULL;
    char **all = NULL;
    size_t count;
    int len = (int)strcspn(names, "|");

    if (rest_array(call->body, names, &array) != REST_GOT)
        return rest_failf(call, codes->missing, "%.*s must be an array of accounts", len, names);
    if (rest_count(array) == 0)
        return rest_failf(call, codes->empty, "%.*s is empty", len, names);
    if (rest_count(array) > most)
        return rest_failf(call, codes->many, "%.*s has more than %zu accounts", len, names, most);
    if (!rest_texts(array, &call->arena, &all))
        return rest_failf(call, codes->item, "an account in %.*s is not a string", len, names);
    count = without_repeats(all, rest_count(array));
    all[count] = NULL;
    return rest_users_sort(call, all, count, users);
}
