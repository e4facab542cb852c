#include "store/replica/copy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/replica/copy_int.h"

enum hy_err copy_open(const struct copy_config *config, const struct copy_out *out, void *ctx,
                      struct copy **copy)
{
    struct copy *c = calloc(1, sizeof *c);

    if (c == NULL)
        return HY_ENOMEM;
    c->config = *config;
    c->out = *out;
    c->ctx = ctx;
    c->apply.number = config->number;
    c->asked = config->number;
    *copy = c;
    return HY_OK;
}

void copy_close(struct copy **copy)
{
    if (*copy == NULL)
        return;
    epochs_clear(&(*copy)->epochs);
    marks_close(&(*copy)->marks);
    free(*copy);
    *copy = NULL;
}

struct peer *copy_find_peer(struct copy *c, const char *node)
{
    for (size_t i = 0; i < c->peer_count; i++)
        if (strcmp(c->peers[i].node, node) == 0)
            return &c->peers[i];
    return NULL;
}

bool copy_is_me(const struct copy *c, const char *node)
{
    return strcmp(c->config.me.node, node) == 0;
}

/* Losing one is harmless: all are said again, but for batches, which lead_pump() sends. */
void copy_send(struct copy *c, const char *node, struct msg *msg)
{
    enum hy_err lost = c->out.send(c->ctx, node, msg);

    (void)lost;
}

void copy_saw(struct copy *c, uint64_t now_ms, uint64_t epoch)
{
    if (epoch <= c->apply.seen)
        return;
    c->apply.seen = epoch;
    if (reign_led(c) && epoch > c->epoch)
        reign_end(c, now_ms);
}

/* ---- what happens ---- */

void copy_peer(struct copy *copy, uint64_t now_ms, const char *node)
{
    struct peer *peer;

    if (copy_is_me(copy, node) || copy_find_peer(copy, node) != NULL ||
        copy->peer_count == COPIES_MAX)
        return;
    peer = &copy->peers[copy->peer_count++];
    *peer = (struct peer){0};
    snprintf(peer->node, sizeof peer->node, "%s", node);
    feed_begin(&peer->feed, now_ms);
}

static enum hy_err take_table(struct copy *c, const struct epochs *epochs)
{
    enum hy_err err = HY_OK;

    epochs_clear(&c->epochs);
    for (size_t i = 0; i < epochs->count && err == HY_OK; i++)
        err = epochs_add(&c->epochs, epochs->rows[i].epoch, epochs->rows[i].first);
    return err;
}

void copy_opened(struct copy *copy, uint64_t now_ms, const struct copy_disk *disk)
{
    copy->open = take_table(copy, disk->epochs) == HY_OK;
    copy->busy = false;
    copy->dirty = false;
    copy->rebuilding = disk->rebuilding;
    copy->latest = disk->latest;
    copy->durable = disk->latest;
    copy->place_count = disk->place_count;
    memcpy(copy->places, disk->places, disk->place_count * sizeof *disk->places);
    copy_saw(copy, now_ms, epochs_last(&copy->epochs));
    apply_again(&copy->apply);
    copy->joined_ms = 0;
}

void copy_closed(struct copy *copy, uint64_t now_ms)
{
    copy->open = false;
    if (reign_led(copy))
        reign_end(copy, now_ms);
    else if (copy->role != FOLLOWING)
        copy->role = FOLLOWING;
    apply_again(&copy->apply);
}

void copy_checkpoint(struct copy *copy, struct place place)
{
    size_t most = sizeof copy->places / sizeof *copy->places;

    if (copy->place_count < most)
        copy->place_count++;
    memmove(copy->places + 1, copy->places, (copy->place_count - 1) * sizeof *copy->places);
    copy->places[0] = place;
}

void copy_coordinated(struct copy *copy, uint64_t now_ms, const struct copy_state *state)
{
    copy->state = *state;
    reign_coordinated(copy, now_ms);
    follow_coordinated(copy, now_ms);
}

void copy_changed(struct copy *copy, uint64_t now_ms, enum hy_err err)
{
    copy->changing = false;
    reign_changed(copy, now_ms, err);
}

void copy_lease_lost(struct copy *copy, uint64_t now_ms)
{
    (void)now_ms;
    copy->lease_lost_count++;
    copy->claimed = false;
}

void copy_received(struct copy *copy, uint64_t now_ms, const char *from, const struct msg *msg)
{
    if (copy_is_me(copy, from))
        return;
    copy_peer(copy, now_ms, from);
    switch (msg->kind) {
    case MSG_ASK:
        reign_asked(copy, from, msg);
        break;
    case MSG_PLACE:
        copy_saw(copy, now_ms, msg->epoch);
        reign_answered(copy, from, msg);
        break;
    case MSG_JOIN:
        lead_joined(copy, now_ms, from, msg);
        break;
    case MSG_ACK:
        lead_acked(copy, now_ms, from, msg);
        break;
    case MSG_REFUSED:
        copy_saw(copy, now_ms, msg->epoch);
        break;
    case MSG_START:
    case MSG_BATCH:
    case MSG_BEAT:
        follow_told(copy, now_ms, from, msg);
        break;
    case MSG_KINDS:
        break;
    }
}

void copy_wrote(struct copy *copy, uint64_t now_ms, const struct batch_ref *batch)
{
    (void)now_ms;
    copy->latest = batch_last(batch);
    if (batch->reign != 0 && epochs_add(&copy->epochs, batch->reign, batch->first) != HY_OK)
        abort(); /* reign_ok() compared */
    for (size_t i = 0; i < copy->peer_count; i++)
        lead_pump(copy, &copy->peers[i]);
}

void copy_synced(struct copy *copy, uint64_t now_ms, uint64_t seq)
{
    if (seq > copy->durable)
        copy->durable = seq;
    copy->acks = true;
    if (reign_led(copy))
        lead_look(copy, now_ms);
}

void copy_readable(struct copy *copy, uint64_t now_ms, const char *node)
{
    struct peer *peer = copy_find_peer(copy, node);

    (void)now_ms;
    if (peer != NULL)
        lead_pump(copy, peer);
}

void copy_turn(struct copy *copy, uint64_t now_ms)
{
    if (copy->dirty && copy->open && !copy->busy) {
        copy->dirty = false;
        copy->out.sync(copy->ctx);
    }
    if (reign_led(copy))
        lead_turn(copy, now_ms);
    else
        follow_turn(copy, now_ms);
}

void copy_tick(struct copy *copy, uint64_t now_ms)
{
    reign_tick(copy, now_ms);
    if (reign_led(copy))
        lead_tick(copy, now_ms);
    else
        follow_tick(copy, now_ms);
    copy_turn(copy, now_ms);
}

/* ---- what the store asks ---- */

bool copy_leads(const struct copy *copy)
{
    return copy->role == LEADING;
}

const char *copy_leader(const struct copy *copy)
{
    const struct copy_state *s = &copy->state;

    if (reign_led(copy))
        return copy->config.me.node;
    if (s->led && s->leader_epoch >= copy->apply.epoch && !copy_is_me(copy, s->leader))
        return s->leader;
    return copy->apply.epoch > s->epoch ? copy->apply.leader : "";
}

uint64_t copy_mark(struct copy *copy, uint64_t now_ms)
{
    if (!reign_led(copy))
        return UINT64_MAX;
    if (copy->marks.count == 0 && copy->latest <= copy->insync.commit && lead_trusted(copy, now_ms))
        return copy->marks.passed;
    return marks_add(&copy->marks, copy->latest, copy->stamp + 1, now_ms);
}

bool copy_passed(const struct copy *copy, uint64_t mark)
{
    return marks_passed(&copy->marks, mark);
}

bool copy_stalled(const struct copy *copy, uint64_t now_ms)
{
    const struct mark *oldest = marks_oldest(&copy->marks);

    return oldest != NULL && now_ms > oldest->made_ms + copy->config.follower_timeout_ms + STALL_MS;
}

void copy_leaving(struct copy *copy, const char *node, bool leaving)
{
    struct peer *peer = copy_find_peer(copy, node);

    if (peer != NULL)
        peer->leaving = leaving;
}

/* ---- for metrics ---- */

void copy_look(const struct copy *copy, struct copy_view *view)
{
    static const char *const roles[] = {"following", "asking", "taking", "leading", "handing"};

    *view = (struct copy_view){.role = roles[copy->role],
                               .epoch = reign_led(copy) ? copy->epoch : copy->apply.seen,
                               .latest = copy->latest,
                               .durable = copy->durable,
                               .commit = reign_led(copy) ? copy->insync.commit : copy->apply.commit,
                               .insync = reign_led(copy) ? copy->insync.recorded.count
                                                         : copy->state.set.count,
                               .rebuilding = copy->rebuilding || copy->busy,
                               .streaming = copy->apply.streaming};
}

bool copy_follower(const struct copy *copy, const char *node, uint64_t now_ms, uint64_t *acked,
                   uint64_t *behind_ms)
{
    for (size_t i = 0; i < copy->peer_count; i++) {
        const struct peer *peer = &copy->peers[i];

        if (strcmp(peer->node, node) != 0 || !reign_led(copy) || !peer->feed.joined)
            continue;
        *acked = peer->feed.acked;
        *behind_ms = peer->feed.acked >= copy->latest ? 0 : now_ms - peer->feed.caught_ms;
        return true;
    }
    return false;
}
