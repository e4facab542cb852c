/* The leader's side of the stream: feeding followers, committing, letting marks pass. */

#include <string.h>

#include "store/replica/copy_int.h"

/* A joiner that is so close, in rows, counts from then on: commits wait for it a moment. */
enum { JOINER_ROWS = 4096 };

/* An empty copy that lacks more rows gets files: they are packed, and are not written and sorted
 * once more. */
enum { FILES_ROWS = 300000 };

bool lead_trusted(const struct copy *c, uint64_t now_ms)
{
    if (BROKEN(BROKEN_LEASE))
        return true;
    return c->claimed && now_ms < c->out.trusted_until_ms(c->ctx);
}

uint64_t lead_has(void *arg, const struct copy_id *id)
{
    struct copy *c = arg;
    const struct peer *peer = copy_find_peer(c, id->node);

    if (BROKEN(BROKEN_ACK) || copy_id_same(id, &c->config.me))
        return c->durable;
    if (peer == NULL || !peer->feed.joined || !copy_id_same(&peer->feed.id, id))
        return 0;
    return peer->feed.acked;
}

uint64_t lead_proven(struct copy *c)
{
    struct copies counted;
    uint64_t least = UINT64_MAX;

    insync_counted(&c->insync, &counted);
    for (size_t i = 0; i < counted.count; i++) {
        const struct copy_id *id = &counted.ids[i];
        const struct peer *peer = copy_find_peer(c, id->node);
        uint64_t stamp = 0;

        if (copy_id_same(id, &c->config.me))
            continue;
        if (peer != NULL && peer->feed.joined && copy_id_same(&peer->feed.id, id))
            stamp = peer->feed.stamp;
        if (stamp < least)
            least = stamp;
    }
    return least;
}

void lead_look(struct copy *c, uint64_t now_ms)
{
    insync_advance(&c->insync, lead_has, c);
    if (c->marks.count > 0 &&
        marks_pass(&c->marks, c->insync.commit, lead_trusted(c, now_ms), lead_proven(c)))
        c->out.passed(c->ctx, c->marks.passed);
    reign_handing(c, now_ms);
}

void lead_begin(struct copy *c, uint64_t now_ms, const struct copies *set)
{
    c->role = LEADING;
    c->reign = c->latest + 1;
    c->stamp = 1;
    c->beat_ms = 0;
    c->retry_ms = now_ms;
    apply_follow(&c->apply, "", c->epoch);
    insync_begin(&c->insync, set, c->config.min_insync, c->reign);
    for (size_t i = 0; i < c->peer_count; i++)
        feed_begin(&c->peers[i].feed, now_ms);
    if (c->out.lead(c->ctx, c->epoch) != HY_OK && reign_led(c))
        reign_end(c, now_ms);
    if (reign_led(c)) /* who asked to join before it led asks again */
        lead_beat(c, now_ms);
}

/* ---- feeding ---- */

void lead_pump(struct copy *c, struct peer *peer)
{
    struct feed *feed = &peer->feed;
    struct msg msg = {.kind = MSG_BATCH,
                      .epoch = c->epoch,
                      .stamp = c->stamp,
                      .commit = c->insync.commit,
                      .number = feed->number};

    while (reign_led(c) && feed->joined && feed->sent < c->latest && feed_room(feed)) {
        enum hy_err err = c->out.read(c->ctx, peer->node, feed->sent + 1, &msg.batch);

        if (err == HY_EBUSY)
            return;
        if (err != HY_OK) {
            feed_leave(feed); /* the next beat tells it to join again */
            return;
        }
        if (c->out.send(c->ctx, peer->node, &msg) != HY_OK)
            return;
        feed_sent(feed, batch_last(&msg.batch), msg.batch.len);
    }
}

void lead_beat(struct copy *c, uint64_t now_ms)
{
    c->stamp++;
    c->beat_ms = now_ms;
    for (size_t i = 0; i < c->peer_count; i++) {
        const struct feed *feed = &c->peers[i].feed;
        struct msg msg = {.kind = MSG_BEAT,
                          .epoch = c->epoch,
                          .stamp = c->stamp,
                          .commit = c->insync.commit,
                          .number = feed->joined ? feed->number : 0,
                          .seq = feed->joined ? feed->sent : 0};

        copy_send(c, c->peers[i].node, &msg);
    }
}

/* Where can this follower go on? */
static int choose(struct copy *c, const struct msg *join)
{
    if (join->places[0].seq == 0 && c->latest > FILES_ROWS)
        return CHOICE_COPY;
    for (size_t i = 0; i < join->place_count; i++)
        if (epochs_hold(&c->epochs, c->latest, join->places[i]) &&
            (join->places[i].seq == c->latest || c->out.reaches(c->ctx, join->places[i].seq + 1)))
            return (int)i;
    return CHOICE_COPY;
}

void lead_joined(struct copy *c, uint64_t now_ms, const char *from, const struct msg *msg)
{
    struct peer *peer = copy_find_peer(c, from);
    struct msg start = {.kind = MSG_START,
                        .epoch = c->epoch,
                        .number = msg->number,
                        .reign = c->reign,
                        .commit = c->insync.commit};

    copy_saw(c, now_ms, msg->epoch);
    if (msg->place_count > 0)
        copy_saw(c, now_ms, msg->places[0].epoch);
    if (!reign_led(c) || msg->epoch != c->epoch || peer == NULL || msg->place_count == 0)
        return;
    if (!peer->feed.joined || peer->feed.number != msg->number) {
        feed_leave(&peer->feed);
        start.choice = choose(c, msg);
        if (start.choice == 0)
            feed_join(&peer->feed, &msg->id, msg->number, msg->places[0].seq);
    }
    copy_send(c, from, &start);
    lead_pump(c, peer);
}

void lead_acked(struct copy *c, uint64_t now_ms, const char *from, const struct msg *msg)
{
    struct peer *peer = copy_find_peer(c, from);

    if (!reign_led(c) || msg->epoch != c->epoch || peer == NULL || !peer->feed.joined ||
        msg->number != peer->feed.number)
        return;
    feed_ack(&peer->feed, msg->seq, msg->stamp, c->latest, now_ms);
    peer->feed.rebuilding = msg->rebuilding;
    if (!msg->rebuilding && (msg->seq >= c->insync.commit || msg->seq + JOINER_ROWS >= c->latest))
        insync_count(&c->insync, &peer->feed.id);
    lead_pump(c, peer);
    lead_look(c, now_ms);
}

void lead_tick(struct copy *c, uint64_t now_ms)
{
    if (now_ms >= c->beat_ms + BEAT_MS)
        lead_beat(c, now_ms);
    for (size_t i = 0; i < c->peer_count; i++)
        lead_pump(c, &c->peers[i]);
    lead_look(c, now_ms);
}

/* Without a lease that is trusted, marks wait for a beat that was sent after them. */
void lead_turn(struct copy *c, uint64_t now_ms)
{
    const struct mark *newest = marks_newest(&c->marks);

    if (newest != NULL && newest->stamp > c->stamp && !lead_trusted(c, now_ms))
        lead_beat(c, now_ms);
    if (newest != NULL)
        lead_look(c, now_ms);
}
