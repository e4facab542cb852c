/* roll - who is online anywhere, as hashes of names that the presence processes tell.
 *
 * What it is for is the opposite: who is certainly offline need not be asked for. A group of 20
 * that is written to once costs presence nothing for the 18 who are not there. 8 to 16 bytes per
 * online user. While a presence process is not there, or has not told all, nobody is certain.
 * Belongs to the router's loop. */

#ifndef ROUTER_ROLL_H
#define ROUTER_ROLL_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster.pb-c.h"
#include "common/err.h"
#include "router/presences.h"

struct roll;

enum hy_err roll_open(struct presences *presences, struct roll **roll) HY_CHECKED;

/* The bus is closed. NULL is fine. */
void roll_close(struct roll **roll);

/* A presence process came, restarted or went; after presences_peer(). */
void roll_peer(struct roll *roll, const struct hy_peer *presence, enum hy_peer_event event);

/* Presence says where users are now. */
void roll_delta(struct roll *roll, const struct hy_peer *presence, const Hy__Delta *delta);

/* Has any presence process told that he is online? */
bool roll_online(const struct roll *roll, uint32_t app, const char *user);

/* Is the user certainly nowhere online? */
bool roll_offline(const struct roll *roll, uint32_t app, const char *user);

/* Does the process tell everything? Then it need not be told whom nobody watches. */
bool roll_tells(const struct roll *roll, int presence);

/* Ask again those who did not know; once a second. */
void roll_tick(struct roll *roll);

#endif
