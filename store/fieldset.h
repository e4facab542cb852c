/* fieldset - the named values a user, group or member carries: found, set and removed by name. */

#ifndef STORE_FIELDSET_H
#define STORE_FIELDSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.pb-c.h"
#include "common/err.h"

/* Rules for custom keys of groups and members (REST 11.3, 11.4). */
struct fieldset_limits {
    size_t count;    /* keys at most */
    size_t name_len; /* of [A-Za-z0-9_]; 0: any name */
    size_t value_len;
};

/* Would setting these fields keep the limits? Fields with an empty value remove. */
bool fieldset_fits(const struct fieldset_limits *limits, size_t have, Hy__Field *const *fields,
                   size_t count, const Hy__Field *const *changes);

/* Set one field in a malloc'ed array; an empty value (no str, num 0) removes it. HY_ENOMEM. */
enum hy_err fieldset_set(size_t *count, Hy__Field ***fields, const char *name,
                         const Hy__Field *value) HY_CHECKED;

/* The field of a name, or NULL. */
Hy__Field *fieldset_find(size_t count, Hy__Field *const *fields, const char *name);

/* The key of a field named "Custom.<key>", or NULL. */
const char *fieldset_custom(const char *name);

#endif
