/* index_entry - a walk over index rows that gives whole entries: what the conversation says joined
 * with the user's marks. */

#ifndef STORE_INDEX_ENTRY_H
#define STORE_INDEX_ENTRY_H

#include "store/view.h"

struct index_walk {
    struct view *view;
    struct db_scan *scan;
    struct key_home home;
    bool there;
};

/* Walk the entries of one user, or of his groups only. Close it in any case. */
enum hy_err index_walk_user(struct view *view, uint32_t app, const char *user, bool groups_only,
                            struct index_walk *walk) HY_CHECKED;
void index_walk_close(struct index_walk *walk);

/* The next entry that stands for something (a conversation, a membership, a pin), in the view's
 * arena; *entry NULL: no more. Its row->sweep is worked out. */
enum hy_err index_walk_next(struct index_walk *walk, Hy__IndexEntry **entry) HY_CHECKED;

/* Are offline members to be removed, by this row of theirs? */
bool index_row_swept(struct appset *apps, uint32_t app, const Hy__IndexRow *row);

#endif
