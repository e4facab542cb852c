/* etcd_json - what is said to etcd v3's JSON gateway and what it answers, as text; no network here.
 *
 * Keys and values are base64, 64-bit numbers are texts, and false, 0 and empty are left out. Keys
 * lie below a prefix that ends in '/'; what is read is without it. Questions are made as text, to
 * be freed; NULL: no memory. Answers come from outside: what does not decode is HY_EMALFORMED. */

#ifndef COMMON_ETCD_JSON_H
#define COMMON_ETCD_JSON_H

#include "common/arena.h"
#include "common/coord.h"

/* ---- questions ---- */

char *etcd_range_text(const char *prefix);
char *etcd_count_text(const char *prefix); /* how many there are: something small to ask */
char *etcd_watch_text(const char *prefix, uint64_t revision); /* from this revision on */
char *etcd_txn_text(const char *prefix, const struct hy_coord_change *change, uint64_t lease);
char *etcd_grant_text(uint64_t lease, uint32_t ttl_s);
char *etcd_lease_text(uint64_t lease); /* renewal and end */
char *etcd_login_text(const char *user, const char *password);

/* ---- answers ---- */

/* Values in an arena. Those that no reader could use (over a limit, not text) are left out and
 * counted. */
struct etcd_values {
    struct hy_coord_value *values;
    size_t count;
    size_t unusable;
};

struct etcd_range {
    struct etcd_values values;
    uint64_t revision;
};
enum hy_err etcd_range_read(const char *text, size_t len, const char *prefix,
                            struct hy_arena *arena, struct etcd_range *range) HY_CHECKED;

/* A line of a watch. */
struct etcd_watch {
    struct etcd_values values; /* text NULL: gone */
    uint64_t revision;         /* of the coordinator when it was sent */
    bool created;              /* the watch stands */
    bool ended;                /* and will tell no more: */
    uint64_t compacted; /* what it asked for is forgotten up to here; 0: for another reason: */
    char why[128];
};
enum hy_err etcd_watch_read(const char *line, size_t len, const char *prefix,
                            struct hy_arena *arena, struct etcd_watch *watch) HY_CHECKED;

struct etcd_txn {
    bool succeeded;
    uint64_t revision;
};
enum hy_err etcd_txn_read(const char *text, size_t len, struct etcd_txn *txn) HY_CHECKED;

/* Seconds that a lease has left, of the answer to a grant or a renewal; 0: it is over. */
enum hy_err etcd_ttl_read(const char *text, size_t len, uint64_t *ttl_s) HY_CHECKED;

/* NUL-terminated, at most size - 1 bytes. */
enum hy_err etcd_token_read(const char *text, size_t len, char *token, size_t size) HY_CHECKED;

/* Codes of gRPC that matter here. */
enum {
    ETCD_INVALID = 3,
    ETCD_NOT_FOUND = 5,
    ETCD_PRECONDITION = 9,
    ETCD_UNAVAILABLE = 14,
    ETCD_UNAUTHENTICATED = 16,
};
struct etcd_error {
    int code; /* 0: not understood */
    char text[128];
};
void etcd_error_read(const char *text, size_t len, struct etcd_error *error);

#endif
