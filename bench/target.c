/* target - see target.h. */

#include "bench/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl/http.h"

static char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? NULL : strdup(text);
}

static void add_gateway(struct target *target, const json_t *object)
{
    if (target->gateways == TARGET_GATEWAYS)
        return;
    target->tcp[target->gateways] = text_of(object, "tcp");
    target->tls[target->gateways] = text_of(object, "tls");
    if (target->tcp[target->gateways] != NULL)
        target->gateways++;
}

static void read_gateways(struct target *target, const json_t *root)
{
    const json_t *list = json_object_get(root, "gateways");

    if (json_array_size(list) == 0)
        add_gateway(target, root);
    for (size_t i = 0; i < json_array_size(list); i++)
        add_gateway(target, json_array_get(list, i));
}

static void read_pids(struct target *target, json_t *root)
{
    const char *name = NULL;
    json_t *pid = NULL;

    json_object_foreach(json_object_get(root, "pids"), name, pid)
    {
        if (target->processes == TARGET_PIDS)
            return;
        target->names[target->processes] = strdup(name);
        target->metrics[target->processes] = text_of(json_object_get(root, "metrics"), name);
        target->pids[target->processes++] = (int)json_integer_value(pid);
    }
}

static char *directory_of(const char *file)
{
    const char *slash = strrchr(file, '/');

    return slash == NULL ? strdup(".") : strndup(file, slash > file ? (size_t)(slash - file) : 1);
}

enum hy_err target_load(const char *file, struct target *target)
{
    json_error_t error;
    json_t *root = json_load_file(file, 0, &error);
    const json_t *app = json_array_get(json_object_get(root, "apps"), 0);

    memset(target, 0, sizeof *target);
    if (root == NULL) {
        fprintf(stderr, "%s: %s; start a cluster with hongyanctl up\n", file, error.text);
        return HY_ECONFIG;
    }
    read_gateways(target, root);
    read_pids(target, root);
    target->sdkappid = (uint32_t)json_integer_value(json_object_get(app, "sdkappid"));
    target->key = text_of(app, "key");
    target->admin = text_of(app, "admin");
    target->rest = text_of(root, "rest");
    target->dir = directory_of(file);
    json_decref(root);
    if (target->gateways == 0 || target->key == NULL) {
        fprintf(stderr, "%s: no gateway or no app in it\n", file);
        target_free(target);
        return HY_ECONFIG;
    }
    return HY_OK;
}

void target_free(struct target *target)
{
    for (size_t i = 0; i < target->gateways; i++) {
        free(target->tcp[i]);
        free(target->tls[i]);
    }
    for (size_t i = 0; i < target->processes; i++) {
        free(target->names[i]);
        free(target->metrics[i]);
    }
    free(target->key);
    free(target->admin);
    free(target->rest);
    free(target->dir);
    memset(target, 0, sizeof *target);
}

enum hy_err target_ticket(const struct target *target, const char *user,
                          char out[static HY_USERSIG_MAX])
{
    return hy_usersig_issue(target->sdkappid, user, target->key, (uint64_t)time(NULL), 86400, out);
}

static uint64_t rss_of(int pid)
{
    char path[64];
    unsigned long pages = 0;
    FILE *file = NULL;

    snprintf(path, sizeof path, "/proc/%d/statm", pid);
    file = fopen(path, "r");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%*u %lu", &pages) != 1)
        pages = 0;
    fclose(file);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t target_rss(const struct target *target, const char *prefix)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < target->processes; i++)
        if (strncmp(target->names[i], prefix, strlen(prefix)) == 0)
            sum += rss_of(target->pids[i]);
    return sum;
}

enum { REST_MS = 60000, ANSWER_SIZE = 1 << 20 };

static enum hy_err post(const struct target *target, const char *command, const char *text,
                        char *answer)
{
    char ticket[HY_USERSIG_MAX], path[HY_USERSIG_MAX + 256];
    enum hy_err err = target->admin != NULL && target->rest != NULL
                          ? target_ticket(target, target->admin, ticket)
                          : HY_ECONFIG;

    if (err != HY_OK)
        return err;
    snprintf(path, sizeof path,
             "/v4/%s?sdkappid=%u&identifier=%s&usersig=%s&random=1&contenttype=json", command,
             target->sdkappid, target->admin, ticket);
    return http_post(target->rest, path, text, REST_MS, answer, ANSWER_SIZE) == 200 ? HY_OK
                                                                                    : HY_EIO;
}

enum hy_err target_rest(const struct target *target, const char *command, json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT), *answer = malloc(ANSWER_SIZE);
    enum hy_err err = text == NULL || answer == NULL ? HY_ENOMEM : HY_OK;
    json_t *root = NULL;
    json_int_t code = 0;

    if (err == HY_OK)
        err = post(target, command, text, answer);
    if (err == HY_OK)
        root = json_loads(answer, 0, NULL);
    code = json_integer_value(json_object_get(root, "ErrorCode"));
    if (err == HY_OK && root == NULL)
        err = HY_EIO;
    if (code != 0) {
        fprintf(stderr, "%s: %lld %s\n", command, (long long)code,
                json_string_value(json_object_get(root, "ErrorInfo")));
        err = HY_EDENIED;
    } else if (err != HY_OK) {
        fprintf(stderr, "%s: %s\n", command, hy_err_text(err));
    }
    json_decref(root);
    json_decref(body);
    free(text);
    free(answer);
    return err;
}
