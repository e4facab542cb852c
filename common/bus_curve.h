/* bus_curve - CURVE keys in files, and the check of who may connect.
 *
 * A directory holds <component>.key (line 1 public, line 2 secret, Z85, mode 0600) for our own
 * component and <component>.pub for every component: the allow-list. It is read at each
 * handshake, so a key can be added or taken away without a restart. */

#ifndef COMMON_BUS_CURVE_H
#define COMMON_BUS_CURVE_H

#include "common/err.h"

enum { BUS_KEY = 41 }; /* Z85 with its NUL */

struct bus_keys {
    char public_key[BUS_KEY], secret_key[BUS_KEY];
};

/* Our own pair. HY_ECONFIG: missing, malformed or readable by others; it is logged which. */
enum hy_err bus_keys_load(const char *dir, const char *component, struct bus_keys *keys) HY_CHECKED;

/* Another component's public key. HY_ECONFIG as above. */
enum hy_err bus_keys_public(const char *dir, const char *component,
                            char key[static BUS_KEY]) HY_CHECKED;

/* Start the thread that answers ZeroMQ's question "may this key connect?" (ZAP); the socket's ZAP
 * domain is its key directory. Once a context, before any CURVE bind. HY_EIO. */
struct bus_zap;
enum hy_err bus_zap_start(void *context, struct bus_zap **zap) HY_CHECKED;

/* Wait for the thread's end; the context must have been shut down. */
void bus_zap_join(struct bus_zap **zap);

#endif
