/* target - see target.h. */

#include "bench/target.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

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
        target->pids[target->processes++] = (int)json_integer_value(pid);
    }
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
    for (size_t i = 0; i < target->processes; i++)
        free(target->names[i]);
    free(target->key);
    free(target->admin);
    free(target->rest);
    memset(target, 0, sizeof *target);
}

enum hy_err target_ticket(const struct target *target, const char *user,
                          char out[static HY_USERSIG_MAX])
{
    return hy_usersig_issue(target->sdkappid, user, target->key, (uint64_t)time(NULL), 86400, out);
}

/* utime and stime are fields 14 and 15, counted after the command's closing bracket. */
static uint64_t cpu_us_of(int pid)
{
    char path[64], line[1024] = "";
    unsigned long user = 0, sys = 0;
    const char *rest = NULL;
    FILE *file = NULL;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    file = fopen(path, "r");
    if (file == NULL)
        return 0;
    if (fgets(line, sizeof line, file) != NULL)
        rest = strrchr(line, ')');
    fclose(file);
    if (rest == NULL ||
        sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &sys) != 2)
        return 0;
    return (uint64_t)(user + sys) * 1000000 / (uint64_t)sysconf(_SC_CLK_TCK);
}

uint64_t target_cpu_us(const struct target *target)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < target->processes; i++)
        sum += cpu_us_of(target->pids[i]);
    return sum;
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

uint64_t own_cpu_us(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}
