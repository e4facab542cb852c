"""Days of group chat, replayed through 2 gateways and 4 shards: byte-identical and in order, also while
the 4 become 8 and 4 again.

HONGYAN_IRC names real logs to use (a folder or .tar.xz of '[HH:MM] <nick> text' files); without it the
days are generated, with the same lines that make real logs hard: odd bytes, joins, empty talk.
"""
import os
import pathlib
import random
import subprocess
import tarfile
import threading

import pytest

from cluster import BIN
from test_rebalance import run, slots

DAYS = int(os.environ.get("HONGYAN_REPLAY_DAYS", "20"))


def generate(folder):
    rng = random.Random(20)
    words = ["ubuntu", "grub", "why?", "naïve", "统一", "👍", "sudo", "…", "\\o/", "<b>", "&amp;", "it's"]
    for day in range(DAYS):
        lines = []
        for minute in range(rng.randrange(100, 300)):
            nick = f"nick{rng.randrange(20)}[{day}]"
            said = " ".join(rng.choice(words) for _ in range(rng.randrange(1, 40)))
            lines.append(f"[{minute // 60:02}:{minute % 60:02}] <{nick}> {said}")
            if rng.random() < 0.1:
                lines.append(f"=== {nick} [~x@host] has joined #ubuntu")
        (folder / f"2005-01-{day + 1:02}.log").write_text("\n".join(lines) + "\n")


@pytest.fixture
def days(tmp_path):
    source = os.environ.get("HONGYAN_IRC")
    folder = tmp_path / "irc"
    folder.mkdir()
    if source and source.endswith(".tar.xz"):
        with tarfile.open(source) as archive:
            archive.extractall(folder)
    elif source:
        folder = pathlib.Path(source)
    else:
        generate(folder)
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".log", ".txt"))[:DAYS]
    assert len(files) == DAYS
    return files


def replay(cluster, days, *options):
    done = subprocess.run(
        [str(BIN / "hongyanctl"), "replay", "--cluster", str(cluster.dir / "cluster.json"), *options,
         *map(str, days)], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_days_of_chat_are_delivered_and_kept(make_cluster, days):
    cluster = make_cluster(gateways=2, routers=2, presence=2, shards=4, apps=["group_rate=0"])
    print(replay(cluster, days)[-2000:])
    cluster.down()
    cluster.up()
    print(replay(cluster, days, "--verify-only")[-500:])


def test_days_are_replayed_while_shards_come_and_go(make_cluster, days):
    cluster = make_cluster(gateways=2, routers=2, presence=2, shards=4, etcd=1, apps=["group_rate=0"])
    failures = []

    def talk():
        try:
            replay(cluster, days)
        except AssertionError as failure:
            failures.append(failure)

    talking = threading.Thread(target=talk, daemon=True)
    talking.start()
    rounds = 0
    while talking.is_alive():
        run(cluster, "shard", "add", "--count", "4")
        run(cluster, "rebalance", "start")
        run(cluster, "rebalance", "status", "--watch")
        newcomers = [shard for shard, count in slots(cluster).items() if shard >= 4]
        assert sorted(slots(cluster).values())[-8:] == [2048] * 8
        for shard in newcomers:
            run(cluster, "shard", "drain", str(shard))
            run(cluster, "rebalance", "status", "--watch")
            run(cluster, "remove", f"store-{shard}a")
        assert sorted(slots(cluster).values()) == [4096] * 4
        rounds += 1
    print(f"{rounds} times to 8 shards and back")
    assert rounds > 0 and not failures, failures
    replay(cluster, days, "--verify-only")
