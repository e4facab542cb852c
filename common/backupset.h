/* backupset - the backup of one shard as it lies in its folder, read without a database.
 *
 *   FOLDER/meta/ID              what belongs to backup ID: name and CRC-32C of each file
 *   FOLDER/private/ID/...       files of this backup alone
 *   FOLDER/shared_checksum/...  table files, shared by all backups that have them
 *
 * RocksDB's backup engine writes it (store/db_backup.h). Who verifies or restores reads through
 * here and changes nothing, so it may be done while the next backup is made. */

#ifndef COMMON_BACKUPSET_H
#define COMMON_BACKUPSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct hy_backup_file {
    char *name; /* below the folder */
    uint32_t crc;
};

struct hy_backup_set {
    uint64_t time_s, sequence;
    uint32_t meta_crc; /* of meta/ID itself */
    struct hy_backup_file *files;
    size_t count;
};

/* Take the text of meta/ID apart. HY_EMALFORMED: it is none, or names what lies elsewhere. */
enum hy_err hy_backup_set_parse(const char *text, size_t len, struct hy_backup_set *set) HY_CHECKED;

/* The same of FOLDER/meta/ID; why gets a sentence. HY_ENOTFOUND, HY_EIO, HY_ECORRUPT. */
enum hy_err hy_backup_set_read(const char *folder, uint32_t id, struct hy_backup_set *set,
                               char why[static 256]) HY_CHECKED;
void hy_backup_set_free(struct hy_backup_set *set);

/* Read a file and compare its checksum; to not NULL: copy it there on the way, onto the disk.
 * *bytes grows by its size. HY_ECORRUPT: it is damaged; HY_ENOTFOUND, HY_EIO, HY_EFULL. */
enum hy_err hy_backup_file_check(const char *folder, const struct hy_backup_file *file,
                                 const char *to, uint64_t *bytes, char why[static 256]) HY_CHECKED;

/* Is it a table file, which carries checksums of its own? */
bool hy_backup_file_table(const struct hy_backup_file *file);

/* What the file is called in a database's directory. */
void hy_backup_file_name(const struct hy_backup_file *file, char out[static 64]);

#endif
