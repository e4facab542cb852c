"""Network namespaces as hosts: each has one cable into a switch, and a firewall that breaks things.

A host's address is 10.77.0.NUMBER. Nothing is visible outside of the namespaces, so laboratories may run
side by side. Namespaces are named after the process that made them, so what a killed one left is found.
"""
import contextlib
import ctypes
import os
import pathlib
import shutil
import socket
import subprocess

import lab_delay

PREFIX = "hylab"
RUN = pathlib.Path("/run/netns")
NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


class Impossible(Exception):
    """This machine cannot make what is needed; the text says what."""


def ip(*words):
    done = subprocess.run(["ip", *map(str, words)], text=True, capture_output=True)
    if done.returncode != 0:
        raise Impossible(f"ip {' '.join(map(str, words))}: {done.stderr.strip()}")


def sweep():
    """Remove the namespaces of laboratories that are no more."""
    for path in RUN.glob(f"{PREFIX}*-*") if RUN.exists() else ():
        pid = path.name[len(PREFIX):].split("-")[0]
        if pid.isdigit() and not pathlib.Path("/proc", pid).exists():
            subprocess.run(["ip", "netns", "del", path.name], check=False)


def set_namespace(path):
    with open(path) as file:
        if LIBC.setns(file.fileno(), NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns {path}")


class Network:
    def __init__(self, hosts):
        """hosts: their names, in order of their addresses."""
        if os.geteuid() != 0:
            raise Impossible("network namespaces are made as root only")
        for program in ("ip", "iptables", "nsenter", "setpriv"):
            if shutil.which(program) is None:
                raise Impossible(f"there is no {program} here (Debian: iproute2, iptables, util-linux)")
        sweep()
        self.home = open("/proc/self/ns/net")
        self.prefix = f"{PREFIX}{os.getpid()}-"
        self.hosts = list(hosts)
        self.rules = {}  # what a fault has put into the firewall: its key -> [(host, rule)]
        self.delays = {}
        try:
            self.make()
        except BaseException:
            self.close()
            raise

    def name(self, host):
        return self.prefix + host

    def address(self, host):
        return f"10.77.0.{self.hosts.index(host) + 1}"

    def make(self):
        switch = self.name("switch")
        ip("netns", "add", switch)
        ip("-n", switch, "link", "add", "br0", "type", "bridge")
        ip("-n", switch, "link", "set", "br0", "up")
        for host in self.hosts:
            name = self.name(host)
            ip("netns", "add", name)
            ip("-n", switch, "link", "add", host, "type", "veth", "peer", "eth0", "netns", name)
            ip("-n", switch, "link", "set", host, "master", "br0", "up")
            ip("-n", name, "link", "set", "lo", "up")
            ip("-n", name, "address", "add", f"{self.address(host)}/24", "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")

    def close(self):
        for delay in self.delays.values():
            delay.close()
        self.delays = {}
        for path in RUN.glob(self.prefix + "*"):
            subprocess.run(["ip", "netns", "del", path.name], check=False)

    # -- being there

    def command(self, host, words):
        """The words of a command that runs on the host, and ends with this process."""
        return ["setpriv", "--pdeathsig", "KILL", "nsenter", f"--net={RUN / self.name(host)}", *map(str, words)]

    @contextlib.contextmanager
    def inside(self, host):
        """Sockets made meanwhile by this thread are of the host."""
        set_namespace(RUN / self.name(host))
        try:
            yield
        finally:
            LIBC.setns(self.home.fileno(), NEWNET)

    def connect(self, host, port, timeout):
        with self.inside(host):
            sock = socket.socket()
        sock.settimeout(timeout)
        sock.connect(("127.0.0.1", port))
        return sock

    # -- faults

    def firewall(self, host, action, rule):
        done = subprocess.run(["nsenter", f"--net={RUN / self.name(host)}", "iptables", "-w", action, *rule],
                              text=True, capture_output=True)
        if done.returncode != 0:
            raise Impossible(f"iptables {action} {' '.join(rule)}: {done.stderr.strip()}")

    def add_rule(self, key, host, rule):
        self.firewall(host, "-A", rule)
        self.rules.setdefault(key, []).append((host, rule))

    def heal(self, key):
        for host, rule in self.rules.pop(key, ()):
            self.firewall(host, "-D", rule)

    def cut(self, key, host, other, both=True):
        """What comes from other is lost on the host; both: and the other way round."""
        self.add_rule(key, host, ["INPUT", "-s", self.address(other), "-j", "DROP"])
        if both:
            self.add_rule(key, other, ["INPUT", "-s", self.address(host), "-j", "DROP"])

    def lose(self, key, host, percent):
        """So much of what comes to the host is lost."""
        self.add_rule(key, host, ["INPUT", "-i", "eth0", "-m", "statistic", "--mode", "random",
                                  "--probability", str(percent / 100), "-j", "DROP"])

    def slow(self, key, host, ms):
        """What comes to the host comes so much later."""
        with self.inside(host):
            self.delays[host] = lab_delay.Delay(ms / 1000)
        self.add_rule(key, host, ["INPUT", "-i", "eth0", "-j", "NFQUEUE", "--queue-num", "0"])

    def slow_no_more(self, key, host):
        self.heal(key)
        self.delays.pop(host).close()

    def pull(self, host):
        """Take the cable out."""
        ip("-n", self.name("switch"), "link", "set", host, "down")

    def plug(self, host):
        ip("-n", self.name("switch"), "link", "set", host, "up")

    def can(self, host, rule):
        """Does the kernel here have what the rule needs?"""
        try:
            self.firewall(host, "-A", rule)
            self.firewall(host, "-D", rule)
        except Impossible:
            return False
        return True

    def abilities(self):
        """Of "lose" and "slow", those that the kernel here can do."""
        rules = {"lose": ["INPUT", "-m", "statistic", "--mode", "random", "--probability", "0.1", "-j", "DROP"],
                 "slow": ["INPUT", "-j", "NFQUEUE", "--queue-num", "0"]}
        return {name for name, rule in rules.items() if self.can(self.hosts[0], rule)}
