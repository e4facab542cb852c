"""Any process may be killed at any moment; nothing acknowledged is lost, doubled or out of order."""
import json
import os
import random
import signal
import subprocess
import time

import pytest

import lab_check
from cluster import BIN, wait_until

ROUNDS = int(os.environ.get("HONGYAN_KILL_ROUNDS", "20"))
GAP_S = 1.0  # between a process being back and the next kill


def start_load(cluster, tmp_path, seconds, rate=300):
    out = tmp_path / "load.json"
    process = subprocess.Popen(
        [str(BIN / "hongyan-probe"), "load", "--cluster", str(cluster.dir / "cluster.json"),
         "--pairs", "8", "--groups", "3", "--members", "8", "--rate", str(rate),
         "--seconds", str(seconds), "--reads", "20", "--json", str(out),
         "--history", str(out.with_suffix(".history"))],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return process, out


def finish_load(process, out):
    process.send_signal(signal.SIGINT)  # stop sending, settle, verify
    text, _ = process.communicate(timeout=180)
    assert out.exists(), text
    result = json.loads(out.read_text())
    assert process.returncode == 0, (result, text[-3000:])
    violations = lab_check.check(lab_check.load(out.with_suffix(".history")))
    assert violations == [], violations[:20]
    return result


@pytest.mark.parametrize("component", ["gateway", "router", "presence", "store"])
def test_kill_9_under_load(make_cluster, tmp_path, component):
    cluster = make_cluster(gateways=2, routers=2, presence=2, shards=2, apps=["group_rate=0"],
                           settings=["gateway.heartbeat_ms=2000"])
    rng = random.Random(component)
    process, out = start_load(cluster, tmp_path, 1200)
    names = cluster.names(component)
    time.sleep(1.0)
    for _ in range(ROUNDS):
        cluster.kill_and_wait(rng.choice(names))
        time.sleep(rng.uniform(0.1, GAP_S))
        assert process.poll() is None, process.communicate()[0][-3000:]
    result = finish_load(process, out)
    print(component, ROUNDS, "kills:", result)


@pytest.mark.parametrize("component", ["gateway", "router", "presence", "store"])
def test_a_process_stopped_for_a_while_loses_nothing(make_cluster, tmp_path, component):
    seconds = float(os.environ.get("HONGYAN_STOP_S", "30"))
    cluster = make_cluster(gateways=2, routers=2, presence=2, shards=2, apps=["group_rate=0"],
                           settings=["gateway.heartbeat_ms=2000"])
    process, out = start_load(cluster, tmp_path, 1200, rate=100)
    time.sleep(1.0)
    name = cluster.names(component)[0]
    pid = cluster.kill(name, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(pid, signal.SIGCONT)
    wait_until(lambda: cluster.ready(name), 30, f"{name} to be ready again")
    time.sleep(2.0)
    finish_load(process, out)
