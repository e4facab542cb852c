"""A shard with two copies: either may die, stand still or be replaced, and nothing acknowledged is lost."""
import json
import os
import shutil
import signal
import statistics
import threading
import time

from cluster import wait_until
from load import Load
from test_fleet import SHORT, SOON

ROUNDS = int(os.environ.get("HONGYAN_FAILOVER_ROUNDS", "3"))
STOP_S = float(os.environ.get("HONGYAN_FAILOVER_STOP_S", "10"))


class Pulse:
    """One user sends to another over and over; acked: when each message was sent, and acknowledged."""

    def __init__(self, cluster):
        self.cluster, self.acked, self.failed, self.stopped = cluster, [], 0, False
        cluster.import_users("pulse", "other")
        self.thread = threading.Thread(target=self._beat, daemon=True)
        self.thread.start()

    def _beat(self):
        number = 0
        while not self.stopped:
            number += 1
            sent = time.monotonic()
            answer = self.cluster.rest("openim/sendmsg", {
                "SyncOtherMachine": 2, "From_Account": "pulse", "To_Account": "other",
                "MsgSeq": number, "MsgRandom": number,
                "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": str(number)}}]})
            if answer["ErrorCode"] == 0:
                self.acked.append((sent, time.monotonic()))
            else:
                self.failed += 1
            time.sleep(0.005)

    def first_after(self, begin):
        """Until the first acknowledgement of what was sent after it."""
        wait_until(lambda: self.acked and self.acked[-1][0] > begin, 30, "an acknowledgement")
        return next(at for sent, at in self.acked if sent > begin) - begin

    def longest_since(self, begin):
        times = [begin] + [at for _, at in self.acked if at > begin]
        return max(b - a for a, b in zip(times, times[1:]))

    def finish(self):
        self.stopped = True
        self.thread.join(30)


def make(make_cluster, **options):
    cluster = make_cluster(gateways=1, routers=1, presence=1, shards=2, etcd=1, replicas=2, apps=SHORT,
                           settings=SOON, **options)
    wait_until(lambda: all(insync(cluster, shard) == 2 for shard in (0, 1)), 20, "both copies to be in sync")
    return cluster


def shards(cluster):
    done = cluster.ctl("node", "list", "--dir", cluster.dir, "--output", "json", check=False)
    return json.loads(done.stdout)["shards"] if done.returncode == 0 else []


def leader(cluster, shard):
    name = wait_until(lambda: (shards(cluster) or [{}])[shard].get("leader"), 20, "a leader")
    return name


def follower(cluster, shard):
    led = leader(cluster, shard)
    return next(n for n in cluster.names("store") if n.startswith(f"store-{shard}") and n != led)


def insync(cluster, shard):
    """Copies in the set as its leader knows it."""
    try:
        return cluster.metric(leader(cluster, shard), "hongyan_store_replica_insync")
    except OSError:
        return 0


def whole(cluster, shard):
    wait_until(lambda: insync(cluster, shard) == 2 and cluster.ready(follower(cluster, shard)), 30,
               "both copies to be in sync")


def shard_of_pulse(cluster):
    """The shard whose leader writes what the pulse sends."""
    before = [cluster.metric(leader(cluster, s), "hongyan_store_writes_total") for s in (0, 1)]
    time.sleep(0.3)
    after = [cluster.metric(leader(cluster, s), "hongyan_store_writes_total") for s in (0, 1)]
    return max((0, 1), key=lambda s: after[s] - before[s])


def test_a_leader_that_is_killed_is_replaced(make_cluster, tmp_path):
    cluster = make(make_cluster)
    pulse = Pulse(cluster)
    wait_until(lambda: len(pulse.acked) > 20)
    shard = shard_of_pulse(cluster)
    load = Load(cluster, tmp_path)
    waits = []
    for _ in range(ROUNDS):
        whole(cluster, shard)
        name = leader(cluster, shard)
        old = cluster.kill(name)
        waits.append(pulse.first_after(time.monotonic()))
        wait_until(lambda: cluster.pid(name) != old, 30, "the process to be started again")
    pulse.finish()
    result = load.finish()
    print("killed leader: first acknowledgement after", [round(w, 2) for w in waits],
          "median", round(statistics.median(waits), 2), result)
    assert max(waits) < 10


def test_a_follower_that_is_killed_costs_a_pause(make_cluster, tmp_path):
    cluster = make(make_cluster)
    pulse = Pulse(cluster)
    wait_until(lambda: len(pulse.acked) > 20)
    shard = shard_of_pulse(cluster)
    load = Load(cluster, tmp_path)
    name = follower(cluster, shard)
    begin = time.monotonic()
    led = leader(cluster, shard)
    cluster.kill(name)
    time.sleep(3.0)
    whole(cluster, shard)
    pulse.finish()
    result = load.finish(failures=False)
    assert leader(cluster, shard) == led
    print("killed follower: longest pause", round(pulse.longest_since(begin), 2), result)
    assert pulse.longest_since(begin) < 4 and pulse.failed == 0


def test_a_leader_that_stands_still_is_replaced_and_comes_back(make_cluster, tmp_path):
    cluster = make(make_cluster)
    load = Load(cluster, tmp_path)
    name = leader(cluster, 0)
    pid = cluster.kill(name, signal.SIGSTOP)
    begin = time.monotonic()
    try:
        wait_until(lambda: leader(cluster, 0) != name, 15, "another leader")
        took = time.monotonic() - begin
        time.sleep(max(0.0, STOP_S - took))
    finally:
        os.kill(pid, signal.SIGCONT)
    whole(cluster, 0)
    assert leader(cluster, 0) != name and cluster.pid(name) == pid
    result = load.finish()
    print("stopped leader: another after", round(took, 2), result)


def copies(cluster):
    return json.loads(cluster.ctl("status", "--dir", cluster.dir, "--output", "json").stdout)["copies"]


def test_the_lead_is_handed_over_unnoticed(make_cluster, tmp_path):
    cluster = make(make_cluster)
    load = Load(cluster, tmp_path)
    for _ in range(ROUNDS):
        whole(cluster, 1)
        to = follower(cluster, 1)
        cluster.ctl("shard", "hand-over", "--dir", cluster.dir, "1", "--to", to)
        assert leader(cluster, 1) == to
    whole(cluster, 1)
    wait_until(lambda: copies(cluster)[to]["role"] == "leading", 10, "status to tell")  # each second
    told = copies(cluster)
    assert told[to]["insync"] == 2, told
    assert list(told[to]["lag"]) == [follower(cluster, 1)], told
    assert told[follower(cluster, 1)]["role"] == "following", told
    assert cluster.ctl("shard", "hand-over", "--dir", cluster.dir, "1", "--to", "store-9z",
                       check=False).returncode == 1
    print("hand-over:", load.finish(failures=False))


def test_a_leader_that_is_asked_to_end_hands_over(make_cluster, tmp_path):
    cluster = make(make_cluster)
    load = Load(cluster, tmp_path)
    name = leader(cluster, 0)
    old = cluster.kill(name, signal.SIGTERM)
    wait_until(lambda: leader(cluster, 0) != name, 10, "another leader")
    cluster.wait_back({name: old})
    whole(cluster, 0)
    print("ended leader:", load.finish(failures=False))


def test_a_wiped_disk_is_filled_again(make_cluster, tmp_path):
    cluster = make(make_cluster)
    load = Load(cluster, tmp_path)
    name = follower(cluster, 0)
    data = cluster.dir / "data" / name
    old = cluster.kill(name)
    moved = tmp_path / "gone"
    data.rename(moved)  # whatever it still writes goes there
    shutil.rmtree(moved, ignore_errors=True)
    cluster.wait_back({name: old})
    whole(cluster, 0)
    cluster.ctl("shard", "hand-over", "--dir", cluster.dir, "0", "--to", name)  # what it has is all there is
    print("wiped:", load.finish())


def test_both_copies_may_be_killed_at_once(make_cluster, tmp_path):
    cluster = make(make_cluster)
    load = Load(cluster, tmp_path)
    cluster.wait_back({name: cluster.kill(name) for name in cluster.names("store") if name.startswith("store-0")})
    whole(cluster, 0)
    print("both:", load.finish())
