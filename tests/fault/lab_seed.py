"""One run of the laboratory: a cluster, a load, the faults of a seed, quiet, and the verdict."""
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import time

import lab_check
import lab_faults
from lab_cluster import BIN, Broken, Cluster, steady_ms
from lab_net import Network
from lab_shape import CLIENTS, HOSTS

ONLINE_S, HEALTHY_S, VERIFY_S = 60, 60, 150
QUIET_S = 2.0  # load without faults, when all is healthy again


class Load:
    """The driver, on a host of its own."""

    def __init__(self, net, folder, run, rate=150, pairs=8, groups=4, members=5):
        self.history = folder / "history.jsonl"
        self.log = folder / "log/load.log"
        words = [BIN / "hongyan-probe", "load", "--cluster", folder / "cluster.json", "--pairs", pairs, "--groups",
                 groups, "--members", members, "--rate", rate, "--reads", 20, "--seconds", 100000,
                 "--send-patience", 40, "--patience", 60, "--run", run, "--history", self.history]
        with open(self.log, "wb") as log:
            self.popen = subprocess.Popen(net.command(CLIENTS, words), stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def online(self):
        if self.popen.poll() is not None:
            raise Broken(f"the load ended: {self.log.read_text()[-500:]}")
        return "users are online" in self.log.read_text()

    def finish(self):
        """Stop sending, read back; returns the history."""
        self.popen.send_signal(signal.SIGINT)
        try:
            self.popen.wait(VERIFY_S)
        except subprocess.TimeoutExpired:
            raise Broken(f"the load did not end within {VERIFY_S} s") from None
        if not self.history.exists():
            raise Broken(f"the load wrote no history: {self.log.read_text()[-500:]}")
        return lab_check.load(self.history)

    def close(self):
        self.popen.kill()
        self.popen.wait()


class Lab:
    """A laboratory while it runs; faults work on it."""

    def __init__(self, shape, folder=None, faults=(), more=None):
        self.shape = shape
        self.dir = pathlib.Path(folder or tempfile.mkdtemp(prefix="hylab-", dir="/var/tmp"))
        self.begun = time.monotonic()
        self.notes, self.harmed, self.joining = [], set(), set()
        self.net = self.cluster = self.load = None
        try:
            self.net = Network([*HOSTS, CLIENTS])
            self.cluster = Cluster(shape, self.net, self.dir, more, lab_faults.need_shim(faults),
                                   lab_faults.need_small_disk(faults))
        except BaseException:
            self.close()
            raise

    def note(self, text):
        self.notes.append(f"{time.monotonic() - self.begun:7.2f} {steady_ms():.0f} {text}")

    def wipe(self, folder):
        for path in folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    def when_in_sync(self, name):
        self.joining.add(name)

    def wait(self, seconds, until=lambda: False):
        """Look after all for a while; copies whose disk was harmed count again when they are in sync."""
        def look():
            for name in list(self.joining):
                if name in self.cluster.coord.insync(self.shape.nodes[name].shard):
                    self.joining.discard(name)
                    self.harmed.discard(name)
            return until()
        return self.cluster.wait(seconds, look)

    def start_load(self, run, **options):
        self.load = Load(self.net, self.dir, run, **options)
        if not self.wait(ONLINE_S, self.load.online):
            raise Broken(f"users were not online within {ONLINE_S} s")

    def break_things(self, faults):
        """Begin and end each fault at its time, then heal what is left."""
        events = sorted([(fault.at, 1, fault) for fault in faults] +
                        [(fault.at + fault.seconds, 0 if fault.seconds else 2, fault) for fault in faults],
                        key=lambda event: event[:2])
        begun = time.monotonic()
        for at, begins, fault in events:
            self.wait(begun + at - time.monotonic())
            self.note(("" if begins == 1 else "end of ") + lab_faults.text(fault))
            row = lab_faults.KINDS[fault.kind]
            (row.begin if begins == 1 else row.end)(self, fault)

    def write_notes(self):
        if self.notes:
            (self.dir / "notes").write_text("\n".join(self.notes) + "\n")

    def close(self, keep=False):
        for part in (self.load, self.cluster, self.net):
            if part is not None:
                part.close()
        if not keep:
            shutil.rmtree(self.dir, ignore_errors=True)


def run_settings(seed, shape):
    """Settings that differ from seed to seed."""
    if not shape.etcd:
        return {}
    if shape.replicas == 1:
        return {"store.min_insync": 1}
    return {"store.min_insync": random.Random(f"settings {seed}").choice((1, 2))}


class Result:
    def __init__(self, seed, shape, faults, more):
        self.seed, self.shape, self.faults, self.more = seed, shape, faults, more
        self.counts = {"ok": 0, "failed": 0, "unknown": 0, "wait_ms": 0}
        self.violations = []
        self.kept = None

    def line(self):
        """What is printed: one line, and more only of what is wrong."""
        c = self.counts
        more = " ".join(f"{key.split('.')[1]}={value}" for key, value in self.more.items())
        head = (f"seed {self.seed} {self.shape.name} {more + ' ' if more else ''}"
                f"[{' '.join(map(lab_faults.text, self.faults))}] ok {c['ok']} failed {c['failed']} "
                f"unknown {c['unknown']} longest {c['wait_ms'] / 1000:.1f} s: ")
        kept = f"    kept in {self.kept}" if self.kept else "    nothing is kept"
        if not self.violations:
            return head + "clean" + (f"\n{kept}" if self.kept else "")
        shown = [f"    {v.kind}: {v.text}" for v in self.violations[:10]]
        if len(self.violations) > 10:
            shown.append(f"    and {len(self.violations) - 10} more")
        again = f"again with: tests/fault/lab --shape {self.shape.name} --seeds {self.seed}"
        return "\n".join([head + f"{len(self.violations)} VIOLATIONS", *shown, f"{kept}; {again}"])


def run(seed, shape, seconds=20, keep="bad", abilities=None, faults=None):
    """Run one seed; a Result. faults: these instead of the seed's."""
    if abilities is None:
        abilities = find_abilities()
    if faults is None:
        faults = lab_faults.schedule(seed, shape, abilities, seconds)
    result = Result(seed, shape, faults, run_settings(seed, shape))
    lab = Lab(shape, None, faults, result.more)
    try:
        lab.cluster.up()
        lab.start_load(f"s{seed}")
        lab.wait(1)
        lab.break_things(faults)
        lab.note("quiet")
        lab.cluster.wait_healthy(HEALTHY_S)
        lab.note("healthy")
        lab.wait(QUIET_S)
        history = lab.load.finish()
        result.counts = lab_check.count(history)
        result.violations = lab_check.check(history)
        result.violations += [lab_check.Violation("slow end", name) for name in lab.cluster.down()]
        result.violations += [lab_check.Violation("broken", text) for text in lab.cluster.broken()]
    except Broken as error:
        result.violations.append(lab_check.Violation("broken", str(error)))
        result.violations += [lab_check.Violation("broken", text) for text in lab.cluster.broken()]
    finally:
        kept = keep == "all" or keep == "bad" and bool(result.violations)
        lab.write_notes()
        lab.close(kept)
    result.kept = lab.dir if kept else None
    return result


def find_abilities():
    net = Network([*HOSTS, CLIENTS])
    try:
        return net.abilities()
    finally:
        net.close()
