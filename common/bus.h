/* bus - records between processes, over ZeroMQ.
 *
 * A bus belongs to one loop. It may serve (bind a ROUTER socket) and dial (one DEALER a peer). On
 * the wire a ZeroMQ message is a batch of records:
 *     u32 LE payload length | u16 LE kind | u16 LE zero | u64 LE id | payload
 * What is sent to a peer during a turn leaves as one message at the end of the turn. Both sides
 * say HELLO (name, kind, boot id, cluster id) and beat every 500 ms; a peer silent for 2 s is down,
 * a new boot id is a restart. ZeroMQ loses what a dead peer had: ids, deadlines and retries are
 * here (hy_bus_call) and every request must be harmless when it comes twice.
 *
 * tcp endpoints use CURVE with an allow-list of client keys (ZAP); ipc endpoints rely on the rights
 * of the socket's directory. Nothing blocks. Only bus_zmq.c, bus_context.c and bus_curve.c
 * say zmq_. */

#ifndef COMMON_BUS_H
#define COMMON_BUS_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/loop.h"

struct hy_bus;
struct hy_peer;

enum { HY_BUS_ANSWER = 0x8000, HY_BUS_RECORD_HEAD = 16, HY_BUS_NAME_MAX = 63 };

/* One record as it came; payload is lent for the call. */
struct hy_record {
    uint16_t kind;
    uint64_t id;
    const uint8_t *payload;
    size_t len;
    bool doubtful; /* the answer to a call of which another try is not answered: whoever has it may
                      yet decide otherwise */
};

enum hy_peer_event {
    HY_PEER_UP,        /* first HELLO, or back after DOWN with the same boot id */
    HY_PEER_RESTARTED, /* another boot id than before: it forgot everything */
    HY_PEER_DOWN,      /* silent for 2 s, or disconnected */
};

struct hy_bus_handler {
    /* A record that is no answer to a call of ours. */
    void (*record)(void *ctx, struct hy_peer *peer, const struct hy_record *record);
    /* May be NULL. */
    void (*peer)(void *ctx, struct hy_peer *peer, enum hy_peer_event event);
};

#define HY_BUS_PLAIN "none"

struct hy_bus_config {
    const char *name;       /* this end, unique in the cluster: "gateway-0/1" */
    const char *component;  /* "gateway", "router", "presence", "store", "ctl" */
    const char *cluster_id; /* peers of another cluster are refused */
    const char *bind; /* endpoint to serve, or NULL: "tcp://127.0.0.1:7000", "ipc:///run/..." */
    /* Holds <component>.key (secret, Z85, mode 0600) and *.pub; NULL: tcp endpoints are refused;
     * HY_BUS_PLAIN: tcp without encryption, for a closed network. */
    const char *curve_dir;
    size_t queue_bytes; /* most that may wait for one peer; 0 = 64 MiB */
};

/* Open a bus. handler is copied. HY_EIO: cannot bind; HY_ECONFIG: a key file is missing or open to
 * others. */
enum hy_err hy_bus_open(struct hy_loop *loop, const struct hy_bus_config *config,
                        const struct hy_bus_handler *handler, void *ctx,
                        struct hy_bus **bus) HY_CHECKED;
void hy_bus_close(struct hy_bus **bus);

/* The endpoint that was bound, with the port filled in for "tcp://127.0.0.1:*". */
const char *hy_bus_endpoint(const struct hy_bus *bus);

/* Drawn when the bus opened; peers see it as hy_peer_boot(). */
uint64_t hy_bus_boot(const struct hy_bus *bus);

/* Keep a connection to a served bus; connects whenever it is there. The peer lives until
 * hy_bus_undial() or the bus closes. */
enum hy_err hy_bus_dial(struct hy_bus *bus, const char *component, const char *name,
                        const char *endpoint, struct hy_peer **peer) HY_CHECKED;
void hy_bus_undial(struct hy_bus *bus, struct hy_peer **peer);

/* A peer that dialled us or that we dialled, by its name; NULL if it is not known. */
struct hy_peer *hy_bus_find(struct hy_bus *bus, const char *name);

/* One that dialled us. */
struct hy_peer *hy_bus_find_dialler(struct hy_bus *bus, const char *name);

/* Visit the peers of a component that are up. */
void hy_bus_each(struct hy_bus *bus, const char *component,
                 void (*fn)(void *arg, struct hy_peer *peer), void *arg);

const char *hy_peer_name(const struct hy_peer *peer);
const char *hy_peer_component(const struct hy_peer *peer);
bool hy_peer_up(const struct hy_peer *peer);
uint64_t hy_peer_boot(const struct hy_peer *peer);

/* A place for the user's own data about a peer; starts NULL, survives restarts of the peer.
 * A peer that dialled us is forgotten 60 s after it went down (DOWN came long before). */
void *hy_peer_data(const struct hy_peer *peer);
void hy_peer_set_data(struct hy_peer *peer, void *data);

/* Queue a record. HY_EBUSY: its queue is full, HY_ECLOSED: it is down (accepted peers only; to a
 * dialled peer records wait). payload is copied. */
enum hy_err hy_bus_send(struct hy_peer *peer, uint16_t kind, uint64_t id, const void *payload,
                        size_t len) HY_CHECKED;
enum hy_err hy_bus_send_pb(struct hy_peer *peer, uint16_t kind, uint64_t id,
                           const ProtobufCMessage *msg) HY_CHECKED;

/* The same for a payload of two parts. */
enum hy_err hy_bus_send_parts(struct hy_peer *peer, uint16_t kind, uint64_t id, const void *first,
                              size_t first_len, const void *second, size_t second_len) HY_CHECKED;

/* Let what is queued for a peer leave now rather than at the end of the turn. */
void hy_bus_flush(struct hy_peer *peer);

/* Answer a record: the same id, kind | HY_BUS_ANSWER. Losing an answer is harmless: the caller asks
 * again. So there is nothing to check. peer may be down. */
void hy_bus_answer(struct hy_peer *peer, uint16_t kind, uint64_t id, const void *payload,
                   size_t len);
void hy_bus_answer_pb(struct hy_peer *peer, uint16_t kind, uint64_t id,
                      const ProtobufCMessage *msg);

/* Remember who asked, to answer later: peers can go while work is under way. */
struct hy_reply {
    struct hy_bus *bus;
    uint64_t peer; /* a handle that is never used again */
    uint64_t id;
    uint16_t kind;
};
struct hy_reply hy_bus_reply_to(struct hy_peer *peer, const struct hy_record *record);
void hy_bus_reply(const struct hy_reply *reply, const void *payload, size_t len);
void hy_bus_reply_parts(const struct hy_reply *reply, const void *first, size_t first_len,
                        const void *second, size_t second_len);
void hy_bus_reply_pb(const struct hy_reply *reply, const ProtobufCMessage *msg);

/* ---- calls: a question, retried until an answer or a deadline ---- */

/* answer is NULL unless err is HY_OK; its payload is lent. HY_ETIMEOUT: the deadline passed, the
 * outcome is not known. HY_EBUSY: nothing was sent. */
typedef void hy_call_fn(void *arg, enum hy_err err, const struct hy_record *answer);

/* Whom to ask, looked up at every try, so that a call follows a fail-over. NULL: nobody now. */
typedef struct hy_peer *hy_pick_fn(void *arg, const void *key);

struct hy_call {
    uint16_t kind;
    uint32_t deadline_ms; /* 0 = 5000 */
    uint32_t retry_ms;    /* ask again after this long without an answer, or at once when the peer
                             restarts or goes down; 0 = 1000 */
    struct hy_peer *peer; /* whom to ask; or NULL and pick */
    hy_pick_fn *pick;
    void *pick_arg;
    uint64_t pick_key; /* &pick_key is handed to pick */
    hy_call_fn *done;  /* exactly once, never from inside hy_bus_call() */
    void *arg;
    /* A peer may answer with this kind instead (0: none): somebody else is to be asked. refused()
     * gets pick_arg and &pick_key and says after how many ms (0: at once) pick is asked again. */
    uint16_t refusal;
    uint32_t (*refused)(void *arg, const void *key, struct hy_peer *by,
                        const struct hy_record *answer);
};

/* Ask. The payload is copied and kept until done. Returns the call's id, for hy_bus_cancel(); never
 * 0. */
uint64_t hy_bus_call(struct hy_bus *bus, const struct hy_call *call, const void *payload,
                     size_t len);
uint64_t hy_bus_call_pb(struct hy_bus *bus, const struct hy_call *call,
                        const ProtobufCMessage *msg);

/* Forget a call; done is not called. */
void hy_bus_cancel(struct hy_bus *bus, uint64_t id);

/* Ask again now what nobody has been asked yet, and what this peer (may be NULL) was asked and has
 * not answered: others would be picked by now. */
void hy_bus_ask_again(struct hy_bus *bus, const struct hy_peer *peer);

/* How many questions wait for this peer's answer. */
size_t hy_bus_asked(const struct hy_bus *bus, const struct hy_peer *peer);

/* Make a key pair for a component: dir/<component>.key (0600) and dir/<component>.pub. Every
 * component has its pair; *.pub of all are the allow-list. HY_EEXIST: there is one. HY_EIO. */
enum hy_err hy_bus_keygen(const char *dir, const char *component) HY_CHECKED;

/* Walk the records of a received batch; for tests and the fuzz target. Calls fn for each record;
 * HY_EMALFORMED at the first that does not fit, after those before it were given. */
enum hy_err hy_bus_batch_each(const uint8_t *bytes, size_t len,
                              void (*fn)(void *arg, const struct hy_record *record),
                              void *arg) HY_CHECKED;

#endif
