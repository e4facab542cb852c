"""What bench/compare.py measures: the systems in their order, and each one's steps.

A step's words are filled in with its own sizes, with {bin}, {here}, {json}, {seconds}, and with the facts of
the system that was started. The same load is put on all: pairs x window, members, links; where a peer likes
another load better, it has a second row with that one, and targets are about the better of the two.
"""


class System:
    """start_s: about how long it takes to start and stop; prepare: what is run first, with {users}."""

    def __init__(self, title, start_s=0, settings=None, prepare=""):
        self.title = title
        self.start_s = start_s
        self.settings = settings or {}
        self.prepare = prepare.split()


OURS = "{bin}/hongyan-bench"
PEER = "{bin}/hongyan-bench-peer"
FLOOR = "{bin}/hongyan-bench-floor"
ACCOUNTS = f"{PEER} xmpp accounts --port {{port}} --links {{users}}"

SYSTEMS = {
    "hongyan": System("Hongyan", start_s=3),
    "ejabberd-archive": System("ejabberd + PostgreSQL", start_s=12, prepare=ACCOUNTS),
    "ejabberd": System("ejabberd, no archive", start_s=6, prepare=ACCOUNTS),
    "mosquitto": System("mosquitto", start_s=1),
    "nginx": System("nginx, a static page", start_s=1),
    "floor": System("floor"),
}

# What a quick run takes instead of these sizes; rates stay.
SMALL = {15000: 1500, 8000: 1000, 5000: 1000, 2000: 500, 400: 100}


class Step:
    """alone: on a system that was started for it; up: on one that was started with these options; bare: it
    starts what it needs. asked: runs only when --only names its scenario; once: in the first round alone. share: of --seconds;
    over_s: about how long it takes besides; limit_s: then it hangs."""

    def __init__(self, system, scenario, key, words, load, sizes=None, quick=None, alone=False, up="",
                 bare=False, asked=False, once=False, share=1.0, over_s=1.0, limit_s=600):
        self.system, self.scenario, self.key = system, scenario, key
        self.words, self.load = words.split(), load
        self.sizes, self.small = sizes or {}, quick or {}
        self.alone, self.bare, self.up = alone or bare, bare, up.split()
        self.asked, self.once = asked, once
        self.share, self.over_s, self.limit_s = share, over_s, limit_s

    def sizes_of(self, quick):
        if not quick:
            return self.sizes
        return {name: self.small.get(name, size if name == "rate" else SMALL.get(size, size))
                for name, size in self.sizes.items()}

    def label(self, quick):
        return self.load.format(**self.sizes_of(quick))

    def users(self, quick):
        """How many accounts it needs."""
        sizes = self.sizes_of(quick)
        return max(sizes.get("links", 0), sizes.get("members", 2 * sizes.get("pairs", 0)))

    def seconds(self, seconds):
        return max(1, round(seconds * self.share))

    def takes_s(self, seconds):
        """About how long it takes, warm-up and all."""
        measured = self.seconds(seconds) if "{seconds}" in self.words else 0
        warm_up = max(1, measured / 10) if measured and self.system != "floor" else 0
        return self.over_s + measured + warm_up


# ---- the three drivers ----


def ours(scenario, key, options, load, **more):
    return Step("hongyan", scenario, key, f"{OURS} {scenario.lower()} --cluster {{cluster}} --seconds "
                f"{{seconds}} {options} --json {{json}}", load, **more)


def peer(system, kind, scenario, key, options, load, **more):
    """kind: the scenario as the driver calls it."""
    protocol = "mqtt" if system == "mosquitto" else "xmpp"
    return Step(system, scenario, key, f"{PEER} {protocol} {kind} --port {{port}} --seconds {{seconds}} "
                f"{options} --durability {{durability}} --json {{json}}", load, **more)


def floor(scenario, key, options, load, once=False, **sizes):
    return Step("floor", scenario, key, f"{FLOOR} {options} --seconds {{seconds}} --json {{json}}", load,
                sizes=sizes, share=0.25, over_s=0.5, once=once)


# ---- scenarios that several systems have ----

PAIRS, PAIRS_LOAD = "--pairs {pairs} --window {window}", "{pairs} pairs × {window}"
MANY, LOTS = {"pairs": 200, "window": 8}, {"pairs": 400, "window": 4}
SOME, FEW = {"pairs": 100, "window": 8}, {"pairs": 50, "window": 4}
IDLE, IDLE_LOAD = "--links {links} --heartbeat-ms 2000", "{links:,} links, each beats every 2 s"


def pairs(system, scenario, key, sizes, **more):
    if system == "hongyan":
        return ours(scenario, key, PAIRS, PAIRS_LOAD, sizes=sizes, **more)
    return peer(system, scenario.lower(), scenario, key, PAIRS, PAIRS_LOAD, sizes=sizes, **more)


# An audience is told by eight who keep two messages each under way, so that a server can write several
# frames at a time; and by one who waits until all have its message, so that no server can.
CROWDS = [("", {"senders": 8, "window": 2}, "8 × 2 under way"),
          ("-1", {"senders": 1, "window": 1}, "one message at a time")]


def audience(system, scenario, members, word="members", qos=0, crowds=2, **more):
    """The rows of a group, room or topic of so many."""
    senders = "senders" if system == "hongyan" else "pairs"
    size = word if system == "hongyan" else "members"
    key = f"{scenario.lower()}-{members}" + ("-qos1" if qos else "")
    for end, crowd, under_way in CROWDS[:crowds]:
        options = f"--{size} {{members}} --{senders} {{senders}} --window {{window}}"
        load = ("QoS 1, " if qos else "") + f"{{members:,}} {word}, {under_way}"
        more.update(sizes={"members": members, **crowd}, over_s=1 + members / 1500, share=0.6)
        if system == "hongyan":
            yield ours(scenario, key + end, options, load, **more)
        else:
            yield peer(system, "s4", scenario, key + end, options + (" --qos 1" if qos else ""), load,
                       **more)


def write_loops(scenario, members, **more):
    for batch in (1, 4, 8, 16):
        yield floor(scenario, f"fanout-{members}" + (f"-{batch}" if batch > 1 else ""),
                    "fanout --links {links} --batch {batch}",
                    "{links:,} sockets, " + ("a frame" if batch == 1 else "{batch} frames")
                    + " a write", links=members, batch=batch, **more)


OPEN = "--pairs {pairs} --rate {rate}"
OPEN_LOAD = "{rate:,}/s, open loop, {pairs} pairs"
HISTORY = "--pairs {pairs} --window {window} --depth {depth}"
READERS = {"pairs": 100, "window": 8, "depth": 1000}
HISTORY_LOAD = "{pairs} readers × {window}, pages of 20 of {depth:,} messages, "
CALLERS, CALLERS_LOAD = "--connections {connections}", "{connections} connections"
CALLED = (("s8", {"connections": 64}), ("s8-many", {"connections": 512}))
MILLION = ("--app-set max_groups=2000000 --app-set sweep_interval_s=1 --app-set sweep_grace_s=1 --set "
           "presence.resume_grace_ms=3600000 --set gateway.resume_grace_ms=3600000")
GROUPS = "--groups {groups} --users {users} --few {few} --check {check}"
GROUPS_LOAD = "{groups:,} groups of 20, {users:,} users"
GROWTH = ("{here}/growth.sh --bin {bin} --work {dir} --out {runs} --seconds {seconds} --shards {shards} "
          "--stored {stored} --filled {filled} --past {past} --links {links} --repeat {repeat} --json {json} --with {with}")
GROWTH_LOAD = "shards {shards}; stored messages {stored}; links {links}"
GROWTH_QUICK = {"shards": "1 2", "stored": "10000 20000", "filled": 1000, "links": "200 500", "repeat": 1}


def sign_ins(key, option, text, over_s=4, **more):
    """It ends when all are there."""
    return Step("hongyan", "S5", key, f"{OURS} s5 --cluster {{cluster}} --links {{links}} {option} --json "
                "{json}", "{links:,} links" + text, sizes={"links": 5000}, over_s=over_s, **more)


def many_groups(key, groups, **more):
    sizes = {"groups": groups, "users": groups, "few": min(1000, groups // 4), "check": groups // 50}
    return ours("S7", key, GROUPS, GROUPS_LOAD, sizes=sizes, up=MILLION, alone=True, once=True, share=0.6,
                quick={"groups": 2000, "users": 2000, "few": 1000, "check": 100}, **more)


def growth(key, shards, stored, links, repeat, **more):
    return Step("hongyan", "S9", key, GROWTH, GROWTH_LOAD, bare=True, once=True,
                sizes={"shards": shards, "stored": stored, "filled": 100000, "links": links, "repeat": repeat},
                quick=GROWTH_QUICK, **more)


PLAN = [
    # -- Hongyan
    ours("S1", "s1", IDLE, IDLE_LOAD, sizes={"links": 8000}, alone=True, share=0.8, over_s=4),
    ours("S1", "s1-tls", IDLE + " --tls", IDLE_LOAD + ", TLS", sizes={"links": 5000}, alone=True, share=0.8,
         over_s=8),
    pairs("hongyan", "S2", "s2", MANY),
    *(ours("S2", f"s2-open-{rate}", OPEN, OPEN_LOAD, sizes={"pairs": 200, "rate": rate}, share=share,
           once=rate == 5000) for rate, share in ((5000, 0.6), (10000, 0.6), (20000, 1))),
    pairs("hongyan", "S3", "s3", SOME, share=0.6),
    pairs("hongyan", "S3", "s3-few", FEW, share=0.6, once=True),
    *(step for members in (200, 2000, 8000) for step in audience("hongyan", "S4", members)),
    *(step for members, crowds in ((2000, 1), (15000, 2))
      for step in audience("hongyan", "S4L", members, "audience", crowds=crowds, up="--gateways 2")),
    sign_ins("s5", "", ""),
    sign_ins("s5-tls", "--tls", ", TLS in full"),
    sign_ins("s5-tls-resumed", "--tls-resumed", ", TLS resumed"),
    sign_ins("s5-storm", "--storm", ", their gateway dies", alone=True, once=True, over_s=12),
    # the second has as many pages under way as the peer has
    *(ours("S6", key, HISTORY, HISTORY_LOAD + "warm", sizes=sizes, share=0.6, over_s=8, once=key == "s6-few")
      for key, sizes in (("s6", READERS), ("s6-few", {**READERS, "window": 2}))),
    ours("S6", "s6-cold", HISTORY + " --cold", HISTORY_LOAD + "cold: stores just started", sizes=READERS,
         share=0.6, over_s=12, alone=True, once=True),
    many_groups("s7", 20000, over_s=40),
    many_groups("s7-full", 1000000, asked=True, over_s=600, limit_s=3600),
    *(ours("S8", key, CALLERS, "sendmsg, " + CALLERS_LOAD, sizes=sizes, share=0.6, once=key == "s8")
      for key, sizes in CALLED),
    growth("s9", "1 4", "1000000 2000000", "1000 8000", 1, share=0.6, over_s=70),
    growth("s9-full", "1 2 4 8", "1000000 10000000 100000000", "1000 10000 19000", 3, asked=True, share=3,
           over_s=2000, limit_s=7200),
    # -- ejabberd with its archive in PostgreSQL
    *(pairs("ejabberd-archive", "S2", key, sizes, once=key == "s2-lots")
      for key, sizes in (("s2", MANY), ("s2-lots", LOTS), ("s2-few", FEW))),
    peer("ejabberd-archive", "s6", "S6", "s6", "--pairs {pairs} --depth 200 --window 4",
         "{pairs} readers × 4, pages of 20 of 200 messages, warm", sizes={"pairs": 50}, over_s=6),
    # -- ejabberd without
    peer("ejabberd", "s1", "S1", "s1", IDLE, IDLE_LOAD, sizes={"links": 5000}, alone=True, share=0.8,
         over_s=6),
    pairs("ejabberd", "S3", "s3", SOME, share=0.6),
    peer("ejabberd", "s5", "S5", "s5", "--links {links}", "{links:,} links", sizes={"links": 5000}),
    # a room keeps its server busy for long after so many have left it
    *(step for members in (200, 2000, 8000)
      for step in audience("ejabberd", "S4", members, crowds=1, alone=True)),
    # -- mosquitto
    peer("mosquitto", "s1", "S1", "s1", IDLE, IDLE_LOAD, sizes={"links": 8000}, alone=True, share=0.8,
         over_s=4),
    pairs("mosquitto", "S3", "s3", SOME, share=0.6),
    pairs("mosquitto", "S3", "s3-few", FEW, share=0.6, once=True),
    *(step for members in (200, 2000, 8000) for step in audience("mosquitto", "S4", members)),
    *audience("mosquitto", "S4", 2000, qos=1, crowds=1),
    *(step for members, crowds in ((2000, 1), (15000, 2))
      for step in audience("mosquitto", "S4L", members, "audience", crowds=crowds)),
    peer("mosquitto", "s5", "S5", "s5", "--links {links} --at-once 32", "{links:,} links",
         sizes={"links": 5000}),
    # -- nginx
    *(Step("nginx", "S8", key, f"{OURS} s8 --against {{url}} --pids {{pids}} --seconds {{seconds}} {CALLERS} "
           "--json {json}", "GET of 128 bytes, " + CALLERS_LOAD, sizes=sizes, share=0.6, once=key == "s8")
      for key, sizes in CALLED),
    # -- floors
    floor("S2", "commit-1", "commit --batch 1 --dir {dir}", "RocksDB, a message a write with fsync", once=True),
    floor("S2", "commit-32", "commit --batch 32 --dir {dir}", "RocksDB, 32 messages a write with fsync", once=True),
    floor("S2", "commit-256", "commit --batch 256 --dir {dir}", "RocksDB, 256 messages a write with fsync"),
    floor("S3", "echo", "echo --links 200", "epoll echo, a frame a call", once=True),
    floor("S3", "echo-8", "echo --links 200 --window 8", "epoll echo, 8 frames a call"),
    floor("S3", "hop-ipc", "hop", "ZeroMQ hop, ipc", once=True),
    floor("S3", "hop-ipc-32", "hop --batch 32", "ZeroMQ hop, ipc, 32 messages a frame", once=True),
    floor("S3", "hop-tcp", "hop --tcp", "ZeroMQ hop, tcp", once=True),
    floor("S3", "hop-tcp-32", "hop --tcp --batch 32", "ZeroMQ hop, tcp, 32 messages a frame", once=True),
    *write_loops("S4", 200, once=True),
    *(step for members in (2000, 8000) for step in write_loops("S4", members)),
    floor("S4", "fanout-2000-pinned", "fanout --links {links} --pin",
          "{links:,} sockets, a frame a write, each side on a core of its own", links=2000, once=True),
    *write_loops("S4L", 15000),
    floor("S5", "connect", "connect", "connections, one question and answer"),
    *(Step("floor", "S5", key, f"{{here}}/floor/tls.py {option} --seconds {{seconds}} --json {{json}}",
           f"openssl s_time, {text}", share=0.4)
      for key, option, text in (("tls", "", "full handshakes"),
                                ("tls-resumed", "--resumed", "resumed, with a page of 6 bytes"))),
    floor("S6", "scan", "scan --dir {dir}", "RocksDB, 20 rows in a row, cached, one thread"),
]
