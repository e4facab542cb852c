/* roster - the list of members that a group's roster row holds (records.proto): in order of names,
 * of each what a row of his own would say. Only lists: no database.
 *
 * A group has the first of its members there, so that a small one is a row in place of a row a
 * member, and who comes when it is full has a row of his own. A list is never so long that reading
 * it whole is not cheaper than a search for a row. */

#ifndef STORE_ROSTER_H
#define STORE_ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "records.pb-c.h"

/* Who comes finds no room beyond. Who is there may change and grow. */
enum { ROSTER_MEMBERS = 100, ROSTER_BYTES = 4096 };

/* One of them; all is lent from the list, and the name has no NUL behind it. */
struct roster_entry {
    const char *user;
    size_t user_len;
    const uint8_t *value; /* of a Member */
    size_t len;
    const uint8_t *at, *end; /* of all this */
};

/* Walk: begin, then next while it returns true. bad: it ended because the bytes are damaged. */
struct roster_walk {
    const uint8_t *at, *end;
    bool bad;
};

void roster_begin(struct roster_walk *walk, ProtobufCBinaryData list);
bool roster_next(struct roster_walk *walk, struct roster_entry *entry);

/* The list in a value of the database. HY_ECORRUPT. */
enum hy_err roster_list(const void *value, size_t len, ProtobufCBinaryData *list) HY_CHECKED;

/* HY_ENOTFOUND, HY_ECORRUPT. */
enum hy_err roster_find(ProtobufCBinaryData list, const char *user,
                        struct roster_entry *entry) HY_CHECKED;

/* May one more come? */
bool roster_room(ProtobufCBinaryData list, uint32_t members);

/* Put a member, in place of his entry if he has one. The list is malloc'ed. HY_ENOMEM, HY_ECORRUPT
 * leave it as it is. */
enum hy_err roster_put(ProtobufCBinaryData *list, const Hy__Member *member) HY_CHECKED;

/* Take out an entry of the list, which ends what was lent from it. */
void roster_cut(ProtobufCBinaryData *list, const struct roster_entry *entry);

/* The order of names: that of keys. */
int roster_order(const char *a, size_t a_len, const char *b, size_t b_len);

#endif
