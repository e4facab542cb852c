/* sweep - users who stay offline leave many groups with one command (C3).
 *
 * The groups come in the order of their keys: one walk finds their heads. Then they are taken in
 * the order of their conversations, which is that of the rosters' and members' keys: other walks
 * find those, most of the time by steps and not by seeks, and what is written lies side by side. Of
 * each group: one tip that names those who left, one new version, one new roster. What is not in
 * memory does not come there. */

#include <stdlib.h>
#include <string.h>

#include "common/names.h"
#include "store/group.h"
#include "store/handlers.h"
#include "store/member.h"
#include "store/roster.h"
#include "store/tip.h"
#include "store/value.h"

enum {
    GROUPS_MOST = 1000,
    TIP_MOST = 500,   /* names in a tip, as in any other */
    WALK_MOST = 100,  /* more members with rows of their own are not walked through */
    NAMES_ROOM = 4096 /* at first, for the lists of an answer */
};

/* Rows that go. They are put into the batch in the order of their keys: a memtable finds the place
 * of a key near that of the one before much sooner. */
struct keys {
    struct key *list; /* in the arena */
    size_t count, size;
};

/* One who is to leave. */
struct leaver {
    const char *user;
    size_t len;
    bool found;
};

/* A group that is swept. */
struct leaving {
    struct group_ref ref;
    const Hy__SweepGroup *in;
    struct leaver *leavers; /* in order, each once */
    size_t count, next;
    ProtobufCBinaryData roster; /* as it was; lent */
    struct row *roster_row;     /* it is in memory; else NULL */
    uint32_t listed, others;    /* members in the roster and with rows of their own, as it was */
    Hy__TipElem tip;
    size_t wanted, found;
};

/* One StoreSweepReq under way. */
struct sweeping {
    struct core *core;
    struct db_scan *heads; /* NULL: they are far between, and looked up one by one */
    struct db_scan *rosters, *members;
    bool stands;            /* the walk over the members, on one of the last group */
    struct leaving *groups; /* as they came */
    size_t count;
    Hy__StoreSweepRes out;
    uint32_t app;
    struct hy_buf gone, stayed; /* of the group at hand */
    struct hy_buf kept;         /* of its roster */
    struct keys rows;           /* of members */
};

/* A copy in the arena, which the answer can point at. */
static enum hy_err keep(struct core *core, const struct hy_buf *list, ProtobufCBinaryData *out)
{
    *out = (ProtobufCBinaryData){0};
    if (list->len == 0)
        return HY_OK;
    out->data = hy_arena_alloc(&core->arena, list->len);
    if (out->data == NULL)
        return HY_ENOMEM;
    memcpy(out->data, list->data, list->len);
    out->len = list->len;
    return HY_OK;
}

/* ---- one member ---- */

static enum hy_err name_in_tip(struct core *core, struct leaving *l, const char *user)
{
    Hy__TipMember *m = hy_arena_alloc(&core->arena, sizeof *m);

    if (m == NULL)
        return HY_ENOMEM;
    hy__tip_member__init(m);
    m->user = (char *)user;
    l->tip.members[l->tip.n_members++] = m;
    return HY_OK;
}

static enum hy_err keys_add(struct core *core, struct keys *keys, const struct key *key)
{
    if (keys->count == keys->size) {
        size_t size = keys->size == 0 ? 256 : keys->size * 2;
        struct key *list = hy_arena_alloc(&core->arena, size * sizeof *list);

        if (list == NULL)
            return HY_ENOMEM;
        if (keys->count > 0)
            memcpy(list, keys->list, keys->count * sizeof *list);
        keys->list = list;
        keys->size = size;
    }
    keys->list[keys->count].len = key->len;
    memcpy(keys->list[keys->count++].bytes, key->bytes, key->len);
    return HY_OK;
}

static int by_bytes(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    int order = memcmp(x->bytes, y->bytes, x->len < y->len ? x->len : y->len);

    return order != 0 ? order : (int)x->len - (int)y->len;
}

static void keys_delete(struct core *core, struct keys *keys)
{
    if (keys->count > 0)
        qsort(keys->list, keys->count, sizeof *keys->list, by_bytes);
    for (size_t i = 0; i < keys->count; i++)
        batch_delete(core->batch, FAMILY_ENTITY, &keys->list[i]);
}

/* The member's own row, if he may have one. What is in memory says what the roster said, too. */
static enum hy_err remove_row(struct sweeping *s, struct leaving *l, const char *user, bool listed)
{
    bool own = !listed || l->ref.group->apart;
    struct core *core = s->core;
    struct row *row;
    struct key key;

    key_member(&key, l->ref.home, KEY_MEMBER, l->ref.group->conversation, user);
    row = rows_peek(core->rows, FAMILY_ENTITY, &key);
    if (row == NULL)
        return own ? keys_add(core, &s->rows, &key) : HY_OK;
    if (own)
        rows_remove(core->rows, row);
    else
        (void)rows_fill(core->rows, row, NULL, true);
    return HY_OK;
}

static enum hy_err remove_one(struct sweeping *s, struct leaving *l, const char *user, bool listed)
{
    struct core *core = s->core;
    Hy__Group *group = l->ref.group;
    enum hy_err err = remove_row(s, l, user, listed);

    if (l->tip.n_members == 0)
        group_bump(core, &l->ref);
    group->member_num -= group->member_num > 0;
    member_show(core, &l->ref, user, NULL);
    return err == HY_OK ? name_in_tip(core, l, user) : err;
}

/* He is a member. A group that lost its owner could not be dissolved by anyone in it: owners stay.
 */
static enum hy_err found_one(struct sweeping *s, struct leaving *l, struct leaver *who, bool listed,
                             bool *stays)
{
    enum hy_err err;

    who->found = true;
    l->found++;
    *stays = strcmp(l->ref.group->info->owner, who->user) == 0;
    if (*stays)
        return hy_names_put(&s->stayed, who->user, who->len);
    err = remove_one(s, l, who->user, listed);
    return err == HY_OK ? hy_names_put(&s->gone, who->user, who->len) : err;
}

/* A member, the next in order: is he one of those who are to leave? Names that were passed are
 * none. */
static enum hy_err pass_member(struct sweeping *s, struct leaving *l, const char *user, size_t len,
                               bool listed, bool *stays)
{
    *stays = true;
    for (; l->next < l->count; l->next++) {
        struct leaver *who = &l->leavers[l->next];
        int order = roster_order(who->user, who->len, user, len);

        if (order > 0)
            break;
        if (order == 0) {
            l->next++;
            return found_one(s, l, who, listed, stays);
        }
    }
    return hy_names_put(&s->stayed, user, len);
}

/* ---- the roster of a group ---- */

static void roster_key(const struct leaving *l, struct key *key)
{
    key_member(key, l->ref.home, KEY_ROSTER, l->ref.group->conversation, NULL);
}

static enum hy_err read_roster(struct sweeping *s, struct leaving *l)
{
    const uint8_t *value;
    struct key key;
    size_t len;
    enum hy_err err;

    roster_key(l, &key);
    l->roster_row = rows_peek(s->core->rows, FAMILY_ENTITY, &key);
    if (l->roster_row != NULL && l->roster_row->msg != NULL) {
        l->roster = ((const Hy__Roster *)l->roster_row->msg)->members;
        return HY_OK;
    }
    if (!db_scan_reach(s->rosters, &key)) {
        err = db_scan_err(s->rosters);
        return err == HY_OK ? HY_ECORRUPT : err; /* the head counts some there */
    }
    value = db_scan_value(s->rosters, &len);
    return roster_list(value, len, &l->roster);
}

/* Through all that are listed, side by side with the names. */
static enum hy_err walk_roster(struct sweeping *s, struct leaving *l)
{
    struct roster_entry entry;
    struct roster_walk walk;
    enum hy_err err = hy_buf_reserve(&s->kept, l->roster.len);

    l->next = 0;
    roster_begin(&walk, l->roster);
    while (err == HY_OK && roster_next(&walk, &entry)) {
        bool stays;

        err = pass_member(s, l, entry.user, entry.user_len, true, &stays);
        if (err == HY_OK && stays)
            err = hy_buf_put(&s->kept, entry.at, (size_t)(entry.end - entry.at));
        else
            l->ref.group->rostered--;
    }
    return err == HY_OK && walk.bad ? HY_ECORRUPT : err;
}

/* What is left of it. */
static enum hy_err write_roster(struct sweeping *s, struct leaving *l)
{
    Hy__Roster roster = HY__ROSTER__INIT;
    struct core *core = s->core;
    struct key key;

    roster.members = (ProtobufCBinaryData){s->kept.len, s->kept.data};
    if (l->roster_row != NULL) {
        ProtobufCMessage *fresh = s->kept.len == 0 ? NULL : rows_copy(&roster.base);

        if (fresh == NULL && s->kept.len > 0)
            return HY_ENOMEM;
        rows_set(core->rows, l->roster_row, fresh);
        return HY_OK;
    }
    roster_key(l, &key);
    if (s->kept.len == 0)
        batch_delete(core->batch, FAMILY_ENTITY, &key);
    else
        batch_put_record(core->batch, FAMILY_ENTITY, &key, &roster.base);
    return HY_OK;
}

/* ---- those who have rows only ---- */

/* To the group's first row. The next one after those of the last group is often it. */
static bool walk_to(struct sweeping *s, const struct key *first)
{
    size_t len;
    const uint8_t *key;

    if (s->stands && db_scan_next(s->members)) {
        key = db_scan_key(s->members, &len);
        if (len > first->len && memcmp(key, first->bytes, first->len) == 0)
            return true;
    }
    return db_scan_seek(s->members, first);
}

/* Is the row that of one who is in the roster? */
static bool is_listed(const struct leaving *l, const char *user, size_t len)
{
    char name[KEY_TEXT_MAX + 1];
    struct roster_entry entry;

    return l->listed > 0 && key_copy_text(user, len, name) &&
           roster_find(l->roster, name, &entry) == HY_OK;
}

/* Through all of them, side by side with the names. It ends with the last member: a step beyond him
 * would go through the tombstones of groups that were swept before. */
static enum hy_err walk_rows(struct sweeping *s, struct leaving *l)
{
    uint32_t left = l->others;
    struct key first;
    enum hy_err err = HY_OK;
    bool there, stays;

    l->next = 0;
    key_member(&first, l->ref.home, KEY_MEMBER, l->ref.group->conversation, NULL);
    for (there = walk_to(s, &first); there && err == HY_OK;
         there = left > 0 && db_scan_next(s->members)) {
        size_t len;
        const uint8_t *key = db_scan_key(s->members, &len);
        const char *user = (const char *)key + first.len;

        if (len <= first.len || memcmp(key, first.bytes, first.len) != 0)
            break;
        len -= first.len;
        if (is_listed(l, user, len))
            continue;
        err = pass_member(s, l, user, len, false, &stays);
        left--;
    }
    s->stands = err == HY_OK && left == 0;
    return err == HY_OK ? db_scan_err(s->members) : err;
}

/* Each by its key: they are many, and few leave. */
static enum hy_err pick_rows(struct sweeping *s, struct leaving *l)
{
    enum hy_err err = HY_OK;

    for (size_t i = 0; i < l->count && err == HY_OK; i++) {
        struct leaver *who = &l->leavers[i];
        struct db_value value;
        struct key key;
        bool stays;

        if (who->found || !key_text_ok(who->user))
            continue;
        key_member(&key, l->ref.home, KEY_MEMBER, l->ref.group->conversation, who->user);
        err = db_get(s->core->db, FAMILY_ENTITY, &key, &value);
        if (err == HY_OK) {
            db_drop(&value);
            err = found_one(s, l, who, false, &stays);
        } else if (err == HY_ENOTFOUND) {
            err = HY_OK;
        }
    }
    return err;
}

/* ---- one group ---- */

/* Somebody left: tip, head, answer. */
static enum hy_err tell(struct sweeping *s, struct leaving *l, bool many)
{
    struct core *core = s->core;
    Hy__SweptGroup *out = hy_arena_alloc(&core->arena, sizeof *out);
    Hy__Msg *msg = NULL;
    enum hy_err err = out == NULL ? HY_ENOMEM : HY_OK;

    if (err != HY_OK)
        return err;
    l->tip.type = HY__TIP_TYPE__TIP_KICKED;
    l->tip.reason = (char *)"sweep";
    err = tip_append(core, &l->ref, "", &l->tip, &msg);
    hy__swept_group__init(out);
    out->group = l->in->group;
    out->type = (char *)l->ref.type->name;
    out->name = l->ref.group->info->name;
    out->member_version = l->ref.group->member_version;
    out->many = many;
    if (err == HY_OK && msg != NULL)
        err = tip_bytes(core, &out->tip);
    if (err == HY_OK)
        err = keep(core, &s->gone, &out->gone);
    if (err == HY_OK && !many)
        err = keep(core, &s->stayed, &out->stayed);
    if (err == HY_OK) {
        s->out.groups[s->out.n_groups++] = out;
        s->out.removed += (uint32_t)l->tip.n_members;
    }
    return err;
}

/* Is there such a group, and is it to be swept? */
static enum hy_err look(struct sweeping *s, const Hy__SweepGroup *in, struct leaving *l,
                        bool *swept)
{
    enum hy_err err;

    *swept = false;
    *l = (struct leaving){.in = in, .tip = HY__TIP_ELEM__INIT};
    if (!key_text_ok(in->group))
        return HY_OK;
    err = group_look(s->core, s->heads, s->app, in->group, &l->ref);
    if (err == HY_OK)
        *swept = group_swept(s->core, &l->ref);
    return err == HY_ENOTFOUND ? HY_OK : err;
}

/* Find those that there are. Of what is dissolved, or no longer to be swept, nothing is left to
 * do. */
static enum hy_err look_all(struct sweeping *s, const Hy__StoreSweepReq *in)
{
    enum hy_err err = HY_OK;

    for (size_t i = 0; i < in->n_groups && err == HY_OK; i++) {
        bool swept;

        err = look(s, in->groups[i], &s->groups[s->count], &swept);
        s->count += err == HY_OK && swept;
    }
    return err;
}

/* Who is to leave, from the list of names. */
static enum hy_err take_names(struct sweeping *s, struct leaving *l)
{
    const ProtobufCBinaryData *users = &l->in->users;
    const char *last = "";

    l->leavers = hy_arena_alloc(&s->core->arena, l->wanted * sizeof *l->leavers);
    l->tip.members = hy_arena_alloc(&s->core->arena, l->wanted * sizeof *l->tip.members);
    if (l->leavers == NULL || l->tip.members == NULL)
        return HY_ENOMEM;
    for (const char *user = hy_names_first(users->data, users->len); user != NULL;
         last = user, user = hy_names_next(users->data, users->len, user))
        if (strcmp(user, last) != 0)
            l->leavers[l->count++] = (struct leaver){user, strlen(user), false};
    return HY_OK;
}

static enum hy_err take_out(struct sweeping *s, struct leaving *l)
{
    enum hy_err err = HY_OK;

    l->listed = l->ref.group->rostered;
    l->others = l->ref.group->member_num - l->listed;
    if (l->listed > 0)
        err = read_roster(s, l);
    if (err == HY_OK && l->listed > 0)
        err = walk_roster(s, l);
    if (err == HY_OK && l->others > 0)
        err = l->others > WALK_MOST ? pick_rows(s, l) : walk_rows(s, l);
    if (err == HY_OK && l->ref.group->rostered < l->listed)
        err = write_roster(s, l);
    return err;
}

static enum hy_err sweep_group(struct sweeping *s, struct leaving *l)
{
    enum hy_err err;

    l->wanted = hy_names_count(l->in->users.data, l->in->users.len);
    if (l->wanted == 0 || l->wanted > TIP_MOST)
        return HY_OK;
    s->gone.len = s->stayed.len = s->kept.len = 0;
    err = take_names(s, l);
    if (err == HY_OK)
        err = take_out(s, l);
    s->out.absent += (uint32_t)(l->wanted - l->found);
    return err == HY_OK && l->tip.n_members > 0 ? tell(s, l, l->others > WALK_MOST) : err;
}

static int by_conversation(const void *a, const void *b)
{
    const struct leaving *const *x = a, *const *y = b;
    uint64_t m = (*x)->ref.group->conversation, n = (*y)->ref.group->conversation;

    if ((*x)->ref.home.slot != (*y)->ref.home.slot)
        return (*x)->ref.home.slot < (*y)->ref.home.slot ? -1 : 1;
    return m < n ? -1 : m > n;
}

static enum hy_err sweep_all(struct sweeping *s)
{
    struct leaving **order = hy_arena_alloc(&s->core->arena, (s->count + 1) * sizeof *order);
    enum hy_err err = order == NULL ? HY_ENOMEM : HY_OK;

    for (size_t i = 0; i < s->count && err == HY_OK; i++)
        order[i] = &s->groups[i];
    if (err == HY_OK && s->count > 0)
        qsort(order, s->count, sizeof(struct leaving *), by_conversation);
    for (size_t i = 0; i < s->count && err == HY_OK; i++)
        err = sweep_group(s, order[i]);
    return err;
}

/* ---- the request ---- */

static void write_rows(struct sweeping *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->groups[i].tip.n_members > 0)
            group_keep(s->core, &s->groups[i].ref);
    keys_delete(s->core, &s->rows);
}

/* A batch sees nothing of itself, so a group may come once. */
static bool well_formed(const Hy__StoreSweepReq *in)
{
    for (size_t i = 1; i < in->n_groups; i++)
        if (strcmp(in->groups[i - 1]->group, in->groups[i]->group) == 0)
            return false;
    return in->n_groups <= GROUPS_MOST;
}

/* Are all groups of slots that are served here? */
static bool has_all(struct core *core, const Hy__StoreSweepReq *in)
{
    for (size_t i = 0; i < in->n_groups; i++)
        if (key_text_ok(in->groups[i]->group) &&
            !core_needs(core, hy_slot_group(in->app, in->groups[i]->group)))
            return false;
    return true;
}

/* Some of each slot: are they so near to each other that a step from one's head to the next's is
 * likely, or a seek in the same block? */
static bool dense(uint32_t app, const Hy__StoreSweepReq *in)
{
    uint16_t first, last;

    if (in->n_groups == 0)
        return false;
    first = hy_slot_group(app, in->groups[0]->group);
    last = hy_slot_group(app, in->groups[in->n_groups - 1]->group);
    return last >= first && in->n_groups >= 2u * (last - first + 1u);
}

static enum hy_err open_walks(struct sweeping *s, bool heads)
{
    struct key first = {.len = 0}, end = {.len = 2, .bytes = {0xFF, 0xFF}};
    enum hy_err err = hy_buf_reserve(&s->gone, NAMES_ROOM);

    if (err == HY_OK)
        err = hy_buf_reserve(&s->stayed, NAMES_ROOM);
    if (err == HY_OK)
        err = db_scan_open(s->core->db, FAMILY_ENTITY, &first, &end, true, &s->rosters);
    if (err == HY_OK)
        err = db_scan_open(s->core->db, FAMILY_ENTITY, &first, &end, true, &s->members);
    if (err == HY_OK && heads)
        err = db_scan_open(s->core->db, FAMILY_ENTITY, &first, &end, true, &s->heads);
    return err;
}

static enum hy_err sweep(struct sweeping *s, const Hy__StoreSweepReq *in)
{
    struct hy_arena *arena = &s->core->arena;
    enum hy_err err;

    s->app = in->app;
    s->out.groups = hy_arena_alloc(arena, (in->n_groups + 1) * sizeof *s->out.groups);
    s->groups = hy_arena_alloc(arena, (in->n_groups + 1) * sizeof *s->groups);
    if (s->out.groups == NULL || s->groups == NULL)
        return HY_ENOMEM;
    err = open_walks(s, dense(in->app, in));
    if (err == HY_OK)
        err = look_all(s, in);
    if (err == HY_OK)
        err = sweep_all(s);
    db_scan_close(&s->heads);
    db_scan_close(&s->rosters);
    db_scan_close(&s->members);
    hy_buf_free(&s->gone);
    hy_buf_free(&s->stayed);
    hy_buf_free(&s->kept);
    return err;
}

void sweep_handle(struct core *core, const struct request *req)
{
    const Hy__StoreSweepReq *in = core_decode(core, req, &hy__store_sweep_req__descriptor);
    struct sweeping s = {.core = core, .out = HY__STORE_SWEEP_RES__INIT};
    enum hy_err err;

    if (in == NULL)
        return;
    if (!well_formed(in)) {
        core_refuse(core, req, HY_CODE_PARAM);
        return;
    }
    if (!has_all(core, in)) {
        core_refuse(core, req, HY_CODE_UNAVAILABLE);
        return;
    }
    err = sweep(&s, in);
    if (err != HY_OK) { /* some may be done already: the whole batch goes */
        batch_fail(core->batch, err);
        core_broken(core, req, err);
        return;
    }
    write_rows(&s);
    core_answer(core, req, &s.out.base);
}
