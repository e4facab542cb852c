/* pump - what the clients of one loop share: a read buffer, an arena for decoding, TLS contexts,
 * and the list of wires that have something to write when the turn ends.
 *
 * One per (thread, loop), made by the first client and gone with the last. */

#ifndef SDK_C_PUMP_H
#define SDK_C_PUMP_H

#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "common/loop.h"

struct wire;
struct pump_tls;

enum { PUMP_SCRATCH = 64 * 1024, PUMP_DRAWN = 64 };

struct pump {
    struct hy_loop *loop;
    struct hy_arena arena; /* between pump_enter() and pump_leave() */
    unsigned depth;
    struct wire *dirty; /* wires with bytes to write, linked by wire.c */
    uint8_t *scratch;   /* PUMP_SCRATCH bytes, good during one read */
    struct pump_tls *tls;
    unsigned users;
    struct pump *next;
    uint64_t drawn[PUMP_DRAWN]; /* random numbers that nobody has had yet: the first drawn_left */
    unsigned drawn_left;
};

/* The pump of this loop, with one more user. */
enum hy_err pump_take(struct hy_loop *loop, struct pump **pump) HY_CHECKED;

/* One user less; sets *pump to NULL. NULL is fine. */
void pump_drop(struct pump **pump);

struct pump_trust {
    const char *ca_file; /* NULL: the system's authorities */
    bool insecure;       /* take any certificate */
    bool in_full;        /* never resume */
};

/* The TLS context for these rules, made once; lives as long as the pump. HY_ECONFIG: ca_file does
 * not load. */
enum hy_err pump_tls(struct pump *pump, const struct pump_trust *trust,
                     SSL_CTX **context) HY_CHECKED;

/* 64 random bits, for ids of messages: drawn from the kernel many at a time. */
uint64_t pump_random(struct pump *pump);

/* Around anything that decodes: what was taken from the arena lives until the outermost leave. */
void pump_enter(struct pump *pump);
void pump_leave(struct pump *pump);

#endif
