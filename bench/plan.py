"""What bench/compare.py measures: the systems in their order, and each one's steps.

A step's words are filled in with {bin}, {here}, {json}, {seconds} and the facts of the started system. The
same load is put on all: pairs x window, members, links; where a peer likes another load better, it has a
second row with that one, and ratios are to the better of the two.
"""

import shutil


class System:
    def __init__(self, title, program=None, settings=None):
        self.title = title
        self.program = program
        self.settings = settings or {}

    def available(self):
        return self.program is None or shutil.which(self.program) is not None


SYSTEMS = {
    "hongyan": System("Hongyan"),
    "ejabberd-archive": System("ejabberd + PostgreSQL"),
    "ejabberd": System("ejabberd, no archive"),
    "mosquitto": System("mosquitto"),
    "nginx": System("nginx, static page"),
    "floor": System("floor"),
}


class Step:
    """scenario "": a preparation, which leaves no figures. quick: what replaces words in a quick run."""

    def __init__(self, system, scenario, key, words, load="", alone=False, quick=None, time=1.0):
        self.system = system
        self.scenario = scenario
        self.key = key
        self.words = words.split()
        self.load = load
        self.alone = alone
        self.quick = quick or {}
        self.time = time

    def command(self, quick):
        return [self.quick.get(word, word) for word in self.words] if quick else list(self.words)


OURS = "{bin}/hongyan-bench"
PEER = "{bin}/hongyan-bench-peer"
FLOOR = "{bin}/hongyan-bench-floor"
PAIRS = "--pairs 100 --window 8"
MANY = "--pairs 200 --window 8"
FEW = "--pairs 50 --window 4"
SMALL = {"8000": "1000", "15000": "1500", "5000": "1000", "2000": "500", "100": "20"}


def ours(scenario, key, options, load="", **more):
    name = scenario.lower()
    return Step("hongyan", scenario, key, f"{OURS} {name} --cluster {{cluster}} --seconds {{seconds}} "
                f"{options} --json {{json}}", load, quick=SMALL, **more)


def peer(system, protocol, scenario, key, options, load="", **more):
    step = Step(system, scenario, key, f"{PEER} {protocol} {scenario.lower()} --port {{port}} "
                f"--seconds {{seconds}} {options} --json {{json}} --durability", load, quick=SMALL,
                **more)
    step.words.append("{durability}")
    return step


def xmpp(system, scenario, key, options, load="", **more):
    return peer(system, "xmpp", scenario, key, options, load, **more)


def mqtt(scenario, key, options, load="", **more):
    return peer("mosquitto", "mqtt", scenario, key, options, load, **more)


def floor(scenario, key, options, load="", **more):
    return Step("floor", scenario, key, f"{FLOOR} {options} --seconds {{seconds}} --json {{json}}",
                load, quick=SMALL, time=0.3, **more)


def accounts(system, links):
    return Step(system, "", "accounts", f"{PEER} xmpp accounts --port {{port}} --links {links}",
                quick=SMALL)


PLAN = [
    # -- Hongyan
    ours("S1", "s1", "--links 8000", "8,000 links", alone=True, time=0.5),
    ours("S1", "s1-tls", "--links 5000 --tls", "5,000 links, TLS", alone=True, time=0.5),
    ours("S2", "s2", MANY, "200 pairs × 8"),
    ours("S2", "s2-open", "--pairs 200 --rate 20000", "20,000/s, open loop"),
    ours("S3", "s3", PAIRS, "100 pairs × 8"),
    ours("S3", "s3-few", FEW, "50 pairs × 4"),
    ours("S4", "s4-200", "--members 200 --senders 8 --window 2", "200 members"),
    ours("S4", "s4-2000", "--members 2000 --senders 8 --window 2", "2,000 members"),
    ours("S4", "s4-8000", "--members 8000 --senders 8 --window 2", "8,000 members"),
    ours("S4L", "s4l", "--audience 15000 --senders 8", "15,000 audience"),
    ours("S5", "s5", "--links 5000", "5,000 links"),
    ours("S5", "s5-tls", "--links 5000 --tls", "5,000 links, TLS, full handshakes"),
    ours("S6", "s6", "", "pages of 20"),
    ours("S8", "s8", "", "sendmsg"),
    # -- ejabberd with its archive in PostgreSQL
    accounts("ejabberd-archive", 400),
    xmpp("ejabberd-archive", "S2", "s2", MANY, "200 pairs × 8"),
    xmpp("ejabberd-archive", "S2", "s2-few", FEW, "50 pairs × 4"),
    xmpp("ejabberd-archive", "S6", "s6", "--pairs 50 --depth 200 --window 4", "50 readers, pages of 20"),
    # -- ejabberd without
    accounts("ejabberd", 8000),
    xmpp("ejabberd", "S1", "s1", "--links 5000", "5,000 links", alone=True, time=0.5),
    xmpp("ejabberd", "S3", "s3", PAIRS, "100 pairs × 8"),
    xmpp("ejabberd", "S3", "s3-few", FEW, "50 pairs × 4"),
    xmpp("ejabberd", "S5", "s5", "--links 5000", "5,000 links"),
    # a room keeps its server busy for long after so many have left it
    xmpp("ejabberd", "S4", "s4-200", "--members 200 --pairs 8 --window 2", "200 members", alone=True),
    xmpp("ejabberd", "S4", "s4-2000", "--members 2000 --pairs 8 --window 2", "2,000 members", alone=True),
    xmpp("ejabberd", "S4", "s4-8000", "--members 8000 --pairs 8 --window 2", "8,000 members", alone=True),
    # -- mosquitto
    mqtt("S1", "s1", "--links 8000", "8,000 links", alone=True, time=0.5),
    mqtt("S3", "s3", PAIRS, "QoS 1, 100 pairs × 8"),
    mqtt("S3", "s3-few", FEW, "QoS 1, 50 pairs × 4"),
    mqtt("S4", "s4-200", "--members 200 --pairs 8 --window 2", "QoS 0, 200 members"),
    mqtt("S4", "s4-2000", "--members 2000 --pairs 8 --window 2", "QoS 0, 2,000 members"),
    mqtt("S4", "s4-8000", "--members 8000 --pairs 8 --window 2", "QoS 0, 8,000 members"),
    mqtt("S4", "s4-2000-qos1", "--members 2000 --pairs 8 --window 2 --qos 1", "QoS 1, 2,000 members"),
    Step("mosquitto", "S4L", "s4l", f"{PEER} mqtt s4 --port {{port}} --seconds {{seconds}} --members "
         "15000 --pairs 8 --window 2 --json {json}", "QoS 0, 15,000 members", quick=SMALL),
    mqtt("S5", "s5", "--links 5000", "5,000 links"),
    # -- nginx
    Step("nginx", "S8", "s8", f"{OURS} s8 --against {{url}} --pids {{pids}} --seconds {{seconds}} "
         "--json {json}", "static page of 128 bytes"),
    # -- floors
    floor("S2", "commit-1", "commit --batch 1 --dir {dir}", "RocksDB, a message a write with fsync"),
    floor("S2", "commit-32", "commit --batch 32 --dir {dir}", "RocksDB, 32 messages a write with fsync"),
    floor("S2", "commit-256", "commit --batch 256 --dir {dir}", "RocksDB, 256 messages a write with fsync"),
    floor("S3", "echo", "echo --links 200", "epoll echo, a frame a call"),
    floor("S3", "echo-8", "echo --links 200 --window 8", "epoll echo, 8 frames a call"),
    floor("S3", "hop-ipc", "hop", "ZeroMQ hop, ipc"),
    floor("S3", "hop-ipc-32", "hop --batch 32", "ZeroMQ hop, ipc, 32 messages a frame"),
    floor("S3", "hop-tcp", "hop --tcp", "ZeroMQ hop, tcp"),
    floor("S3", "hop-tcp-32", "hop --tcp --batch 32", "ZeroMQ hop, tcp, 32 messages a frame"),
    floor("S4", "fanout-200", "fanout --links 200", "write loop, 200 sockets"),
    floor("S4", "fanout-200-8", "fanout --links 200 --batch 8", "write loop, 200 sockets, 8 frames a write"),
    floor("S4", "fanout-2000", "fanout --links 2000", "write loop, 2,000 sockets"),
    floor("S4", "fanout-2000-8", "fanout --links 2000 --batch 8", "write loop, 2,000 sockets, 8 frames a write"),
    floor("S4", "fanout-8000", "fanout --links 8000", "write loop, 8,000 sockets"),
    floor("S4", "fanout-8000-8", "fanout --links 8000 --batch 8", "write loop, 8,000 sockets, 8 frames a write"),
    floor("S4L", "fanout-15000", "fanout --links 15000", "write loop, 15,000 sockets"),
    floor("S4L", "fanout-15000-8", "fanout --links 15000 --batch 8", "write loop, 15,000 sockets, 8 frames a write"),
    floor("S5", "connect", "connect", "connections, one question and answer"),
    Step("floor", "S5", "tls", "{here}/floor/tls.py --seconds {seconds} --json {json}",
         "openssl s_time, full handshakes", time=0.5),
    floor("S6", "scan", "scan --dir {dir}", "RocksDB, 20 rows in a row, cached, one thread"),
]
