/* file - small files that are there whole or not at all, and what failed about a file, in words. */

#ifndef COMMON_FILE_H
#define COMMON_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

/* By errno: HY_EFULL, HY_ENOTFOUND or HY_EIO, and "cannot WHAT PATH: ..." in why. */
enum hy_err hy_file_failed(const char *what, const char *path, char why[static 256]) HY_CHECKED;

/* Make a folder, and those above it, for its owner alone. */
enum hy_err hy_dir_make(const char *dir, char why[static 256]) HY_CHECKED;

/* Remove a folder and all in it, as far as that can be. False: something is left; see errno. */
bool hy_dir_remove(const char *dir);

/* What was created, renamed and removed in a folder is on the disk when this returns HY_OK. */
enum hy_err hy_dir_sync(const char *dir, char why[static 256]) HY_CHECKED;

/* Put these bytes in the file's place, mode 0600. durable: they are on the disk, under this name,
 * when it returns HY_OK. After an error the file is as it was, or, if only its folder could not be
 * synced, as it is to be. Of several processes that do this at once, one wins. */
enum hy_err hy_file_replace(const char *path, const void *bytes, size_t len, bool durable,
                            char why[static 256]) HY_CHECKED;

#endif
