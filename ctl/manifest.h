/* manifest - PATH/MANIFEST-<TIME>.json: what makes the backups of all shards one backup of a
 * cluster. It is written last; what no manifest names does not count.
 *
 *   {"format": 1, "time": "20260102T030405Z", "cluster": ID, "version": V, "shards": 2,
 *    "copies": 0, "map": {"epoch": 1, "runs": [[0, 0], [8192, 1]]}, "moved": false,
 *    "together": true, "keys": {FILE: CRC, ...},
 *    "parts": [{"shard", "store", "backup", "epoch", "sequence", "bytes", "copied", "files",
 * "meta"}, ...], "sum": CRC-32C of all of this without "sum", compact and sorted}
 *
 * "shards" is how many parts there are; "copies" of each shard, 0: a cluster without etcd. "moved"
 * (format 2): slots have moved, so files may have rows of slots that are not the shard's.
 *
 * The files of shard N are in PATH/shard-N (common/backupset.h), keys in PATH/keys-<TIME>. */

#ifndef CTL_MANIFEST_H
#define CTL_MANIFEST_H

#include <jansson.h>
#include <stdbool.h>

#include "common/err.h"

enum { MANIFEST_FORMAT = 2, MANIFEST_FORMAT_UNMOVED = 1, MANIFEST_TIME = 17 };

/* Now, as manifests are named. */
void manifest_now(char out[static MANIFEST_TIME]);

/* The good ones of a folder, oldest first; json_decref() it. Those that are damaged, or of a later
 * format, are named on stderr and left out; *bad counts them (may be NULL). NULL: the folder cannot
 * be read, which is printed. */
json_t *manifest_list(const char *path, size_t *bad);

/* One of a time, or (NULL) the newest; prints what is wrong. */
json_t *manifest_load(const char *path, const char *at);

/* Add the sum and write it, onto the disk. Prints what is wrong. */
enum hy_err manifest_write(const char *path, json_t *manifest) HY_CHECKED;

/* Remove it: its backup does not count any more. */
void manifest_remove(const char *path, const json_t *manifest);

/* A text or number of one, "" or 0 if there is none. */
const char *manifest_text(const json_t *object, const char *key);
json_int_t manifest_number(const json_t *object, const char *key);

#endif
