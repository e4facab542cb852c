"""Messages expire on time, are never returned again, and leave the disk (B6, I5)."""
import glob
import os
import subprocess
import time

import pytest

import client_pb2 as pb
from client import text_of
from cluster import wait_until

DAY_S = 86400


def shift(cluster, days):
    """Restart the cluster with its wall clock moved (libfaketime; steady clocks are left alone)."""
    for client in cluster.clients:
        client.close()
    cluster.clients = []
    cluster.down()
    library = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    assert library, "libfaketime is needed (Debian: faketime)"
    cluster.environment = {
        "LD_PRELOAD": library[0], "FAKETIME": f"+{days}d", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        # the sanitizer's runtime is linked first all the same; it only wants to be asked
        "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
    cluster.up()


def later_client(cluster, user, days):
    client = cluster.client(user, sign_in=False)
    client.sign_in(client.sig(now=time.time() + days * DAY_S))
    return client


def disk_bytes(cluster):
    return int(subprocess.run(["du", "-sb", str(cluster.dir / "data")], capture_output=True,
                              text=True, check=True).stdout.split()[0])


@pytest.fixture
def old(make_cluster):
    cluster = make_cluster(settings=["store.compact_on_start=true"])
    ann, ben = cluster.client("ann"), cluster.client("ben")
    noise = os.urandom(3000).hex()
    for i in range(200):
        ann.send("ben", f"{i} {noise}{i}")
    cluster.noise = noise
    return cluster


def test_a_message_of_eight_days_is_gone_from_history_and_disk(old):
    before = disk_bytes(old)
    shift(old, 8)
    ben = later_client(old, "ben", 8)
    later_client(old, "ann", 8).send("ben", "fresh")
    assert [text_of(m) for m in ben.all_history("ann")] == ["fresh"]
    assert ben.convs()[(pb.CONV_C2C, "ann")].last_seq == 201
    logs = list((old.dir / "data").rglob("*.sst")) + list((old.dir / "data").rglob("*.log"))
    assert logs
    wait_until(lambda: disk_bytes(old) < before / 2, 30, "the compaction to free the bytes")


def test_a_message_of_six_days_is_still_there(old):
    shift(old, 6)
    assert len(later_client(old, "ben", 6).all_history("ann")) == 200


def test_quarters_extend_and_revive_nothing(old):
    old.ctl("app", "set", "--dir", old.dir, old.app["sdkappid"], "c2c_quarters=1")
    shift(old, 60)
    assert len(later_client(old, "ben", 60).all_history("ann")) == 200
    old.ctl("app", "set", "--dir", old.dir, old.app["sdkappid"], "c2c_quarters=0")
    ben = later_client(old, "ben", 60)
    wait_until(lambda: not ben.all_history("ann"), what="the shorter retention")
    old.ctl("app", "set", "--dir", old.dir, old.app["sdkappid"], "c2c_quarters=4")
    later_client(old, "ann", 60).send("ben", "new")
    assert [text_of(m) for m in ben.all_history("ann")] == ["new"]
