/* target - the cluster under test: its cluster.json, tickets for it, and what its processes use. */

#ifndef BENCH_TARGET_H
#define BENCH_TARGET_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/usersig.h"

enum { TARGET_GATEWAYS = 64, TARGET_PIDS = 256 };

struct target {
    char *tcp[TARGET_GATEWAYS]; /* "host:port" of each gateway */
    char *tls[TARGET_GATEWAYS];
    size_t gateways;
    char *metrics[TARGET_PIDS]; /* of process i: "http://host:port/metrics", or NULL */
    int pids[TARGET_PIDS];
    char *names[TARGET_PIDS];
    size_t processes;
    uint32_t sdkappid;
    char *key;
    char *admin;
    char *rest;
    char *dir; /* where cluster.json lies */
};

/* Read cluster.json. Prints what is wrong and returns HY_ECONFIG. */
enum hy_err target_load(const char *file, struct target *target) HY_CHECKED;
void target_free(struct target *target);

/* A ticket for user, good for a day. */
enum hy_err target_ticket(const struct target *target, const char *user,
                          char out[static HY_USERSIG_MAX]) HY_CHECKED;

/* Resident memory of the processes whose name begins with prefix, bytes. */
uint64_t target_rss(const struct target *target, const char *prefix);

/* POST /v4/<command> as the administrator; takes body. Blocks. Prints what is wrong: HY_EIO no
 * answer, HY_EDENIED a code. */
enum hy_err target_rest(const struct target *target, const char *command, json_t *body) HY_CHECKED;

#endif
