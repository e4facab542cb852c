/* backup_files - folders of backups, made and cleared away. */

#ifndef STORE_BACKUP_FILES_H
#define STORE_BACKUP_FILES_H

#include "common/err.h"

/* Make a folder and those above it, for its owner alone. HY_EIO, HY_EFULL. */
enum hy_err backup_files_make(const char *folder, char why[static 256]) HY_CHECKED;

/* Remove a folder with all that is in it; it need not be there. Follows no links. */
enum hy_err backup_files_clear(const char *folder, char why[static 256]) HY_CHECKED;

#endif
