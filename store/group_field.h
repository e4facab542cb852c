/* group_field - the fields of a group that can be set, and their rules (REST 11.3). */

#ifndef STORE_GROUP_FIELD_H
#define STORE_GROUP_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.pb-c.h"
#include "common/err.h"
#include "common/grouptype.h"

/* Who asks. */
struct group_asker {
    bool admin; /* REST */
    Hy__Role role;
};

/* May the asker set these fields, and are the values good? 0 or a code. */
uint32_t group_field_check(const struct hy_group_type *type, const Hy__GroupInfo *info,
                           uint32_t member_num, struct group_asker asker, size_t count,
                           Hy__Field *const *fields);

/* Set a field that was checked, in a malloc'ed record. HY_ENOMEM. */
enum hy_err group_field_set(Hy__GroupInfo *info, const Hy__Field *field) HY_CHECKED;

/* Are the texts and options of a new group good? 0 or a code. */
uint32_t group_field_check_new(const struct hy_group_type *type, const Hy__GroupInfo *info);

/* Does the change touch the sweep, which members' indexes show? */
bool group_field_sweep(const Hy__Field *field);

#endif
