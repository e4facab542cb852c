"""How long a shard is silent when its leader dies: from the kill to the first acknowledgement of a message that was
sent after it, by anybody, in a conversation of that shard."""
import random
import statistics

import lab_check
from lab_cluster import steady_ms
from lab_seed import HEALTHY_S, Lab

SLOTS = 16384
SILENT_S = 30  # most that is waited for in a round
APART_S = (0.5, 2.0)


def kill_process(cluster, name):
    cluster.processes[name].kill()


def kill_host(cluster, name):
    cluster.kill_host(cluster.shape.nodes[name].host)


def start_host(cluster, name):
    cluster.start_host(cluster.shape.nodes[name].host)


# what dies: (how it dies, how it comes back, after how many seconds)
WAYS = {"process": (kill_process, None, 0), "host": (kill_host, start_host, 15)}


def silence(history, shards, shard, killed):
    """ms from the kill to the first acknowledgement of what was sent after it; None: never."""
    done = [send.done for talk in history.talks if talk.slot * shards // SLOTS == shard
            for seat in talk.seats for send in seat.sends if send.state == "ok" and send.at >= killed]
    return min(done) - killed if done else None


def measure(shape, rounds, way, settings, seed=1):
    """(the silences in ms, violations). settings: KIND.KEY=VALUE."""
    begin, end, down_s = WAYS[way]
    more = {"store.min_insync": 1} if shape.replicas > 1 else {}
    more.update((key, int(value)) for key, value in (setting.split("=") for setting in settings))
    rng, kills, lab = random.Random(seed), [], Lab(shape, more=more)
    try:
        lab.cluster.up()
        lab.start_load("fo", rate=300, pairs=24, groups=6)
        for _ in range(rounds):
            lab.wait(rng.uniform(*APART_S))
            lab.cluster.wait_healthy(HEALTHY_S)
            shard = rng.randrange(shape.shards)
            leader = lab.cluster.leader(shard)
            kills.append((shard, steady_ms()))
            begin(lab.cluster, leader)
            if end is not None:
                lab.wait(down_s)
                end(lab.cluster, leader)
        lab.wait(SILENT_S, lambda: lab.cluster.why_not_healthy() is None)
        lab.wait(2)
        history = lab.load.finish()
    finally:
        lab.close()
    silences = [silence(history, shape.shards, shard, killed) for shard, killed in kills]
    return silences, lab_check.check(history)


def line(shape, way, silences):
    heard = sorted(ms for ms in silences if ms is not None)
    if not heard:
        return f"{shape.name}, {way} killed: no acknowledgement ever came"
    p99 = heard[min(len(heard) - 1, len(heard) * 99 // 100)]
    return (f"{shape.name}, {way} killed, {len(silences)} times: median {statistics.median(heard):.0f} ms, "
            f"p99 {p99:.0f} ms, most {heard[-1]:.0f} ms" +
            (f", never {len(silences) - len(heard)}" if len(heard) < len(silences) else ""))
