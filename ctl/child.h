/* child - one process under the supervisor: starting it, its ports, when to start it again. */

#ifndef CTL_CHILD_H
#define CTL_CHILD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"

struct child {
    char name[32];
    int part;      /* enum part, or PARTS for the demo */
    size_t number; /* within the part */
    pid_t pid;     /* 0: not running */
    uint64_t started_ms;
    uint64_t start_ms; /* when to start it (again); UINT64_MAX: not */
    uint32_t failures; /* starts in a row that did not last */
    int exit_status;   /* of wait(), when it ended last */
    bool removed;      /* it is not to come back */
    json_t *ports;     /* kind -> "host:port" as it told last; to be taken again */
    bool ports_told;   /* by the present process */
};

/* Start argv[0] with its output appended to log. The child dies with us. Returns the pid, or -1. */
pid_t child_start(char *const argv[], const char *log);

/* Read a ports file (key=value lines; a bare number is a port on host, or on 127.0.0.1 for status).
 * NULL: not there, or empty. */
json_t *child_read_ports(const char *path, const char *host);

/* The child has ended at now_ms: decide when it starts again (at once the first time, then with a
 * pause that doubles), and whether the ports it had are to blame. */
void child_ended(struct child *child, int exit_status, uint64_t now_ms);

/* A port of its, or 0. */
uint16_t child_port(const struct child *child, const char *kind);

#endif
