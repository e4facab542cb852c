#include "gateway/settings.h"

#include <stdlib.h>
#include <string.h>

#define G struct gateway_settings

/* clang-format off */
static const struct hy_setting table[] = {
    HY_INT(G, workers, "workers", 0, 0, 64, false, "Event loops, each a thread with its own links; 0 = the CPUs given to the process."),
    HY_TEXT(G, listen_tcp, "listen.tcp", "127.0.0.1:0", false, "host:port for clients over plain TCP; \"\" = off, port 0 picks one."),
    HY_TEXT(G, listen_tls, "listen.tls", "", false, "host:port for clients over TLS; needs tls.certificate and tls.key."),
    HY_TEXT(G, listen_ws, "listen.ws", "127.0.0.1:0", false, "host:port for clients over WebSocket without TLS; \"\" = off."),
    HY_TEXT(G, listen_wss, "listen.wss", "", false, "host:port for clients over WebSocket with TLS; needs tls.certificate and tls.key."),
    HY_TEXT(G, listen_rest, "listen.rest", "127.0.0.1:0", false, "host:port for app servers (REST v4 over plain HTTP); \"\" = off."),
    HY_TEXT(G, tls_certificate, "tls.certificate", "", true, "PEM file with the certificate chain, leaf first; read again on SIGHUP."),
    HY_TEXT(G, tls_key, "tls.key", "", true, "PEM file with the certificate's private key; read again on SIGHUP."),
    HY_TEXT(G, resume_secret_file, "resume_secret_file", "", false, "File with at least 32 bytes that all gateways share and others cannot read: it signs resume tokens and makes the keys of TLS tickets. \"\" = a random secret, good until this process ends."),
    HY_LIST(G, ws_origins, "ws_origins", "", true, "Origins whose pages may open a WebSocket (\"https://chat.example\"); empty = any."),
    HY_INT(G, heartbeat_ms, "heartbeat_ms", 30000, 100, 600000, true, "How often a client is told to ping, ms; a link silent for 2.5 times that is closed."),
    HY_INT(G, sign_in_ms, "sign_in_ms", 10000, 100, 120000, true, "A new link signs in within this time, ms; a frame that has begun arrives within it too."),
    HY_INT(G, resume_grace_ms, "resume_grace_ms", 60000, 0, 3600000, true, "A session whose link is gone can be resumed for this long, ms; set it alike on the presence processes."),
    HY_INT(G, drain_ms, "drain_ms", 3000, 0, 600000, true, "On SIGTERM, clients are asked to leave over this time, ms; then links are closed."),
    HY_INT(G, max_frame_bytes, "max_frame_bytes", 65536, 16384, 1048576, true, "Largest frame a client may send, bytes."),
    HY_INT(G, outbox_bytes, "outbox_bytes", 262144, 16384, 67108864, true, "Most a link may leave unread, bytes; one that owes more is dropped and may resume."),
    HY_INT(G, request_rate, "request_rate", 2000, 1, 1000000, true, "Requests a second a link may make on average; more are answered 6226."),
    HY_INT(G, request_burst, "request_burst", 4000, 1, 1000000, true, "Requests a link may make at once."),
    HY_INT(G, sign_in_tries, "sign_in_tries", 10, 1, 1000000, true, "Failed sign-ins of one account in a minute before 70050."),
    HY_INT(G, connect_rate, "connect_rate", 500, 1, 1000000, true, "New links a second from one address (IPv6: from one /64); twice that at once."),
    HY_INT(G, max_connections, "max_connections", 100000, 1, 10000000, true, "Links of this process; more are refused."),
    HY_INT(G, rest_max_body_bytes, "rest.max_body_bytes", 1048576, 1024, 16777216, false, "Largest body of a REST call, bytes."),
    HY_INT(G, rest_timeout_s, "rest.timeout_s", 10, 1, 600, false, "A REST call that does not arrive in this time is cut off, s."),
    HY_INT(G, rest_max_connections, "rest.max_connections", 1000, 1, 1000000, false, "Connections of app servers to one worker; more are refused."),
    {0},
};
/* clang-format on */

const struct hy_settings_spec gateway_settings_spec = {"gateway", table, sizeof(G)};

static uint32_t share(int64_t whole, size_t workers)
{
    return (uint32_t)((whole + (int64_t)workers - 1) / (int64_t)workers);
}

static enum hy_err copy_list(const struct hy_text_list *from, struct hy_text_list *to)
{
    to->items = calloc(from->count + 1, sizeof(char *));
    if (to->items == NULL)
        return HY_ENOMEM;
    for (; to->count < from->count; to->count++) {
        to->items[to->count] = strdup(from->items[to->count]);
        if (to->items[to->count] == NULL)
            return HY_ENOMEM;
    }
    return HY_OK;
}

enum hy_err limits_make(const struct gateway_settings *settings, size_t workers,
                        struct limits *limits)
{
    *limits = (struct limits){
        .heartbeat_ms = (uint64_t)settings->heartbeat_ms,
        .sign_in_ms = (uint64_t)settings->sign_in_ms,
        .resume_grace_ms = (uint64_t)settings->resume_grace_ms,
        .drain_ms = (uint64_t)settings->drain_ms,
        .pace_us = (uint32_t)settings->common.pace_us,
        .max_frame_bytes = (uint32_t)settings->max_frame_bytes,
        .outbox_bytes = (uint32_t)settings->outbox_bytes,
        .request_rate = (uint32_t)settings->request_rate,
        .request_burst = (uint32_t)settings->request_burst,
        .sign_in_tries = (uint32_t)settings->sign_in_tries,
        .connect_rate = share(settings->connect_rate, workers),
        .max_connections = share(settings->max_connections, workers),
    };
    if (copy_list(&settings->ws_origins, &limits->ws_origins) == HY_OK)
        return HY_OK;
    limits_free(limits);
    return HY_ENOMEM;
}

void limits_free(struct limits *limits)
{
    for (size_t i = 0; i < limits->ws_origins.count; i++)
        free(limits->ws_origins.items[i]);
    free(limits->ws_origins.items);
    *limits = (struct limits){0};
}
