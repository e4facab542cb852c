/* member_change - who may come into a group and who may be taken out: decisions only. */

#ifndef STORE_MEMBER_CHANGE_H
#define STORE_MEMBER_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "client.pb-c.h"
#include "common/grouptype.h"

/* What a group's row, and the one who asks, say. */
struct member_asker {
    bool admin; /* REST */
    Hy__Role role;
};

enum {
    MEMBER_RESULT_FAILED,
    MEMBER_RESULT_DONE,
    MEMBER_RESULT_WAS,
    MEMBER_RESULT_WAITS,
    MEMBER_RESULT_FULL
};

/* May someone join by themselves? 0 or a code; *waits: an admin has to approve first. */
uint32_t member_may_join(const struct hy_group_type *type, const char *apply_join, bool admin,
                         bool *waits);

/* May the asker add others? 0 or a code. */
uint32_t member_may_add(const struct hy_group_type *type, const char *invite_join,
                        struct member_asker asker);

/* May the asker take out anybody at all? 0 or a code. */
uint32_t member_may_remove(const struct hy_group_type *type, struct member_asker asker);

/* And one whose role this is? 0 or a code. */
uint32_t member_may_remove_one(const struct hy_group_type *type, struct member_asker asker,
                               Hy__Role target);

/* May one with this role quit? 0 or a code. */
uint32_t member_may_quit(const struct hy_group_type *type, Hy__Role role);

#endif
