"""The sweep removes exactly the offline members (C3)."""
import time

import client_pb2 as pb
from cluster import wait_until

SHORT = ["sweep=1", "sweep_interval_s=1", "sweep_grace_s=1"]
SOON = ["gateway.resume_grace_ms=300", "presence.resume_grace_ms=300"]


def test_offline_members_go_and_the_others_are_told(make_cluster):
    cluster = make_cluster(gateways=2, routers=2, presence=2, shards=2, apps=SHORT, settings=SOON)
    users = [f"u{i}" for i in range(12)]
    clients = {user: cluster.client(user, gateway=i) for i, user in enumerate(users)}
    groups = [cluster.create_group(f"g{i}", kind, owner="u0", members=users[1:])
              for i, kind in enumerate(("Public", "ChatRoom"))]
    gone = set(users[1::3])
    for user in gone:
        clients[user].cut()
    for group in groups:
        wait_until(lambda: cluster.members(group) == set(users) - gone, what=f"the sweep of {group}")
    tips = clients["u0"].wait_for(
        lambda c: [t for t in c.tips("g0") if t.reason == "sweep"], what="a tip of the sweep")
    assert {m.user for t in tips for m in t.members} <= gone
    info = cluster.rest_ok("group_open_http_svc/get_group_info", {"GroupIdList": ["g0"]})["GroupInfo"][0]
    assert info["MemberNum"] == len(users) - len(gone)
    back = cluster.client(sorted(gone)[0])
    assert not [key for key in back.convs() if key[0] == pb.CONV_GROUP]
    for user in set(users) - gone:
        clients[user].ping()
        clients[user].send("g0", "still here", group=True)


def test_nobody_goes_where_it_is_not_asked_for(make_cluster):
    cluster = make_cluster(apps=["sweep_interval_s=1", "sweep_grace_s=0"], settings=SOON)
    ann, ben = cluster.client("ann"), cluster.client("ben")
    cluster.create_group("kept", "Public", owner="ann", members=["ben"])
    cluster.create_group("swept", "Public", owner="ann", members=["ben"])
    ann.ask(group_set=pb.GroupSetReq(group="swept", fields=[pb.Field(name="Sweep", num=1)]))
    ben.cut()
    wait_until(lambda: cluster.members("swept") == {"ann"}, what="the sweep")
    assert cluster.members("kept") == {"ann", "ben"}


def test_a_restart_of_presence_kicks_nobody_online_and_forgets_nobody_offline(make_cluster):
    cluster = make_cluster(gateways=2, presence=1, apps=SHORT, settings=SOON)
    clients = [cluster.client(f"u{i}", gateway=i) for i in range(6)]
    cluster.create_group("g", "Public", owner="u0", members=[c.user for c in clients[1:]])
    old = cluster.kill("presence-0")
    clients[5].cut()  # while nobody watches
    cluster.wait_back({"presence-0": old})
    wait_until(lambda: cluster.members("g") == {f"u{i}" for i in range(5)}, 30, "the full sweep")
    for client in clients[:5]:
        client.ping()
        assert client.kicked() is None
    clients[0].send("u1", "still online")
    clients[1].wait_text("still online")


def import_groups(cluster, groups, members):
    for i in range(groups):
        cluster.create_group(f"g{i}", "Public", owner="u0", members=members)


def sweep_tips(client, group):
    """What the sweep left in a group's history: the names in each of its tips."""
    tips = []
    for msg in client.all_history(group, group=True):
        for elem in pb.Body.FromString(msg.body).elems:
            if elem.WhichOneof("kind") == "tip" and elem.tip.reason == "sweep":
                tips.append([m.user for m in elem.tip.members])
    return tips


def test_a_killed_store_sweeps_each_member_once(make_cluster):
    """kill -9 of a store, and of a router, in the middle of a sweep: afterwards each member who was
    gone is out once, named in one tip, the counts are right, and everybody else is still there."""
    cluster = make_cluster(gateways=1, routers=2, presence=1, shards=2, apps=SHORT, settings=SOON)
    users = [f"u{i}" for i in range(40)]
    cluster.import_users(*users)
    ann = cluster.client("u0")
    here = {user: cluster.client(user) for user in users[1:6]}
    import_groups(cluster, 60, users[1:])  # who never came is hinted at, and swept at once
    gone = set(users) - set(here) - {"u0"}
    wait_until(lambda: cluster.metric("presence-0", "hongyan_presence_sweep_users_total") > 0, what="the sweep")
    cluster.kill_and_wait("store-0")
    cluster.kill_and_wait("router-0")
    for i in range(60):
        wait_until(lambda: cluster.members(f"g{i}") == set(users) - gone, 60, f"the sweep of g{i}")
    for i in range(0, 60, 7):
        info = cluster.rest_ok("group_open_http_svc/get_group_info", {"GroupIdList": [f"g{i}"]})
        assert info["GroupInfo"][0]["MemberNum"] == 6
        named = [user for tip in sweep_tips(ann, f"g{i}") for user in tip]
        assert sorted(named) == sorted(gone)  # nobody twice
    ann.ping()
    ann.send("g3", "still here", group=True)
    here["u1"].wait_text("still here")


def test_messages_pass_while_a_sweep_is_under_way(make_cluster):
    """A sweep is many small commands: a message that comes meanwhile waits for one of them at most."""
    cluster = make_cluster(apps=SHORT, settings=SOON)
    users = [f"u{i}" for i in range(300)]
    cluster.import_users(*users)
    ann, ben = cluster.client("u0"), cluster.client("u1")
    import_groups(cluster, 40, users[1:])
    slowest = 0
    sent = 0
    while cluster.metric("presence-0", "hongyan_presence_sweep_removed_total") < 40 * 298:
        began = time.monotonic()
        ann.send("u1", f"number {sent}")
        ben.wait_text(f"number {sent}")
        slowest = max(slowest, time.monotonic() - began)
        sent += 1
        assert sent < 5000
    assert slowest < 2.0
