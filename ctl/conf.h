/* conf - the settings files that `up` writes: a tree of settings as libconfig text. */

#ifndef CTL_CONF_H
#define CTL_CONF_H

#include <jansson.h>

#include "common/err.h"

/* Set a dotted key to a value in the tree ("listen.tcp"): objects on the way are made. Takes value.
 */
enum hy_err conf_set(json_t *tree, const char *key, json_t *value) HY_CHECKED;

/* The same with a value as written on a command line: a whole number, true or false, or a text. */
enum hy_err conf_set_text(json_t *tree, const char *key, const char *value) HY_CHECKED;

/* Write the tree to a file, after a line that includes another file of the same folder (NULL:
 * none). */
enum hy_err conf_write(const char *path, const char *include, const json_t *tree) HY_CHECKED;

#endif
