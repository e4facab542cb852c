/* listener - a listening socket of a worker: takes connections, refuses what is too fast or too
 * many, and begins links. */

#ifndef GATEWAY_LISTENER_H
#define GATEWAY_LISTENER_H

#include <stdint.h>

#include "common/err.h"
#include "gateway/metrics.h"

struct listener;
struct worker;

/* Bind and listen on host:port, shared with other workers (SO_REUSEPORT). *port replaces the text's
 * port unless it is 0, and tells the one that was bound. HY_ECONFIG: no address; HY_EIO: cannot
 * bind. */
enum hy_err listener_bind(const char *address, uint16_t *port, int *fd) HY_CHECKED;

/* Take links of a transport from a socket made by listener_bind(). Takes fd, also when it fails. */
enum hy_err listener_open(struct worker *worker, int fd, enum gateway_transport transport,
                          struct listener **listener) HY_CHECKED;

/* Stop listening. NULL is fine. */
void listener_close(struct listener **listener);

#endif
