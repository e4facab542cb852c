#include "ctl/appset.h"

#include <stdio.h>
#include <string.h>

#include "common/app.h"

static void print_name(void *arg, const char *name, uint32_t value, uint32_t least, uint32_t most,
                       const char *help)
{
    (void)value;
    (void)least;
    (void)most;
    (void)help;
    fprintf(arg, " %s", name);
}

enum hy_err appset_apply(Hy__App *app, const char *change)
{
    const char *equals = strchr(change, '='), *hint = "";
    char name[64];
    enum hy_err err = HY_ECONFIG;

    if (equals == NULL || equals == change || equals - change >= (int)sizeof name) {
        fprintf(stderr, "hongyanctl: %s: write NAME=VALUE, as in c2c_quarters=4\n", change);
        return err;
    }
    snprintf(name, sizeof name, "%.*s", (int)(equals - change), change);
    if (strcmp(name, "name") == 0) {
        app->name = (char *)equals + 1;
        return HY_OK;
    }
    err = hy_app_set(app, name, equals + 1, &hint);
    if (err == HY_ENOTFOUND) {
        fprintf(stderr, "hongyanctl: there is no app setting %s; there are: name", name);
        hy_app_settings_each(app, print_name, stderr);
        fputc('\n', stderr);
    } else if (err != HY_OK) {
        fprintf(stderr, "hongyanctl: %s: %s\n", change, hint);
    }
    return err;
}
