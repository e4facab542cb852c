/* A gateway worker among clients, a router and presence. */

#include "gateway_fixture.h"

static uint8_t text_body[] = {0x0a, 0x06, 0x0a, 0x04, 0x0a, 0x02, 'h', 'i'};

static Hy__SendReq send_req(const char *to, char *client_id)
{
    Hy__SendReq req = HY__SEND_REQ__INIT;

    req.conv_type = HY__CONV_TYPE__CONV_C2C;
    req.to = (char *)(uintptr_t)to;
    req.client_id = client_id;
    req.body = (ProtobufCBinaryData){sizeof text_body, text_body};
    return req;
}

static void ask_join(struct client *c, uint64_t id, const char *group)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__GroupJoinReq join = HY__GROUP_JOIN_REQ__INIT;

    join.group = (char *)(uintptr_t)group;
    frame.id = id;
    frame.body_case = HY__FRAME__BODY_GROUP_JOIN;
    frame.group_join = &join;
    client_send(c, &frame);
    assert_int_equal(client_next(c)->group_join_res->status, 1);
}

static uint32_t told_count(const struct fixture *f)
{
    const struct seen *seen = seen_last(&f->router, HY__BUS_KIND__ROUTER_AUDIENCE);
    Hy__Audience *audience;
    uint32_t count = UINT32_MAX;

    if (seen == NULL)
        return count;
    audience = hy__audience__unpack(NULL, seen->len, seen->payload);
    count = audience->rooms[0]->count;
    hy__audience__free_unpacked(audience, NULL);
    return count;
}

static bool told_closed(const struct fixture *f, bool signed_out)
{
    const struct seen *seen = seen_last(&f->presence, HY__BUS_KIND__PRESENCE_CLOSE);
    Hy__SessionClose *close;
    bool same;

    if (seen == NULL)
        return false;
    close = hy__session_close__unpack(NULL, seen->len, seen->payload);
    same = close->signed_out == signed_out;
    hy__session_close__free_unpacked(close, NULL);
    return same;
}

static void one_signs_in_and_sends(bool ws)
{
    struct fixture *f = fixture_open(NULL);
    struct client *c = client_open(f, ws);
    const Hy__SignInRes *res = client_sign_in(c, "ann");
    Hy__SendReq req = send_req("ben", (char *)"c1");
    Hy__Frame frame = HY__FRAME__INIT;
    const Hy__Frame *answer;

    assert_string_equal(res->identifier, "ann");
    assert_string_equal(res->nick, "Nick");
    assert_int_equal(res->heartbeat_ms, 30000);
    assert_true(res->resume_token.len > 32);
    frame.id = 2;
    frame.body_case = HY__FRAME__BODY_SEND;
    frame.send = &req;
    client_send(c, &frame);
    answer = client_next(c);
    assert_int_equal(answer->id, 2);
    assert_int_equal(answer->code, 0);
    assert_int_equal(answer->send_res->seq, 1);
    client_close(c);
    UNTIL(f, told_closed(f, false));
    fixture_close(f);
}

static void one_signs_in_and_sends_over_tcp(void **state)
{
    (void)state;
    one_signs_in_and_sends(false);
}

static void one_signs_in_and_sends_over_websocket(void **state)
{
    (void)state;
    one_signs_in_and_sends(true);
}

static void sends_of_one_read_go_together_and_in_order(void **state)
{
    static uint8_t bytes[65536];
    struct fixture *f = fixture_open(NULL);
    struct client *c = client_open(f, false);
    size_t len = 0;

    (void)state;
    client_sign_in(c, "ann");
    for (uint64_t i = 0; i < 100; i++) {
        char id[16];
        Hy__SendReq req = send_req("ben", id);
        Hy__Frame frame = HY__FRAME__INIT;

        snprintf(id, sizeof id, "c%d", (int)i);
        frame.id = 10 + i;
        frame.body_case = HY__FRAME__BODY_SEND;
        frame.send = &req;
        len += client_pack(c, &frame, bytes + len);
    }
    client_write(c, bytes, len);
    for (uint64_t i = 0; i < 100; i++) {
        const Hy__Frame *answer = client_next(c);

        assert_int_equal(answer->id, 10 + i);
        assert_int_equal(answer->send_res->seq, 1 + i);
    }
    assert_in_range(seen_count(&f->router, HY__BUS_KIND__ROUTER_SEND), 1, 3);
    client_close(c);
    fixture_close(f);
}

static void one_record_of_a_conversation_is_in_flight(void **state)
{
    struct fixture *f = fixture_open(NULL);
    struct client *c = client_open(f, false);

    (void)state;
    client_sign_in(c, "ann");
    f->router.silent = true;
    for (uint64_t i = 0; i < 3; i++) {
        Hy__SendReq req = send_req(i < 2 ? "ben" : "cyd", (char *)"c");
        Hy__Frame frame = HY__FRAME__INIT;

        frame.id = 10 + i;
        frame.body_case = HY__FRAME__BODY_SEND;
        frame.send = &req;
        client_send(c, &frame);
        if (i == 0)
            UNTIL(f, seen_count(&f->router, HY__BUS_KIND__ROUTER_SEND) == 1);
    }
    UNTIL(f, seen_count(&f->router, HY__BUS_KIND__ROUTER_SEND) == 2); /* cyd's does not wait */
    client_close(c);
    UNTIL(f, told_closed(f, false)); /* nothing under way keeps the session */
    fixture_close(f);
}

/* ---- refusals ---- */

static uint32_t code_of(struct client *c, Hy__Frame *frame)
{
    const Hy__Frame *answer;

    client_send(c, frame);
    answer = client_next(c);
    assert_non_null(answer);
    assert_int_equal(answer->id, frame->id);
    if (answer->code != 0)
        assert_true(strlen(answer->info) > 5);
    return answer->code;
}

static void bad_sign_ins_get_their_own_codes(void **state)
{
    struct fixture *f = fixture_open(NULL);
    struct client *c = client_open(f, false);
    char sig[HY_USERSIG_MAX];
    Hy__SignInReq req = sign_in_req("ann", sig);
    Hy__Frame frame = HY__FRAME__INIT;

    (void)state;
    frame.id = 5;
    frame.body_case = HY__FRAME__BODY_SIGN_IN;
    frame.sign_in = &req;
    req.sdkappid = 7;
    assert_int_equal(code_of(c, &frame), HY_CODE_APP_UNKNOWN);
    req.sdkappid = APP_ID + 1;
    assert_int_equal(code_of(c, &frame), HY_CODE_APP_DISABLED);
    req.sdkappid = APP_ID;
    req.identifier = (char *)"";
    assert_int_equal(code_of(c, &frame), HY_CODE_ACCOUNT_PARAM);
    req.identifier = (char *)"ben";
    assert_int_equal(code_of(c, &frame), HY_CODE_SIG_OTHER_USER);
    req.usersig = (char *)"";
    assert_int_equal(code_of(c, &frame), HY_CODE_SIG_EMPTY);
    req.usersig = (char *)"!!!";
    assert_int_not_equal(code_of(c, &frame), 0);
    req.usersig = sig;
    assert_int_equal(code_of(c, &frame), HY_CODE_SIG_TRIES); /* three failures are enough */
    req.identifier = (char *)"ann";
    assert_int_equal(code_of(c, &frame), 0);
    assert_int_equal(code_of(c, &frame), HY_CODE_PARAM); /* signed in already */
    client_close(c);
    fixture_close(f);
}

static void what_is_asked_before_sign_in_is_refused(void **state)
{
    struct fixture *f = fixture_open(NULL);
    struct client *c = client_open(f, false);
    Hy__ConvListReq list = HY__CONV_LIST_REQ__INIT;
    Hy__Frame frame = HY__FRAME__INIT;

    (void)state;
    frame.id = 9;
    frame.body_case = HY__FRAME__BODY_CONV_LIST;
    frame.conv_list = &list;
    assert_int_equal(code_of(c, &frame), HY_CODE_NOT_LOGGED_IN);
    frame.body_case = HY__FRAME__BODY__NOT_SET;
    assert_int_equal(code_of(c, &frame), HY_CODE_KIND_UNKNOWN);
    assert_int_equal(client_ping(c, 11)->body_case, HY__FRAME__BODY_PONG);
    client_close(c);
    fixture_close(f);
}

static void kicked_with(struct client *c, uint32_t why, uint32_t code)
{
    const Hy__Frame *frame = client_next(c);

    assert_non_null(frame);
    assert_int_equal(frame->body_case, HY__FRAME__BODY_KICKED);
    assert_int_equal(frame->kicked->why, why);
    assert_int_equal(frame->kicked->code, code);
    assert_null(client_next(c));
}

static void bytes_that_are_no_frame_end_the_link(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        uint32_t code;
    } cases[] = {
        {"\0\0\0\4\xff\xff\xff\xff", 8, HY_CODE_FRAME_MALFORMED},
        {"\xff\xff\xff\xff", 4, HY_CODE_FRAME_TOO_BIG},
        {"\0\0\0\0", 4, HY_CODE_FRAME_MALFORMED},               /* id 0 */
        {"\0\0\0\4\x08\x01\x72\0", 8, HY_CODE_FRAME_MALFORMED}, /* a pong is not a client's */
        {"GET / HTTP/1.1\r\n", 16, HY_CODE_FRAME_TOO_BIG},
    };
    struct fixture *f = fixture_open(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct client *c = client_open(f, false);

        client_write(c, cases[i].bytes, cases[i].len);
        kicked_with(c, HY__KICKED_NOTICE__WHY__PROTOCOL, cases[i].code);
        client_close(c);
    }
    UNTIL(f, links_count(f->worker->links) == 0);
    fixture_close(f);
}

static void a_websocket_is_closed_with_the_right_code(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        uint16_t code;
    } cases[] = {
        {"\x81\x81\0\0\0\0a", 7, 1003},        {"\x82\x01x", 3, 1002},
        {"\x81\x81\0\0\0\0\xff", 7, 1007},     {"\x82\xff\0\0\0\0\0\2\0\0\0\0\0\0", 14, 1009},
        {"\x88\x82\0\0\0\0\x03\xe9", 8, 1001}, {"\x82\x84\0\0\0\0\xff\xff\xff\xff", 10, 1007},
    };
    struct fixture *f = fixture_open(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct client *c = client_open(f, true);

        client_write(c, cases[i].bytes, cases[i].len);
        while (client_next(c) != NULL)
            ;
        assert_int_equal(c->close_code, cases[i].code);
        client_close(c);
    }
    fixture_close(f);
}

static void frames_may_come_byte_by_byte(void **state)
{
    struct fixture *f = fixture_open(NULL);
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__Ping ping = HY__PING__INIT;

    (void)state;
    frame.id = 3;
    frame.body_case = HY__FRAME__BODY_PING;
    frame.ping = &ping;
    for (int ws = 0; ws < 2; ws++) {
        struct client *c = client_open(f, ws);
        uint8_t bytes[64];
        size_t len = client_pack(c, &frame, bytes);

        for (size_t i = 0; i < len; i++) {
            client_write(c, bytes + i, 1);
            turn(f);
        }
        assert_int_equal(client_next(c)->id, 3);
        client_close(c);
    }
    fixture_close(f);
}

static void a_link_that_asks_too_fast_is_told(void **state)
{
    struct gateway_settings settings = fixture_settings();
    struct fixture *f;
    struct client *c;
    int refused = 0;

    (void)state;
    settings.request_rate = 1;
    settings.request_burst = 5;
    f = fixture_open(&settings);
    c = client_open(f, false);
    for (uint64_t i = 1; i <= 10; i++)
        refused += client_ping(c, i)->code == HY_CODE_FREQUENCY;
    assert_in_range(refused, 4, 5);
    client_close(c);
    fixture_close(f);
}

static void too_many_connections_from_one_address_are_refused(void **state)
{
    struct gateway_settings settings = fixture_settings();
    struct fixture *f;
    struct client *c[5];
    int closed = 0;

    (void)state;
    settings.connect_rate = 1;
    f = fixture_open(&settings);
    for (int i = 0; i < 5; i++)
        c[i] = client_open(f, false);
    UNTIL(f, links_count(f->worker->links) == 2);
    kicked_with(c[4], HY__KICKED_NOTICE__WHY__PROTOCOL, HY_CODE_CONNECT_RATE);
    for (int i = 0; i < 5; i++) {
        client_read(c[i]);
        client_read(c[i]);
        closed += c[i]->closed;
        client_close(c[i]);
    }
    assert_int_equal(closed, 3);
    fixture_close(f);
}

/* ---- time ---- */

static void a_link_that_does_not_sign_in_is_closed(void **state)
{
    struct gateway_settings settings = fixture_settings();
    struct fixture *f;
    struct client *c;

    (void)state;
    settings.sign_in_ms = 100;
    f = fixture_open(&settings);
    c = client_open(f, false);
    kicked_with(c, HY__KICKED_NOTICE__WHY__TIMEOUT, HY_CODE_LOGIN_TIMEOUT);
    client_close(c);
    fixture_close(f);
}

static void a_silent_link_is_closed_and_its_session_can_be_resumed(void **state)
{
    struct gateway_settings settings = fixture_settings();
    struct fixture *f;
    struct client *c;

    (void)state;
    settings.heartbeat_ms = 100;
    f = fixture_open(&settings);
    c = client_open(f, false);
    client_sign_in(c, "ann");
    kicked_with(c, HY__KICKED_NOTICE__WHY__TIMEOUT, HY_CODE_HEARTBEAT);
    UNTIL(f, told_closed(f, false));
    client_close(c);
    fixture_close(f);
}

/* ---- pushes ---- */

static void a_push_reaches_its_links_and_a_stale_handle_nobody(void **state)
{
    struct fixture *f = fixture_open(NULL);
    struct client *ann = client_open(f, false), *ben = client_open(f, true);
    uint64_t link;

    (void)state;
    client_sign_in(ann, "ann");
    link = last_link(f);
    client_sign_in(ben, "ben");
    push(f, link, NULL, 0);
    push(f, last_link(f), NULL, 0);
    push(f, link + (1ull << 32), NULL, 0);
    push(f, UINT64_MAX, NULL, 0);
    assert_string_equal(client_next(ann)->conv_notice->peer, "pushed");
    assert_string_equal(client_next(ben)->conv_notice->peer, "pushed");
    assert_false(client_ping(ann, 7)->pong->resync);
    assert_false(client_ping(ben, 7)->pong->resync);
    client_close(ann);
    client_close(ben);
    fixture_close(f);
}

static void a_lost_push_makes_the_next_pong_say_resync_once(void **state)
{
    struct fixture *f = fixture_open(NULL);
    struct client *c = client_open(f, false);

    (void)state;
    client_sign_in(c, "ann");
    push(f, last_link(f), NULL, 1);
    assert_int_equal(client_next(c)->body_case, HY__FRAME__BODY_CONV_NOTICE);
    assert_true(client_ping(c, 5)->pong->resync);
    assert_false(client_ping(c, 6)->pong->resync);
    client_close(c);
    fixture_close(f);
}

static void push_notice(struct fixture *f, uint32_t type, uint64_t link, const char *room)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__SystemNotice notice = HY__SYSTEM_NOTICE__INIT;
    uint8_t bytes[128];

    notice.type = type;
    notice.group = (char *)"@TGS#live";
    frame.body_case = HY__FRAME__BODY_SYSTEM_NOTICE;
    frame.system_notice = &notice;
    push_bytes(f, bytes, hy__frame__pack(&frame, bytes), link, room, 0);
}

static void a_room_that_is_dissolved_is_empty(void **state)
{
    struct fixture *f = fixture_open(NULL);
    struct client *ann = client_open(f, false), *ben = client_open(f, true);

    (void)state;
    client_sign_in(ann, "ann");
    ask_join(ann, 5, "@TGS#live");
    client_sign_in(ben, "ben");
    ask_join(ben, 5, "@TGS#live");
    UNTIL(f, told_count(f) == 2);
    push_notice(f, 4, last_link(f), NULL); /* ben is put out */
    UNTIL(f, told_count(f) == 1);
    assert_int_equal(client_next(ben)->system_notice->type, 4);
    push(f, 0, "@TGS#live", 0);
    assert_int_equal(client_next(ann)->body_case, HY__FRAME__BODY_CONV_NOTICE);
    push_notice(f, 5, 0, "@TGS#live");
    assert_int_equal(client_next(ann)->system_notice->type, 5);
    UNTIL(f, told_count(f) == 0);
    assert_int_equal(client_ping(ben, 9)->body_case, HY__FRAME__BODY_PONG); /* nothing between */
    client_close(ann);
    client_close(ben);
    fixture_close(f);
}

static void a_kick_tells_why_and_closes(void **state)
{
    struct fixture *f = fixture_open(NULL);
    struct client *c = client_open(f, false);
    const Hy__SignInRes *res = client_sign_in(c, "ann");
    Hy__KickSession kick = HY__KICK_SESSION__INIT;
    Hy__KickedNotice notice = HY__KICKED_NOTICE__INIT;

    (void)state;
    notice.why = HY__KICKED_NOTICE__WHY__OTHER_DEVICE;
    notice.code = HY_CODE_KICKED_BY_DEVICE;
    kick.link = last_link(f);
    kick.session_id = res->session_id + 1;
    kick.notice = &notice;
    assert_int_equal(hy_bus_send_pb(f->presence.gateway, HY__BUS_KIND__GATEWAY_KICK, 0, &kick.base),
                     HY_OK);
    assert_int_equal(client_ping(c, 5)->body_case, HY__FRAME__BODY_PONG); /* another's session */
    kick.session_id = res->session_id;
    assert_int_equal(hy_bus_send_pb(f->presence.gateway, HY__BUS_KIND__GATEWAY_KICK, 0, &kick.base),
                     HY_OK);
    kicked_with(c, HY__KICKED_NOTICE__WHY__OTHER_DEVICE, HY_CODE_KICKED_BY_DEVICE);
    client_close(c);
    fixture_close(f);
}

static void one_who_does_not_read_is_dropped_and_others_are_not(void **state)
{
    struct fixture *f = fixture_open(NULL);
    struct client *slow = client_open(f, false), *other = client_open(f, false);
    uint64_t slow_link;

    (void)state;
    client_sign_in(slow, "ann");
    slow_link = last_link(f);
    client_sign_in(other, "ben");
    while (links_find(f->worker->links, slow_link) != NULL) {
        for (int i = 0; i < 1000; i++)
            push(f, slow_link, NULL, 0);
        turn(f);
    }
    assert_int_equal(client_ping(other, 5)->body_case, HY__FRAME__BODY_PONG);
    UNTIL(f, told_closed(f, false));
    client_close(slow);
    client_close(other);
    fixture_close(f);
}

/* ---- resume ---- */

static const Hy__Frame *resume(struct client *c, const Hy__SignInRes *res)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__ResumeReq req = HY__RESUME_REQ__INIT;

    req.resume_token = res->resume_token;
    frame.id = 1;
    frame.body_case = HY__FRAME__BODY_RESUME;
    frame.resume = &req;
    client_send(c, &frame);
    return client_next(c);
}

static void a_lost_link_is_resumed_with_the_same_session_and_rooms(void **state)
{
    struct fixture *f = fixture_open(NULL);
    struct client *c = client_open(f, false);
    const Hy__SignInRes *res = client_sign_in(c, "ann");
    const Hy__Frame *again;

    (void)state;
    ask_join(c, 5, "@TGS#live");
    UNTIL(f, told_count(f) == 1);
    client_close(c);
    UNTIL(f, told_closed(f, false));
    c = client_open(f, true);
    again = resume(c, res);
    assert_int_equal(again->code, 0);
    assert_true(again->sign_in_res->resumed);
    assert_int_equal(again->sign_in_res->session_id, res->session_id);
    push(f, 0, "@TGS#live", 0);
    assert_int_equal(client_next(c)->body_case, HY__FRAME__BODY_CONV_NOTICE);
    client_close(c);
    fixture_close(f);
}

static void a_resume_takes_over_from_a_link_that_seems_alive(void **state)
{
    struct fixture *f = fixture_open(NULL);
    struct client *old = client_open(f, false), *c = client_open(f, false);
    const Hy__SignInRes *res = client_sign_in(old, "ann");

    (void)state;
    ask_join(old, 5, "@TGS#live");
    assert_int_equal(resume(c, res)->code, 0);
    assert_null(client_next(old));
    push(f, 0, "@TGS#live", 0);
    assert_int_equal(client_next(c)->body_case, HY__FRAME__BODY_CONV_NOTICE);
    assert_int_equal(seen_count(&f->presence, HY__BUS_KIND__PRESENCE_CLOSE), 0);
    client_close(old);
    client_close(c);
    fixture_close(f);
}

static void a_bad_or_old_token_asks_for_a_new_sign_in(void **state)
{
    struct fixture *f = fixture_open(NULL);
    struct client *c = client_open(f, false);
    Hy__SignInRes res = HY__SIGN_IN_RES__INIT;
    const Hy__SignInRes *good = client_sign_in(c, "ann");

    (void)state;
    client_close(c);
    c = client_open(f, false);
    res.resume_token = (ProtobufCBinaryData){3, (uint8_t *)"abc"};
    assert_int_equal(resume(c, &res)->code, HY_CODE_SESSION_OVER);
    f->presence.open_code = HY_CODE_SESSION_OVER;
    assert_int_equal(resume(c, good)->code, HY_CODE_SESSION_OVER);
    f->presence.open_code = 0;
    client_sign_in(c, "ann"); /* on the same link */
    client_close(c);
    fixture_close(f);
}

static void signing_out_is_told_to_presence(void **state)
{
    struct fixture *f = fixture_open(NULL);
    struct client *c = client_open(f, false);
    Hy__SignOutReq out = HY__SIGN_OUT_REQ__INIT;
    Hy__Frame frame = HY__FRAME__INIT;

    (void)state;
    client_sign_in(c, "ann");
    ask_join(c, 5, "@TGS#live");
    UNTIL(f, told_count(f) == 1);
    frame.id = 6;
    frame.body_case = HY__FRAME__BODY_SIGN_OUT;
    frame.sign_out = &out;
    client_send(c, &frame);
    assert_int_equal(client_next(c)->body_case, HY__FRAME__BODY_OK);
    assert_null(client_next(c));
    UNTIL(f, told_closed(f, true));
    UNTIL(f, told_count(f) == 0);
    client_close(c);
    fixture_close(f);
}

/* ---- presence ---- */

static void sessions_are_leased_and_registered_again_after_a_restart(void **state)
{
    struct fixture *f = fixture_open(NULL);
    struct client *c = client_open(f, false);
    const Hy__SignInRes *res = client_sign_in(c, "ann");
    const struct seen *seen = NULL;
    Hy__Lease *lease;
    Hy__Register *msg;

    (void)state;
    seen_forget(&f->presence);
    UNTIL(f, (seen = seen_last(&f->presence, HY__BUS_KIND__PRESENCE_LEASE)) != NULL);
    lease = hy__lease__unpack(NULL, seen->len, seen->payload);
    assert_int_equal(lease->sessions, 1);
    assert_true(lease->digest != 0);
    hy__lease__free_unpacked(lease, NULL);
    fake_close(&f->presence);
    presence_open(f);
    UNTIL(f, (seen = seen_last(&f->presence, HY__BUS_KIND__PRESENCE_REGISTER)) != NULL);
    msg = hy__register__unpack(NULL, seen->len, seen->payload);
    assert_true(msg->first && msg->last);
    assert_int_equal(msg->n_sessions, 1);
    assert_int_equal(msg->sessions[0]->session_id, res->session_id);
    assert_string_equal(msg->sessions[0]->device_id, "device");
    hy__register__free_unpacked(msg, NULL);
    assert_true(client_ping(c, 5)->pong->resync);
    client_close(c);
    fixture_close(f);
}

static void a_link_that_goes_while_signing_in_leaves_nothing(void **state)
{
    struct fixture *f = fixture_open(NULL);
    struct client *c = client_open(f, false);
    char sig[HY_USERSIG_MAX];
    Hy__SignInReq req = sign_in_req("ann", sig);
    Hy__Frame frame = HY__FRAME__INIT;

    (void)state;
    f->presence.silent = true;
    frame.id = 5;
    frame.body_case = HY__FRAME__BODY_SIGN_IN;
    frame.sign_in = &req;
    client_send(c, &frame);
    UNTIL(f, seen_count(&f->presence, HY__BUS_KIND__PRESENCE_OPEN) == 1);
    client_close(c);
    UNTIL(f, told_closed(f, true));
    UNTIL(f, links_count(f->worker->links) == 0);
    fixture_close(f);
}

static bool drained;

static void on_drained(void *arg)
{
    (void)arg;
    drained = true;
}

static void a_drain_says_go_away_and_then_closes(void **state)
{
    struct fixture *f = fixture_open(NULL);
    struct client *c = client_open(f, false);
    const Hy__Frame *frame;

    (void)state;
    client_sign_in(c, "ann");
    drained = false;
    assert_int_equal(worker_drain(f->worker, on_drained, NULL), HY_OK);
    frame = client_next(c);
    assert_int_equal(frame->body_case, HY__FRAME__BODY_GO_AWAY);
    assert_in_range(frame->go_away->retry_after_ms, 0, 300);
    assert_int_equal(client_ping(c, 5)->body_case, HY__FRAME__BODY_PONG); /* still served */
    assert_null(client_next(c));
    client_close(c);
    UNTIL(f, drained);
    assert_true(told_closed(f, false));
    fixture_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_signs_in_and_sends_over_tcp),
        cmocka_unit_test(one_signs_in_and_sends_over_websocket),
        cmocka_unit_test(sends_of_one_read_go_together_and_in_order),
        cmocka_unit_test(one_record_of_a_conversation_is_in_flight),
        cmocka_unit_test(bad_sign_ins_get_their_own_codes),
        cmocka_unit_test(what_is_asked_before_sign_in_is_refused),
        cmocka_unit_test(bytes_that_are_no_frame_end_the_link),
        cmocka_unit_test(a_websocket_is_closed_with_the_right_code),
        cmocka_unit_test(frames_may_come_byte_by_byte),
        cmocka_unit_test(a_link_that_asks_too_fast_is_told),
        cmocka_unit_test(too_many_connections_from_one_address_are_refused),
        cmocka_unit_test(a_link_that_does_not_sign_in_is_closed),
        cmocka_unit_test(a_silent_link_is_closed_and_its_session_can_be_resumed),
        cmocka_unit_test(a_push_reaches_its_links_and_a_stale_handle_nobody),
        cmocka_unit_test(a_lost_push_makes_the_next_pong_say_resync_once),
        cmocka_unit_test(a_room_that_is_dissolved_is_empty),
        cmocka_unit_test(a_kick_tells_why_and_closes),
        cmocka_unit_test(one_who_does_not_read_is_dropped_and_others_are_not),
        cmocka_unit_test(a_lost_link_is_resumed_with_the_same_session_and_rooms),
        cmocka_unit_test(a_resume_takes_over_from_a_link_that_seems_alive),
        cmocka_unit_test(a_bad_or_old_token_asks_for_a_new_sign_in),
        cmocka_unit_test(signing_out_is_told_to_presence),
        cmocka_unit_test(sessions_are_leased_and_registered_again_after_a_restart),
        cmocka_unit_test(a_link_that_goes_while_signing_in_leaves_nothing),
        cmocka_unit_test(a_drain_says_go_away_and_then_closes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
