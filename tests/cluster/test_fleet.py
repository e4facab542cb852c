"""A cluster on etcd: processes join and leave under load, and nobody notices."""
import json
import os
import signal
import threading
import time

import pytest

import client_pb2 as pb
from cluster import wait_until
from load import Load

SHORT = ["group_rate=0", "sweep=1", "sweep_interval_s=1", "sweep_grace_s=1"]
SOON = ["gateway.resume_grace_ms=300", "presence.resume_grace_ms=300", "gateway.heartbeat_ms=2000",
        "gateway.drain_ms=500"]
HANDOVER_S = 11  # longer than slots are at two processes


class Watch:
    """Clients who sit still in a group that is swept, and somebody who asks all the time whether they
    are online."""

    def __init__(self, cluster, count=12):
        self.cluster, self.offline, self.asked, self.stopped = cluster, [], 0, False
        self.clients = [cluster.client(f"watched{i}", gateway=i) for i in range(count)]
        self.users = [c.user for c in self.clients]
        self.group = cluster.create_group("watched", "Public", owner=self.users[0], members=self.users[1:])
        self.thread = threading.Thread(target=self._ask, daemon=True)
        self.thread.start()

    def _ask(self):
        pinged = 0
        while not self.stopped:
            if time.monotonic() > pinged + 0.5:  # or their links would end
                pinged = time.monotonic()
                for client in self.clients:
                    client.ping()
            answer = self.cluster.rest("openim/querystate", {"To_Account": self.users})
            if answer["ErrorCode"] != 0:
                self.offline.append(answer)
                continue
            self.asked += 1
            self.offline += [r for r in answer["QueryResult"] if r["State"] != "Online"]

    def finish(self):
        self.stopped = True
        self.thread.join(20)
        assert self.asked > 20 and not self.offline, (self.asked, self.offline[:5])
        assert self.cluster.members(self.group) == set(self.users)
        for client in self.clients:
            assert client.kicked() is None and not client.closed
        first, last = self.clients[0], self.clients[-1]
        first.send(self.group, "still here", group=True)
        for client in self.clients[1:]:
            client.wait_text("still here", group=self.group)
        last.send(first.user, "and I")
        first.wait_text("and I")


def gaps(cluster):
    return sum(cluster.metric(name, "hongyan_gateway_push_gaps_total") for name in cluster.names("gateway"))


def make(make_cluster, **options):
    return make_cluster(gateways=2, routers=2, presence=2, shards=2, etcd=1, apps=SHORT, settings=SOON,
                        **options)


@pytest.mark.parametrize("component", ["router", "presence"])
def test_joins_and_leaves_under_load(make_cluster, tmp_path, component):
    """No failed request, nothing lost, nobody offline or swept, and no client has to look for what it
    may have missed: the gateways count no gap."""
    cluster = make(make_cluster)
    watch = Watch(cluster)
    load = Load(cluster, tmp_path)
    time.sleep(1.0)  # the load is under way
    before = gaps(cluster)
    name = cluster.add(component)
    assert cluster.ready(name)
    time.sleep(HANDOVER_S)
    cluster.remove(name)
    time.sleep(1.0)
    cluster.remove(cluster.names(component)[0])  # one who was there from the start, too
    time.sleep(1.0)
    assert gaps(cluster) == before
    watch.finish()
    print(component, load.finish(failures=False))


def test_a_gateway_joins_and_leaves_under_load(make_cluster, tmp_path):
    cluster = make(make_cluster)
    name = cluster.add("gateway")
    load = Load(cluster, tmp_path)  # its clients know all three
    time.sleep(2.0)
    late = cluster.client("late", gateway=2)
    early = cluster.client("early", gateway=0)
    early.send("late", "hello")
    late.wait_text("hello")
    cluster.remove(name)
    time.sleep(1.0)
    fresh = cluster.client("late", gateway=1)
    early.send("late", "again")
    fresh.wait_text("again")
    print("gateway", load.finish(failures=False))


def test_etcd_may_stand_still(make_cluster, tmp_path):
    """Twenty seconds without etcd, whose leases are over when it goes on: traffic does not notice."""
    cluster = make(make_cluster)
    watch = Watch(cluster)
    load = Load(cluster, tmp_path)
    pid = cluster.kill("etcd-0", signal.SIGSTOP)
    time.sleep(float(os.environ.get("HONGYAN_ETCD_STOP_S", "20")))
    os.kill(pid, signal.SIGCONT)
    wait_until(lambda: len(nodes(cluster)) == 8, 20, "all nodes to be known again")
    time.sleep(2.0)
    watch.finish()
    print("etcd", load.finish(failures=False))


def nodes(cluster):
    done = cluster.ctl("node", "list", "--dir", cluster.dir, "--output", "json", check=False)
    return json.loads(done.stdout)["nodes"] if done.returncode == 0 else {}


def test_a_live_room_hears_all_while_its_router_changes(make_cluster):
    """What is said in a live room is not stored: whoever misses it has missed it."""
    cluster = make(make_cluster)
    clients = [cluster.client(f"live{i}", gateway=i) for i in range(6)]
    rooms = [cluster.create_group(f"room{i}", "AVChatRoom", owner="live0") for i in range(4)]
    for room in rooms:
        for client in clients:
            client.ask(group_join=pb.GroupJoinReq(group=room))
    said, stopped = {room: 0 for room in rooms}, threading.Event()

    def talk():
        while not stopped.is_set():
            for room in rooms:
                clients[0].send(room, f"{room} {said[room]}", group=True)
                said[room] += 1

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        cluster.remove(cluster.add("router"))
        cluster.remove("router-0")
    finally:
        stopped.set()
        thread.join(30)
    for room in rooms:
        assert said[room] > 20
        for client in clients[1:]:
            client.wait_for(lambda c: len(c.texts(group=room)) >= said[room], what=f"all of {room}")
            assert sorted(client.texts(group=room)) == sorted(f"{room} {i}" for i in range(said[room]))


def test_processes_that_are_killed_come_back_as_others(make_cluster, tmp_path):
    cluster = make(make_cluster)
    load = Load(cluster, tmp_path)
    time.sleep(0.5)
    for name in ("presence-1", "router-1", "store-1a"):
        cluster.kill_and_wait(name)
    time.sleep(1.0)
    load.finish()
