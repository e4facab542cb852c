"""Every process of a cluster is replaced by another version, one after the other, under load.

The version is that of HONGYAN_OLD_BIN, a directory of an older build (tests/upgrade.sh makes one): first up
from it, then back to it. Without it the processes are restarted as they are: a rolling restart.
"""
import os
import pathlib
import shutil
import signal

from cluster import BIN, wait_until
from load import Load
from test_failover import insync

OLD = pathlib.Path(os.environ.get("HONGYAN_OLD_BIN", BIN))
ORDER = ("store", "presence", "router", "gateway")


def install(programs, build):
    """As a package does it: a new file in the place of the old one, which runs on."""
    for program in build.glob("hongyan-*"):
        shutil.copy2(program, programs / "new")
        os.replace(programs / "new", programs / program.name)


def version_of(cluster, name):
    """The file that the process runs."""
    return os.stat(f"/proc/{cluster.pid(name)}/exe").st_ino


def roll(cluster):
    for component in ORDER:
        for name in cluster.names(component):
            before = version_of(cluster, name)
            cluster.kill_and_wait(name, signal.SIGTERM)
            assert version_of(cluster, name) != before
            wait_until(lambda: all(insync(cluster, shard) == 2 for shard in (0, 1)), 30, "all copies")


def test_all_processes_are_replaced_under_load(make_cluster, tmp_path):
    """Versions work together on the bus and on disk, and no request fails."""
    programs = tmp_path / "bin"
    programs.mkdir()
    install(programs, OLD)
    cluster = make_cluster(gateways=2, routers=2, presence=2, shards=2, etcd=1, replicas=2,
                           apps=["group_rate=0"], settings=["gateway.drain_ms=500"], programs=programs)
    wait_until(lambda: all(insync(cluster, shard) == 2 for shard in (0, 1)), 20, "both copies to be in sync")
    cluster.import_users("anna", "ben")
    cluster.client("anna").send("ben", "before")
    load = Load(cluster, tmp_path)
    install(programs, BIN)
    roll(cluster)
    install(programs, OLD)
    roll(cluster)
    result = load.finish(failures=False)
    assert result["acked"] > 500, result
    assert [m.seq for m in cluster.client("ben").all_history("anna")] == [1]
