"""A cluster over the hosts of a laboratory, and who starts its processes again."""
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import subprocess
import time
import uuid

import lab_shape
from lab_coord import Coordinator
from lab_shape import CLIENTS, HOSTS

BIN = pathlib.Path(os.environ.get("HONGYAN_BIN", pathlib.Path(__file__).parents[2] / "build" / "bin"))
AGAIN_S = 1.0      # between two starts of a process that ends by itself
READY_S = 60
BOOT_ID = "/proc/sys/kernel/random/boot_id"


class Broken(Exception):
    """The cluster did not do what it must, whatever befell it."""


def steady_ms():
    """The clock of the histories (hy_steady_ms)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) * 1000


class Process:
    """One process of the cluster, over its starts."""

    def __init__(self, node, words, log):
        self.node, self.words, self.log = node, words, log
        self.environment = {}
        self.popen = None
        self.wanted = False    # to be started (again) when it is not there
        self.stopped = False   # SIGSTOP
        self.ended = []        # how it ended by itself, which it never should
        self.failed = False    # it ended by itself once
        self.killed = False    # it ends because we said so
        self.started = 0.0

    def start(self):
        with open(self.log, "ab") as log:
            self.popen = subprocess.Popen(self.words, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                          env={**os.environ, **self.environment})
        self.killed = self.stopped = False
        self.started = time.monotonic()

    @property
    def alive(self):
        return self.popen is not None and self.popen.poll() is None

    def send(self, number):
        if self.alive:
            self.popen.send_signal(number)

    def kill(self):
        """-9, and it is gone when this returns."""
        self.killed = True
        self.send(signal.SIGKILL)
        if self.popen is not None:
            self.popen.wait()

    def has_no_disk(self):
        """A store with an empty directory on a disk that takes nothing has nothing to serve: it says so and ends."""
        log = pathlib.Path(self.log)
        if self.popen.returncode != 1 or (log.parents[1] / "data" / self.node.name / "identity").exists():
            return False
        said = log.read_text(errors="replace").splitlines()[-1:]
        return any("msg=store.not_started" in line and re.search("Input/output error|No space left", line)
                   for line in said)

    def tick(self):
        """Note an end that nobody wanted, and start again what should run."""
        if self.alive:
            return
        if self.popen is not None and not self.killed:
            self.failed = True
            if not self.has_no_disk():
                self.ended.append(f"{self.node.name} ended by itself: {self.popen.returncode}")
            self.killed = True  # noted
        if self.wanted and (self.popen is None or self.killed) and \
                time.monotonic() - self.started >= (AGAIN_S if self.failed else 0):
            self.start()


class Cluster:
    def __init__(self, shape, net, folder, more=None, preloaded=(), small=()):
        """preloaded: processes with the shim of tests/lib/lab_shim.c. small: stores on a disk of 64 MB."""
        self.shape, self.net, self.dir = shape, net, folder
        self.preloaded, self.mounts = preloaded, []
        self.id = "lab" + secrets.token_hex(8)
        self.app = {"sdkappid": 1400000001, "key": secrets.token_hex(32), "admin": "administrator"}
        self.coord = Coordinator(shape, net, folder / "data")
        for name in ("conf", "keys", "data", "log", "run"):
            (folder / name).mkdir(parents=True)
        self.make_keys()
        for name in small:
            self.mount(folder / "data" / name)
        self.processes = {name: self.make(node, more or {}) for name, node in shape.nodes.items()}

    def make_keys(self):
        subprocess.run([BIN / "hongyanctl", "keygen", self.dir / "keys", "gateway", "router", "presence",
                        "store", "ctl"], check=True, stdout=subprocess.DEVNULL)
        secret = self.dir / "keys/resume.secret"
        secret.touch(mode=0o600)
        secret.write_text(secrets.token_hex(32))
        (self.dir / "keys/id").write_text(self.id)
        (self.dir / "keys/apps.json").write_text(json.dumps([self.app]))

    def mount(self, where, mb=64):
        where.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mb}m,mode=0700", "tmpfs", where], check=True)
        self.mounts.append(where)

    def shim(self, name):
        return self.dir / "run" / f"{name}.shim"

    def boot_file(self, name):
        return self.dir / "run" / f"{name}.boot"

    def reboot(self, name):
        """Its machine starts anew: what was not synced may be gone, and it can tell by the kernel's boot id."""
        self.boot_file(name).write_text(f"{uuid.uuid4()}\n")

    def make(self, node, more):
        if node.kind == "etcd":
            words = lab_shape.etcd_words(self.shape, node, self.dir, self.net.address, more)
        else:
            conf = self.dir / "conf" / f"{node.name}.conf"
            lab_shape.write_conf(conf, lab_shape.settings(self.shape, node, self.dir, self.id, self.net.address, more))
            words = [BIN / f"hongyan-{node.kind}", "--config", conf]
        if node.kind == "store":
            (self.dir / "log" / node.name).mkdir()
            if self.shape.etcd:
                self.reboot(node.name)
                words = ["unshare", "--mount", "sh", "-c", f'mount --bind "$0" {BOOT_ID} && exec "$@"',
                         self.boot_file(node.name), *words]
        process = Process(node, self.net.command(node.host, words), self.dir / "log" / f"{node.name}.log")
        if node.name in self.preloaded:
            self.shim(node.name).write_bytes(bytes(24))
            process.environment = {"LD_PRELOAD": str(BIN / "hongyan-lab-shim.so"),
                                   "HONGYAN_LAB_SHIM": str(self.shim(node.name)),
                                   "ASAN_OPTIONS": "verify_asan_link_order=0:" + os.environ.get("ASAN_OPTIONS", "")}
        return process

    # -- life

    def up(self):
        self.start_kinds("etcd")
        self.start_kinds("store", "presence", "router", "gateway")
        (self.dir / "cluster.json").write_text(json.dumps(
            lab_shape.cluster_json(self.shape, self.id, self.dir, self.app, self.net.address), indent=2))
        self.ctl("app", "create", "--dir", self.dir, "--key", self.app["key"], "--name", "lab",
                 self.app["sdkappid"], "group_rate=0")

    def start_kinds(self, *kinds):
        started = [process for process in self.processes.values() if process.node.kind in kinds]
        for process in started:
            process.wanted = True
        self.wait_healthy(READY_S, [process.node.name for process in started])

    def ctl(self, *words):
        done = subprocess.run(self.net.command(CLIENTS, [BIN / "hongyanctl", *words]), text=True, capture_output=True,
                              timeout=60)
        if done.returncode != 0:
            raise Broken(f"hongyanctl {words[0]}: {done.stdout}{done.stderr}")

    def down(self):
        """End all as an operator would; what does not end in time is broken."""
        slow = []
        for kind in ("gateway", "router", "presence", "store", "etcd"):
            processes = [self.processes[name] for name in self.shape.names(kind)]
            for process in processes:
                process.wanted, process.killed = False, True
                process.send(signal.SIGCONT)
                process.send(signal.SIGTERM)
            end = time.monotonic() + 15
            for process in filter(lambda process: process.alive, processes):
                try:
                    process.popen.wait(max(0.1, end - time.monotonic()))
                except subprocess.TimeoutExpired:
                    slow.append(process.node.name)
                    process.kill()
        return slow

    def close(self):
        for process in self.processes.values():
            process.wanted = False
            process.kill()
        for where in self.mounts:
            subprocess.run(["umount", "-l", where], check=False)
        self.mounts = []

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    def tick(self):
        for process in self.processes.values():
            process.tick()

    def wait(self, seconds, until=lambda: False):
        """Look after the processes for a while. True: until() came first."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.tick()
            if until():
                return True
            time.sleep(0.02)
        return False

    # -- how it is

    def ready(self, name):
        node = self.shape.nodes[name]
        if not self.processes[name].alive:
            return False
        port, path = (2379, "/health") if node.kind == "etcd" else (lab_shape.status_port(node), "/readyz")
        return self.http(node.host, port, path)[0] == 200

    def http(self, host, port, path, body=None, timeout=1.0):
        """(status, text) of a process's page; (0, "") without an answer."""
        return self.coord.http(host, port, path, body, timeout)

    def why_not_healthy(self, names=None):
        names = self.shape.nodes if names is None else names
        for name in names:
            if not self.ready(name):
                return f"{name} is not ready"
        shards = {self.shape.nodes[name].shard for name in names} - {None}
        for shard in sorted(shards) if self.shape.etcd else ():
            missing = set(self.shape.copies(shard)) - self.coord.insync(shard)
            if missing:
                return f"{', '.join(sorted(missing))} not in sync"
        return None

    def wait_healthy(self, seconds, names=None):
        """Until all is ready and in sync. Broken: it never was."""
        if not self.wait(seconds, lambda: self.why_not_healthy(names) is None):
            raise Broken(f"after {seconds} s without a fault {self.why_not_healthy(names)}")

    def leader(self, shard):
        """The process that leads a shard, or None."""
        return self.coord.leader(shard) if self.shape.etcd else self.shape.copies(shard)[0]

    def broken(self):
        """What processes did that they never should."""
        found = [text for process in self.processes.values() for text in process.ended]
        marks = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer",
                 "runtime error:", "Assertion `")
        for log in (self.dir / "log").glob("*.log"):
            found += [f"{log.name}: {line}" for line in log.read_text(errors="replace").splitlines()
                      if any(mark in line for mark in marks)]
        return found

    # -- hosts

    def kill_host(self, host):
        """The power goes: nobody hears of it."""
        self.net.pull(host)
        for name in self.shape.on(host):
            self.processes[name].wanted = False
            self.processes[name].kill()
            self.reboot(name)

    def start_host(self, host):
        self.net.plug(host)
        for name in self.shape.on(host):
            self.processes[name].wanted = True
