/* layout - what lies where in a cluster's folder, and its secrets.
 *
 *   DIR/cluster.json        addresses, pids, apps; for tools
 *   DIR/hongyanctl.pid      the supervisor, locked while it runs
 *   DIR/conf/               cluster.conf and NAME.conf, written anew by each up
 *   DIR/keys/               id, apps.json, resume.secret, tls.crt, tls.key, CURVE keys; made once
 *   DIR/data/store-N/       the store's data
 *   DIR/log/NAME.log
 *   DIR/run/                ipc sockets and NAME.ports */

#ifndef CTL_LAYOUT_H
#define CTL_LAYOUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

struct layout {
    char *dir;    /* absolute */
    char *ipc;    /* where ipc sockets are: DIR/run, or a folder in /tmp when that is too long */
    char *id;     /* of the cluster */
    json_t *apps; /* array of {sdkappid, key, admin}; as in keys/apps.json */
};

enum { LAYOUT_FIRST_APP = 1400000001 };

/* Make what is not there yet: folders (0700) and secrets (0600). Prints what is wrong. */
enum hy_err layout_open(const char *dir, struct layout *layout) HY_CHECKED;
void layout_close(struct layout *layout);

/* Read keys/apps.json again. */
void layout_read_apps(struct layout *layout);

/* Remember an app's key for the tools of this folder: appends to keys/apps.json, or replaces its
 * entry. */
enum hy_err layout_add_app(const char *dir, uint32_t sdkappid, const char *key,
                           const char *admin) HY_CHECKED;

/* 64 random hex digits. */
void layout_random_key(char out[static 65]);

#endif
