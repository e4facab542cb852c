#include "ctl/rest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/http.h"

enum { WAIT_MS = 20000, TICKET_S = 3600, ANSWER_SIZE = 1 << 18 };

enum hy_err rest_call(const struct cluster *cluster, const char *command, json_t *body, int *code,
                      char info[static 256])
{
    const char *rest = json_string_value(json_object_get(cluster->json, "rest"));
    char sig[HY_USERSIG_MAX], path[HY_USERSIG_MAX + 256];
    char *text = json_dumps(body, JSON_COMPACT), *answer = malloc(ANSWER_SIZE);
    json_t *json = NULL;
    enum hy_err err = cluster_ticket(cluster, cluster->app.admin, TICKET_S, sig);

    json_decref(body);
    if (err != HY_OK || text == NULL || answer == NULL || rest == NULL) {
        err = HY_EIO;
        goto done;
    }
    snprintf(path, sizeof path,
             "/v4/%s?sdkappid=%u&identifier=%s&usersig=%s&random=1&contenttype=json", command,
             cluster->app.sdkappid, cluster->app.admin, sig);
    err = HY_EIO;
    if (http_post(rest, path, text, WAIT_MS, answer, ANSWER_SIZE) == 200)
        json = json_loads(answer, 0, NULL);
    if (json == NULL)
        goto done;
    *code = (int)json_integer_value(json_object_get(json, "ErrorCode"));
    snprintf(info, 256, "%s",
             json_is_string(json_object_get(json, "ErrorInfo"))
                 ? json_string_value(json_object_get(json, "ErrorInfo"))
                 : "");
    err = HY_OK;

done:
    json_decref(json);
    free(answer);
    free(text);
    return err;
}
