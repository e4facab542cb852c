"""Groups of every type (C1, C2, C5, C7, C8, B16)."""
import pytest

import client_pb2 as pb
from client import Refused, text_of
from cluster import wait_until

STORED = ["Private", "Public", "ChatRoom"]


@pytest.fixture
def people(cluster, unique):
    return [cluster.client(unique + name, gateway=i) for i, name in enumerate(("ann", "ben", "cid"))]


def refused_code(call, *arguments, **options):
    with pytest.raises(Refused) as refused:
        call(*arguments, **options)
    assert refused.value.info
    return refused.value.code


@pytest.mark.parametrize("kind", STORED)
def test_members_talk_and_strangers_hear_nothing(cluster, people, unique, kind):
    ann, ben, cid = people
    group = cluster.create_group(unique + kind, kind, owner=ann.user, members=[ben.user])
    ann.send(group, "hello", group=True)
    ben.wait_text("hello", group=group)
    assert refused_code(cid.send, group, "let me in", group=True) == 10007
    assert refused_code(cid.history, group, group=True) == 10007
    ben.send(group, "bye", group=True)
    ann.wait_text("bye", group=group)
    assert not cid.messages(group=group) and (pb.CONV_GROUP, group) not in cid.convs()


@pytest.mark.parametrize("kind, sees", [("Private", False), ("Public", False), ("ChatRoom", True)])
def test_history_before_joining_depends_on_the_type(cluster, people, unique, kind, sees):
    ann, ben, cid = people
    group = cluster.create_group(unique + kind, kind, owner=ann.user, members=[ben.user])
    for i in range(3):
        ann.send(group, f"early{i}", group=True)
    cluster.rest_ok("group_open_http_svc/add_group_member",
                    {"GroupId": group, "MemberList": [{"Member_Account": cid.user}]})
    ann.send(group, "late", group=True)
    cid.wait_text("late", group=group)
    texts = [text_of(m) for m in cid.all_history(group, group=True) if not m.flags & pb.MSG_SYSTEM]
    assert texts == (["early0", "early1", "early2", "late"] if sees else ["late"])


def test_joining_by_type(cluster, people, unique):
    ann, ben, _ = people
    private = cluster.create_group(unique + "p", "Private", owner=ann.user)
    assert refused_code(ben.ask, group_join=pb.GroupJoinReq(group=private)) == 10007
    room = cluster.create_group(unique + "c", "ChatRoom", owner=ann.user)
    assert ben.ask(group_join=pb.GroupJoinReq(group=room)).group_join_res.status == 1
    assert ben.ask(group_join=pb.GroupJoinReq(group=room)).group_join_res.status == 2
    assert cluster.members(room) == {ann.user, ben.user}
    assert refused_code(ben.ask, group_join=pb.GroupJoinReq(group=unique + "none")) in (10010, 10015)


def test_quitting_and_being_removed_end_the_conversation(cluster, people, unique):
    ann, ben, cid = people
    group = cluster.create_group(unique + "g", "Public", owner=ann.user, members=[ben.user, cid.user])
    assert refused_code(ann.ask, group_quit=pb.GroupQuitReq(group=group)) == 10009
    ben.ask(group_quit=pb.GroupQuitReq(group=group))
    cluster.rest_ok("group_open_http_svc/delete_group_member",
                    {"GroupId": group, "MemberToDel_Account": [cid.user]})
    assert cluster.members(group) == {ann.user}
    ann.wait_for(lambda c: {t.type for t in c.tips(group)} >= {pb.TIP_QUIT, pb.TIP_KICKED},
                 what="both tips")
    cid.wait_for(lambda c: [s for s in c.systems() if s.type == 4 and s.group == group],
                 what="the notice of the removal")
    ann.send(group, "alone", group=True)
    for gone in (ben, cid):
        assert refused_code(gone.send, group, "hi", group=True) == 10007
        assert refused_code(gone.history, group, group=True) == 10007
        assert (pb.CONV_GROUP, group) not in gone.convs()
        assert "alone" not in gone.texts(group=group)


def test_a_group_made_again_is_a_new_group(cluster, people, unique):
    ann, ben, cid = people
    group = cluster.create_group(unique + "g", "Public", owner=ann.user, members=[ben.user])
    first = ann.make_send(group, "old", group=True, client_id="same")
    ann.ask(send=first)
    cluster.rest_ok("group_open_http_svc/destroy_group", {"GroupId": group})
    ben.wait_for(lambda c: [s for s in c.systems() if s.type == 5], what="the dissolution")
    assert refused_code(ben.send, group, "hi", group=True) in (10010, 10007)
    cluster.create_group(group, "Public", owner=ann.user, members=[cid.user])
    assert refused_code(ben.send, group, "hi", group=True) == 10007
    new = ann.ask(send=ann.make_send(group, "new", group=True, client_id="same")).send_res
    assert [text_of(m) for m in ann.all_history(group, group=True)
            if not m.flags & pb.MSG_SYSTEM] == ["new"]
    cid.wait_text("new", group=group)
    assert new.seq <= 2 and "new" not in ben.texts(group=group)


def test_a_taken_group_id_is_refused(cluster, people, unique):
    ann, ben, _ = people
    group = cluster.create_group(unique + "g", "Public", owner=ann.user)
    body = {"GroupId": group, "Type": "Public", "Name": "x"}
    answer = cluster.rest("group_open_http_svc/create_group", {**body, "Owner_Account": ben.user})
    assert answer["ErrorCode"] == 10021
    answer = cluster.rest("group_open_http_svc/create_group", {**body, "Owner_Account": ann.user})
    assert answer["ErrorCode"] == 10025


def test_mutes(cluster, people, unique):
    ann, ben, cid = people
    group = cluster.create_group(unique + "g", "Public", owner=ann.user, members=[ben.user, cid.user])
    cluster.rest_ok("group_open_http_svc/forbid_send_msg",
                    {"GroupId": group, "Members_Account": [ben.user], "ShutUpTime": 4294967295})
    assert refused_code(ben.send, group, "hi", group=True) == 10017
    cid.send(group, "I can", group=True)
    cluster.rest_ok("group_open_http_svc/delete_group_member",
                    {"GroupId": group, "MemberToDel_Account": [ben.user]})
    cluster.rest_ok("group_open_http_svc/add_group_member",
                    {"GroupId": group, "MemberList": [{"Member_Account": ben.user}]})
    assert refused_code(ben.send, group, "hi", group=True) == 10017  # outlives the membership
    cluster.rest_ok("group_open_http_svc/forbid_send_msg",
                    {"GroupId": group, "Members_Account": [ben.user], "ShutUpTime": 0})
    ben.send(group, "again", group=True)
    cluster.rest_ok("group_open_http_svc/modify_group_base_info",
                    {"GroupId": group, "ShutUpAllMember": "On"})
    assert refused_code(cid.send, group, "hi", group=True) == 10017
    ann.send(group, "the owner may", group=True)


def test_unread_of_a_group_is_exact_and_cheap_to_learn(cluster, people, unique):
    ann, ben, cid = people
    group = cluster.create_group(unique + "g", "Public", owner=ann.user, members=[ben.user, cid.user])
    key = (pb.CONV_GROUP, group)
    cid.cut()
    for i in range(30):
        (ann if i % 3 else ben).send(group, str(i), group=True)
    cid = cluster.client(cid.user)
    assert cid.convs()[key].unread == 30 and text_of(cid.convs()[key].last_msg) == "29"
    assert not cid.messages(group=group)  # nothing is pushed at sign-in (C7)
    assert ben.convs()[key].unread == 20
    half = cid.history(group, group=True, count=10).msgs[0].seq
    assert cid.read(group, seq=half, group=True).unread == 9
    cid.send(group, "mine", group=True)
    assert cid.convs()[key].unread == 9
    assert cid.read(group, group=True).unread == 0
    ann.send(group, "one more", group=True)
    assert cid.convs()[key].unread == 1


def test_deleting_the_messages_of_one_sender(cluster, people, unique):
    ann, ben, _ = people
    group = cluster.create_group(unique + "g", "Public", owner=ann.user, members=[ben.user])
    for i in range(4):
        (ann if i % 2 else ben).send(group, f"{i}", group=True)
    cluster.rest_ok("group_open_http_svc/delete_group_msg_by_sender",
                    {"GroupId": group, "Sender_Account": ben.user})
    left = [text_of(m) for m in ann.all_history(group, group=True)
            if m.body and not m.flags & (pb.MSG_SYSTEM | pb.MSG_DELETED | pb.MSG_RECALLED)]
    assert left == ["1", "3"]
    rest = cluster.rest_ok("group_open_http_svc/group_msg_get_simple",
                           {"GroupId": group, "ReqMsgNumber": 20})
    assert sum(1 for m in rest["RspMsgList"] if m["IsPlaceMsg"]) == 2


def test_online_only_group_messages(cluster, people, unique):
    ann, ben, _ = people
    group = cluster.create_group(unique + "g", "Public", owner=ann.user, members=[ben.user])
    before = len(ann.all_history(group, group=True))
    ann.send(group, "psst", group=True, flags=pb.MSG_ONLINE_ONLY)
    assert ben.wait_text("psst", group=group).seq == 0
    assert len(ann.all_history(group, group=True)) == before


def audience(cluster, room):
    return cluster.rest_ok("group_open_http_svc/get_online_member_num", {"GroupId": room})["OnlineMemberNum"]


@pytest.mark.parametrize("kind", ["AVChatRoom"])
def test_a_live_room(cluster, people, unique, kind):
    ann, ben, cid = people
    room = cluster.create_group(unique + kind, kind, owner=ann.user)
    for person in (ann, ben):
        assert person.ask(group_join=pb.GroupJoinReq(group=room)).group_join_res.status in (1, 2)
    ann.send(room, "live!", group=True)
    ben.wait_text("live!", group=room)
    assert refused_code(cid.send, room, "from outside", group=True) == 10007
    joined = cid.ask(group_join=pb.GroupJoinReq(group=room)).group_join_res
    assert [text_of(m) for m in joined.recent] == ["live!"]  # newcomers see what was said (C2)
    cid.send(room, "inside", group=True)
    ben.wait_text("inside", group=room)
    wait_until(lambda: audience(cluster, room) == 3, what="three in the audience")
    cid.ask(group_quit=pb.GroupQuitReq(group=room))
    ann.send(room, "after", group=True)
    ben.wait_text("after", group=room)
    assert "after" not in cid.texts(group=room)


def test_a_live_room_drops_who_is_gone(make_cluster):
    cluster = make_cluster(gateways=2, settings=["gateway.resume_grace_ms=500",
                                                 "presence.resume_grace_ms=500"])
    ann, ben = cluster.client("ann"), cluster.client("ben", gateway=1)
    room = cluster.create_group("room", "AVChatRoom", owner="ann")
    for person in (ann, ben):
        person.ask(group_join=pb.GroupJoinReq(group=room))

    wait_until(lambda: audience(cluster, room) == 2, what="both in the audience")
    ben.cut()
    wait_until(lambda: audience(cluster, room) == 1, what="the audience without him")


def test_rooms_do_not_leak_into_each_other(cluster, people, unique):
    ann, ben, cid = people
    one = cluster.create_group(unique + "1", "ChatRoom", owner=ann.user, members=[ben.user])
    two = cluster.create_group(unique + "2", "ChatRoom", owner=ann.user, members=[cid.user])
    for i in range(20):
        ann.send(one, f"one{i}", group=True)
        ann.send(two, f"two{i}", group=True)
    ben.wait_text("one19"), cid.wait_text("two19")
    assert ben.texts() == [f"one{i}" for i in range(20)]
    assert cid.texts() == [f"two{i}" for i in range(20)]
