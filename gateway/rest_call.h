/* rest_call - one REST call under way: what was asked, how to answer, how to ask the cluster.
 *
 * This is what a command's handler sees. A handler reads call->body, asks routers with
 * rest_gather() as often as it must, and ends with exactly one rest_ok() or rest_fail(), after
 * which the call is gone. Everything in call->arena lives that long. One loop. */

#ifndef GATEWAY_REST_CALL_H
#define GATEWAY_REST_CALL_H

#include <jansson.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "cluster.pb-c.h"
#include "common/arena.h"
#include "common/codes.h"
#include "gateway/rest_gather.h"
#include "gateway/rest_value.h"

struct rest;
struct rest_call;

/* What commands of one service have in common when they fail. */
struct rest_family {
    const char *service;
    uint32_t bad_json;
    uint32_t bad_param;
    uint32_t no_account;
    uint32_t internal;
    bool display;             /* answers carry ErrorDisplay */
    size_t most_answer_bytes; /* 0: no limit; else 10018 */
};

struct rest_command {
    const char *command;
    void (*handle)(struct rest_call *call);
};

/* One service: its family and its commands, ended by a row without a name. */
struct rest_service {
    const struct rest_family *family;
    const struct rest_command *commands;
};
extern const struct rest_service rest_account_service, rest_openim_service, rest_profile_service,
    rest_group_service;

struct rest_call {
    struct rest *rest;
    const struct rest_family *family;
    uint32_t app;
    const char *admin;             /* who calls */
    struct in6_addr client_ip;     /* IPv4 as ::ffff:a.b.c.d */
    const struct rest_value *body; /* an object */
    json_t *kept;     /* a part of the answer to come; goes with the call, if it is not taken */
    uint64_t wall_ms; /* when the call came */
    uint64_t op;      /* random; makes ids of operations */
    struct hy_arena arena;
    struct rest_gather gather;
    void *state; /* the handler's own, in arena */
};

/* Answer with success. Takes fields (an object, or NULL for none). */
void rest_ok(struct rest_call *call, json_t *fields);

/* The same with members that are JSON already, as a printf format: "\"MsgSeq\":%u". For the calls
 * that come by the thousand; of at most 512 bytes. */
void rest_okf(struct rest_call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Answer with a code, translated into the family's own (rest_code). info NULL or "": the sentence
 * of common/codes.h. Returns false, so that checks can say `return rest_fail(...)`. */
bool rest_fail(struct rest_call *call, uint32_t code, const char *info);

/* The same with a printf format. */
bool rest_failf(struct rest_call *call, uint32_t code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What a family says for a code that another part of the system gave; itself when there is no
 * special word. Pure. */
uint32_t rest_code(const struct rest_family *family, uint32_t code);

/* Settings of the call's app; NULL when it has just gone. Lent until the next turn. */
const Hy__App *rest_app(const struct rest_call *call);

/* A zeroed state for the handler, in arena; answers and returns NULL when out of memory. */
void *rest_state(struct rest_call *call, size_t bytes);

/* The ids under which an operation is idempotent: index tells those of one call apart. In arena. */
char *rest_op_id(struct rest_call *call, size_t index);

/* Doubt what is remembered about an account's tickets: it was kicked. */
void rest_doubt(struct rest_call *call, const char *user);

/* ---- fields that many commands share; each answers by itself and returns false when it is wrong
 * ---- */

/* A text that must be there and be an account. missing is the code. */
bool rest_need_account(struct rest_call *call, const char *names, uint32_t missing, char **user);

/* Accounts of a request: what cannot be an account is kept apart, and never asked for. */
struct rest_users {
    char **all; /* ends with NULL, like good */
    size_t count;
    char **good;
    size_t good_count;
    size_t *place; /* of all[i] in good; REST_NO_PLACE when it is malformed */
};
#define REST_NO_PLACE SIZE_MAX

/* Sort texts (lent) into users. Answers and returns false without memory. */
bool rest_users_sort(struct rest_call *call, char **all, size_t count, struct rest_users *users);

/* An array of 1..most texts, taken without repeats. The codes are for: not there or no array,
 * empty, over most, an item that is no text. */
struct rest_list_codes {
    uint32_t missing, empty, many, item;
};
bool rest_need_accounts(struct rest_call *call, const char *names, size_t most,
                        const struct rest_list_codes *codes, struct rest_users *users);

#endif
