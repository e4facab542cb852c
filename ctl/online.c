/* online - how many users of an app are online, and the most of a day (A13). */

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/admin.h"
#include "ctl/commands.h"

struct online {
    const char *dir;
    const char *output;
    int64_t day;
};

/* clang-format off */
static const struct arg online_args[] = {
    {"dir", "DIR", ARG_TEXT, offsetof(struct online, dir), 0, 0, true, "folder of the cluster"},
    {"day", "YYYYMMDD", ARG_INT, offsetof(struct online, day), 19700101, 99991231, false,
     "whose peak, UTC (today)"},
    {"output", "text|json", ARG_TEXT, offsetof(struct online, output), 0, 0, false, "form of the answer"},
    {0},
};
/* clang-format on */

static void print(const struct online *options, const Hy__OnlineGetRes *res)
{
    time_t at = (time_t)res->peak_at_s;
    char when[32] = "-";

    if (options->output != NULL && strcmp(options->output, "json") == 0) {
        json_t *out = json_pack("{s:I, s:I, s:I}", "live", (json_int_t)res->live, "peak",
                                (json_int_t)res->peak, "peak_at_s", (json_int_t)res->peak_at_s);

        json_dumpf(out, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(out);
        return;
    }
    if (res->peak_at_s > 0)
        strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S UTC", gmtime(&at));
    printf("online now  %u\npeak        %u  (%s)\n", res->live, res->peak, when);
}

int command_app_online(const struct command *command, int argc, char **argv)
{
    struct online options = {0};
    struct arg_list rest = {0};
    struct hy_arena arena;
    Hy__AdminAnswer *answer = NULL;
    Hy__OnlineGetReq ask = HY__ONLINE_GET_REQ__INIT;
    Hy__AdminCall call = HY__ADMIN_CALL__INIT;
    int64_t app = 0;
    int code = args_parse(command, online_args, argc, argv, &options, &rest);

    hy_arena_init(&arena);
    if (code < 0 && (rest.count == 0 || !args_number(rest.items[0], 1, UINT32_MAX, &app)))
        code = args_wrong(command, "an sdkappid is needed, a number like 1400000001");
    if (code < 0) {
        ask.app = (uint32_t)app;
        ask.day = (uint32_t)options.day;
        call.op_case = HY__ADMIN_CALL__OP_ONLINE_GET;
        call.online_get = &ask;
        code = admin_ask(options.dir, ask.app, &call, &arena, &answer) == HY_OK ? EXIT_SUCCESS
                                                                                : EXIT_FAILURE;
    }
    if (answer != NULL && answer->res_case == HY__ADMIN_ANSWER__RES_ONLINE)
        print(&options, answer->online);
    hy_arena_free(&arena);
    args_free(&rest);
    return code;
}
