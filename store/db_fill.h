/* db_fill - rows that come in the order of their keys, written straight into table files of a
 * database that is being made. */

#ifndef STORE_DB_FILL_H
#define STORE_DB_FILL_H

#include "store/db.h"

struct db_fill;

/* Rows of a family; dir (copied) is where files are written before the database takes them over, on
 * its file system and for it alone. */
enum hy_err db_fill_open(struct db *db, enum family family, const char *dir,
                         struct db_fill **fill) HY_CHECKED;

/* The next row. Rows that do not come in order are right, too, but make small files. */
enum hy_err db_fill_put(struct db_fill *fill, const void *key, size_t key_len, const void *value,
                        size_t value_len, char why[static 256]) HY_CHECKED;

/* All rows were given: the database has them when this returns HY_OK. */
enum hy_err db_fill_end(struct db_fill *fill, char why[static 256]) HY_CHECKED;
void db_fill_close(struct db_fill **fill);

#endif
