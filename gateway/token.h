/* token - resume tokens: what a session is, signed with the cluster's secret, so that any gateway
 * can take it over (A12). */

#ifndef GATEWAY_TOKEN_H
#define GATEWAY_TOKEN_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum {
    TOKEN_SECRET = 32,
    TOKEN_MAX = 256,
    TOKEN_USER_MAX = 32,
    TOKEN_DEVICE_MAX = 64,
};

struct token {
    uint64_t session_id;
    uint64_t opened_ms; /* when the session was opened, Unix time */
    uint64_t issued_ms; /* when this token was made */
    uint64_t expires_s; /* the ticket it began with is good until then */
    uint32_t app;
    uint8_t platform;
    char user[TOKEN_USER_MAX + 1];
    char device_id[TOKEN_DEVICE_MAX + 1];
};

/* Encode and sign. Returns the length; 0: out of memory. */
size_t token_seal(const struct token *token, const uint8_t secret[static TOKEN_SECRET],
                  uint8_t out[static TOKEN_MAX]);

/* Check the signature and decode. HY_EDENIED: not made with this secret, or damaged. */
enum hy_err token_open(const uint8_t *bytes, size_t len, const uint8_t secret[static TOKEN_SECRET],
                       struct token *token) HY_CHECKED;

/* Make the secret of a file of at least 32 bytes (hashed; a line end does not count), or a random
 * one if file is "". HY_ECONFIG: it cannot be read, is too short, or others can read it. */
enum hy_err token_secret(const char *file, uint8_t secret[static TOKEN_SECRET]) HY_CHECKED;

#endif
