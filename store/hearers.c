#include "store/hearers.h"

#include <string.h>

#include "common/names.h"
#include "store/member_walk.h"
#include "store/value.h"

enum { MEMBER_MSG_FLAG = 8 }; /* of Member, from records.proto */
enum { FLAG_DISCARD = 2 };

/* The walk stands on him. What a roster says of one who may have a row of his own is not all. */
static enum hy_err bring(const struct member_walk *walk, struct key_home home,
                         const Hy__Group *group, struct hearers_asker asker)
{
    struct key key;

    if (!walk->on_row && group->apart)
        return HY_OK;
    key_member(&key, home, KEY_MEMBER, group->conversation, asker.user);
    return rows_bring(asker.rows, FAMILY_ENTITY, &key, &hy__member__descriptor, walk->value,
                      walk->len);
}

static bool is(const struct member_walk *walk, const char *user)
{
    return user != NULL && strlen(user) == walk->user_len &&
           memcmp(user, walk->user, walk->user_len) == 0;
}

enum hy_err hearers_read(struct db *db, struct key_home home, const Hy__Group *group,
                         struct hearers_asker asker, struct hearers *hearers)
{
    struct member_walk walk;
    enum hy_err err = member_walk_open(db, home, group, false, &walk);

    hearers->hearing.len = hearers->deaf.len = 0;
    if (err != HY_OK)
        return err;
    while (err == HY_OK && member_walk_next(&walk)) {
        uint64_t flag;

        err = value_number(walk.value, walk.len, MEMBER_MSG_FLAG, &flag);
        if (err == HY_OK)
            err = hy_names_put(flag == FLAG_DISCARD ? &hearers->deaf : &hearers->hearing, walk.user,
                               walk.user_len);
        if (err == HY_OK && is(&walk, asker.user))
            err = bring(&walk, home, group, asker);
    }
    if (err == HY_OK)
        err = member_walk_err(&walk);
    member_walk_close(&walk);
    return err;
}

void hearers_free(struct hearers *hearers)
{
    hy_buf_free(&hearers->hearing);
    hy_buf_free(&hearers->deaf);
}
