/* settings - what an operator may set in a gateway, and the limits a worker makes of it. */

#ifndef GATEWAY_SETTINGS_H
#define GATEWAY_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/settings.h"

/* Filled from settings.c's table, where each has its help. */
struct gateway_settings {
    struct hy_common_settings common;
    char *listen_tcp, *listen_tls, *listen_ws, *listen_wss, *listen_rest;
    char *tls_certificate, *tls_key;
    char *resume_secret_file;
    struct hy_text_list ws_origins;
    int64_t workers;
    int64_t heartbeat_ms, sign_in_ms, resume_grace_ms, drain_ms;
    int64_t max_frame_bytes, outbox_bytes;
    int64_t request_rate, request_burst, sign_in_tries;
    int64_t connect_rate, max_connections;
    int64_t rest_max_body_bytes, rest_timeout_s, rest_max_connections;
};

extern const struct hy_settings_spec gateway_settings_spec;

/* One worker's own copy: settings change under a reload, in another thread. Rates and counts over
 * all links are this worker's share. */
struct limits {
    uint64_t heartbeat_ms, sign_in_ms, resume_grace_ms, drain_ms;
    uint32_t pace_us, max_frame_bytes, outbox_bytes;
    uint32_t request_rate, request_burst, sign_in_tries;
    uint32_t connect_rate, max_connections;
    struct hy_text_list ws_origins;
};

/* Make the limits of one of so many workers; copies. HY_ENOMEM leaves *limits empty. */
enum hy_err limits_make(const struct gateway_settings *settings, size_t workers,
                        struct limits *limits) HY_CHECKED;
void limits_free(struct limits *limits);

#endif
