/* probe_users - the driver's users: what happens to them, and what they are told to do. */

#ifndef TESTS_LIB_PROBE_USERS_H
#define TESTS_LIB_PROBE_USERS_H

#include <jansson.h>
#include <stdint.h>

#include "common/loop.h"
#include "sdk/c/hongyan.h"

struct user {
    struct user *next;
    char name[64];
    struct hongyan_client *client;
};

/* Who asked, for the answer. */
struct asked {
    json_t *id; /* may be NULL */
    char name[64];
};

/* Events of a client whose ctx is a user. */
extern const struct hongyan_events probe_events;

/* Print that a command cannot be done. command may be NULL. */
void probe_refuse(const json_t *command, const char *why);

/* Callbacks that print an answer; arg is an asked, which they free. */
void probe_on_sent(void *arg, const struct hongyan_sent *sent);
void probe_on_answer(void *arg, uint32_t code, const char *info, const Hy__Frame *frame);

/* Do what a command says to this user. */
void probe_obey(struct hy_loop *loop, const json_t *command, struct user *user);

#endif
