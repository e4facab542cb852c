#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/app.h"
#include "ctl/admin.h"
#include "ctl/appset.h"
#include "ctl/cluster.h"
#include "ctl/commands.h"
#include "ctl/files.h"
#include "ctl/layout.h"

#include <jansson.h>

struct options {
    const char *dir;
    const char *output;
    const char *name;
    const char *admin;
    const char *key;
    bool markdown;
};

/* clang-format off */
#define O struct options
static const struct arg args[] = {
    {"dir", "DIR", ARG_TEXT, offsetof(O, dir), 0, 0, true, "folder of the cluster"},
    {"output", "text|json", ARG_TEXT, offsetof(O, output), 0, 0, false, "form of the answer"},
    {0},
};
static const struct arg create_args[] = {
    {"dir", "DIR", ARG_TEXT, offsetof(O, dir), 0, 0, true, "folder of the cluster"},
    {"output", "text|json", ARG_TEXT, offsetof(O, output), 0, 0, false, "form of the answer"},
    {"name", "TEXT", ARG_TEXT, offsetof(O, name), 0, 0, false, "what people call the app"},
    {"admin", "USER", ARG_TEXT, offsetof(O, admin), 0, 0, false, "who may call REST (administrator)"},
    {"key", "HEX", ARG_TEXT, offsetof(O, key), 0, 0, false, "secret that signs tickets; a random one if not given"},
    {0},
};
static const struct arg settings_args[] = {
    {"markdown", NULL, ARG_FLAG, offsetof(O, markdown), 0, 0, false, "as a table for the documents"},
    {0},
};
#undef O
/* clang-format on */

static const char *const states[] = {"active", "suspended", "deleted"};

/* ---- asking ---- */

static enum hy_err get_apps(const char *dir, struct hy_arena *arena, Hy__AppsRes **apps)
{
    Hy__AdminCall call = HY__ADMIN_CALL__INIT;
    Hy__AppsReq req = HY__APPS_REQ__INIT;
    Hy__AdminAnswer *answer = NULL;
    enum hy_err err = HY_OK;

    call.op_case = HY__ADMIN_CALL__OP_APPS;
    call.apps = &req;
    err = admin_ask(dir, 0, &call, arena, &answer);
    if (err == HY_OK && answer->apps == NULL)
        err = HY_EMALFORMED;
    if (err == HY_OK)
        *apps = answer->apps;
    return err;
}

static enum hy_err get_app(const char *dir, uint32_t sdkappid, struct hy_arena *arena,
                           Hy__App **app)
{
    Hy__AppsRes *apps = NULL;
    enum hy_err err = get_apps(dir, arena, &apps);

    if (err != HY_OK)
        return err;
    for (size_t i = 0; i < apps->n_apps; i++) {
        if (apps->apps[i]->sdkappid == sdkappid) {
            *app = apps->apps[i];
            return HY_OK;
        }
    }
    fprintf(stderr, "hongyanctl: there is no app %u\n", sdkappid);
    return HY_ENOTFOUND;
}

static enum hy_err put_app(const char *dir, Hy__App *app, bool create)
{
    Hy__AdminCall call = HY__ADMIN_CALL__INIT;
    Hy__AppPutReq req = HY__APP_PUT_REQ__INIT;
    Hy__AdminAnswer *answer = NULL;
    struct hy_arena arena;
    enum hy_err err = HY_OK;

    hy_arena_init(&arena);
    req.app = app;
    req.create = create;
    call.op_case = HY__ADMIN_CALL__OP_APP_PUT;
    call.app_put = &req;
    err = admin_ask(dir, app->sdkappid, &call, &arena, &answer);
    hy_arena_free(&arena);
    return err;
}

/* ---- showing ---- */

static void add_setting(void *arg, const char *name, uint32_t value, uint32_t least, uint32_t most,
                        const char *help)
{
    (void)least;
    (void)most;
    (void)help;
    json_object_set_new(arg, name, json_integer(value));
}

static json_t *to_json(const Hy__App *app)
{
    json_t *out = json_object(), *settings = json_object(), *admins = json_array();

    for (size_t i = 0; i < app->n_admins; i++)
        json_array_append_new(admins, json_string(app->admins[i]));
    hy_app_settings_each(app, add_setting, settings);
    json_object_set_new(out, "sdkappid", json_integer(app->sdkappid));
    json_object_set_new(out, "name", json_string(app->name));
    json_object_set_new(out, "state", json_string(app->state < 3 ? states[app->state] : "?"));
    json_object_set_new(out, "admins", admins);
    json_object_set_new(out, "settings", settings);
    return out;
}

static bool wants_json(const struct options *options)
{
    return options->output != NULL && strcmp(options->output, "json") == 0;
}

/* Print and let go. */
static void print_json(json_t *json)
{
    json_dumpf(json, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(json);
}

static void print_setting(void *arg, const char *name, uint32_t value, uint32_t least,
                          uint32_t most, const char *help)
{
    (void)arg;
    printf("  %-18s %10u  (%u to %u) %s\n", name, value, least, most, help);
}

static void print_app(const Hy__App *app)
{
    printf("sdkappid  %u\nname      %s\nstate     %s\nadmins   ", app->sdkappid, app->name,
           app->state < 3 ? states[app->state] : "?");
    for (size_t i = 0; i < app->n_admins; i++)
        printf(" %s", app->admins[i]);
    printf("\nsettings\n");
    hy_app_settings_each(app, print_setting, NULL);
}

/* ---- the commands ---- */

/* Parse options and the sdkappid that comes first. -1 to go on. */
static int begin(const struct command *command, const struct arg *rows, int argc, char **argv,
                 struct options *options, struct arg_list *rest, uint32_t *sdkappid)
{
    int code = args_parse(command, rows, argc, argv, options, rest);
    int64_t number = 0;

    if (code >= 0 || sdkappid == NULL)
        return code;
    if (rest->count == 0 || !args_number(rest->items[0], 1, UINT32_MAX, &number))
        return args_wrong(command, "an sdkappid is needed, a number like 1400000001");
    *sdkappid = (uint32_t)number;
    return -1;
}

static int code_of(enum hy_err err)
{
    return err == HY_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* cluster.json names the app from now on: the supervisor writes it anew. */
static void tell_supervisor(const char *dir)
{
    char path[4096];
    json_t *cluster = NULL;
    pid_t pid = 0;

    files_path(path, "%s/cluster.json", dir);
    cluster = json_load_file(path, 0, NULL);
    pid = (pid_t)json_integer_value(json_object_get(cluster, "supervisor"));
    json_decref(cluster);
    if (pid > 1)
        kill(pid, SIGUSR1);
}

/* Who is told of a new app may use it at once, by way of any gateway and any router. */
static void wait_until_known(void)
{
    struct timespec left = {.tv_sec = ADMIN_KNOWN_MS / 1000,
                            .tv_nsec = ADMIN_KNOWN_MS % 1000 * 1000000L};

    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

static enum hy_err create(const struct options *options, uint32_t sdkappid,
                          const struct arg_list *rest, char key[static 65], const char *admin)
{
    Hy__App app = HY__APP__INIT;
    char *keys[] = {key}, *admins[] = {(char *)admin};
    enum hy_err err = HY_OK;

    app.sdkappid = sdkappid;
    app.name = (char *)(options->name != NULL ? options->name : "");
    app.keys = keys;
    app.n_keys = 1;
    app.admins = admins;
    app.n_admins = 1;
    hy_app_defaults(&app);
    for (size_t i = 1; i < rest->count && err == HY_OK; i++)
        err = appset_apply(&app, rest->items[i]);
    if (err == HY_OK)
        err = put_app(options->dir, &app, true);
    if (err == HY_OK)
        err = layout_add_app(options->dir, sdkappid, key, admin);
    if (err == HY_OK)
        tell_supervisor(options->dir);
    if (err == HY_OK)
        wait_until_known();
    return err;
}

int command_app_create(const struct command *command, int argc, char **argv)
{
    struct options options = {.admin = "administrator"};
    struct arg_list rest = {0};
    uint32_t sdkappid = 0;
    char key[65];
    int code = begin(command, create_args, argc, argv, &options, &rest, &sdkappid);

    layout_random_key(key);
    if (code < 0 && options.key != NULL && strlen(options.key) > 64)
        code = args_wrong(command, "--key has at most 64 characters");
    if (code < 0 && options.key != NULL)
        snprintf(key, sizeof key, "%s", options.key);
    if (code < 0) {
        code = code_of(create(&options, sdkappid, &rest, key, options.admin));
        if (code == EXIT_SUCCESS && wants_json(&options))
            print_json(json_pack("{s:I, s:s, s:s}", "sdkappid", (json_int_t)sdkappid, "key", key,
                                 "admin", options.admin));
        else if (code == EXIT_SUCCESS)
            printf("sdkappid  %u\nkey       %s\nadmin     %s\n", sdkappid, key, options.admin);
    }
    args_free(&rest);
    return code;
}

int command_app_list(const struct command *command, int argc, char **argv)
{
    struct options options = {0};
    struct arg_list rest = {0};
    struct hy_arena arena;
    Hy__AppsRes *apps = NULL;
    json_t *list = NULL;
    int code = begin(command, args, argc, argv, &options, &rest, NULL);

    hy_arena_init(&arena);
    if (code < 0)
        code = code_of(get_apps(options.dir, &arena, &apps));
    for (size_t i = 0; apps != NULL && i < apps->n_apps; i++) {
        const Hy__App *app = apps->apps[i];

        if (!wants_json(&options)) {
            printf("%u  %-9s  %s\n", app->sdkappid, app->state < 3 ? states[app->state] : "?",
                   app->name);
            continue;
        }
        if (list == NULL)
            list = json_array();
        json_array_append_new(list, to_json(app));
    }
    if (list != NULL)
        print_json(list);
    hy_arena_free(&arena);
    args_free(&rest);
    return code;
}

int command_app_show(const struct command *command, int argc, char **argv)
{
    struct options options = {0};
    struct arg_list rest = {0};
    struct hy_arena arena;
    Hy__App *app = NULL;
    uint32_t sdkappid = 0;
    int code = begin(command, args, argc, argv, &options, &rest, &sdkappid);

    hy_arena_init(&arena);
    if (code < 0)
        code = code_of(get_app(options.dir, sdkappid, &arena, &app));
    if (app != NULL && wants_json(&options))
        print_json(to_json(app));
    else if (app != NULL)
        print_app(app);
    hy_arena_free(&arena);
    args_free(&rest);
    return code;
}

/* Read the app, change it, put it back. state 3: as it is. */
static int change(const struct command *command, int argc, char **argv, uint32_t state,
                  bool with_changes)
{
    struct options options = {0};
    struct arg_list rest = {0};
    struct hy_arena arena;
    Hy__App *app = NULL;
    uint32_t sdkappid = 0;
    int code = begin(command, args, argc, argv, &options, &rest, &sdkappid);
    enum hy_err err = HY_OK;

    hy_arena_init(&arena);
    if (code < 0 && with_changes && rest.count < 2)
        code = args_wrong(command, "what is to be set? Write NAME=VALUE");
    if (code < 0) {
        err = get_app(options.dir, sdkappid, &arena, &app);
        for (size_t i = 1; i < rest.count && err == HY_OK; i++)
            err = appset_apply(app, rest.items[i]);
        if (err == HY_OK && state < 3)
            app->state = state;
        if (err == HY_OK)
            err = put_app(options.dir, app, false);
        code = code_of(err);
    }
    hy_arena_free(&arena);
    args_free(&rest);
    return code;
}

int command_app_set(const struct command *command, int argc, char **argv)
{
    return change(command, argc, argv, 3, true);
}

int command_app_suspend(const struct command *command, int argc, char **argv)
{
    return change(command, argc, argv, 1, false);
}

int command_app_resume(const struct command *command, int argc, char **argv)
{
    return change(command, argc, argv, 0, false);
}

static void print_row(void *arg, const char *name, uint32_t value, uint32_t least, uint32_t most,
                      const char *help)
{
    const bool *markdown = arg;

    printf(*markdown ? "| `%s` | %u | %u to %u | %s |\n" : "%-18s %10u  (%u to %u) %s\n", name,
           value, least, most, help);
}

int command_app_settings(const struct command *command, int argc, char **argv)
{
    struct options options = {0};
    struct arg_list rest = {0};
    Hy__App app = HY__APP__INIT;
    int code = begin(command, settings_args, argc, argv, &options, &rest, NULL);

    args_free(&rest);
    if (code >= 0)
        return code;
    hy_app_defaults(&app);
    if (options.markdown)
        printf("## Settings of an app\n\nSet with `hongyanctl app set --dir DIR SDKAPPID "
               "NAME=VALUE`; known to "
               "all processes within a second.\n\n| setting | default | range | meaning "
               "|\n|---|---|---|---|\n");
    hy_app_settings_each(&app, print_row, &options.markdown);
    return EXIT_SUCCESS;
}
