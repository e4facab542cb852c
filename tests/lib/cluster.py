"""Start, break and stop a real cluster: hongyanctl and its processes, nothing else."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request

from client import Client, usersig

BIN = pathlib.Path(os.environ.get("HONGYAN_BIN", pathlib.Path(__file__).parents[2] / "build" / "bin"))
START_S = 60


def wait_until(condition, timeout=20, what="a condition"):
    """Poll a condition that has no event to wait on (a process, a file, a metric)."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"waited {timeout} s for {what}"
        time.sleep(0.02)


class Cluster:
    children = ()  # what a test started beside it, to be ended with it

    def __init__(self, gateways=1, routers=1, presence=1, shards=1, settings=(), apps=(), directory=None,
                 etcd=0, replicas=0, programs=None):
        self.own = directory is None
        self.dir = pathlib.Path(directory or tempfile.mkdtemp(prefix="hy-"))
        self.arguments = ["--gateways", str(gateways), "--routers", str(routers),
                          "--presence", str(presence), "--shards", str(shards)]
        if etcd:
            self.arguments += ["--etcd", str(etcd)]
        if replicas:
            self.arguments += ["--replicas", str(replicas)]
        if programs:
            self.arguments += ["--bin", str(programs)]
        for setting in settings:
            self.arguments += ["--set", setting]
        for setting in apps:
            self.arguments += ["--app-set", setting]
        self.environment = {}  # more of it, for the processes
        self.clients = []
        self.up()

    # -- life

    def ctl(self, *arguments, check=True, timeout=120):
        done = subprocess.run([str(BIN / "hongyanctl"), *map(str, arguments)], text=True, timeout=timeout,
                              capture_output=True, env={**os.environ, **self.environment})
        assert not check or done.returncode == 0, f"hongyanctl {arguments}: {done.stdout}{done.stderr}"
        return done

    def up(self):
        self.ctl("up", "--dir", self.dir, "--detach", *self.arguments, timeout=START_S)

    def down(self):
        self.ctl("down", "--dir", self.dir)

    def close(self):
        for child in self.children:
            if child.poll() is None:
                child.kill()
                child.wait()
        for client in self.clients:
            client.close()
        self.clients = []
        info = self.json
        self.ctl("down", "--dir", self.dir, check=False)  # the test may have ended it already
        bad = self.sanitizer_reports()
        bad += [f"{name} still runs" for name, pid in info["pids"].items()
                if pathlib.Path(f"/proc/{pid}/exe").exists() and b"hongyan" in
                pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()]
        if self.own:
            shutil.rmtree(self.dir, ignore_errors=True)
        assert not bad, bad

    def sanitizer_reports(self):
        """Lines of a sanitizer or an abort in any log: a test with one of these has failed."""
        marks = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer",
                 "runtime error:", "Assertion `")
        return [f"{log.name}: {line}" for log in (self.dir / "log").glob("*.log")
                for line in log.read_text(errors="replace").splitlines()
                if any(mark in line for mark in marks)]

    def add(self, component):
        """One more router, presence process or gateway; its name."""
        return self.ctl("add", component, "--dir", self.dir).stdout.strip()

    def remove(self, name):
        self.ctl("remove", name, "--dir", self.dir)

    # -- what is there

    @property
    def json(self):
        return json.loads((self.dir / "cluster.json").read_text())

    @property
    def app(self):
        return self.json["apps"][0]

    def address(self, kind="tcp", gateway=0):
        """Address of a gateway; cluster.json has the first one's, gateways[] all of them."""
        info = self.json
        if "gateways" in info:
            return info["gateways"][gateway % len(info["gateways"])][kind]
        return info[kind]

    def pid(self, name):
        return self.json["pids"][name]

    def names(self, component):
        return sorted(name for name in self.json["pids"] if name.startswith(component + "-"))

    def client(self, user, **options):
        client = Client(self, user, **options)
        self.clients.append(client)
        return client

    # -- REST

    def rest(self, command, body, identifier=None, app=None, timeout=20, sig=None):
        app = app or self.app
        identifier = identifier or app["admin"]
        query = urllib.parse.urlencode({
            "sdkappid": app["sdkappid"], "identifier": identifier, "random": 1, "contenttype": "json",
            "usersig": sig or usersig(app["sdkappid"], identifier, app["key"])})
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.json['rest']}/v4/{command}?{query}", data)
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return json.load(answer)

    def rest_ok(self, command, body, **options):
        answer = self.rest(command, body, **options)
        assert answer["ErrorCode"] == 0 and answer.get("ActionStatus", "OK") == "OK", answer
        return answer

    def import_users(self, *users):
        for start in range(0, len(users), 100):
            answer = self.rest_ok("im_open_login_svc/multiaccount_import",
                                  {"Accounts": list(users[start:start + 100])})
            assert not answer.get("FailAccounts"), answer

    def create_group(self, group, kind="Public", owner=None, members=(), **fields):
        body = {"GroupId": group, "Type": kind, "Name": group, **fields}
        if owner:
            body["Owner_Account"] = owner
        if members:
            body["MemberList"] = [{"Member_Account": member} for member in members]
        return self.rest_ok("group_open_http_svc/create_group", body)["GroupId"]

    def members(self, group):
        answer = self.rest_ok("group_open_http_svc/get_group_member_info", {"GroupId": group})
        return {member["Member_Account"] for member in answer["MemberList"]}

    def metric(self, process, name):
        """Sum of a metric's series of one process."""
        with urllib.request.urlopen(self.json["metrics"][process], timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines
                   if line.split("{")[0].split(" ")[0] == name)

    # -- faults

    def kill(self, name, sig=signal.SIGKILL):
        pid = self.pid(name)
        os.kill(pid, sig)
        return pid

    def kill_and_wait(self, name, sig=signal.SIGKILL):
        """Kill it, and wait until the supervisor has a new process that is ready."""
        self.wait_back({name: self.kill(name, sig)})

    def wait_back(self, old):
        """Wait until the supervisor has a new process for each in old, a pid by name, that is ready."""
        for name, pid in old.items():
            wait_until(lambda: self.pid(name) != pid and self.ready(name), START_S, f"{name} to come back")

    def ready(self, name):
        url = self.json["metrics"][name].replace("/metrics", "/readyz")
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False
