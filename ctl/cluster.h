/* cluster - what DIR/cluster.json says about a running cluster. */

#ifndef CTL_CLUSTER_H
#define CTL_CLUSTER_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/usersig.h"

struct cluster_app {
    uint32_t sdkappid;
    const char *key;
    const char *admin;
};

/* Texts are lent by json. */
struct cluster {
    json_t *json;
    const char *id; /* of the bus */
    const char *curve_dir;
    const char **tcp, **tls, **ws; /* of each gateway */
    size_t gateways;
    struct cluster_app app; /* the first, or the one asked for */
};

/* Read it from a file, or from DIR/cluster.json when file is NULL. sdkappid 0: the first app.
 * Prints what is wrong. */
enum hy_err cluster_load(const char *dir, const char *file, uint32_t sdkappid,
                         struct cluster *cluster) HY_CHECKED;
void cluster_free(struct cluster *cluster);

/* A ticket of the app, good for so long. */
enum hy_err cluster_ticket(const struct cluster *cluster, const char *user, uint64_t lifetime_s,
                           char out[static HY_USERSIG_MAX]) HY_CHECKED;

#endif
