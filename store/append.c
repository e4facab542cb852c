/* append - messages into a conversation: membership, mutes, rate, retries, place, unread. */

#include <string.h>

#include "common/clock.h"
#include "store/expire.h"
#include "store/group.h"
#include "store/handlers.h"
#include "store/member.h"
#include "store/pair.h"
#include "store/recent.h"
#include "store/value.h"

enum { HEARERS_MOST = 100 }; /* members that are told of with a message */

/* One AppendReq under way. */
struct append {
    struct core *core;
    const struct request *req;
    const Hy__AppendReq *in;
    Hy__AppendRes out;
    Hy__AppendResult *results;
    uint64_t now_ms;
    unsigned woken;          /* sides of a pair that was quiet */
    struct telling *telling; /* what the answer waits for */
};

static void refuse_one(Hy__AppendResult *r, uint32_t code)
{
    r->code = code;
    r->info = (char *)hy_code_text(code);
}

static void refuse_all(struct append *a, uint32_t code)
{
    for (size_t i = 0; i < a->in->n_items; i++)
        refuse_one(&a->results[i], code);
}

static void accept_one(Hy__AppendResult *r, struct place place)
{
    r->seq = place.seq;
    r->time_ms = place.time_ms;
}

/* ---- retries ---- */

enum verdict { FRESH, KNOWN }; /* KNOWN: the result is filled in */

static enum verdict compare(const Hy__AppendItem *item, uint64_t hash, struct place first,
                            Hy__AppendResult *r)
{
    if (hash != item->hash) {
        refuse_one(r, HY_CODE_CLIENT_ID_REUSED);
        return KNOWN;
    }
    accept_one(r, first);
    r->duplicate = true;
    return KNOWN;
}

static uint64_t window_ms(const Hy__AppendItem *item)
{
    return item->dedupe_s == 0 ? EXPIRE_DEDUPE_MS : (uint64_t)item->dedupe_s * 1000;
}

/* Was it stored before? A failed look-up is an answer too: nobody may store what may be there. */
static enum verdict seen_before(struct append *a, const struct key *key, const Hy__AppendItem *item,
                                Hy__AppendResult *r)
{
    Hy__DedupeRow *row;
    enum hy_err err = core_dedupe(a->core, key, &row);

    if (err != HY_OK) {
        refuse_one(r, core_code(err));
        return KNOWN;
    }
    if (row == NULL || a->now_ms > row->time_ms + window_ms(item))
        return FRESH;
    return compare(item, row->body_hash, (struct place){row->seq, row->time_ms}, r);
}

static enum verdict seen_live(struct append *a, const struct key *key, const Hy__AppendItem *item,
                              Hy__AppendResult *r)
{
    struct recent_item first;

    if (!recent_find(a->core->recent, key, &first) || a->now_ms > first.time_ms + window_ms(item))
        return FRESH;
    return compare(item, first.body_hash, (struct place){first.seq, first.time_ms}, r);
}

/* ---- rows ---- */

static void put_message(struct append *a, const struct convlog *log, struct place place,
                        const Hy__AppendItem *item, const char *name_card)
{
    struct core *core = a->core;
    struct key key;

    core->scratch.len = 0;
    if (value_put_log(&core->scratch, item->flags, place.seq, place.time_ms, item->msg.data,
                      item->msg.len, name_card) != HY_OK) {
        batch_fail(core->batch, HY_ENOMEM);
        return;
    }
    convlog_key(log, place.seq, &key);
    batch_put(core->batch, FAMILY_LOG, &key, core->scratch.data, core->scratch.len);
    core->messages++;
}

static void put_dedupe(struct append *a, const struct key *key, struct place place,
                       const Hy__AppendItem *item)
{
    Hy__DedupeRow row = HY__DEDUPE_ROW__INIT;

    row.seq = place.seq;
    row.time_ms = place.time_ms;
    row.body_hash = item->hash;
    core_dedupe_put(a->core, key, &row);
}

static bool item_bad(const Hy__AppendItem *item, Hy__AppendResult *r)
{
    bool bad = (*item->client_id != '\0' && !key_text_ok(item->client_id)) ||
               (item->flags & HY__MSG_FLAG__MSG_ONLINE_ONLY) != 0;

    if (bad)
        refuse_one(r, HY_CODE_PARAM);
    return bad;
}

/* Nothing new while the disk is full; what was kept before is still told, or its retry would look
 * refused. */
static bool no_room(const struct append *a, Hy__AppendResult *r)
{
    if (a->core->full)
        refuse_one(r, HY_CODE_DISK_FULL);
    return a->core->full;
}

/* ---- C2C ---- */

static void append_to_pair(struct append *a, struct pair_ref *ref, const Hy__AppendItem *item,
                           Hy__AppendResult *r)
{
    bool self = strcmp(a->in->from, a->in->to) == 0;
    bool named = *item->client_id != '\0';
    unsigned sides = 3;
    bool wakes;
    struct convlog log;
    struct place place;
    struct key key;
    enum hy_err err;

    if (item_bad(item, r) || (ref->pair == NULL && no_room(a, r)))
        return;
    err = pair_make(a->core, ref);
    if (err != HY_OK) {
        refuse_one(r, core_code(err));
        return;
    }
    if (named) {
        key_sent(&key, ref->home, ref->pair->conversation, a->in->from, item->client_id);
        if (seen_before(a, &key, item, r) == KNOWN)
            return;
    }
    if (no_room(a, r))
        return;
    log = pair_log(ref);
    wakes = pair_wakes(ref->pair, a->now_ms);
    place = pair_take(ref->pair, ref->side, self, item->flags, a->now_ms);
    rows_touch(a->core->rows, ref->row);
    put_message(a, &log, place, item, NULL);
    if (named)
        put_dedupe(a, &key, place, item);
    if ((item->flags & HY__MSG_FLAG__MSG_NO_SELF_SYNC) != 0 && !self)
        sides = 1u << (1 - ref->side);
    pair_show(a->core, ref, sides);
    if (wakes)
        a->woken |= sides;
    accept_one(r, place);
}

static void append_c2c(struct append *a)
{
    struct pair_ref ref;
    enum hy_err err;

    if (!key_text_ok(a->in->from) || !key_text_ok(a->in->to)) {
        refuse_all(a, HY_CODE_C2C_ACCOUNT);
        return;
    }
    if (!core_needs(a->core, hy_slot_pair(a->in->app, a->in->from, a->in->to))) {
        refuse_all(a, HY_CODE_UNAVAILABLE);
        return;
    }
    err = pair_find(a->core, a->in->app, a->in->from, a->in->to, &ref);
    if (err != HY_OK) {
        refuse_all(a, core_code(err));
        return;
    }
    for (size_t i = 0; i < a->in->n_items; i++)
        append_to_pair(a, &ref, a->in->items[i], &a->results[i]);
    a->telling = pair_telling(a->core, &ref, a->woken);
}

/* ---- groups ---- */

/* The sender as the group sees them. */
struct sender {
    struct row *row;
    Hy__Role role;
    uint32_t rate;
    uint32_t refusal; /* why they may not say anything new; 0: they may */
};

/* May they say anything here at all? 0 or a code. */
static uint32_t may_send(const struct append *a, const struct group_ref *ref,
                         const struct sender *sender, uint64_t muted_until_s)
{
    bool member = sender->role != HY__ROLE__ROLE_NONE || (ref->type->live && a->in->in_room);

    if (!a->in->admin && (ref->type->only_admin_sends || !member))
        return HY_CODE_GROUP_DENIED;
    if (muted_until_s != 0)
        return HY_CODE_GROUP_MUTED;
    if (ref->group->info->mute_all && !a->in->admin && sender->role < HY__ROLE__ROLE_ADMIN)
        return HY_CODE_GROUP_MUTED;
    return HY_CODE_OK;
}

/* Over the group's rate a client is told; a REST call succeeds without effect (it counts on it). */
static bool over_rate(struct append *a, struct group_ref *ref, const struct sender *sender,
                      const Hy__AppendItem *item, Hy__AppendResult *r)
{
    if (item->priority == 1 || sender->role >= HY__ROLE__ROLE_ADMIN)
        return false;
    if (group_rate(group_rate_notes(ref), sender->rate, item->priority, a->now_ms))
        return false;
    if (a->in->admin)
        r->dropped = true;
    else
        refuse_one(r, HY_CODE_GROUP_MSG_RATE);
    return true;
}

static void keep_message(struct append *a, struct group_ref *ref, const struct sender *sender,
                         const struct key *key, const Hy__AppendItem *item, Hy__AppendResult *r,
                         struct place place)
{
    Hy__Member *member = sender->row == NULL ? NULL : (Hy__Member *)sender->row->msg;
    const char *card = member == NULL ? "" : member->name_card;
    struct convlog log = group_log(ref);

    put_message(a, &log, place, item, card);
    if (*item->client_id != '\0')
        put_dedupe(a, key, place, item);
    if (member == NULL)
        return;
    r->name_card = member->name_card;
    member->last_send_s = place.time_ms / 1000;
    member->counted += (item->flags & HY__MSG_FLAG__MSG_NO_UNREAD) == 0; /* not unread to oneself */
    member_touch(a->core, ref, sender->row);
}

static void append_to_group(struct append *a, struct group_ref *ref, const struct sender *sender,
                            const Hy__AppendItem *item, Hy__AppendResult *r)
{
    struct recent_item live;
    struct place place;
    struct key key;
    enum verdict verdict = FRESH;

    if (item_bad(item, r))
        return;
    if (*item->client_id != '\0') {
        key_sent(&key, ref->home, ref->group->conversation, a->in->from, item->client_id);
        verdict = ref->type->live ? seen_live(a, &key, item, r) : seen_before(a, &key, item, r);
    }
    if (verdict == KNOWN)
        return; /* the first answer, whatever became of the sender since */
    if (sender->refusal != HY_CODE_OK) {
        refuse_one(r, sender->refusal);
        return;
    }
    if (no_room(a, r) || over_rate(a, ref, sender, item, r))
        return;
    place = group_take(a->core, ref, item->flags);
    accept_one(r, place);
    if (!ref->type->live) {
        keep_message(a, ref, sender, &key, item, r, place);
    } else if (*item->client_id != '\0') {
        live = (struct recent_item){place.seq, place.time_ms, item->hash};
        recent_put(a->core->recent, &key, &live);
    }
}

/* Who is to be told, for a router without a route: asked for now, it is one walk here, in place of
 * a call of its own, and passes by the sender. Not when the database is not what the answer says,
 * and not of many, which the next message would wait for. */
static void put_members(struct append *a, const struct group_ref *ref)
{
    struct core *core = a->core;
    struct hearers *hearers = &core->hearers;
    struct hearers_asker asker = {core->rows, a->in->from};

    if (!a->in->wants_members || core->members_changed || ref->type->live ||
        ref->group->member_num > HEARERS_MOST ||
        hearers_read(core->db, ref->home, ref->group, asker, hearers) != HY_OK)
        return; /* it will ask */
    a->out.hearing = (ProtobufCBinaryData){hearers->hearing.len, hearers->hearing.data};
    a->out.deaf = (ProtobufCBinaryData){hearers->deaf.len, hearers->deaf.data};
}

/* Everything about group and sender that can be looked up; 0 or a code. What the sender may not do
 * is noted only: what was stored before is still told. */
static uint32_t look_up(struct append *a, struct group_ref *ref, struct sender *sender)
{
    const Hy__App *app = hy_apps_find(a->core->apps, a->in->app);
    uint64_t muted;
    enum hy_err err;

    if (!key_text_ok(a->in->to))
        return HY_CODE_GROUP_UNKNOWN;
    if (!key_text_ok(a->in->from))
        return HY_CODE_GROUP_ACCOUNT;
    if (!core_needs(a->core, hy_slot_group(a->in->app, a->in->to)))
        return HY_CODE_UNAVAILABLE;
    err = group_find(a->core, a->in->app, a->in->to, ref);
    if (err == HY_ENOTFOUND)
        return HY_CODE_GROUP_UNKNOWN;
    if (err != HY_OK)
        return core_code(err);
    put_members(a, ref);
    err = member_find(a->core, ref, a->in->from, &sender->row);
    if (err == HY_OK)
        err = mute_until(a->core, ref, a->in->from, a->now_ms / 1000, &muted);
    if (err != HY_OK)
        return core_code(err);
    sender->role = member_role(sender->row);
    sender->rate = app == NULL ? 40 : app->group_rate;
    sender->refusal = may_send(a, ref, sender, muted);
    return HY_CODE_OK;
}

static void append_group(struct append *a)
{
    struct group_ref ref = {0};
    struct sender sender = {0};
    uint32_t code = look_up(a, &ref, &sender);

    if (code != HY_CODE_OK || sender.refusal != HY_CODE_OK)
        a->out.hearing = a->out.deaf = (ProtobufCBinaryData){0};
    if (code != HY_CODE_OK) {
        refuse_all(a, code);
        return;
    }
    for (size_t i = 0; i < a->in->n_items; i++)
        append_to_group(a, &ref, &sender, a->in->items[i], &a->results[i]);
    a->out.member_version = ref.group->member_version;
    a->out.group_type = (char *)ref.type->name;
    a->out.group_name = ref.group->info->name;
}

void append_handle(struct core *core, const struct request *req)
{
    struct append a = {.core = core, .req = req, .out = HY__APPEND_RES__INIT};

    a.in = core_decode(core, req, &hy__append_req__descriptor);
    if (a.in == NULL)
        return;
    a.now_ms = core_now(core);
    a.results = hy_arena_alloc(&core->arena, (a.in->n_items + 1) * sizeof *a.results);
    a.out.results = hy_arena_alloc(&core->arena, (a.in->n_items + 1) * sizeof *a.out.results);
    if (a.results == NULL || a.out.results == NULL) {
        core_broken(core, req, HY_ENOMEM);
        return;
    }
    for (size_t i = 0; i < a.in->n_items; i++) {
        hy__append_result__init(&a.results[i]);
        a.out.results[i] = &a.results[i];
    }
    a.out.n_results = a.in->n_items;
    if (a.in->conv_type == HY__CONV_TYPE__CONV_C2C)
        append_c2c(&a);
    else if (a.in->conv_type == HY__CONV_TYPE__CONV_GROUP)
        append_group(&a);
    else
        refuse_all(&a, HY_CODE_PARAM);
    if (answers_add(core->answers, req, &a.out.base, a.in->n_items) != HY_OK)
        batch_fail(core->batch, HY_ENOMEM);
    else if (a.telling != NULL)
        answers_wait(core->answers, a.telling);
}
