"""Shards come to a cluster that is loaded, and go: by the commands that an operator gives."""
import json
import os
import signal

from cluster import wait_until
from load import Load

SHORT = ["group_rate=0"]
SLOTS = 16384


def run(cluster, *words, **options):
    return cluster.ctl(*words[:2], "--dir", cluster.dir, *words[2:], **options)


def told(cluster, *words):
    return json.loads(run(cluster, *words, "--output", "json").stdout)


def refused(cluster, *words):
    done = run(cluster, *words, check=False)
    assert done.returncode != 0, (words, done.stdout)
    return done.stderr


def slots(cluster):
    """How many each shard owns, by its number."""
    return {shard["shard"]: shard["slots"] for shard in told(cluster, "node", "list")["shards"]}


def state(cluster):
    return told(cluster, "rebalance", "status")["state"]


def test_without_etcd_the_map_is_fixed(make_cluster):
    cluster = make_cluster(shards=1)
    for words in (("shard", "add"), ("shard", "drain", "0"), ("rebalance", "start"), ("rebalance", "status")):
        assert "what its settings say" in refused(cluster, *words)
    assert "restore" in refused(cluster, "rebalance", "plan")


def check_mistakes(cluster):
    assert state(cluster) == "none"
    assert "no rebalance is under way" in refused(cluster, "rebalance", "pause")
    assert "there is no shard 9" in refused(cluster, "shard", "drain", "9")
    assert "owns 8192 slots" in refused(cluster, "remove", "store-0a")
    assert "even" in run(cluster, "rebalance", "start").stdout
    assert state(cluster) == "none"


def leads(cluster, shard):
    return next((s["leader"] for s in told(cluster, "node", "list")["shards"] if s["shard"] == shard), "")


def check_pause_and_cancel(cluster, names):
    """The newcomer stands still until the rebalance is paused: then what has begun ends, nothing else
    begins, and what was cancelled stays where it is. Returns how many slots have moved."""
    pids = [cluster.kill(name, signal.SIGSTOP) for name in names]
    try:
        plan = told(cluster, "rebalance", "start")
        assert plan["slots"] == SLOTS // 3 and all(move["to"] == 2 for move in plan["moves"])
        assert "is running" in refused(cluster, "rebalance", "start")
        assert "has a part in rebalance 1" in refused(cluster, "remove", names[0])
        run(cluster, "rebalance", "pause")
        assert "paused already" in refused(cluster, "rebalance", "pause")
        run(cluster, "rebalance", "resume")
        assert "running already" in refused(cluster, "rebalance", "resume")
        run(cluster, "rebalance", "pause")
        status = told(cluster, "rebalance", "status")
        assert status["state"] == "paused" and status["slots"] == SLOTS // 3 and status["slots_moved"] == 0
        assert len(status["moves"]) == len(plan["moves"])
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)

    def quiet():
        states = told(cluster, "rebalance", "status")["states"]
        return states["copying"] + states["frozen"] == 0

    wait_until(lambda: leads(cluster, 2), 30, "somebody to lead the new shard again")
    wait_until(quiet, 60, "the end of what had begun")
    status = told(cluster, "rebalance", "status")
    moved = status["slots_moved"]
    assert status["state"] == "paused" and status["states"]["planned"] >= len(plan["moves"]) - 2, status
    run(cluster, "rebalance", "cancel")
    wait_until(lambda: state(cluster) == "cancelled", 30, "the end of what was cancelled")
    assert run(cluster, "rebalance", "status", "--watch", check=False).returncode == 1
    assert slots(cluster)[2] == moved == told(cluster, "rebalance", "status")["slots_moved"]
    return moved


def test_a_shard_comes_and_goes_under_load(make_cluster, tmp_path):
    cluster = make_cluster(shards=2, etcd=1, replicas=2, apps=SHORT)
    check_mistakes(cluster)
    load = Load(cluster, tmp_path)
    names = cluster.ctl("shard", "add", "--dir", cluster.dir).stdout.split()
    assert names == ["store-2a", "store-2b"] and slots(cluster)[2] == 0
    moved = check_pause_and_cancel(cluster, names)
    plan = told(cluster, "rebalance", "plan")
    assert plan["slots"] == SLOTS // 3 - moved and plan["bytes"] > 0
    # the second command
    run(cluster, "rebalance", "start")
    seen = run(cluster, "rebalance", "status", "--watch").stdout
    assert "100 %" in seen and "done" in seen, seen
    assert slots(cluster) == {0: 5462, 1: 5461, 2: 5461}
    status = told(cluster, "rebalance", "status")
    assert status["progress"] == 1 and status["slots_moved"] == status["slots"] and status["rows"] > 0
    # and back: slots come to where they were minutes ago
    run(cluster, "shard", "drain", "2")
    run(cluster, "rebalance", "status", "--watch")
    assert slots(cluster) == {0: 8192, 1: 8192, 2: 0}
    assert "owns no slots" in run(cluster, "shard", "drain", "2").stdout
    cluster.ctl("remove", "--dir", cluster.dir, *names)
    assert cluster.names("store") == ["store-0a", "store-0b", "store-1a", "store-1b"]
    result = load.finish(failures=False)
    print("a shard came and went:", result)
    # which is known after a restart; the next one is another
    cluster.down()
    cluster.up()
    assert cluster.names("store") == ["store-0a", "store-0b", "store-1a", "store-1b"]
    assert cluster.ctl("shard", "add", "--dir", cluster.dir).stdout.split() == ["store-3a", "store-3b"]
    run(cluster, "shard", "drain", "0")
    run(cluster, "rebalance", "status", "--watch")
    assert slots(cluster) == {0: 0, 1: 8192, 3: 8192}
    cluster.ctl("remove", "--dir", cluster.dir, "store-0a", "store-0b")
    listed = cluster.rest_ok("group_open_http_svc/get_appid_group_list", {"Limit": 100})
    assert listed["TotalCount"] == 3  # though nobody is there to be asked about what shard 0 had
