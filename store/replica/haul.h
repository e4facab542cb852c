/* haul - a whole database goes from a leader to a copy that nothing else helps.
 *
 * The leader's side makes a checkpoint and lets its files be read by pieces; the other side asks
 * for some pieces at a time, no faster than it may, and asks again what got lost. */

#ifndef STORE_REPLICA_HAUL_H
#define STORE_REPLICA_HAUL_H

#include <stdint.h>

#include "common/bus.h"
#include "store/db.h"
#include "store/replica/worker.h"

enum { HAUL_PIECE = 256 << 10, HAUL_CREDIT = 8, HAUL_IDLE_MS = 60000, HAUL_BUSY_MS = 5000 };

/* ---- the leader's side: at most one at a time ---- */

struct haul_out;

enum hy_err haul_out_open(struct worker *worker, const char *dir, struct haul_out **out) HY_CHECKED;
/* Waits for the worker. */
void haul_out_close(struct haul_out **out);

/* REPLICA_COPY: make a checkpoint, answer what is in it. That of another node goes on while it
 * reads from it, and who asks then is told to come again. */
void haul_out_begin(struct haul_out *out, struct db *db, const char *node,
                    const struct hy_reply *reply);
/* REPLICA_COPY_READ. */
void haul_out_read(struct haul_out *out, const struct hy_record *record,
                   const struct hy_reply *reply);
/* What nobody read from for a minute is removed. */
void haul_out_tick(struct haul_out *out, uint64_t now_ms);

/* ---- the other side ---- */

struct haul_in;

struct haul_in_config {
    struct hy_loop *loop;
    struct hy_bus *bus;
    struct hy_peer *from;
    struct worker *worker;
    uint32_t shard;
    const char *dir;           /* made, filled, synced */
    uint64_t bytes_per_second; /* 0: as fast as it goes */
    void (*done)(void *arg, enum hy_err err);
    void *arg;
};

enum hy_err haul_in_open(const struct haul_in_config *config, struct haul_in **in) HY_CHECKED;
/* done is not called any more. */
void haul_in_close(struct haul_in **in);
uint64_t haul_in_bytes(const struct haul_in *in);

#endif
