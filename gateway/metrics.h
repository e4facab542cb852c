/* metrics - what a gateway counts (docs/metrics.md). Made once at start, shared by the workers. */

#ifndef GATEWAY_METRICS_H
#define GATEWAY_METRICS_H

#include "common/metrics.h"

enum gateway_transport { GATEWAY_TCP, GATEWAY_TLS, GATEWAY_WS, GATEWAY_WSS, GATEWAY_TRANSPORTS };

enum gateway_limit {
    GATEWAY_LIMIT_CONNECT,
    GATEWAY_LIMIT_CONNECTIONS,
    GATEWAY_LIMIT_REQUEST,
    GATEWAY_LIMIT_SIGN_IN,
    GATEWAY_LIMITS
};

#define GATEWAY_ENDS_MAX 24

struct gateway_metrics {
    struct hy_metric *connections[GATEWAY_TRANSPORTS], *opened[GATEWAY_TRANSPORTS];
    struct hy_metric *closed[GATEWAY_ENDS_MAX]; /* by enum link_end */
    struct hy_metric *connections_limit;
    struct hy_metric *handshakes_ok[GATEWAY_TRANSPORTS], *handshakes_failed[GATEWAY_TRANSPORTS];
    struct hy_metric *tls_resumed[GATEWAY_TRANSPORTS]; /* of tls and wss */
    struct hy_histogram *handshake_duration;
    struct hy_metric *frames_sent, *received_bytes, *sent_bytes, *writes, *send_queue_bytes;
    struct hy_metric *slow_consumers, *heartbeat_timeouts;
    struct hy_metric *rate_limited[GATEWAY_LIMITS];
    struct hy_metric *sessions, *sign_ins_ok, *sign_ins_failed, *resumes_ok, *resumes_failed;
    struct hy_histogram *ack_duration[2], *delivery_duration[2]; /* C2C, group */
    struct hy_metric *push_gaps, *resyncs, *rooms, *draining;
    struct hy_metric *certificate_expiry;
};

/* Make or find the series; before the workers' threads start. */
const struct gateway_metrics *gateway_metrics(void);

/* "tcp", "tls", "ws", "wss" */
const char *gateway_transport_name(enum gateway_transport transport);

#endif
