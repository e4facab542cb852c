/* backup_keys - a cluster's secrets, which go along with its backups: PATH/keys-<TIME>. */

#ifndef CTL_BACKUP_KEYS_H
#define CTL_BACKUP_KEYS_H

#include <jansson.h>

#include "common/err.h"

/* Copy DIR/keys into the folder, mode 0600, onto the disk; *sums gets {file: CRC-32C}. Prints what
 * is wrong. */
enum hy_err backup_keys_save(const char *dir, const char *folder, json_t **sums) HY_CHECKED;

/* Compare the folder with the sums; to not NULL: copy it there. Prints what is wrong. */
enum hy_err backup_keys_check(const char *folder, const json_t *sums, const char *to) HY_CHECKED;

#endif
