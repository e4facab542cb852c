"""One-to-one messages (B1-B7, B10, A11, D4)."""
import pytest

import client_pb2 as pb
from client import Refused, text_body, text_of


@pytest.fixture
def pair(cluster, unique):
    return cluster.client(unique + "ann"), cluster.client(unique + "ben", gateway=1)


def test_a_message_is_acknowledged_delivered_and_kept(pair):
    ann, ben = pair
    seq, time_ms = ann.send(ben.user, "hello")
    msg = ben.wait_text("hello")
    assert (msg.seq, msg.time_ms, seq) == (1, time_ms, 1)
    assert [text_of(m) for m in ann.history(ben.user).msgs] == ["hello"]
    assert ann.history(ben.user).msgs == ben.history(ann.user).msgs


def test_order_is_one_for_both_sides(pair):
    ann, ben = pair
    starts = []
    for i in range(50):
        starts += [(ann, ann.start(send=ann.make_send(ben.user, f"a{i}"))),
                   (ben, ben.start(send=ben.make_send(ann.user, f"b{i}")))]
    seqs = sorted(client.finish(ident).send_res.seq for client, ident in starts)
    assert seqs == list(range(1, 101))
    theirs = [text_of(m) for m in ann.all_history(ben.user)]
    assert theirs == [text_of(m) for m in ben.all_history(ann.user)]
    for side in "ab":
        mine = [text for text in theirs if text[0] == side]
        assert mine == [f"{side}{i}" for i in range(50)]


def test_a_retried_send_appears_once_in_the_same_place(pair):
    ann, ben = pair
    first = ann.send(ben.user, "once", client_id="id-1")
    ann.send(ben.user, "between")
    assert ann.send(ben.user, "once", client_id="id-1") == first
    assert [text_of(m) for m in ben.all_history(ann.user)] == ["once", "between"]


def test_a_client_id_cannot_be_used_for_another_message(pair):
    ann, ben = pair
    ann.send(ben.user, "this", client_id="id-1")
    with pytest.raises(Refused) as refused:
        ann.send(ben.user, "that", client_id="id-1")
    assert refused.value.code == 200004
    assert len(ann.all_history(ben.user)) == 1


@pytest.mark.parametrize("body, code", [
    (b"", 200007),
    (text_body(""), 200007),
    (b"\x0a\xff", 200009),
    (b"\x0a\x06\x0a\x04\x0a\x02\xc3\x28", 200008),
    (text_body("x" * 9300), 80002),
    (text_body("x" * 12288), 80002),
])
def test_bad_bodies_are_refused_and_never_stored(pair, body, code):
    ann, ben = pair
    with pytest.raises(Refused) as refused:
        ann.send(ben.user, body=body)
    assert refused.value.code == code and refused.value.info
    assert not ann.history(ben.user).msgs


def test_9_kb_is_allowed(pair):
    ann, ben = pair
    ann.send(ben.user, "x" * 9000)
    assert len(text_of(ben.wait_text("x" * 9000))) == 9000


def test_all_elements_keep_their_order_and_bytes(pair):
    ann, ben = pair
    body = pb.Body(elems=[
        pb.Elem(text=pb.TextElem(text="你好 👋")),
        pb.Elem(face=pb.FaceElem(index=7, data=b"\x00\x01")),
        pb.Elem(image=pb.ImageElem(uuid="u", format=3, infos=[
            pb.ImageInfo(type=1, size=99, width=3, height=4, url="http://x/1")])),
        pb.Elem(sound=pb.SoundElem(url="http://x/s", uuid="s", size=5, second=2)),
        pb.Elem(file=pb.FileElem(url="http://x/f", uuid="f", size=6, name="a.txt")),
        pb.Elem(location=pb.LocationElem(desc="here", latitude=1.5, longitude=-2.25)),
        pb.Elem(custom=pb.CustomElem(data=b"\xff\x00bin", desc="d", ext=b"e", sound="s")),
        pb.Elem(video=pb.VideoElem(video_url="http://x/v", video_size=8, thumb_width=2)),
        pb.Elem(text=pb.TextElem(text="end"))]).SerializeToString()
    ann.send(ben.user, body=body)
    ben.wait_for(lambda c: c.messages(), what="the message")
    assert ben.messages()[0].body == body
    assert ben.history(ann.user).msgs[0].body == body


def test_online_only_reaches_who_is_there_and_is_not_kept(cluster, pair, unique):
    ann, ben = pair
    ann.send(ben.user, "psst", flags=pb.MSG_ONLINE_ONLY)
    assert ben.wait_text("psst").seq == 0
    assert not ben.history(ann.user).msgs and (pb.CONV_C2C, ann.user) not in ben.convs()
    cluster.import_users(unique + "away")
    ann.send(unique + "away", "psst", flags=pb.MSG_ONLINE_ONLY)
    away = cluster.client(unique + "away")
    assert not away.convs() and not away.messages()


def test_unknown_receivers_are_refused(pair, unique):
    ann, _ = pair
    with pytest.raises(Refused) as refused:
        ann.send(unique + "nobody", "hi")
    assert refused.value.code == 20003


def test_own_devices_see_what_the_others_send_and_read(cluster, unique):
    phone = cluster.client(unique + "ann", device="phone")
    tablet = cluster.client(unique + "ann", platform=pb.PLATFORM_IPAD, device="tablet", gateway=1)
    ben = cluster.client(unique + "ben")
    phone.send(ben.user, "from the phone")
    tablet.wait_text("from the phone")
    ben.send(phone.user, "answer")
    phone.wait_text("answer"), tablet.wait_text("answer")
    assert tablet.convs()[(pb.CONV_C2C, ben.user)].unread == 1
    phone.read(ben.user)
    tablet.wait_for(lambda c: [f for f in c.notices if f.HasField("read_notice")
                               and f.read_notice.reader == phone.user], what="the read mark")
    assert tablet.convs()[(pb.CONV_C2C, ben.user)].unread == 0
    ben.wait_for(lambda c: [f for f in c.notices if f.HasField("read_notice")], what="the receipt")
    assert ben.convs()[(pb.CONV_C2C, phone.user)].peer_read_seq == 2
    assert not [m for m in phone.messages() if text_of(m) == "from the phone"]


def test_unread_counts_what_the_other_sent_since_the_mark(pair):
    ann, ben = pair
    for i in range(5):
        ann.send(ben.user, str(i))
    ben.send(ann.user, "mine")
    ann.send(ben.user, "5")
    conv = ben.convs()[(pb.CONV_C2C, ann.user)]
    assert (conv.last_seq, conv.unread, text_of(conv.last_msg)) == (7, 6, "5")
    assert ben.read(ann.user, seq=3).unread == 3
    assert ben.read(ann.user, seq=2).unread == 3  # a mark never moves back
    assert ben.read(ann.user).unread == 0


def test_pages_from_either_end_hold_twenty_at_most(pair):
    ann, ben = pair
    for i in range(1, 46):
        ann.send(ben.user, str(i))
    newest = ben.history(ann.user)
    assert [m.seq for m in newest.msgs] == list(range(26, 46)) and not newest.complete
    older = ben.history(ann.user, from_seq=25)
    assert [m.seq for m in older.msgs] == list(range(6, 26)) and not older.complete
    oldest = ben.history(ann.user, from_seq=5)
    assert [m.seq for m in oldest.msgs] == list(range(1, 6)) and oldest.complete
    forward = ben.history(ann.user, newer=True, from_seq=40)
    assert [m.seq for m in forward.msgs] == list(range(40, 46)) and forward.complete
    assert len(ben.history(ann.user, count=500).msgs) == 20
    assert [m.seq for m in ben.history(ann.user, count=3).msgs] == [43, 44, 45]


def test_nick_and_face_travel_as_they_were(cluster, pair):
    ann, ben = pair

    def rename(nick, face):
        cluster.rest_ok("profile/portrait_set", {"From_Account": ann.user, "ProfileItem": [
            {"Tag": "Tag_Profile_IM_Nick", "Value": nick}, {"Tag": "Tag_Profile_IM_Image", "Value": face}]})

    rename("Anna", "http://x/1.png")
    ann.send(ben.user, "first")
    rename("Änne", "http://x/2.png")
    ann.send(ben.user, "second")
    msgs = ben.history(ann.user).msgs
    assert [(m.nick, m.face) for m in msgs] == [("Anna", "http://x/1.png"), ("Änne", "http://x/2.png")]


def test_recent_contacts_are_capped_and_come_back_with_a_message(make_cluster):
    cluster = make_cluster(shards=2, apps=["recent_contacts=5"])
    ann = cluster.client("ann")
    friends = [f"friend{i}" for i in range(8)]
    cluster.import_users(*friends)
    for friend in friends:
        ann.send(friend, "hi")
    assert [peer for _, peer in ann.convs()] == friends[:2:-1]
    ann.send("friend0", "again")
    assert [peer for _, peer in ann.convs()] == ["friend0"] + friends[:3:-1]


def test_pin_hide_and_clear_are_the_users_own(pair):
    ann, ben = pair
    key = (pb.CONV_C2C, ben.user)
    ann.send(ben.user, "one")
    ann.ask(conv_set=pb.ConvSetReq(type=pb.CONV_C2C, peer=ben.user, op=pb.ConvSetReq.PIN))
    assert ann.convs()[key].pinned
    ann.ask(conv_set=pb.ConvSetReq(type=pb.CONV_C2C, peer=ben.user, op=pb.ConvSetReq.HIDE))
    assert key not in ann.convs() and (pb.CONV_C2C, ann.user) in ben.convs()
    ben.send(ann.user, "two")
    assert key in ann.convs()
    ann.ask(conv_set=pb.ConvSetReq(type=pb.CONV_C2C, peer=ben.user, op=pb.ConvSetReq.CLEAR))
    assert not ann.history(ben.user).msgs and len(ben.history(ann.user).msgs) == 2


def test_a_send_cut_off_in_the_middle_appears_once_after_resume(cluster, pair):
    ann, ben = pair
    request = ann.make_send(ben.user, "cut", client_id="cut-1")
    ann.start(send=request)
    ann.cut()  # nobody knows whether it arrived
    back = cluster.client(ann.user, sign_in=False, gateway=1)
    back.resume(ann.token)
    back.ask(send=request)
    assert [text_of(m) for m in ben.all_history(ann.user)] == ["cut"]
