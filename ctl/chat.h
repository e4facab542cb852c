/* chat - the terminal client: a line is said to whom one talks with, or is a command that begins
 * with "/". */

#ifndef CTL_CHAT_H
#define CTL_CHAT_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/loop.h"
#include "sdk/c/hongyan.h"

struct chat {
    struct hy_loop *loop;
    struct hongyan_client *client;
    struct hy_watch *watch; /* of the input; a file is polled instead */
    struct hy_timer *poll;
    struct hy_buf in;
    const char *user;
    Hy__ConvType type; /* whom one talks with; NONE: nobody yet */
    char peer[64];
    bool online, was_online;
    bool busy;  /* an answer is awaited: the next line waits */
    bool ended; /* no more input */
    bool over, failed;
};

/* Talk with this user or group from now on. */
void chat_turn_to(struct chat *chat, Hy__ConvType type, const char *peer);

/* Do what a line says. chat->busy afterwards: chat_done() comes later. */
void chat_do(struct chat *chat, const char *line);

/* What was asked is answered. */
void chat_done(struct chat *chat);

#endif
