/* session - one signed-in device of a user, on one link of this worker.
 *
 * Life: begun (signin.h), signed in, ended with its link; a session with seats in live rooms stays
 * without a link for the grace time (audience.h). */

#ifndef GATEWAY_SESSION_H
#define GATEWAY_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster.pb-c.h"
#include "gateway/link.h"
#include "gateway/wheel.h"

struct seat;
struct send_queue;
struct sign_in;
struct worker;

struct session {
    uint64_t id;
    uint64_t link;         /* handle; 0: the link is gone */
    uint64_t opened_ms;    /* Unix time */
    uint64_t expires_s;    /* the ticket is good until then */
    struct sign_in *begun; /* until it is signed in; else NULL */
    struct send_queue *sends;
    struct seat *seats; /* in live rooms */
    struct wheel_entry grace;
    uint32_t app;
    uint16_t slot;    /* of the user */
    uint16_t asked;   /* requests at routers */
    int16_t presence; /* number of the presence process it is leased at; -1: none is up */
    int16_t other;    /* and of the second one, while the slot moves; -1: none */
    bool leased;
    uint8_t platform, multi_device;
    uint8_t user_len;
    char user[]; /* then a NUL, the device id, a NUL */
};

/* Copies user and device_id. NULL: no memory. */
struct session *session_make(uint32_t app, const char *user, const char *device_id);

/* Sends and seats must be gone. NULL is fine. */
void session_free(struct session **session);

const char *session_device(const struct session *session);

/* In the form presence keeps it; texts are lent. */
void session_describe(const struct session *session, Hy__Session *out);

/* On whose behalf a call is made; texts and address are lent. */
void session_caller(const struct session *session, const struct link *link, bool in_room,
                    Hy__Caller *out);

/* The session's link has ended, for this reason: tell presence, leave the rooms or wait there for
 * the session to be resumed, and free what nobody needs. */
void session_ended(struct worker *worker, struct session *session, enum link_end why);

#endif
