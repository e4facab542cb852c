#include "gateway/metrics.h"

#include "gateway/link.h"

#define P "hongyan_gateway_"

#define END_LABEL(name, text, why, code, close) "reason=\"" text "\"",
static const char *const end_labels[] = {LINK_ENDS(END_LABEL)};
_Static_assert((int)LINK_END_COUNT <= GATEWAY_ENDS_MAX, "each end has a counter");

#define BY_TRANSPORT(more)                                                                         \
    {                                                                                              \
        "transport=\"tcp\"" more, "transport=\"tls\"" more, "transport=\"ws\"" more,               \
            "transport=\"wss\"" more                                                               \
    }

static const char *const transport_labels[] = BY_TRANSPORT("");
static const char *const ok_labels[] = BY_TRANSPORT(",result=\"ok\"");
static const char *const failed_labels[] = BY_TRANSPORT(",result=\"failed\"");
static const char *const limit_labels[] = {"limit=\"connect\"", "limit=\"connections\"",
                                           "limit=\"request\"", "limit=\"sign_in\""};
static const char *const chat_labels[] = {"chat=\"c2c\"", "chat=\"group\""};

static void make_links(struct gateway_metrics *m)
{
    for (size_t i = 0; i < GATEWAY_TRANSPORTS; i++) {
        m->connections[i] =
            hy_gauge(P "connections", transport_labels[i], "Client links that are open.");
        m->opened[i] =
            hy_counter(P "connections_opened_total", transport_labels[i], "Client links accepted.");
        m->handshakes_ok[i] = hy_counter(P "handshakes_total", ok_labels[i],
                                         "TLS and WebSocket handshakes by result.");
        m->handshakes_failed[i] = hy_counter(P "handshakes_total", failed_labels[i], "");
    }
    for (size_t i = GATEWAY_TLS; i <= GATEWAY_WSS; i += GATEWAY_WSS - GATEWAY_TLS)
        m->tls_resumed[i] = hy_counter(P "tls_resumed_total", transport_labels[i],
                                       "TLS handshakes that a ticket made short.");
    for (size_t i = 1; i < LINK_END_COUNT; i++)
        m->closed[i] = hy_counter(P "connections_closed_total", end_labels[i],
                                  "Client links closed, by reason.");
    m->connections_limit = hy_gauge(P "connections_limit", "", "Most client links allowed.");
    m->handshake_duration = hy_histogram_us(P "handshake_duration_seconds", "",
                                            "From accept to the end of the handshake.");
    m->frames_sent = hy_counter(P "frames_sent_total", "", "Frames queued for clients.");
    m->received_bytes = hy_counter(P "received_bytes_total", "", "Bytes read from clients.");
    m->sent_bytes = hy_counter(P "sent_bytes_total", "", "Bytes written to clients.");
    m->writes = hy_counter(P "writes_total", "",
                           "Writes to clients' sockets; each carries what a link had to say.");
    m->send_queue_bytes =
        hy_gauge(P "send_queue_bytes", "", "Bytes that clients have yet to take.");
    m->slow_consumers = hy_counter(P "slow_consumers_total", "action=\"dropped\"",
                                   "Links that owed more than outbox_bytes.");
    m->heartbeat_timeouts =
        hy_counter(P "heartbeat_timeouts_total", "", "Links silent for 2.5 heartbeats.");
}

static void make_sessions(struct gateway_metrics *m)
{
    for (size_t i = 0; i < GATEWAY_LIMITS; i++)
        m->rate_limited[i] =
            hy_counter(P "rate_limited_total", limit_labels[i], "What was refused by a limit.");
    m->sessions = hy_gauge(P "sessions", "", "Links that are signed in.");
    m->sign_ins_ok = hy_counter(P "sign_ins_total", "kind=\"sign_in\",result=\"ok\"",
                                "Sign-ins and resumes by result.");
    m->sign_ins_failed = hy_counter(P "sign_ins_total", "kind=\"sign_in\",result=\"failed\"", "");
    m->resumes_ok = hy_counter(P "sign_ins_total", "kind=\"resume\",result=\"ok\"", "");
    m->resumes_failed = hy_counter(P "sign_ins_total", "kind=\"resume\",result=\"failed\"", "");
    for (size_t i = 0; i < 2; i++) {
        m->ack_duration[i] =
            hy_histogram_us(P "send_ack_duration_seconds", chat_labels[i],
                            "From a message's arrival to its durable acknowledgement.");
        m->delivery_duration[i] = hy_histogram_us(
            P "delivery_duration_seconds", chat_labels[i],
            "From a message's acceptance by its shard to the receivers' sockets; a sample.");
    }
    m->push_gaps = hy_counter(P "push_gaps_total", "", "Times pushes may have been lost.");
    m->resyncs = hy_counter(P "resyncs_total", "", "Clients told to fill gaps.");
    m->rooms =
        hy_gauge(P "rooms", "", "Live rooms with an audience at a worker, summed over workers.");
    m->draining = hy_gauge(P "draining", "", "1 while the gateway is leaving.");
    m->certificate_expiry = hy_gauge("hongyan_tls_certificate_expiry_timestamp_seconds",
                                     "name=\"gateway\"", "When the certificate expires.");
}

const struct gateway_metrics *gateway_metrics(void)
{
    static struct gateway_metrics metrics;

    if (metrics.draining == NULL) {
        make_links(&metrics);
        make_sessions(&metrics);
    }
    return &metrics;
}

const char *gateway_transport_name(enum gateway_transport transport)
{
    static const char *const names[] = {"tcp", "tls", "ws", "wss"};

    return names[transport];
}
