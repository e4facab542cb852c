/* sdk_fixture - a gateway of one conversation, in the loop of the client that it serves.
 *
 * It knows the messages 1 .. last_seq that ben sent to anna, answers sign-in, resume, list, history
 * and sends as told, and remembers what it was asked. */

#ifndef TESTS_UNIT_SDK_FIXTURE_H
#define TESTS_UNIT_SDK_FIXTURE_H

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/loop.h"
#include "sdk/c/hongyan.h"

enum { FAKE_MOST = 256, FAKE_PAGE = 20 };

struct fake {
    struct hy_loop *loop;
    int listener, link; /* -1: none */
    struct hy_watch *accepts, *reads;
    struct hy_buf in;
    char address[32];

    uint64_t first_seq, last_seq; /* of the conversation; first_seq is the lowest that is shown */
    uint64_t hidden;              /* messages that nobody is shown, from first_seq on */
    uint64_t server_ms;
    uint32_t sign_in_code, resume_code;
    uint32_t send_code;  /* how sends are answered */
    unsigned codes_left; /* for so many sends, then 0 */
    uint32_t page_code;  /* how pages are answered */
    unsigned blind;      /* so many pages show nothing yet */
    bool mute;           /* sends are stored, and not answered */
    bool hide_list;      /* the list is empty */
    bool resync;         /* in the next Pong */
    Hy__KickedNotice__Why kick;

    uint64_t room_first, room_last; /* what the live room "room" tells who joins */
    uint32_t join_code;             /* how the next join is answered */

    char sends[FAKE_MOST][65]; /* client ids, as they came */
    char own[FAKE_MOST][65];   /* by place: the client id of what anna sent; "": ben did */
    unsigned sent, sign_ins, resumes, lists, pages, joins;
};

struct anna {
    struct hongyan_client *client;
    uint64_t seqs[FAKE_MOST];
    unsigned count;
    enum hongyan_state state;
    uint32_t code;
    unsigned onlines;
    uint64_t acked[FAKE_MOST];
    uint32_t codes[FAKE_MOST];
    unsigned answers;
};

/* ---- the gateway ---- */

static void fake_write(struct fake *fake, const Hy__Frame *frame)
{
    size_t len = hy__frame__get_packed_size(frame);
    uint8_t *bytes = malloc(len + 4);

    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(len >> (8 * (3 - i)));
    hy__frame__pack(frame, bytes + 4);
    assert_int_equal(send(fake->link, bytes, len + 4, MSG_NOSIGNAL), (ssize_t)len + 4);
    free(bytes);
}

static void fake_message(uint64_t seq, Hy__Msg *msg)
{
    hy__msg__init(msg);
    msg->conv_type = HY__CONV_TYPE__CONV_C2C;
    msg->from = (char *)"ben";
    msg->to = (char *)"anna";
    msg->seq = seq;
    msg->time_ms = 1000 + seq;
}

/* The same, or anna's own. */
static void fake_stored(struct fake *fake, uint64_t seq, Hy__Msg *msg)
{
    fake_message(seq, msg);
    if (seq >= FAKE_MOST || fake->own[seq][0] == '\0')
        return;
    msg->from = (char *)"anna";
    msg->to = (char *)"ben";
    msg->client_id = fake->own[seq];
}

static void fake_push(struct fake *fake, uint64_t seq)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__MsgNotice notice = HY__MSG_NOTICE__INIT;
    Hy__Msg msg, *msgs[] = {&msg};

    fake_stored(fake, seq, &msg);
    notice.msgs = msgs;
    notice.n_msgs = 1;
    frame.body_case = HY__FRAME__BODY_MSG_NOTICE;
    frame.msg_notice = &notice;
    fake_write(fake, &frame);
}

static void fake_answer_sign_in(struct fake *fake, uint64_t id, uint32_t code, bool resumed)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__SignInRes res = HY__SIGN_IN_RES__INIT;

    frame.id = id;
    frame.code = code;
    res.identifier = (char *)"anna";
    res.resume_token = (ProtobufCBinaryData){5, (uint8_t *)"token"};
    res.heartbeat_ms = 50;
    res.server_time_ms = fake->server_ms;
    res.resumed = resumed;
    frame.body_case = HY__FRAME__BODY_SIGN_IN_RES;
    frame.sign_in_res = &res;
    fake_write(fake, &frame);
}

static void fake_answer_list(struct fake *fake, uint64_t id)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__ConvListRes res = HY__CONV_LIST_RES__INIT;
    Hy__Conv conv = HY__CONV__INIT, *convs[] = {&conv};

    fake->lists++;
    frame.id = id;
    conv.type = HY__CONV_TYPE__CONV_C2C;
    conv.peer = (char *)"ben";
    conv.last_seq = fake->last_seq;
    conv.first_seq = fake->first_seq;
    res.convs = convs;
    res.n_convs = fake->last_seq > 0 && !fake->hide_list ? 1 : 0;
    frame.body_case = HY__FRAME__BODY_CONV_LIST_RES;
    frame.conv_list_res = &res;
    fake_write(fake, &frame);
}

static void fake_answer_history(struct fake *fake, uint64_t id, const Hy__HistoryReq *req)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__HistoryRes res = HY__HISTORY_RES__INIT;
    Hy__Msg msgs[FAKE_PAGE], *list[FAKE_PAGE];
    uint64_t seq = req->from_seq > fake->first_seq ? req->from_seq : fake->first_seq;
    uint64_t last = fake->blind > 0 ? 0 : fake->last_seq;
    int looks = 2 * FAKE_PAGE;

    fake->pages++;
    fake->blind -= fake->blind > 0;
    assert_true(req->newer);
    if (req->from_seq == 0 && req->time_ms > 1000 + seq)
        seq = req->time_ms - 1000;
    for (; seq <= last && res.n_msgs < FAKE_PAGE && looks-- > 0; seq++) {
        if (seq - fake->first_seq < fake->hidden)
            continue;
        list[res.n_msgs] = &msgs[res.n_msgs];
        fake_stored(fake, seq, &msgs[res.n_msgs++]);
    }
    res.msgs = list;
    res.complete = seq > last;
    res.next_seq = res.complete ? 0 : seq;
    res.first_seq = fake->first_seq;
    res.last_seq = last;
    frame.id = id;
    frame.code = fake->page_code;
    frame.body_case = HY__FRAME__BODY_HISTORY_RES;
    frame.history_res = &res;
    fake_write(fake, &frame);
}

/* The place of a message of anna's, found again if it came before. */
static uint64_t fake_store(struct fake *fake, const char *client_id)
{
    for (uint64_t seq = 1; seq <= fake->last_seq && seq < FAKE_MOST; seq++)
        if (strcmp(fake->own[seq], client_id) == 0)
            return seq;
    snprintf(fake->own[++fake->last_seq % FAKE_MOST], 65, "%s", client_id);
    return fake->last_seq;
}

static void fake_answer_send(struct fake *fake, uint64_t id, const Hy__SendReq *req)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__SendRes res = HY__SEND_RES__INIT;

    snprintf(fake->sends[fake->sent++ % FAKE_MOST], 65, "%s", req->client_id);
    if (fake->mute)
        return;
    frame.id = id;
    frame.code = fake->codes_left > 0 ? fake->send_code : 0;
    if (fake->codes_left > 0)
        fake->codes_left--;
    else
        res.seq = fake_store(fake, req->client_id);
    frame.body_case = HY__FRAME__BODY_SEND_RES;
    frame.send_res = &res;
    fake_write(fake, &frame);
}

static void fake_room_message(uint64_t seq, Hy__Msg *msg)
{
    fake_message(seq, msg);
    msg->conv_type = HY__CONV_TYPE__CONV_GROUP;
    msg->to = (char *)"room";
}

static void fake_answer_join(struct fake *fake, uint64_t id)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__GroupJoinRes res = HY__GROUP_JOIN_RES__INIT;
    Hy__GroupInfo group = HY__GROUP_INFO__INIT;
    Hy__Msg msgs[FAKE_PAGE], *list[FAKE_PAGE];

    fake->joins++;
    frame.id = id;
    frame.code = fake->join_code;
    fake->join_code = 0;
    group.group = (char *)"room";
    group.type = (char *)"AVChatRoom";
    res.status = 1;
    res.group = &group;
    res.recent = list;
    for (uint64_t seq = fake->room_first; seq != 0 && seq <= fake->room_last; seq++) {
        list[res.n_recent] = &msgs[res.n_recent];
        fake_room_message(seq, &msgs[res.n_recent++]);
    }
    frame.body_case = HY__FRAME__BODY_GROUP_JOIN_RES;
    frame.group_join_res = &res;
    fake_write(fake, &frame);
}

static void fake_ok(struct fake *fake, uint64_t id)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__Ok ok = HY__OK__INIT;

    frame.id = id;
    frame.body_case = HY__FRAME__BODY_OK;
    frame.ok = &ok;
    fake_write(fake, &frame);
}

static void fake_pong(struct fake *fake, uint64_t id)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__Pong pong = HY__PONG__INIT;

    frame.id = id;
    pong.resync = fake->resync;
    fake->resync = false;
    frame.body_case = HY__FRAME__BODY_PONG;
    frame.pong = &pong;
    fake_write(fake, &frame);
}

static void fake_obey(struct fake *fake, const Hy__Frame *frame)
{
    switch (frame->body_case) {
    case HY__FRAME__BODY_SIGN_IN:
        fake->sign_ins++;
        fake_answer_sign_in(fake, frame->id, fake->sign_in_code, false);
        break;
    case HY__FRAME__BODY_RESUME:
        fake->resumes++;
        fake_answer_sign_in(fake, frame->id, fake->resume_code, true);
        break;
    case HY__FRAME__BODY_CONV_LIST:
        fake_answer_list(fake, frame->id);
        break;
    case HY__FRAME__BODY_HISTORY:
        fake_answer_history(fake, frame->id, frame->history);
        break;
    case HY__FRAME__BODY_SEND:
        fake_answer_send(fake, frame->id, frame->send);
        break;
    case HY__FRAME__BODY_GROUP_JOIN:
        fake_answer_join(fake, frame->id);
        break;
    case HY__FRAME__BODY_GROUP_QUIT:
        fake_ok(fake, frame->id);
        break;
    case HY__FRAME__BODY_PING:
        fake_pong(fake, frame->id);
        break;
    default:
        break; /* not answered */
    }
}

static void fake_cut(struct fake *fake)
{
    hy_watch_close(&fake->reads);
    if (fake->link >= 0)
        close(fake->link);
    fake->link = -1;
    fake->in.len = 0;
}

static void fake_read(int fd, unsigned ready, void *arg)
{
    struct fake *fake = arg;
    uint8_t bytes[65536];
    ssize_t n = read(fd, bytes, sizeof bytes);

    (void)ready;
    if (n <= 0) {
        fake_cut(fake);
        return;
    }
    assert_int_equal(hy_buf_put(&fake->in, bytes, (size_t)n), HY_OK);
    while (fake->in.len >= 4) {
        size_t len = (size_t)fake->in.data[2] << 8 | fake->in.data[3];
        Hy__Frame *frame = NULL;

        if (fake->in.len < 4 + len)
            break;
        frame = hy__frame__unpack(NULL, len, fake->in.data + 4);
        assert_non_null(frame);
        hy_buf_drop(&fake->in, 4 + len);
        fake_obey(fake, frame);
        hy__frame__free_unpacked(frame, NULL);
    }
}

static void fake_accept(int fd, unsigned ready, void *arg)
{
    struct fake *fake = arg;

    (void)ready;
    fake_cut(fake);
    fake->link = accept(fd, NULL, NULL);
    assert_int_equal(hy_watch_open(fake->loop, fake->link, HY_READ, fake_read, fake, &fake->reads),
                     HY_OK);
}

static void fake_open(struct fake *fake)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t size = sizeof at;

    *fake = (struct fake){.link = -1, .first_seq = 1, .server_ms = 1000};
    assert_int_equal(hy_loop_open(&fake->loop), HY_OK);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fake->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fake->listener, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(fake->listener, 8), 0);
    assert_int_equal(getsockname(fake->listener, (struct sockaddr *)&at, &size), 0);
    snprintf(fake->address, sizeof fake->address, "127.0.0.1:%u", ntohs(at.sin_port));
    assert_int_equal(
        hy_watch_open(fake->loop, fake->listener, HY_READ, fake_accept, fake, &fake->accepts),
        HY_OK);
}

static void fake_close(struct fake *fake)
{
    fake_cut(fake);
    hy_watch_close(&fake->accepts);
    close(fake->listener);
    hy_buf_free(&fake->in);
    hy_loop_close(&fake->loop);
}

/* ---- the client ---- */

static void anna_state(void *ctx, const struct hongyan_change *change)
{
    struct anna *anna = ctx;

    anna->state = change->state;
    anna->code = change->code;
    anna->onlines += change->state == HONGYAN_ONLINE;
}

static void anna_message(void *ctx, const Hy__Msg *msg)
{
    struct anna *anna = ctx;

    anna->seqs[anna->count++ % FAKE_MOST] = msg->seq;
}

static void anna_sent(void *arg, const struct hongyan_sent *sent)
{
    struct anna *anna = arg;

    anna->codes[anna->answers % FAKE_MOST] = sent->code;
    anna->acked[anna->answers++ % FAKE_MOST] = sent->seq;
}

static struct hongyan_config anna_config(struct fake *fake, struct anna *anna,
                                         const char *addresses[1])
{
    *anna = (struct anna){0};
    addresses[0] = fake->address;
    return (struct hongyan_config){
        .addresses = addresses,
        .address_count = 1,
        .sdkappid = 1,
        .identifier = "anna",
        .usersig = "sig",
        .backoff_ms = 20,
        .events = {.state = anna_state, .message = anna_message},
        .ctx = anna,
    };
}

static void anna_open(struct fake *fake, struct anna *anna)
{
    const char *addresses[1];
    struct hongyan_config config = anna_config(fake, anna, addresses);

    assert_int_equal(hongyan_open(fake->loop, &config, &anna->client), HY_OK);
}

static void anna_say(struct anna *anna, const char *text)
{
    assert_int_equal(
        hongyan_send_text(anna->client, HY__CONV_TYPE__CONV_C2C, "ben", text, anna_sent, anna),
        HY_OK);
}

/* Turn until the condition holds, for at most 5 s. */
#define UNTIL(fake, condition)                                                                     \
    do {                                                                                           \
        for (uint64_t until_ = hy_steady_ms() + 5000; !(condition);) {                             \
            hy_loop_turn((fake)->loop, 10);                                                        \
            if (hy_steady_ms() > until_)                                                           \
                fail_msg("waited in vain for %s", #condition);                                     \
        }                                                                                          \
    } while (0)

#endif
