"""Days of group chat, replayed through 2 gateways and 4 shards: byte-identical and in order.

HONGYAN_IRC names real logs to use (a folder or .tar.xz of '[HH:MM] <nick> text' files); without it the
days are generated, with the same lines that make real logs hard: odd bytes, joins, empty talk.
"""
import os
import pathlib
import random
import subprocess
import tarfile

import pytest

from cluster import BIN

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
