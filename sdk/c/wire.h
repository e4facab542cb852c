/* wire - one connection to a gateway: TCP or TLS, frames in, frames out.
 *
 * A frame is a 4-byte big-endian length and an encoded Frame. What is sent during a turn leaves in
 * one write at its end. An idle wire holds no buffers. */

#ifndef SDK_C_WIRE_H
#define SDK_C_WIRE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "client.pb-c.h"
#include "common/err.h"
#include "sdk/c/pump.h"

struct wire;

enum { WIRE_FRAME_MAX = 16 * 1024 * 1024 };

/* wire_close() in a callback is fine. */
struct wire_events {
    void (*up)(void *ctx);                                      /* connected, TLS done */
    void (*frame)(void *ctx, const uint8_t *bytes, size_t len); /* lent */
    void (*down)(void *ctx, const char *why);                   /* close it */
};

/* Where a wire goes. */
struct wire_to {
    const char *address; /* "host:port" */
    const char *source;  /* from this numeric address; NULL: any */
    SSL_CTX *context;    /* NULL: plain TCP */
    bool insecure;
};

/* Begin to connect. events stays the caller's, for as long as the wire. HY_ECONFIG: an address is
 * ill-formed or unknown; HY_EIO: no descriptor. */
enum hy_err wire_open(struct pump *pump, const struct wire_to *to, const struct wire_events *events,
                      void *ctx, struct wire **wire) HY_CHECKED;

/* Drop the connection and free everything; *wire is NULL afterwards. NULL is fine. */
void wire_close(struct wire **wire);

/* Queue an encoded Frame. */
enum hy_err wire_send(struct wire *wire, const uint8_t *bytes, size_t len) HY_CHECKED;

/* Queue a Frame, encoded here. */
enum hy_err wire_send_frame(struct wire *wire, const Hy__Frame *frame) HY_CHECKED;

/* Stop or go on reading. */
void wire_pause(struct wire *wire, bool paused);

/* Steady ms when bytes last came, or when it was opened. */
uint64_t wire_heard_ms(const struct wire *wire);

/* Write what is queued on the pump's wires; the pump calls it at the end of a turn. */
void wire_flush_all(struct pump *pump);

#endif
