/* coord - what the processes of a cluster agree on: small named values, changed by compare and set.
 *
 * A process holds a copy of all values of its cluster (some hundred bytes a process and shard),
 * kept fresh by a watch: reading costs nothing and may be a little old; a change is decided by the
 * coordinator against the newest. There are two coordinators. "etcd" is etcd v3 over its JSON
 * gateway (settings etcd.*). "static" is the settings file: values live in this process alone, what
 * the settings say is there from the start, and a lease lasts for ever. The same code uses either.
 *
 * Keys are relative to PREFIX/CLUSTER-ID/ and are listed in docs/architecture.md; values are JSON
 * text of at most HY_COORD_VALUE_MAX bytes. Belongs to one loop; nothing blocks. When the
 * coordinator is away the copy stays as it was, and changes end with HY_ETIMEOUT. */

#ifndef COMMON_COORD_H
#define COMMON_COORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/loop.h"
#include "common/settings.h"

enum { HY_COORD_VALUE_MAX = 256 << 10, HY_COORD_KEY_MAX = 200 };

struct hy_coord;

/* A value; lent for the call. Revisions count all changes in the cluster. */
struct hy_coord_value {
    const char *key;
    const char *text; /* NUL-terminated; NULL: it is gone */
    size_t len;
    uint64_t created; /* revision of the change that made it */
    uint64_t changed; /* revision of its last change */
    bool leased;      /* goes with the process that put it */
};

/* What happens. None of these closes the coordinator. */
struct hy_coord_handler {
    /* A value came, changed or went: for each that there is at first, then for every change, in the
     * coordinator's order. */
    void (*changed)(void *ctx, const struct hy_coord_value *value);
    /* The copy is whole: once after the first read, and again each time it had to be read anew
     * (differences came as changed() before). May be NULL. */
    void (*whole)(void *ctx);
    /* The lease is gone, and what was put with it: others may have taken this process's places. A
     * new lease is asked for; leased() follows. May be NULL. */
    void (*lease_lost)(void *ctx);
    /* There is a (new) lease: put what is to be leased. May be NULL. */
    void (*leased)(void *ctx);
};

/* Open, by the settings. handler is copied; its functions are called from the loop only, never from
 * inside hy_coord_open(). lease_s: seconds that what this process leases outlives it, 0: it leases
 * nothing. lease_file: where the lease's id is kept, so that a process that starts again ends the
 * lease of the one before ("": nowhere). HY_ECONFIG: why says which setting. */
enum hy_err hy_coord_open(struct hy_loop *loop, const struct hy_common_settings *settings,
                          uint32_t lease_s, const char *lease_file,
                          const struct hy_coord_handler *handler, void *ctx,
                          struct hy_coord **coord, char why[static 256]) HY_CHECKED;

/* Ends the lease, if the coordinator answers at once (waits 300 ms at most). Changes not answered
 * yet are forgotten: their done is not called. NULL is fine. */
void hy_coord_close(struct hy_coord **coord);

/* The copy. Key by key, or all whose key begins with prefix, in order of keys. */
bool hy_coord_get(const struct hy_coord *coord, const char *key, struct hy_coord_value *value);
void hy_coord_each(const struct hy_coord *coord, const char *prefix,
                   void (*fn)(void *arg, const struct hy_coord_value *value), void *arg);

/* Have all values been read at least once? Before that one that is missing may be there. */
bool hy_coord_whole(const struct hy_coord *coord);

/* Until when (CLOCK_BOOTTIME, ms) others surely respect the lease: the send time of the last good
 * renewal plus two thirds of lease_s. 0: there is none; UINT64_MAX: static. */
uint64_t hy_coord_trusted_until_ms(const struct hy_coord *coord);

/* Is the settings file the coordinator? Then "map" and "node/..." are there from the first turn. */
bool hy_coord_static(const struct hy_coord *coord);

/* ---- changes ---- */

enum hy_coord_test {
    HY_COORD_ABSENT,  /* there is no such value */
    HY_COORD_CREATED, /* it is there, created at revision */
    HY_COORD_CHANGED, /* it is there, last changed at revision */
};

struct hy_coord_guard {
    const char *key;
    enum hy_coord_test test;
    uint64_t revision;
};

struct hy_coord_put {
    const char *key;
    const char *text; /* NULL: delete */
    bool leased;      /* with this process's lease; without one the change fails with HY_ECLOSED */
};

/* All puts happen, at one revision, if all guards hold; else none. */
struct hy_coord_change {
    const struct hy_coord_guard *guards;
    size_t guard_count;
    const struct hy_coord_put *puts;
    size_t put_count;
};

/* HY_OK: done at revision, and the copy shows it already. HY_EEXIST: a guard did not hold.
 * HY_ECLOSED: no lease; nothing was done. HY_EDENIED: the coordinator refuses, its log line says
 * why; nothing was done. HY_ETIMEOUT: nobody answered within a second (two, behind another change):
 * it may be done or not, now or a little later; the copy will tell. */
typedef void hy_coord_done_fn(void *arg, enum hy_err err, uint64_t revision);

/* Ask for a change; everything is copied; done is called once, later. Only when there is no memory
 * (HY_ENOMEM) or a key, a value or their number is over the limit (HY_ETOOBIG; 64 guards, 64 puts),
 * it is called at once and nothing was done. Keys of puts differ. Changes of a process are decided
 * one after the other, in the order they were asked for. */
void hy_coord_change(struct hy_coord *coord, const struct hy_coord_change *change,
                     hy_coord_done_fn *done, void *arg);

/* Call done of no change that was asked for with this arg; what was asked is decided all the same.
 */
void hy_coord_forget(struct hy_coord *coord, const void *arg);

#endif
