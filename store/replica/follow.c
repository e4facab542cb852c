/* The follower's side of the stream. */

#include <string.h>

#include "store/replica/copy_int.h"

static void join(struct copy *c, uint64_t now_ms)
{
    struct msg msg = {.kind = MSG_JOIN,
                      .epoch = c->apply.epoch,
                      .number = c->apply.number,
                      .id = c->config.me,
                      .rebuilding = c->rebuilding,
                      .place_count = 1 + c->place_count,
                      .places = {{epochs_last(&c->epochs), c->latest}}};

    if (!c->open || c->busy || c->apply.leader[0] == '\0')
        return;
    memcpy(msg.places + 1, c->places, c->place_count * sizeof *c->places);
    c->joined_ms = now_ms;
    copy_send(c, c->apply.leader, &msg);
}

static void turn_to(struct copy *c, uint64_t now_ms, const char *leader, uint64_t epoch)
{
    copy_saw(c, now_ms, epoch); /* a reign of our own ends here */
    if (c->role == TAKING && c->epoch <= epoch)
        c->role = FOLLOWING;
    apply_follow(&c->apply, leader, epoch);
    c->out.follow(c->ctx, copy_leader(c));
    join(c, now_ms);
}

void follow_coordinated(struct copy *c, uint64_t now_ms)
{
    const struct copy_state *s = &c->state;

    if (reign_led(c) || !s->led || copy_is_me(c, s->leader) || s->leader_epoch < c->apply.seen)
        return;
    if (s->leader_epoch != c->apply.epoch || strcmp(s->leader, c->apply.leader) != 0)
        turn_to(c, now_ms, s->leader, s->leader_epoch);
}

static void on_start(struct copy *c, uint64_t now_ms, const struct msg *msg)
{
    (void)now_ms;
    if (!c->open || c->busy)
        return;
    c->apply.reign = msg->reign;
    if (msg->choice == 0) {
        c->apply.streaming = true;
        return;
    }
    if (msg->choice > (int)c->place_count)
        return;
    c->busy = true;
    c->rebuilding = true;
    if (msg->choice > 0)
        c->out.go_back(c->ctx, (size_t)msg->choice - 1);
    else
        c->out.fetch(c->ctx, c->apply.leader);
}

static void on_batch(struct copy *c, uint64_t now_ms, const struct msg *msg)
{
    const struct batch_ref *batch = &msg->batch;

    if (!c->open || c->busy)
        return;
    if (batch->count == 0 || (batch->reign != 0 && batch->reign <= epochs_last(&c->epochs)) ||
        c->out.write(c->ctx, batch) != HY_OK ||
        (batch->reign != 0 && epochs_add(&c->epochs, batch->reign, batch->first) != HY_OK)) {
        apply_again(&c->apply);
        c->joined_ms = now_ms;
        return;
    }
    c->latest = batch_last(batch);
    c->dirty = true;
}

static void refuse(struct copy *c, const char *from)
{
    struct msg msg = {.kind = MSG_REFUSED, .epoch = c->apply.seen};

    copy_send(c, from, &msg);
}

static void obey(struct copy *c, uint64_t now_ms, const struct msg *msg, enum verdict verdict)
{
    if (msg->kind == MSG_START)
        on_start(c, now_ms, msg);
    else if (msg->kind == MSG_BATCH && verdict == APPLY_WRITE)
        on_batch(c, now_ms, msg);
    if (msg->commit > c->apply.commit)
        c->apply.commit = msg->commit;
    if (msg->stamp > c->apply.stamp)
        c->apply.stamp = msg->stamp;
    c->acks = true;
}

/* BROKEN_EPOCH: whoever sends is obeyed. */
static bool obey_anybody(struct copy *c, uint64_t now_ms, const char *from, const struct msg *msg)
{
    struct msg ack = {
        .kind = MSG_ACK, .epoch = msg->epoch, .number = msg->number, .stamp = msg->stamp};

    if (!BROKEN(BROKEN_EPOCH) || msg->epoch >= c->apply.seen || msg->kind == MSG_START)
        return false;
    if (msg->kind == MSG_BATCH && msg->batch.first == c->latest + 1)
        on_batch(c, now_ms, msg);
    ack.seq = c->durable;
    copy_send(c, from, &ack);
    return true;
}

void follow_told(struct copy *c, uint64_t now_ms, const char *from, const struct msg *msg)
{
    enum verdict verdict = apply_judge(&c->apply, from, msg, c->latest);

    if (reign_led(c) && msg->epoch == c->epoch)
        return; /* nobody else has this reign */
    if (obey_anybody(c, now_ms, from, msg))
        return;
    switch (verdict) {
    case APPLY_REFUSE:
        refuse(c, from);
        break;
    case APPLY_TURN:
        turn_to(c, now_ms, from, msg->epoch);
        break;
    case APPLY_IGNORE: /* the leader does not know of this try: it was lost, or came too early */
        if (msg->kind == MSG_BEAT && msg->number != c->apply.number)
            join(c, now_ms);
        break;
    case APPLY_WRITE:
    case APPLY_HAVE:
        obey(c, now_ms, msg, verdict);
        break;
    case APPLY_GAP:
        apply_again(&c->apply);
        join(c, now_ms);
        break;
    }
}

void follow_tick(struct copy *c, uint64_t now_ms)
{
    if (!c->apply.streaming && now_ms >= c->joined_ms + JOIN_MS)
        join(c, now_ms);
}

void follow_turn(struct copy *c, uint64_t now_ms)
{
    struct msg msg = {.kind = MSG_ACK,
                      .epoch = c->apply.epoch,
                      .number = c->apply.number,
                      .stamp = c->apply.stamp,
                      .seq = BROKEN(BROKEN_SYNC) ? c->latest : c->durable};

    (void)now_ms;
    if (c->rebuilding && c->open && !c->busy && apply_whole(&c->apply, c->durable)) {
        c->rebuilding = false;
        c->out.whole(c->ctx);
    }
    if (!c->acks || !c->apply.streaming)
        return;
    c->acks = false;
    msg.rebuilding = c->rebuilding;
    copy_send(c, c->apply.leader, &msg);
}
