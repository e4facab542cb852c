/* target - the cluster under test: its cluster.json, tickets for it, and what its processes use. */

#ifndef BENCH_TARGET_H
#define BENCH_TARGET_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/usersig.h"

enum { TARGET_GATEWAYS = 64, TARGET_PIDS = 256 };

struct target {
    char *tcp[TARGET_GATEWAYS]; /* "host:port" of each gateway */
    char *tls[TARGET_GATEWAYS];
    size_t gateways;
    int pids[TARGET_PIDS];
    char *names[TARGET_PIDS];
    size_t processes;
    uint32_t sdkappid;
    char *key;
    char *admin;
    char *rest;
};

/* Read cluster.json. Prints what is wrong and returns HY_ECONFIG. */
enum hy_err target_load(const char *file, struct target *target) HY_CHECKED;
void target_free(struct target *target);

/* A ticket for user, good for a day. */
enum hy_err target_ticket(const struct target *target, const char *user,
                          char out[static HY_USERSIG_MAX]) HY_CHECKED;

/* CPU time of all processes so far, us (user and system). */
uint64_t target_cpu_us(const struct target *target);

/* Resident memory of the processes whose name begins with prefix, bytes. */
uint64_t target_rss(const struct target *target, const char *prefix);

/* CPU time of this process, us. */
uint64_t own_cpu_us(void);

#endif
