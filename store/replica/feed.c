#include "store/replica/feed.h"

void feed_begin(struct feed *feed, uint64_t now_ms)
{
    *feed = (struct feed){.caught_ms = now_ms, .target_ms = now_ms};
}

void feed_join(struct feed *feed, const struct copy_id *id, uint64_t number, uint64_t seq)
{
    feed->joined = true;
    feed->number = number;
    feed->id = *id;
    feed->sent = seq;
    feed->acked = 0;           /* until it says what is on its disk */
    feed->target = UINT64_MAX; /* nothing it may have acked before counts */
    feed->flights = 0;
    feed->flight_bytes = 0;
}

void feed_leave(struct feed *feed)
{
    feed->joined = false;
    feed->acked = 0;
}

bool feed_room(const struct feed *feed)
{
    return feed->flights < FEED_FLIGHT && feed->flight_bytes < FEED_FLIGHT_BYTES;
}

void feed_sent(struct feed *feed, uint64_t last, size_t bytes)
{
    unsigned at = (feed->flight_first + feed->flights) % FEED_FLIGHT;

    feed->sent = last;
    feed->flight[at].last = last;
    feed->flight[at].bytes = bytes;
    feed->flights++;
    feed->flight_bytes += bytes;
}

void feed_ack(struct feed *feed, uint64_t seq, uint64_t stamp, uint64_t latest, uint64_t now_ms)
{
    if (seq > feed->acked)
        feed->acked = seq;
    if (stamp > feed->stamp)
        feed->stamp = stamp;
    while (feed->flights > 0 && feed->flight[feed->flight_first].last <= seq) {
        feed->flight_bytes -= feed->flight[feed->flight_first].bytes;
        feed->flight_first = (feed->flight_first + 1) % FEED_FLIGHT;
        feed->flights--;
    }
    if (feed->target == UINT64_MAX) {
        feed->target = latest;
        feed->target_ms = now_ms;
    }
    if (feed->acked >= feed->target) {
        feed->caught_ms = feed->target_ms;
        feed->target = latest;
        feed->target_ms = now_ms;
    }
    if (feed->acked >= latest)
        feed->caught_ms = now_ms;
}

bool feed_silent(const struct feed *feed, uint64_t now_ms, uint32_t timeout_ms)
{
    return now_ms > feed->caught_ms + timeout_ms;
}
