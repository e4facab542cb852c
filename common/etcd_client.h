/* etcd_client - questions to an etcd cluster: picks the member, signs in, tries the next.
 *
 * One member is asked at a time. When it does not answer within a second, cannot be reached or has
 * lost the others, the next one is, and whoever watches is told to go there too. */

#ifndef COMMON_ETCD_CLIENT_H
#define COMMON_ETCD_CLIENT_H

#include "common/etcd_http.h"
#include "common/etcd_json.h"
#include "common/loop.h"
#include "common/settings.h"

enum { ETCD_PATIENCE_MS = 1000 };

struct etcd_client;
struct etcd_ask;

/* moved is called, later, when another member is asked from now on. Settings are copied.
 * HY_ECONFIG: why says which. */
enum hy_err etcd_client_open(struct hy_loop *loop, const struct hy_common_settings *settings,
                             hy_loop_fn *moved, void *arg, struct etcd_client **client,
                             char why[static 256]) HY_CHECKED;
void etcd_client_close(struct etcd_client **client); /* asks end without a call */

/* An answer, lent. */
struct etcd_reply {
    /* HY_OK: text is the answer. HY_EDENIED: etcd refused, error says why; nothing was done.
     * HY_ECLOSED: nobody heard it. HY_ETIMEOUT: somebody may have. */
    enum hy_err err;
    const char *text;
    size_t len;
    struct etcd_error error;
    uint64_t sent_ms; /* steady; when the question that was answered left */
};
typedef void etcd_reply_fn(void *arg, const struct etcd_reply *reply);

struct etcd_question {
    const char *path;     /* "/v3/kv/txn" */
    char *body;           /* taken, freed; NULL: there was no memory, and HY_ECLOSED follows */
    uint32_t patience_ms; /* 0: ETCD_PATIENCE_MS */
    bool once;            /* doing it twice would not be the same as once */
    etcd_reply_fn *done;  /* called once, later */
    void *arg;
};

/* The ask is gone when done begins. */
struct etcd_ask *etcd_client_ask(struct etcd_client *client, const struct etcd_question *question);

/* done is not called any more. *ask is set to NULL. */
void etcd_client_forget(struct etcd_ask **ask);

/* A stream of lines, of the member that is asked now and as who is signed in now: ask something
 * before. body is taken. NULL: no memory. */
struct etcd_stream {
    const char *path;
    char *body;
    etcd_http_line_fn *line;
    etcd_http_done_fn *done;
    void *arg;
};
struct etcd_http_call *etcd_client_stream(struct etcd_client *client,
                                          const struct etcd_stream *stream) HY_CHECKED;
void etcd_client_unstream(struct etcd_client *client, struct etcd_http_call **call);

/* This member is of no use: ask the next from now on. */
void etcd_client_move(struct etcd_client *client, const char *why);

/* Sign in again before the next question. */
void etcd_client_sign_out(struct etcd_client *client);

/* Did the last question, of whomever, get an answer? */
bool etcd_client_up(const struct etcd_client *client);

/* Ask, wait at most wait_ms, and give up; for the last word. Takes body. */
bool etcd_client_last_word(struct etcd_client *client, const char *path, char *body,
                           uint32_t wait_ms);

#endif
