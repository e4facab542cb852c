"""hongyan-bench s8: it runs, and what it says was stored is what was stored."""
import json
import subprocess
import urllib.request

import pytest

from cluster import BIN


def bench(tmp_path, *options):
    out = tmp_path / "report.json"
    done = subprocess.run([str(BIN / "hongyan-bench"), "s8", "--seconds", "1", "--json", str(out), *options],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(out.read_text())


@pytest.mark.parametrize("call, stores", [("sendmsg", 1), ("batchsendmsg", 20), ("send_group_msg", 1)])
def test_every_call_is_answered_and_stored(cluster, tmp_path, call, stores):
    before = answered(cluster)
    report = bench(tmp_path, "--cluster", str(cluster.dir / "cluster.json"), "--call", call,
                   "--connections", "8", "--pairs", "20")
    assert report["sent"] == report["acked"] > 0 and report["failed"] == 0, report
    assert report["delivered"] == report["acked"] * stores, report
    assert (report["lost"], report["doubled"]) == (0, 0), report
    # the server's own count: the calls, and those that made accounts and group
    assert 1 <= answered(cluster) - before - report["acked"] <= 3


def test_an_open_loop_keeps_its_rate(cluster, tmp_path):
    report = bench(tmp_path, "--cluster", str(cluster.dir / "cluster.json"), "--call", "account_import",
                   "--rate", "100", "--connections", "4", "--seconds", "2")
    assert report["sent"] == report["acked"], report
    assert 90 <= report["rate_per_s"] <= 110, report


def answered(cluster):
    return sum(value for name, value in metrics(cluster).items()
               if name.startswith("hongyan_gateway_rest_calls_total") and 'status="OK"' in name)


def metrics(cluster):
    with urllib.request.urlopen(cluster.json["metrics"]["gateway-0"]) as answer:
        lines = answer.read().decode().splitlines()
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if not line.startswith("#")}
