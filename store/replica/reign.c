/* Who leads: asking how far others are, taking over, claiming anew, handing over, stepping down. */

#include <stdio.h>
#include <string.h>

#include "store/replica/copy_int.h"

bool reign_led(const struct copy *c)
{
    return c->role == LEADING || c->role == HANDING;
}

/* Does the leader key name this copy? */
static bool key_is_mine(const struct copy *c)
{
    return c->state.led && copy_is_me(c, c->state.leader);
}

void reign_ask_change(struct copy *c, const struct copy_change *change)
{
    c->change = *change;
    c->changing = true;
    c->change_lease = c->lease_lost_count;
    c->out.change(c->ctx, &c->change);
}

void reign_end(struct copy *c, uint64_t now_ms)
{
    bool led = reign_led(c);

    c->role = FOLLOWING;
    c->claimed = false;
    c->rest_ms = now_ms + RETRY_MS;
    c->retry_ms = now_ms;
    c->dirty = c->latest > c->durable;
    marks_forget(&c->marks);
    for (size_t i = 0; i < c->peer_count; i++)
        feed_leave(&c->peers[i].feed);
    apply_again(&c->apply);
    if (led)
        c->out.follow(c->ctx, copy_leader(c));
}

/* ---- taking over ---- */

static bool member(const struct copy *c, const struct copy_id *id)
{
    return BROKEN(BROKEN_MEMBER) || !c->state.there || copies_have(&c->state.set, id);
}

static bool may_lead(const struct copy *c, uint64_t now_ms)
{
    const struct copy_state *s = &c->state;
    bool whole = !c->rebuilding || BROKEN(BROKEN_REBUILD);

    if (!c->open || c->busy || !whole || !s->known || s->led || !member(c, &c->config.me))
        return false;
    return s->heir[0] == '\0' || copy_is_me(c, s->heir) || now_ms >= c->heir_ms + HEIR_MS;
}

/* Does this reign come behind everything known here? */
static bool reign_ok(const struct copy *c, uint64_t epoch)
{
    return epoch >= c->apply.seen && epoch > epochs_last(&c->epochs);
}

static void ask(struct copy *c, uint64_t now_ms)
{
    c->role = ASKING;
    c->asked++;
    c->asked_ms = now_ms;
    c->take_ms = 0;
    for (size_t i = 0; i < c->peer_count; i++) {
        struct msg msg = {.kind = MSG_ASK, .epoch = c->apply.seen, .number = c->asked};

        c->peers[i].answered = false;
        copy_send(c, c->peers[i].node, &msg);
    }
}

void reign_asked(struct copy *c, const char *from, const struct msg *msg)
{
    struct msg answer = {.kind = MSG_PLACE,
                         .epoch = c->apply.seen,
                         .number = msg->number,
                         .id = c->config.me,
                         .place_count = 1,
                         .places = {{epochs_last(&c->epochs), c->latest}},
                         .rebuilding = c->rebuilding || c->busy};

    if (!c->open)
        return; /* it does not know yet */
    copy_send(c, from, &answer);
}

void reign_answered(struct copy *c, const char *from, const struct msg *msg)
{
    struct peer *peer = copy_find_peer(c, from);

    if (peer == NULL || c->role != ASKING || msg->number != c->asked || msg->place_count == 0)
        return;
    peer->answered = true;
    peer->rebuilding = msg->rebuilding;
    peer->id = msg->id;
    peer->place = msg->places[0];
}

/* Has everybody answered whose answer matters? */
static bool all_answered(const struct copy *c)
{
    for (size_t i = 0; i < c->peer_count; i++)
        if (!c->peers[i].answered &&
            (!c->state.there || copies_at(&c->state.set, c->peers[i].node) != NULL))
            return false;
    return true;
}

/* How many should go before this copy? */
static unsigned count_better(const struct copy *c)
{
    struct place mine = {epochs_last(&c->epochs), c->latest};
    unsigned better = 0;

    for (size_t i = 0; i < c->peer_count; i++) {
        const struct peer *p = &c->peers[i];
        int order = p->answered ? place_compare(p->place, mine) : -1;

        if (p->rebuilding || order < 0 || !member(c, &p->id))
            continue;
        better += order > 0 || strcmp(p->node, c->config.me.node) < 0;
    }
    return better;
}

/* Who is recorded stays so, under the boot of then: those who answered may have lost the end of
 * their logs since, and what this copy got back may not be on its disk yet. */
static void choose_set(const struct copy *c, struct copies *set)
{
    const struct copy_id *me = copies_at(&c->state.set, c->config.me.node);
    bool recorded = c->state.there && me != NULL && copy_id_same(me, &c->config.me);

    *set = (struct copies){0};
    copies_add(set, recorded ? me : &c->config.me);
    if (!c->state.there || copy_is_me(c, c->state.heir)) {
        copies_join(set, &c->state.set);
        return;
    }
    for (size_t i = 0; i < c->peer_count; i++)
        if (c->peers[i].answered && !c->peers[i].rebuilding &&
            copies_have(&c->state.set, &c->peers[i].id))
            copies_add(set, copies_at(&c->state.set, c->peers[i].node));
    if (set->count < c->config.min_insync)
        copies_join(set, &c->state.set);
}

static void take(struct copy *c)
{
    struct copy_change change = {
        .kind = CHANGE_TAKE, .state_there = c->state.there, .state_changed = c->state.changed};
    uint64_t table = epochs_last(&c->epochs);

    c->epoch = c->apply.seen > table ? c->apply.seen : table;
    if (c->state.epoch > c->epoch)
        c->epoch = c->state.epoch;
    change.epoch = ++c->epoch;
    choose_set(c, &change.set);
    c->role = TAKING;
    reign_ask_change(c, &change);
}

/* Has its machine started anew since this copy was recorded? Then the end of its log may be lost.
 */
static bool rebooted(const struct copy *c)
{
    const struct copy_id *recorded = copies_at(&c->state.set, c->config.me.node);

    if (!c->state.there || recorded == NULL || BROKEN(BROKEN_BOOT))
        return false;
    return !copy_id_ran_on(recorded, &c->config.me);
}

/* Is it known of every copy of the set that it has no more than this one? What started anew asks
 * for that, for a while: a copy that does not come back is as good as lost. */
static bool has_most(struct copy *c, uint64_t now_ms)
{
    struct place mine = {epochs_last(&c->epochs), c->latest};

    if (now_ms >= c->unled_ms + c->config.reboot_wait_ms)
        return true;
    for (size_t i = 0; i < c->state.set.count; i++) {
        const struct copy_id *id = &c->state.set.ids[i];
        const struct peer *peer = copy_find_peer(c, id->node);

        if (copy_is_me(c, id->node))
            continue;
        if (peer == NULL || !peer->answered)
            return false;
        if (copy_id_same(&peer->id, id) && !peer->rebuilding &&
            place_compare(peer->place, mine) > 0)
            return false;
    }
    return true;
}

static void candidate_tick(struct copy *c, uint64_t now_ms)
{
    if (!may_lead(c, now_ms)) {
        c->role = FOLLOWING;
        return;
    }
    if (rebooted(c) && !has_most(c, now_ms)) {
        if (now_ms >= c->asked_ms + ASK_MS)
            c->role = FOLLOWING; /* and asks again */
        return;
    }
    if (c->take_ms == 0 && (all_answered(c) || now_ms >= c->asked_ms + ASK_MS))
        c->take_ms = now_ms + (uint64_t)ASK_MS * count_better(c);
    if (c->take_ms != 0 && now_ms >= c->take_ms && !c->changing)
        take(c);
}

/* The outcome of taking over was not learned: ask for the same again, until the copy of the
 * coordinator's values tells. */
static void taking_tick(struct copy *c, uint64_t now_ms)
{
    if (c->changing)
        return;
    if (!may_lead(c, now_ms) || !reign_ok(c, c->epoch) ||
        c->state.changed != c->change.state_changed)
        c->role = FOLLOWING;
    else if (now_ms >= c->retry_ms)
        reign_ask_change(c, &c->change);
}

/* An heir has everything and need not ask. */
static bool inherit(struct copy *c, uint64_t now_ms)
{
    if (c->role != FOLLOWING || c->changing || !c->state.there || !copy_is_me(c, c->state.heir) ||
        rebooted(c) || now_ms < c->rest_ms || !may_lead(c, now_ms))
        return false;
    take(c);
    return true;
}

static void following_tick(struct copy *c, uint64_t now_ms)
{
    if (may_lead(c, now_ms) && now_ms >= c->rest_ms && !inherit(c, now_ms))
        ask(c, now_ms);
    /* A key of an earlier reign keeps others from leading. */
    if (key_is_mine(c) && !c->changing && now_ms >= c->retry_ms)
        reign_ask_change(c, &(struct copy_change){.kind = CHANGE_DROP,
                                                  .leader_created = c->state.leader_created});
}

/* ---- leading on ---- */

/* The key is gone, or it is not known whether it hangs on the lease there is. */
static void claim(struct copy *c)
{
    reign_ask_change(
        c, &(struct copy_change){.kind = CHANGE_CLAIM,
                                 .state_there = true,
                                 .state_changed = c->state.changed,
                                 .leader_created = c->state.led ? c->state.leader_created : 0,
                                 .epoch = c->epoch});
}

static bool is_silent(void *arg, const struct copy_id *id)
{
    struct copy *c = arg;
    const struct peer *peer = copy_find_peer(c, id->node);

    if (copy_id_same(id, &c->config.me))
        return false;
    if (peer == NULL || peer->leaving || (peer->feed.joined && !copy_id_same(&peer->feed.id, id)))
        return true; /* unknown, or its disk was replaced */
    return feed_silent(&peer->feed, c->now_ms, c->config.follower_timeout_ms);
}

static bool who_now(void *arg, const struct copy_id *id, struct copy_id *now)
{
    struct copy *c = arg;
    const struct peer *peer = copy_find_peer(c, id->node);

    if (copy_id_same(id, &c->config.me))
        *now = c->config.me;
    else if (peer == NULL || !peer->feed.joined || peer->feed.rebuilding ||
             !copy_id_same(&peer->feed.id, id))
        return false;
    else
        *now = peer->feed.id;
    return true;
}

/* A set whose outcome is unknown is asked for again, with the guards it had: at most one of all
 * the tries can succeed. */
static void change_set(struct copy *c)
{
    struct copy_change change = {.kind = CHANGE_SET, .state_there = true, .epoch = c->epoch};

    struct insync_asker asker = {lead_has, is_silent, who_now, c};

    insync_uncount(&c->insync, is_silent, c);
    if (c->insync.asked.count > 0) {
        change.set = c->insync.asked;
    } else {
        if (!insync_plan(&c->insync, &asker, &change.set))
            return;
        insync_ask(&c->insync, &change.set);
        c->set_changed = c->state.changed;
        c->set_created = c->state.leader_created;
    }
    change.state_changed = c->set_changed;
    change.leader_created = c->set_created;
    reign_ask_change(c, &change);
}

static void leading_tick(struct copy *c, uint64_t now_ms)
{
    reign_handing(c, now_ms);
    if (c->changing || !reign_led(c) || now_ms < c->retry_ms || c->state.epoch != c->epoch)
        return;
    if (!c->state.led || (key_is_mine(c) && !c->claimed))
        claim(c);
    else if (key_is_mine(c))
        change_set(c);
}

void reign_tick(struct copy *c, uint64_t now_ms)
{
    static void (*const ticks[])(struct copy *, uint64_t) = {
        [FOLLOWING] = following_tick, [ASKING] = candidate_tick, [TAKING] = taking_tick,
        [LEADING] = leading_tick,     [HANDING] = leading_tick,
    };

    c->now_ms = now_ms;
    ticks[c->role](c, now_ms);
}

/* ---- what the coordinator says ---- */

/* Which set counts becomes known when the state moved behind what was asked for, or when the
 * leader key that guarded it is another one now and the state did not move. */
static void settle(struct copy *c)
{
    if (c->insync.asked.count == 0)
        return;
    if (c->state.changed > c->set_changed ||
        (key_is_mine(c) && c->state.leader_created != c->set_created))
        insync_settle(&c->insync, &c->state.set);
}

static void note_heir(struct copy *c, uint64_t now_ms)
{
    if (c->state.led)
        c->unled_ms = 0;
    else if (c->unled_ms == 0)
        c->unled_ms = now_ms;
    if (c->state.led || c->state.heir[0] == '\0')
        c->heir_ms = 0;
    else if (c->heir_ms == 0)
        c->heir_ms = now_ms;
}

void reign_coordinated(struct copy *c, uint64_t now_ms)
{
    const struct copy_state *s = &c->state;
    /* Not what an earlier process of this name, maybe with another disk, left there. */
    bool mine = key_is_mine(c) && s->leader_epoch == c->epoch && s->epoch == c->epoch &&
                s->changed > c->change.state_changed && copies_have(&s->set, &c->config.me);

    note_heir(c, now_ms);
    if (c->role == TAKING && mine && c->open && !c->busy && reign_ok(c, c->epoch)) {
        c->claimed = c->changing && c->change_lease == c->lease_lost_count;
        c->apply.seen = c->epoch;
        lead_begin(c, now_ms, &s->set);
        return;
    }
    copy_saw(c, now_ms, s->epoch);
    if (s->led)
        copy_saw(c, now_ms, s->leader_epoch);
    (void)inherit(c, now_ms);
    if (!reign_led(c))
        return;
    if (s->epoch != c->epoch)
        return;
    if (c->role == HANDING && s->heir[0] != '\0')
        reign_end(c, now_ms);
    else
        settle(c);
}

static void rest(struct copy *c, uint64_t now_ms)
{
    uint64_t spread = 0; /* that no two wait alike */

    for (const char *at = c->config.me.node; *at != '\0'; at++)
        spread = spread * 31 + (unsigned char)*at;
    c->role = FOLLOWING;
    c->rest_ms = now_ms + 50 + spread % 100;
}

void reign_changed(struct copy *c, uint64_t now_ms, enum hy_err err)
{
    enum change_kind kind = c->change.kind;

    if (kind == CHANGE_CLAIM && reign_led(c) && err == HY_OK && key_is_mine(c))
        c->claimed = c->change_lease == c->lease_lost_count;
    if (kind == CHANGE_TAKE && c->role == TAKING && err != HY_ETIMEOUT)
        rest(c, now_ms); /* HY_OK: it came too late for this copy */
    if (kind == CHANGE_RELEASE && c->role == HANDING) {
        if (err == HY_ETIMEOUT)
            reign_end(c, now_ms);
        else if (err != HY_OK)
            c->role = LEADING;
    }
    if (err != HY_OK)
        c->retry_ms = now_ms + RETRY_MS;
}

/* ---- handing over ---- */

static bool may_inherit(struct copy *c, const struct copy_id *id)
{
    const struct peer *peer = copy_find_peer(c, id->node);

    return peer != NULL && !peer->leaving && peer->feed.joined && !peer->feed.rebuilding &&
           copy_id_ran_on(&peer->feed.id, id);
}

enum hy_err copy_hand_over(struct copy *copy, uint64_t now_ms, const char *to, bool leaving)
{
    const struct copies *set = &copy->insync.recorded;
    const struct copy_id *heir = NULL;

    if (copy->role != LEADING || !key_is_mine(copy))
        return HY_EDENIED;
    for (size_t i = 0; i < set->count; i++) {
        const struct copy_id *id = &set->ids[i];

        if (copy_is_me(copy, id->node) || !may_inherit(copy, id) ||
            (*to != '\0' && strcmp(to, id->node) != 0))
            continue;
        if (heir == NULL || lead_has(copy, id) > lead_has(copy, heir))
            heir = id;
    }
    if (heir == NULL)
        return HY_EDENIED;
    snprintf(copy->handing_to, sizeof copy->handing_to, "%s", heir->node);
    copy->handing_ms = now_ms;
    copy->leaving = leaving;
    copy->role = HANDING;
    lead_beat(copy, now_ms);
    copy->handing_stamp = copy->stamp;
    return HY_OK;
}

/* Let go as soon as everything has passed and the heir has it all, and was heard since: who was not
 * may have lost its disk. The same for all who are left when this copy leaves, and none is left
 * alone in the set: it may be lost between its ack and this change. */
void reign_handing(struct copy *c, uint64_t now_ms)
{
    const struct peer *heir = copy_find_peer(c, c->handing_to);
    struct copy_change change = {.kind = CHANGE_RELEASE,
                                 .state_there = true,
                                 .state_changed = c->state.changed,
                                 .leader_created = c->state.leader_created,
                                 .epoch = c->epoch,
                                 .set = c->insync.recorded};

    if (c->role != HANDING || c->changing)
        return;
    if (now_ms > c->handing_ms + HANDOVER_MS || heir == NULL) {
        c->role = LEADING;
        return;
    }
    if (!key_is_mine(c) || c->insync.asked.count > 0 || c->marks.count > 0 || !heir->feed.joined ||
        c->insync.commit < c->latest || heir->feed.acked < c->latest ||
        heir->feed.stamp < c->handing_stamp)
        return;
    if (c->leaving && change.set.count > c->config.min_insync && change.set.count > 2 &&
        lead_proven(c) >= c->handing_stamp)
        copies_remove(&change.set, &c->config.me);
    snprintf(change.heir, sizeof change.heir, "%s", c->handing_to);
    c->claimed = false; /* from here on others may lead */
    reign_ask_change(c, &change);
}
