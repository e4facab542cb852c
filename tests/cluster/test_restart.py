"""The vertical slice: two people chat, everything restarts, everything is still there."""
import pytest

from client import text_of


@pytest.mark.parametrize("shape", [dict(gateways=1, routers=1, presence=1, shards=1),
                                   dict(gateways=2, routers=2, presence=2, shards=4)])
def test_two_people_chat_and_everything_survives_a_restart(make_cluster, shape):
    cluster = make_cluster(**shape)
    ann, ben = cluster.client("ann"), cluster.client("ben", gateway=1)
    group = cluster.create_group("g", "Public", owner="ann", members=["ben"])
    for i in range(10):
        ann.send("ben", f"to ben {i}")
        ben.send(group, f"to all {i}", group=True)
    before = [m for m in ann.all_history("ben")], [m for m in ann.all_history(group, group=True)]
    unread = {key: conv.unread for key, conv in ben.convs().items()}
    cluster.down()
    cluster.clients = []
    cluster.up()
    ann, ben = cluster.client("ann"), cluster.client("ben", gateway=1)
    assert before == (ann.all_history("ben"), ann.all_history(group, group=True))
    assert {key: conv.unread for key, conv in ben.convs().items()} == unread
    assert ann.send("ben", "and on")[0] == 11
    assert text_of(ben.wait_text("and on")) == "and on"


def test_processes_started_in_any_order_find_each_other(make_cluster):
    cluster = make_cluster(gateways=2, routers=2, presence=2, shards=2)
    # All at once; the supervisor brings them back in any order.
    cluster.wait_back({name: cluster.kill(name) for name in sorted(cluster.json["pids"])})
    ann, ben = cluster.client("ann"), cluster.client("ben", gateway=1)
    ann.send("ben", "found")
    ben.wait_text("found")
