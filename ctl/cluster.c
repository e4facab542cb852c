#include "ctl/cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "ctl/files.h"

static const char *text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static bool read_gateways(struct cluster *c)
{
    const json_t *list = json_object_get(c->json, "gateways");
    size_t n = json_array_size(list);

    c->tcp = calloc(n + 1, sizeof *c->tcp);
    c->tls = calloc(n + 1, sizeof *c->tls);
    c->ws = calloc(n + 1, sizeof *c->ws);
    if (c->tcp == NULL || c->tls == NULL || c->ws == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        const json_t *gateway = json_array_get(list, i);

        c->tcp[i] = text(gateway, "tcp");
        c->tls[i] = text(gateway, "tls");
        c->ws[i] = text(gateway, "ws");
    }
    c->gateways = n;
    return n > 0 && c->tcp[0] != NULL;
}

static bool read_app(struct cluster *c, uint32_t sdkappid)
{
    const json_t *list = json_object_get(c->json, "apps");
    const json_t *app = NULL;
    size_t i = 0;

    json_array_foreach(list, i, app)
    {
        uint32_t id = (uint32_t)json_integer_value(json_object_get(app, "sdkappid"));

        if (sdkappid != 0 && id != sdkappid)
            continue;
        c->app = (struct cluster_app){id, text(app, "key"), text(app, "admin")};
        return c->app.key != NULL;
    }
    return false;
}

enum hy_err cluster_load(const char *dir, const char *file, uint32_t sdkappid,
                         struct cluster *cluster)
{
    char path[4096];
    json_error_t error;

    *cluster = (struct cluster){0};
    if (file == NULL)
        files_path(path, "%s/cluster.json", dir);
    else
        files_path(path, "%s", file);
    cluster->json = json_load_file(path, 0, &error);
    if (cluster->json == NULL) {
        fprintf(stderr, "hongyanctl: %s: %s; start a cluster with hongyanctl up\n", path,
                error.text);
        return HY_ENOTFOUND;
    }
    cluster->id = text(json_object_get(cluster->json, "bus"), "cluster_id");
    cluster->curve_dir = text(json_object_get(cluster->json, "bus"), "curve_dir");
    if (!read_gateways(cluster)) {
        fprintf(stderr, "hongyanctl: %s names no gateway\n", path);
    } else if (!read_app(cluster, sdkappid)) {
        fprintf(stderr, "hongyanctl: %s has no key of app %u\n", path, sdkappid);
    } else {
        return HY_OK;
    }
    cluster_free(cluster);
    return HY_ENOTFOUND;
}

void cluster_free(struct cluster *cluster)
{
    free(cluster->tcp);
    free(cluster->tls);
    free(cluster->ws);
    json_decref(cluster->json);
    *cluster = (struct cluster){0};
}

enum hy_err cluster_ticket(const struct cluster *cluster, const char *user, uint64_t lifetime_s,
                           char out[static HY_USERSIG_MAX])
{
    return hy_usersig_issue(cluster->app.sdkappid, user, cluster->app.key, hy_wall_ms() / 1000,
                            lifetime_s, out);
}
