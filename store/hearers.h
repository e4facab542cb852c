/* hearers - the members of a group as routes need them: their names, and who does not want to hear.
 * Read from the database without decoding a row. */

#ifndef STORE_HEARERS_H
#define STORE_HEARERS_H

#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "records.pb-c.h"
#include "store/db.h"
#include "store/key.h"
#include "store/rows.h"

/* Lists as common/names.h has them. */
struct hearers {
    struct hy_buf hearing, deaf;
};

/* Somebody whose row is wanted, too; user NULL: nobody's. */
struct hearers_asker {
    struct rows *rows; /* it is brought there */
    const char *user;
};

/* All members of a group. HY_EIO, HY_ECORRUPT, HY_ENOMEM, and HY_EBUSY as db_get(). The lists are
 * to be freed, whatever comes out; they may be used again. */
enum hy_err hearers_read(struct db *db, struct key_home home, const Hy__Group *group,
                         struct hearers_asker asker, struct hearers *hearers) HY_CHECKED;
void hearers_free(struct hearers *hearers);

#endif
