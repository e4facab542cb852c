/* group - the row of a group: its places, its rate, what is told of it.
 *
 * Stored groups count places in the row. Live rooms (type->live) store nothing: their row holds the
 * end of a block of places that is reserved, and the next place is in memory. */

#ifndef STORE_GROUP_H
#define STORE_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/grouptype.h"
#include "store/convlog.h"
#include "store/core.h"
#include "store/pair.h"

enum { GROUP_BLOCK = 1024 }; /* places a live room reserves at once */

/* A group, found. */
struct group_ref {
    struct row *row; /* NULL: the group is not kept in memory, and is written by who changed it */
    Hy__Group *group;
    const struct hy_group_type *type;
    struct key_home home;
    const char *id;
};

/* HY_ENOTFOUND: no such group (ref->row can be given a new one). id must be good for keys. */
enum hy_err group_find(struct core *core, uint32_t app, const char *id,
                       struct group_ref *ref) HY_CHECKED;

/* The same for a command that has its batch to itself (ROUTE_WRITES_ALONE) and goes through many
 * groups: what is not in memory is decoded into the arena and does not come to stay. Who changes it
 * calls group_keep(). heads walks over FAMILY_ENTITY, for groups in the order of their keys that
 * lie near to each other; NULL: look each up. */
enum hy_err group_look(struct core *core, struct db_scan *heads, uint32_t app, const char *id,
                       struct group_ref *ref) HY_CHECKED;
void group_keep(struct core *core, const struct group_ref *ref);

/* Find the group of a request, in a slot of this shard; on failure answer and return false. */
bool group_need(struct core *core, const struct request *req, uint32_t app, const char *id,
                struct group_ref *ref);

/* The next place, for a message with these flags. The row is written when it must be. */
struct place group_take(struct core *core, struct group_ref *ref, uint32_t flags);

/* May one more message of a priority (Msg.priority) pass, at rate messages a second (0: any)? Takes
 * its share. The bucket is in notes, in thousandths of a message, and the time of its last use.
 * What matters less stops sooner: the last half of the bucket is not for Lowest, the last quarter
 * not for Low. */
bool group_rate(uint64_t notes[2], uint32_t rate, uint32_t priority, uint64_t now_ms);

/* The notes of the row that group_rate() uses. */
uint64_t *group_rate_notes(struct group_ref *ref);

/* What is told of a group: shares the row's texts. */
void group_info(const struct group_ref *ref, Hy__GroupInfo *info);

/* Something about membership, roles or mutes changed: routes are to be made anew. */
void group_bump(struct core *core, struct group_ref *ref);

/* The group's log. */
struct convlog group_log(const struct group_ref *ref);

/* May there be mutes of users? */
bool group_mutes(const struct hy_group_type *type, const Hy__Group *group);

/* Are offline members removed: the group's word, else the app's? */
bool group_swept(struct core *core, const struct group_ref *ref);

#endif
