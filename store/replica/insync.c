#include "store/replica/insync.h"

#include "store/replica/broken.h"

void insync_begin(struct insync *insync, const struct copies *set, size_t min, uint64_t floor)
{
    *insync = (struct insync){.recorded = *set, .min = min, .floor = floor};
}

void insync_counted(const struct insync *insync, struct copies *counted)
{
    *counted = insync->recorded;
    if (BROKEN(BROKEN_LEAVER) && insync->asked.count > 0)
        *counted = insync->asked;
    if (BROKEN(BROKEN_JOINER))
        return;
    copies_join(counted, &insync->asked);
    copies_join(counted, &insync->joining);
}

static bool enough(const struct insync *insync)
{
    if (BROKEN(BROKEN_SHRINK))
        return true;
    return insync->recorded.count >= insync->min &&
           (insync->asked.count == 0 || insync->asked.count >= insync->min);
}

bool insync_advance(struct insync *insync, insync_has_fn *has, void *arg)
{
    struct copies counted;
    uint64_t least = UINT64_MAX;

    if (!enough(insync))
        return false;
    insync_counted(insync, &counted);
    for (size_t i = 0; i < counted.count; i++) {
        uint64_t it = has(arg, &counted.ids[i]);

        if (it < least)
            least = it;
    }
    if (least <= insync->commit || least == UINT64_MAX)
        return false;
    insync->commit = least;
    return true;
}

bool insync_count(struct insync *insync, const struct copy_id *id)
{
    if (copies_have(&insync->recorded, id) || copies_have(&insync->asked, id))
        return false;
    return copies_add(&insync->joining, id);
}

void insync_uncount(struct insync *insync, insync_silent_fn *silent, void *arg)
{
    for (size_t i = insync->joining.count; i > 0; i--) {
        struct copy_id id = insync->joining.ids[i - 1];

        if (silent(arg, &id))
            copies_remove(&insync->joining, &id);
    }
}

/* Has it all that this reign or one before may have told? */
static bool may_join(const struct insync *insync, uint64_t has)
{
    return has >= insync->commit && (has >= insync->floor || BROKEN(BROKEN_FLOOR));
}

static void record_boots(const struct insync *insync, const struct insync_asker *asker,
                         struct copies *set)
{
    for (size_t i = 0; i < set->count; i++) {
        struct copy_id now;

        if (may_join(insync, asker->has(asker->arg, &set->ids[i])) &&
            asker->now(asker->arg, &set->ids[i], &now))
            set->ids[i] = now;
    }
}

bool insync_plan(const struct insync *insync, const struct insync_asker *asker, struct copies *set)
{
    size_t min = BROKEN(BROKEN_SHRINK) ? 1 : insync->min;

    if (insync->asked.count > 0)
        return false;
    *set = insync->recorded;
    for (size_t i = 0; i < insync->joining.count; i++) {
        const struct copy_id *id = &insync->joining.ids[i];

        if (may_join(insync, asker->has(asker->arg, id)) && !asker->silent(asker->arg, id))
            copies_add(set, id);
    }
    for (size_t i = 0; i < insync->recorded.count && set->count > min; i++)
        if (asker->silent(asker->arg, &insync->recorded.ids[i]))
            copies_remove(set, &insync->recorded.ids[i]);
    record_boots(insync, asker, set);
    return !copies_same(set, &insync->recorded);
}

void insync_ask(struct insync *insync, const struct copies *set)
{
    insync->asked = *set;
    for (size_t i = 0; i < set->count; i++)
        copies_remove(&insync->joining, &set->ids[i]);
}

void insync_settle(struct insync *insync, const struct copies *recorded)
{
    insync->recorded = *recorded;
    insync->asked.count = 0;
    for (size_t i = 0; i < recorded->count; i++)
        copies_remove(&insync->joining, &recorded->ids[i]);
}
