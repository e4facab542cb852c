/* roster - the members of a group as routes need them: their names, and who does not want to hear.
 * Read from the database without decoding a row. */

#ifndef STORE_ROSTER_H
#define STORE_ROSTER_H

#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "store/db.h"
#include "store/key.h"
#include "store/rows.h"

/* Lists as common/names.h has them. */
struct roster {
    struct hy_buf hearing, deaf;
};

/* Somebody whose row is wanted, too; user NULL: nobody's. */
struct roster_asker {
    struct rows *rows; /* it is brought there */
    const char *user;
};

/* All members of a conversation. HY_EIO, HY_ECORRUPT, HY_ENOMEM, and HY_EBUSY as db_get(). The
 * roster is to be freed, whatever comes out; it may be used again. */
enum hy_err roster_read(struct db *db, struct key_home home, uint64_t conversation,
                        struct roster_asker asker, struct roster *roster) HY_CHECKED;
void roster_free(struct roster *roster);

#endif
