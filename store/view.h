/* view - what a read sees: the committed database, the apps, one moment.
 *
 * Each reader thread has one. Nothing here changes anything. */

#ifndef STORE_VIEW_H
#define STORE_VIEW_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

#include "cluster.pb-c.h"
#include "common/arena.h"
#include "common/buf.h"
#include "common/grouptype.h"
#include "common/shardmap.h"
#include "store/appset.h"
#include "store/convlog.h"
#include "store/db.h"
#include "store/edges.h"
#include "store/rows.h"
#include "store/runs.h"

struct view {
    struct db *db;
    struct appset *apps;
    struct hy_arena arena; /* of the request that is answered */
    struct edge *edges;    /* EDGES of them, of db */
    struct rows *rows;     /* records in memory; NULL: in another thread than the loop's */
    struct runs *runs;     /* messages; NULL: none are kept */
    uint64_t now_ms;
    const struct hy_shardmap *map;
    uint32_t shard;
    bool misplaced; /* the read was of a slot of another shard */
};

/* A read: append its answer to out. What is not HY_OK becomes a refusal. */
typedef enum hy_err view_fn(struct view *view, const uint8_t *payload, size_t len,
                            struct hy_buf *out);

/* A record, decoded into the arena; *msg NULL: there is none. */
enum hy_err view_get(struct view *view, enum family family, const struct key *key,
                     const ProtobufCMessageDescriptor *type, ProtobufCMessage **msg) HY_CHECKED;

/* The same for one who only looks: it may be shared with the rows in memory. */
enum hy_err view_see(struct view *view, enum family family, const struct key *key,
                     const ProtobufCMessageDescriptor *type,
                     const ProtobufCMessage **msg) HY_CHECKED;

/* A member of a group, as his row says, or the roster; *member NULL: the user is none. Lent as by
 * view_see(). */
enum hy_err view_member(struct view *view, struct key_home home, const Hy__Group *group,
                        const char *user, const Hy__Member **member) HY_CHECKED;

/* Does this shard own the slot? */
bool view_owns(const struct view *view, uint16_t slot);

/* The same of a slot that must be here for an answer: if not, the reader will say that it is
 * elsewhere. */
bool view_needs(struct view *view, uint16_t slot);

/* A conversation as one user sees it: from where to where. */
struct span {
    uint32_t code; /* not 0: they may not see it */
    struct convlog log;
    uint64_t first, last; /* first > last: nothing */
    uint64_t floor_ms;    /* older ones have expired */
    const char *user;     /* whose unsynced messages are hidden; NULL: nobody's */
    int side;             /* C2C */
    const Hy__Pair *pair; /* C2C; NULL: they have not talked */
    const Hy__Group *group;
    const Hy__Member *member; /* NULL: none (REST sees all) */
    const struct hy_group_type *type;
};

/* Find it. HY_OK also when span->code says no. */
enum hy_err span_open(struct view *view, uint32_t app, int conv_type, const char *user,
                      const char *peer, bool admin, struct span *span) HY_CHECKED;

/* May a row be shown? places: deleted messages too, without content. */
bool span_shows(const struct span *span, const struct value_log *row, bool places);

/* The reads. */
enum hy_err history_read(struct view *view, const uint8_t *payload, size_t len, struct hy_buf *out);
enum hy_err heads_read(struct view *view, const uint8_t *payload, size_t len, struct hy_buf *out);
enum hy_err index_read(struct view *view, const uint8_t *payload, size_t len, struct hy_buf *out);
enum hy_err members_read(struct view *view, const uint8_t *payload, size_t len, struct hy_buf *out);
enum hy_err group_scan_read(struct view *view, const uint8_t *payload, size_t len,
                            struct hy_buf *out);
enum hy_err sweep_scan_read(struct view *view, const uint8_t *payload, size_t len,
                            struct hy_buf *out);
enum hy_err sweep_list_read(struct view *view, const uint8_t *payload, size_t len,
                            struct hy_buf *out);

#endif
