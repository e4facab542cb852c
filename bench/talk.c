/* talk - S2, S3 and S4: streams of messages, closed or open loop, every one accounted for.
 *
 * Open loop: a message's latency counts from when it was due, not from when the driver got round to
 * it, so a stall of the server is not hidden by a driver that waits for it (coordinated omission).
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/crowd.h"
#include "common/clock.h"
#include "common/codes.h"

enum { SETTLE_MS = 10000 };

struct stream { /* one sender to one conversation */
    struct talk *talk;
    struct person *sender;
    Hy__ConvType conv_type;
    char to[64];
    uint64_t id;
    uint64_t sent; /* number of the last message */
};

struct sent { /* what done() is told about one message; kept in a free list */
    struct talk *talk;
    struct stream *stream;
    uint64_t due_us;
    struct sent *next;
};

struct talk {
    struct crowd crowd;
    struct stream *streams;
    uint64_t stream_count;
    uint32_t receivers; /* deliveries a message makes */
    uint32_t flags, priority;
    bool closed; /* closed loop: each answer sends the next */
    bool stopping;
    uint64_t sent, acked, failed;
    struct hist ack;
    struct sent *unused;
};

static void on_sent(void *arg, const struct hongyan_sent *result);

static void talk_send(struct stream *stream, uint64_t due_us)
{
    struct talk *talk = stream->talk;
    struct stamp stamp = {stream->id, stream->sent + 1, due_us};
    uint8_t body[STAMP_BYTES];
    struct hongyan_message message = {.conv_type = stream->conv_type,
                                      .to = stream->to,
                                      .body = body,
                                      .body_len = sizeof body,
                                      .flags = talk->flags,
                                      .priority = talk->priority};
    struct sent *sent = talk->unused != NULL ? talk->unused : malloc(sizeof *sent);

    if (sent == NULL)
        return;
    if (sent == talk->unused)
        talk->unused = sent->next;
    *sent = (struct sent){.talk = talk, .stream = stream, .due_us = due_us};
    stamp_write(&stamp, body);
    if (hongyan_send(stream->sender->client, &message, on_sent, sent) != HY_OK) {
        sent->next = talk->unused;
        talk->unused = sent;
        return; /* the driver's own queue is full: it is sent later, its due time stands */
    }
    stream->sent++;
    talk->sent++;
}

static void on_sent(void *arg, const struct hongyan_sent *result)
{
    struct sent *sent = arg;
    struct talk *talk = sent->talk;
    struct stream *stream = sent->stream;

    if (result->code == 0) {
        talk->acked++;
        if (talk->crowd.measuring)
            hist_add(&talk->ack, hy_steady_us() - sent->due_us);
    } else if (talk->failed++ == 0) {
        fprintf(stderr, "a send failed: %u %s%s\n", result->code, result->info,
                result->code == HY_CODE_FREQUENCY ? "; more --pairs, or a higher request_rate"
                                                  : "");
    }
    sent->next = talk->unused;
    talk->unused = sent;
    if (talk->closed && !talk->stopping)
        talk_send(stream, hy_steady_us());
}

static uint64_t expected(const struct talk *talk)
{
    return talk->acked * talk->receivers;
}

/* Send for ms; what is due goes out at once, round robin over the streams. */
static void talk_run(struct talk *talk, uint64_t ms, uint32_t rate)
{
    uint64_t begun = hy_steady_us(), due = begun, next = 0;
    uint64_t end = begun + ms * 1000;

    while (hy_steady_us() < end) {
        if (rate == 0) {
            hy_loop_turn(talk->crowd.loop, 10);
            continue;
        }
        while (due <= hy_steady_us()) {
            talk_send(&talk->streams[next++ % talk->stream_count], due);
            due = begun + next * 1000000ull / rate;
        }
        hy_loop_turn(talk->crowd.loop, due > hy_steady_us() + 1000 ? 1 : 0);
    }
}

static void talk_settle(struct talk *talk)
{
    uint64_t end = hy_steady_ms() + SETTLE_MS;

    talk->stopping = true;
    while (hy_steady_ms() < end &&
           (talk->acked + talk->failed < talk->sent || talk->crowd.delivered < expected(talk)))
        hy_loop_turn(talk->crowd.loop, 10);
}

static void talk_measure(struct talk *talk, const struct target *target,
                         const struct bench_options *options, struct report *report)
{
    uint64_t server = 0, driver = 0, delivered = 0, acked = 0, begun = 0;

    talk->closed = options->rate == 0;
    for (uint64_t i = 0; talk->closed && i < talk->stream_count; i++)
        for (uint32_t k = 0; k < options->window; k++)
            talk_send(&talk->streams[i], hy_steady_us());
    talk_run(talk, options->seconds * 100ull, options->rate);
    server = target_cpu_us(target);
    driver = own_cpu_us();
    delivered = talk->crowd.delivered;
    acked = talk->acked;
    begun = hy_steady_us();
    talk->crowd.measuring = true;
    talk_run(talk, options->seconds * 1000ull, options->rate);
    report->seconds = (double)(hy_steady_us() - begun) / 1e6;
    report->server_cpu_us = target_cpu_us(target) - server;
    report->driver_cpu_us = own_cpu_us() - driver;
    report->operations = talk->crowd.delivered - delivered;
    if (talk->receivers == 1 && talk->acked - acked < report->operations)
        report->operations = talk->acked - acked; /* acknowledged and delivered */
    talk->crowd.measuring = false;
    talk_settle(talk);
}

static void talk_report(struct talk *talk, struct report *report)
{
    static struct hist latency, ack; /* outlive the crowd */

    latency = talk->crowd.latency;
    ack = talk->ack;
    report->latency = &latency;
    report->latency_from = "due to delivery";
    report->ack = &ack;
    report->sent = talk->sent;
    report->acked = talk->acked;
    report->failed = talk->failed;
    report->delivered = talk->crowd.delivered;
    report->lost =
        expected(talk) > talk->crowd.delivered ? expected(talk) - talk->crowd.delivered : 0;
    report->doubled = talk->crowd.doubled;
    report->reordered = talk->crowd.gaps;
}

static void talk_close(struct talk *talk)
{
    crowd_close(&talk->crowd); /* calls what waits */
    while (talk->unused != NULL) {
        struct sent *next = talk->unused->next;

        free(talk->unused);
        talk->unused = next;
    }
    free(talk->streams);
}

static enum hy_err talk_streams(struct talk *talk, uint64_t count)
{
    talk->streams = calloc(count, sizeof *talk->streams);
    talk->stream_count = count;
    for (uint64_t i = 0; talk->streams != NULL && i < count; i++) {
        talk->streams[i].talk = talk;
        talk->streams[i].id = i;
    }
    return talk->streams == NULL ? HY_ENOMEM : HY_OK;
}

enum hy_err bench_c2c(const struct target *target, const struct bench_options *options,
                      bool online_only, struct report *report)
{
    struct talk *talk = calloc(1, sizeof *talk);
    enum hy_err err = talk == NULL ? HY_ENOMEM : HY_OK;

    if (err != HY_OK)
        return err;
    talk->receivers = 1;
    talk->flags = online_only ? HY__MSG_FLAG__MSG_ONLINE_ONLY : 0;
    err =
        crowd_open(&talk->crowd, target, "talk", options->pairs * 2, options->tls, options->window);
    if (err == HY_OK)
        err = talk_streams(talk, options->pairs);
    for (uint32_t i = 0; err == HY_OK && i < options->pairs; i++) {
        struct stream *stream = &talk->streams[i];

        stream->sender = &talk->crowd.people[2 * i];
        stream->conv_type = HY__CONV_TYPE__CONV_C2C;
        snprintf(stream->to, sizeof stream->to, "talk%u", 2 * i + 1);
        err = crowd_listen(&talk->crowd, 2 * i + 1, options->pairs);
    }
    if (err == HY_OK) {
        report->scenario = online_only ? "s3 one-to-one, online only" : "s2 one-to-one, durable";
        report->durability = online_only ? "not stored" : "fsync before acknowledgement";
        talk_measure(talk, target, options, report);
        talk_report(talk, report);
    }
    talk_close(talk);
    free(talk);
    return err;
}

struct wait {
    bool done;
    uint32_t code;
};

static void on_answer(void *arg, uint32_t code, const char *info, const Hy__Frame *answer)
{
    struct wait *wait = arg;

    (void)answer;
    wait->done = true;
    wait->code = code;
    if (code != 0)
        fprintf(stderr, "the group: %u %s\n", code, info);
}

static enum hy_err ask(struct talk *talk, struct person *person, const Hy__Frame *frame)
{
    struct wait wait = {.done = false};
    enum hy_err err = hongyan_request(person->client, frame, on_answer, &wait);

    while (err == HY_OK && !wait.done)
        hy_loop_turn(talk->crowd.loop, 10);
    return err == HY_OK && wait.code != 0 ? HY_EDENIED : err;
}

/* A ChatRoom of everybody, made by the first: create, then all join. */
static enum hy_err make_group(struct talk *talk, char *name, size_t size)
{
    Hy__GroupInfo info = HY__GROUP_INFO__INIT;
    Hy__GroupCreateReq create = HY__GROUP_CREATE_REQ__INIT;
    Hy__GroupJoinReq join = HY__GROUP_JOIN_REQ__INIT;
    Hy__Frame frame = HY__FRAME__INIT;
    enum hy_err err = HY_OK;

    snprintf(name, size, "bench-%016llx", (unsigned long long)hy_random64());
    info.group = name;
    info.type = (char *)"ChatRoom";
    info.name = (char *)"bench";
    create.info = &info;
    frame.body_case = HY__FRAME__BODY_GROUP_CREATE;
    frame.group_create = &create;
    err = ask(talk, &talk->crowd.people[0], &frame);
    join.group = name;
    for (uint32_t i = 1; err == HY_OK && i < talk->crowd.count; i++) {
        Hy__Frame request = HY__FRAME__INIT;

        request.body_case = HY__FRAME__BODY_GROUP_JOIN;
        request.group_join = &join;
        err = ask(talk, &talk->crowd.people[i], &request);
    }
    return err;
}

enum hy_err bench_group(const struct target *target, const struct bench_options *options,
                        struct report *report)
{
    struct talk *talk = calloc(1, sizeof *talk);
    uint32_t senders = options->pairs < options->members ? options->pairs : options->members;
    enum hy_err err = talk == NULL ? HY_ENOMEM : HY_OK;
    char group[48];

    if (err != HY_OK)
        return err;
    talk->receivers = options->members - 1;
    talk->priority =
        1; /* High: the app's limit of messages a second in a group is not under test */
    err =
        crowd_open(&talk->crowd, target, "crowd", options->members, options->tls, options->window);
    if (err == HY_OK)
        err = make_group(talk, group, sizeof group);
    if (err == HY_OK)
        err = talk_streams(talk, senders);
    for (uint32_t i = 0; err == HY_OK && i < options->members; i++) {
        if (i < senders) {
            talk->streams[i].sender = &talk->crowd.people[i];
            talk->streams[i].conv_type = HY__CONV_TYPE__CONV_GROUP;
            snprintf(talk->streams[i].to, sizeof talk->streams[i].to, "%s", group);
        }
        err = crowd_listen(&talk->crowd, i, senders);
    }
    if (err == HY_OK) {
        report->scenario = "s4 group, durable; rate is deliveries";
        report->durability = "fsync before acknowledgement";
        talk_measure(talk, target, options, report);
        talk_report(talk, report);
    }
    talk_close(talk);
    free(talk);
    return err;
}
