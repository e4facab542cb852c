"""Any process may be killed at any moment; nothing acknowledged is lost, doubled or out of order."""
import os
import random
import signal
import time

import pytest

from cluster import wait_until
from load import Load

ROUNDS = int(os.environ.get("HONGYAN_KILL_ROUNDS", "20"))
GAP_S = 1.0  # between a process being back and the next kill


@pytest.mark.parametrize("component", ["gateway", "router", "presence", "store"])
def test_kill_9_under_load(make_cluster, tmp_path, component):
    cluster = make_cluster(gateways=2, routers=2, presence=2, shards=2, apps=["group_rate=0"],
                           settings=["gateway.heartbeat_ms=2000"])
    rng = random.Random(component)
    load = Load(cluster, tmp_path, rate=300)
    names = cluster.names(component)
    for _ in range(ROUNDS):
        cluster.kill_and_wait(rng.choice(names))
        time.sleep(rng.uniform(0.1, GAP_S))
    print(component, ROUNDS, "kills:", load.finish())


@pytest.mark.parametrize("component", ["gateway", "router", "presence", "store"])
def test_a_process_stopped_for_a_while_loses_nothing(make_cluster, tmp_path, component):
    seconds = float(os.environ.get("HONGYAN_STOP_S", "30"))
    cluster = make_cluster(gateways=2, routers=2, presence=2, shards=2, apps=["group_rate=0"],
                           settings=["gateway.heartbeat_ms=2000"])
    load = Load(cluster, tmp_path, rate=100)
    name = cluster.names(component)[0]
    pid = cluster.kill(name, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(pid, signal.SIGCONT)
    wait_until(lambda: cluster.ready(name), 30, f"{name} to be ready again")
    time.sleep(2.0)
    load.finish()
