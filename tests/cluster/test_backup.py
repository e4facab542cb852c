"""Backups: taken while people talk, restored to the same and to other numbers of shards."""
import json
import pathlib
import subprocess
import threading
import time

import client_pb2 as pb
from client import text_of
from cluster import BIN, Cluster, wait_until

USERS, TALKERS = 6, 3


class Load:
    """Talkers who never pause; what was acknowledged before a moment is known exactly."""

    def __init__(self, cluster, users):
        self.acknowledged = {}  # (group, sender or name, peer) -> [(seq, text)]
        self.stopping, self.failed = False, []
        self.lock = threading.Lock()
        clients = [cluster.client(user) for user in users[:TALKERS]]
        self.threads = [threading.Thread(target=self.talk, args=(client, users, i))
                        for i, client in enumerate(clients)]
        for thread in self.threads:
            thread.start()

    def talk(self, *arguments):
        try:
            self.say(*arguments)
        except Exception as failure:  # told by stop()
            self.failed.append(failure)

    def say(self, client, users, number):
        peers = [(False, users[(number + k) % USERS]) for k in (1, 3)] + [(True, "hall"), (True, "den")]
        count = 0
        while not self.stopping:
            group, peer = peers[count % len(peers)]
            text = f"{client.user} {count} " + "é" * (count % 50)
            seq, _ = client.send(peer, text, group=group)
            key = (True, peer) if group else (False, *sorted((client.user, peer)))
            with self.lock:
                self.acknowledged.setdefault(key, []).append((seq, text))
            count += 1

    def so_far(self):
        with self.lock:
            return {key: sorted(said) for key, said in self.acknowledged.items()}

    def stop(self):
        self.stopping = True
        for thread in self.threads:
            thread.join(30)
        assert not self.failed, self.failed


def messages(client, peer, group):
    return [(msg.seq, getattr(msg, "from"), text_of(msg), msg.body, msg.time_ms)
            for msg in client.all_history(peer, group) if not msg.flags & pb.MSG_SYSTEM]


def state(cluster, users):
    """What each user sees: conversations with unread counts and order, and whole histories."""
    seen = {}
    for user in users:
        client = cluster.client(user)
        convs = client.convs()
        seen[user] = {key: (conv.unread, conv.last_seq) for key, conv in convs.items()}
        for kind, peer in convs:
            seen[user, kind, peer] = messages(client, peer, kind == pb.CONV_GROUP)
        client.close()
        cluster.clients.remove(client)
    return seen


def check_holds(cluster, users, acknowledged, groups):
    """Everything acknowledged before the backup is there, once, in order, byte for byte."""
    clients = {user: cluster.client(user) for user in users}
    for key, said in acknowledged.items():
        group, reader, peer = (True, users[0], key[1]) if key[0] else (False, key[1], key[2])
        found = messages(clients[reader], peer, group)
        assert [seq for seq, *_ in found] == sorted({seq for seq, *_ in found}), key
        have = {seq: text for seq, _, text, *_ in found}
        for seq, text in said:
            assert have.get(seq) == text, (key, seq, sorted(set(range(1, max(have) + 1)) - set(have)), max(have))
    for group, members in groups.items():
        assert cluster.members(group) == members
    for user in users:
        convs = clients[user].convs()
        for group, members in groups.items():
            assert ((pb.CONV_GROUP, group) in convs) == (user in members), (user, group)
    for client in clients.values():
        client.close()
        cluster.clients.remove(client)


def restore(cluster, path, directory, shards=None, replicas=None):
    more = ["--shards", shards] if shards else []
    more += ["--replicas", replicas] if replicas is not None else []
    done = cluster.ctl("restore", "--from", path, "--dir", directory, "--output", "json", *more)
    return json.loads(done.stdout)


def start_restored(directory, apps):
    """A cluster over what was restored; hongyanctl up knows its shards."""
    restored = Cluster.__new__(Cluster)
    restored.own, restored.dir, restored.clients, restored.environment = True, pathlib.Path(directory), [], {}
    restored.arguments = []
    restored.up()
    assert [app["sdkappid"] for app in restored.json["apps"]] == [app["sdkappid"] for app in apps]
    return restored


def back_up_under_load(cluster, users, path):
    load = Load(cluster, users)
    try:
        wait_until(lambda: sum(map(len, load.so_far().values())) > 300, 30, "some messages")
        cluster.ctl("backup", "--dir", cluster.dir, "--to", path)  # all that is there
        before = load.so_far()
        again = json.loads(cluster.ctl("backup", "--dir", cluster.dir, "--to", path, "--output", "json").stdout)
    finally:
        load.stop()
    assert not cluster.sanitizer_reports()
    return before, again


def people(cluster):
    users = [f"user{i}" for i in range(USERS)]
    cluster.import_users(*users)
    cluster.create_group("hall", owner=users[0], members=users[1:])
    cluster.create_group("den", owner=users[0], members=users[1:TALKERS + 1])
    return users, {"hall": set(users), "den": set(users[:TALKERS + 1])}


def check_goes_on(cluster, users):
    ann, bob = cluster.client(users[0]), cluster.client(users[5])
    last = {"c": ann.convs().get((pb.CONV_C2C, users[5])), "g": ann.convs()[pb.CONV_GROUP, "hall"]}
    seq, _ = ann.send("hall", "after", group=True)
    assert seq == last["g"].last_seq + 1
    assert bob.wait_text("after", group="hall").seq == seq
    seq, _ = bob.send(users[0], "hello again")
    assert ann.wait_text("hello again", peer=users[5]).seq == seq
    assert bob.convs()[pb.CONV_C2C, users[0]].last_seq == seq


def round_trip(make_cluster, tmp_path, shards, targets):
    cluster = make_cluster(shards=shards, apps=["group_rate=0"])
    users, groups = people(cluster)
    before, manifest = back_up_under_load(cluster, users, tmp_path / "backups")
    assert len(manifest["parts"]) == shards
    assert "is good" in cluster.ctl("backup", "verify", "--from", tmp_path / "backups").stdout
    # Quiet now: one more backup has exactly what there is.
    cluster.ctl("backup", "--dir", cluster.dir, "--to", tmp_path / "backups")
    times = [line.split()[0] for line in
             cluster.ctl("backup", "list", "--from", tmp_path / "backups").stdout.splitlines()[1:]]
    assert len(times) == 3 and times[1] == manifest["time"]
    exact = state(cluster, users)
    apps = cluster.json["apps"]
    cluster.down()
    for target in targets:
        # the one under load: nothing acknowledged before it is lost
        directory = tmp_path / f"loaded-{target}"
        told = cluster.ctl("restore", "--from", tmp_path / "backups", "--dir", directory, "--at", times[1],
                           "--shards", target, "--output", "json")
        told = json.loads(told.stdout)
        assert told["shards"] == target and told["epoch"] == manifest["parts"][0]["epoch"] + 1000
        assert told["stray"] == 0
        wrong = {key: told["index"][key] for key in ("ahead", "missing", "orphans", "repaired")}
        # cut together, nothing is to be mended; a machine that is busy for 5 s may cut them apart
        assert not manifest["together"] or not any(wrong.values()), wrong
        restored = start_restored(directory, apps)
        try:
            check_holds(restored, users, before, groups)
            check_goes_on(restored, users)
        finally:
            restored.close()
    # the quiet one, to the last of the targets: the same to the byte
    directory = tmp_path / "exact"
    restore(cluster, tmp_path / "backups", directory, targets[-1])
    restored = start_restored(directory, apps)
    try:
        found = state(restored, users)
        for key in exact.keys() | found.keys():  # one at a time: a difference is then shown whole
            assert found.get(key) == exact.get(key), key
        check_goes_on(restored, users)
    finally:
        restored.close()


def test_one_shard_becomes_one_and_three(make_cluster, tmp_path):
    round_trip(make_cluster, tmp_path, 1, (1, 3))


def test_four_shards_become_four_and_two(make_cluster, tmp_path):
    round_trip(make_cluster, tmp_path, 4, (4, 2))


def test_interruptions_leave_no_half_backup(make_cluster, tmp_path):
    cluster = make_cluster(shards=2)
    path = tmp_path / "backups"
    users, groups = people(cluster)
    ann = cluster.client(users[0])
    for i in range(300):
        ann.send(users[1 + i % 5], f"{i} " + str(hash(str(i))) * 300)
    backup = ["backup", "--dir", cluster.dir, "--to", path]

    def start():
        process = subprocess.Popen([BIN / "hongyanctl", *map(str, backup), "--rate-mb", "1"],
                                   stderr=subprocess.PIPE, text=True)
        wait_until(lambda: list(path.glob("shard-*/private")) or process.poll() is not None, 20, "copying")
        return process

    # the store dies
    process = start()
    cluster.kill_and_wait("store-1")
    _, said = process.communicate(timeout=60)
    listed = cluster.ctl("backup", "list", "--from", path).stdout.splitlines()[1:]
    assert len(listed) == (1 if process.returncode == 0 else 0), said
    done = cluster.ctl(*backup)  # the next works
    assert "of 2 shards" in done.stdout
    count = len(cluster.ctl("backup", "list", "--from", path).stdout.splitlines()) - 1
    # ctl dies
    process = start()
    process.kill()
    process.communicate()
    assert len(cluster.ctl("backup", "list", "--from", path).stdout.splitlines()) - 1 in (count, count + 1)

    def next_one():
        done = cluster.ctl(*backup, "--keep", "2", check=False)
        assert done.returncode == 0 or "under way" in done.stderr, done.stderr
        return done.returncode == 0

    wait_until(next_one, 60, "the next backup")
    listed = cluster.ctl("backup", "list", "--from", path).stdout.splitlines()[1:]
    assert 1 <= len(listed) <= 2
    for line in listed:
        cluster.ctl("backup", "verify", "--from", path, "--at", line.split()[0])
    assert ann.send(users[1], "still here")[0] > 0
    # one flipped byte is named
    table = max(path.glob("shard-*/shared_checksum/*.sst"), key=lambda file: file.stat().st_mtime)
    data = bytearray(table.read_bytes())
    data[len(data) // 2] ^= 4
    table.write_bytes(data)
    done = cluster.ctl("backup", "verify", "--from", path, check=False)
    assert done.returncode == 1 and table.name in done.stdout
    # and nothing is ever written over data
    done = cluster.ctl("restore", "--from", path, "--dir", cluster.dir, check=False)
    assert done.returncode == 1 and "has data already" in done.stderr
    assert cluster.metric("store-0", "hongyan_store_last_backup_timestamp_seconds") > time.time() - 300


def test_copies_are_backed_up_and_made(make_cluster, tmp_path):
    """From followers, under load; to other numbers of shards and copies, and to none of etcd's."""
    cluster = make_cluster(shards=2, replicas=2, etcd=1, apps=["group_rate=0"])
    users, groups = people(cluster)
    leaders = {shard["leader"] for shard in json.loads(
        cluster.ctl("node", "list", "--dir", cluster.dir, "--output", "json").stdout)["shards"]}
    wait_until(lambda: all(cluster.metric(name, "hongyan_store_replica_insync") == 2 for name in leaders), 30,
               "copies in sync")
    path = tmp_path / "backups"
    before, manifest = back_up_under_load(cluster, users, path)
    assert manifest["copies"] == 2 and manifest["map"]["epoch"] == 1 and manifest["together"] in (True, False)
    assert not {part["store"] for part in manifest["parts"]} & leaders, (leaders, manifest["parts"])
    # slots and backups leave each other alone
    cluster.ctl("shard", "add", "--dir", cluster.dir)
    ann = cluster.client(users[0])
    for i in range(300):
        ann.send(users[1 + i % 5], f"{i} " + str(hash(str(i))) * 300)
    ann.close()
    cluster.clients.remove(ann)
    slow = subprocess.Popen([BIN / "hongyanctl", "backup", "--dir", cluster.dir, "--to", tmp_path / "slow",
                             "--rate-mb", "1"], stderr=subprocess.PIPE, text=True)
    wait_until(lambda: list((tmp_path / "slow").glob("shard-*")) or slow.poll() is not None, 20, "a backup")
    done = cluster.ctl("rebalance", "start", "--dir", cluster.dir, check=False)
    assert done.returncode == 1 and "a backup is being taken" in done.stderr, (done, slow.poll())
    slow.kill()
    slow.communicate()

    def works(*words):
        done = cluster.ctl(*words, check=False)
        assert done.returncode == 0 or "under way" in done.stderr or "being taken" in done.stderr, done.stderr
        return done.returncode == 0

    wait_until(lambda: works("rebalance", "start", "--dir", cluster.dir), 30, "the end of the one that was killed")
    cluster.ctl("rebalance", "status", "--dir", cluster.dir, "--watch")
    # quiet now: where slots have moved, their old owner has them still, for a while
    wait_until(lambda: works("backup", "--dir", cluster.dir, "--to", path), 60, "a backup")
    exact = state(cluster, users)
    manifests = json.loads(cluster.ctl("backup", "list", "--from", path, "--output", "json").stdout)
    assert manifests[-1]["moved"] and len(manifests[-1]["parts"]) == 3 and not manifests[0]["moved"]
    apps = cluster.json["apps"]
    cluster.down()
    for shards, replicas in ((3, None), (2, 0)):
        directory = tmp_path / f"to-{shards}-{replicas}"
        told = restore(cluster, path, directory, shards, replicas)
        assert told["epoch"] == max(part["epoch"] for part in manifests[-1]["parts"]) + 1000, told
        assert told["stray"] > 0
        done = cluster.ctl("up", "--dir", directory, "--replicas", 5, "--detach", check=False)
        assert done.returncode == 1 and "restored for" in done.stderr, done.stderr
        restored = start_restored(directory, apps)
        try:
            copies = [""] if replicas == 0 else "abc"[:replicas or 2]
            assert restored.names("store") == [f"store-{s}{c}" for s in range(shards) for c in copies]
            check_holds(restored, users, before, groups)
            found = state(restored, users)
            for key in exact.keys() | found.keys():
                assert found.get(key) == exact.get(key), key
            check_goes_on(restored, users)
        finally:
            restored.close()
