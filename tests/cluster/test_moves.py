"""Slots move between shards under load: nothing is lost, doubled or out of order, and nobody has to know."""
import signal
import time

from cluster import wait_until
from load import Load
from moves import Coordinator, runs_to
from test_failover import insync, leader
from test_fleet import SHORT, SOON

KEEP = "store.moved_keep_s=1"


def make(make_cluster, shards=3, replicas=1):
    cluster = make_cluster(gateways=1, routers=1, presence=1, shards=shards, etcd=1, replicas=replicas,
                           apps=SHORT, settings=(*SOON, KEEP))
    wait_until(lambda: all(insync(cluster, shard) == replicas for shard in range(shards)), 20,
               "all copies to be in sync")
    return cluster, Coordinator(cluster)


def freezes(coordinator):
    return sorted(m["freeze_ms"] for m in coordinator.moves() if m["state"] == "done")


def drain(owners, shard, targets, size=256):
    """Runs that leave a shard nothing, in turns to its targets."""
    runs, mine = [], [slot for slot, owner in enumerate(owners) if owner == shard]
    begin = 0
    for at in range(1, len(mine) + 1):
        if at == len(mine) or mine[at] != mine[at - 1] + 1 or at - begin == size:
            runs.append((mine[begin], mine[at - 1], shard, targets[len(runs) % len(targets)]))
            begin = at
    return runs


def test_a_shard_gives_all_it_has_and_gets_it_back_under_load(make_cluster, tmp_path):
    cluster, coordinator = make(make_cluster)
    load = Load(cluster, tmp_path)
    before = coordinator.map()
    runs = drain(before, 2, (0, 1))
    coordinator.start(runs)
    assert coordinator.wait() == "done"
    assert 2 not in coordinator.map()
    coordinator.start([(first, last, target, source) for first, last, source, target in runs])
    assert coordinator.wait() == "done"
    assert coordinator.map() == before
    result = load.finish(failures=False)
    print("drained and back:", len(runs) * 2, "moves, freezes (ms)", freezes(coordinator), result)


def copies(coordinator):
    """The move that is being copied now."""
    return next((m for m in coordinator.moves() if m["state"] in ("copying", "frozen")), None)


def fill(cluster, coordinator, source, count=40, messages=30):
    """Conversations of some size in the last slots of a shard; what was said, by group."""
    said = {}
    cluster.import_users("filler")
    for n in range(count):
        group = cluster.create_group(f"fill{n}", owner="filler")
        said[group] = []
        for i in range(messages):
            text = f"{group} {i} " + "x" * 400
            cluster.rest_ok("group_open_http_svc/send_group_msg", {
                "GroupId": group, "From_Account": "filler", "Random": n * messages + i + 1,
                "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": text}}]})
            said[group].append(text)
    return said


def heard(cluster, group, count):
    answer = cluster.rest_ok("group_open_http_svc/group_msg_get_simple",
                             {"GroupId": group, "ReqMsgNumber": 20})
    texts = [(m["MsgSeq"], m["MsgBody"][0]["MsgContent"]["Text"]) for m in answer["RspMsgList"]]
    while texts and texts[-1][0] > 1:
        answer = cluster.rest_ok("group_open_http_svc/group_msg_get_simple",
                                 {"GroupId": group, "ReqMsgNumber": 20, "ReqMsgSeq": texts[-1][0] - 1})
        texts += [(m["MsgSeq"], m["MsgBody"][0]["MsgContent"]["Text"]) for m in answer["RspMsgList"]]
    return sorted(texts)


def check_said(cluster, said):
    for group, texts in said.items():
        found = heard(cluster, group, len(texts))
        assert [text for _, text in found] == texts, (group, len(found))
        assert [seq for seq, _ in found] == list(range(1, len(texts) + 1))
        info = cluster.rest_ok("group_open_http_svc/get_group_info", {"GroupIdList": [group]})["GroupInfo"][0]
        assert (info["NextMsgSeq"], info["MemberNum"]) == (len(texts) + 1, 1), info


def test_leaders_are_killed_while_slots_are_copied(make_cluster, tmp_path):
    cluster, coordinator = make(make_cluster, shards=2, replicas=2)
    said = fill(cluster, coordinator, 0)
    load = Load(cluster, tmp_path)
    before = coordinator.map()
    coordinator.start(drain(before, 0, (1,), size=1024), rate=20_000)
    for victim in ("from", "to", "from", "to"):
        move = wait_until(lambda: copies(coordinator), 30, "a move that is copied")
        name = leader(cluster, move[victim])
        old = cluster.kill(name)
        wait_until(lambda: cluster.pid(name) != old, 30, "the process to be started again")
        wait_until(lambda: coordinator.get("rebalance")["state"] != "running" or
                   (copies(coordinator) or move) != move, 30, "the moves to go on")
    coordinator.put("rebalance", {**coordinator.get("rebalance"), "rate_bytes_s": 0})
    assert coordinator.wait(60) == "done"
    assert 0 not in coordinator.map()
    result = load.finish()
    check_said(cluster, said)
    attempts = [m["attempt"] for m in coordinator.moves()]
    print("leaders killed: attempts", attempts, "freezes (ms)", freezes(coordinator), result)
    assert max(attempts) > 1


def test_a_rebalance_is_cancelled_in_the_middle_and_leaves_nothing_behind(make_cluster, tmp_path):
    cluster, coordinator = make(make_cluster, shards=2)
    said = fill(cluster, coordinator, 0, count=20, messages=10)
    load = Load(cluster, tmp_path)
    before = coordinator.map()
    coordinator.start(drain(before, 0, (1,), size=512), rate=20_000)
    wait_until(lambda: any(m["state"] == "done" for m in coordinator.moves()) and copies(coordinator), 60,
               "a move that is done and one that is copied")
    coordinator.say("cancelling")
    assert coordinator.wait(30) == "cancelled"
    states = [m["state"] for m in coordinator.moves()]
    assert set(states) == {"done", "cancelled"}, states
    moved = [m for m in coordinator.moves() if m["state"] == "done"]
    after = coordinator.map()
    for slot, owner in enumerate(after):  # what is done is done, the rest is where it was
        there = any(m["first"] <= slot <= m["last"] for m in moved)
        assert owner == (1 if there else before[slot])
    check_said(cluster, said)
    coordinator.start([(m["first"], m["last"], 1, 0) for m in moved])
    assert coordinator.wait() == "done" and coordinator.map() == before
    result = load.finish(failures=False)
    check_said(cluster, said)
    print("cancelled:", states, "freezes (ms)", freezes(coordinator), result)
