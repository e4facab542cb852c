/* names - a list of texts in one run of bytes, a NUL behind each, as records of many names carry
 * them: nothing is allocated for a name.
 *
 *     for (const char *name = hy_names_first(list, len); name != NULL;
 *          name = hy_names_next(list, len, name))
 *
 * Bytes behind the last NUL are no name. */

#ifndef COMMON_NAMES_H
#define COMMON_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

/* The first name; NULL: there is none. */
const char *hy_names_first(const uint8_t *list, size_t len);

/* The one behind name, which is of the list; NULL: that was the last. */
const char *hy_names_next(const uint8_t *list, size_t len, const char *name);

/* How many there are. */
size_t hy_names_count(const uint8_t *list, size_t len);

/* Put a name of len bytes, none of them NUL, at the end of list. HY_ENOMEM. */
enum hy_err hy_names_put(struct hy_buf *list, const void *name, size_t len) HY_CHECKED;

#endif
