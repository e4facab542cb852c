"""What Hongyan is to reach, as one table: each row is a figure of bench/compare.py's runs with its bounds."""

import statistics


class Runs(dict):
    """{(step, system): [result of each round]}."""

    def median(self, step, system, key):
        """The median of a figure over the rounds; None when no round has it."""
        values = [run[key] for run in self.get((step, system), []) if run.get(key) is not None]
        return statistics.median(values) if values else None

    def rate(self, step, system):
        return self.median(step, system, "rate_per_s") or None

    def best(self, system, steps):
        """The highest of their rates."""
        return max(filter(None, (self.rate(step, system) for step in steps)), default=None)

    def write_loop(self, step):
        """The raw write loop that does in each write what the server did: the step of the smallest batch that
        has as many frames. None: that is not about an audience."""
        kind, _, rest = step.partition("-")
        if kind not in ("s4", "s4l"):
            return None
        name = "fanout-" + rest.partition("-")[0]
        frames = self.median(step, "hongyan", "frames_per_write") or 1
        for batch, end in ((1, ""), (4, "-4"), (8, "-8"), (16, "-16")):
            if frames <= 1.25 * batch:
                return name + end
        return name + "-16"


def ratio(a, b):
    return a / b if a and b else None


def number(value, digits=0):
    if value is None:
        return "–"
    if digits == 0 and abs(value) < 10:
        digits = 2
    return f"{value:,.{digits}f}"


class Target:
    """value: a function of Runs. least: it must be at least floor and goal, else at most."""

    def __init__(self, scenario, text, value, floor, goal, unit="", least=True):
        self.scenario, self.text, self.value = scenario, text, value
        self.floor, self.goal, self.unit, self.least = floor, goal, unit, least

    def show(self, value):
        if value is None:
            return "–"
        if self.unit == "%":
            return f"{value:.0%}"
        digits = (1 if value >= 2 else 2) if self.unit == "×" else 0
        return number(value, digits) + (f" {self.unit}" if self.unit else "")

    def verdict(self, measured, bound):
        if bound is None:
            return "–"
        met = measured >= bound if self.least else measured <= bound
        return f"{'≥' if self.least else '≤'} {self.show(bound)}: {'met' if met else '**not met**'}"

    def line(self, runs):
        """As a sentence. "": it was not measured."""
        measured = self.value(runs)
        if measured is None:
            return ""
        parts = [f"{name} {self.verdict(measured, bound)}"
                 for name, bound in (("floor", self.floor), ("goal", self.goal)) if bound is not None]
        return f"target: {self.text} {self.show(measured)}; {'; '.join(parts)}"


def figure(step, key):
    return lambda runs: runs.median(step, "hongyan", key)


def to_peer(peer, ours, theirs=None):
    """Our best load to the best one of theirs."""
    return lambda runs: ratio(runs.best("hongyan", ours), runs.best(peer, theirs or ours))


def of_floor(step, floor_step):
    return lambda runs: ratio(runs.rate(step, "hongyan"), runs.rate(floor_step, "floor"))


def of_write_loop(step):
    return lambda runs: ratio(runs.rate(step, "hongyan"), runs.rate(runs.write_loop(step), "floor"))


def growth_of(axis):
    """The dearest point of an axis to its first, at the largest size that was measured."""
    def value(runs):
        for step in ("s9-full", "s9"):
            ratios = [point["ratio"] for run in runs.get((step, "hongyan"), [])
                      for point in run.get("points", []) if point["axis"] == axis]
            if ratios:
                return max(ratios)
        return None
    return value


def fan_out_targets(scenario, members, word, floor, goal):
    both = [f"{scenario.lower()}-{members}", f"{scenario.lower()}-{members}-1"]
    yield Target(scenario, f"{members:,} {word}, to mosquitto", to_peer("mosquitto", both), floor, goal, "×")
    yield Target(scenario, f"{members:,} {word}, one message at a time, to mosquitto",
                 to_peer("mosquitto", both[1:]), floor, goal, "×")


def write_loop_targets(scenario, members, word, goal):
    key = f"{scenario.lower()}-{members}"
    yield Target(scenario, f"{members:,} {word}, of the raw write loop with as many frames a write",
                 of_write_loop(key), None, goal, "%")
    yield Target(scenario, f"{members:,} {word}, one message at a time, of the raw write loop",
                 of_write_loop(key + "-1"), None, goal, "%")


TARGETS = [
    Target("S1", "RSS of a plain link", figure("s1", "rss_bytes_per_link"), 3000, 1500, "B", False),
    Target("S1", "RSS of a TLS link", figure("s1-tls", "rss_bytes_per_link"), 20000, 12000, "B", False),
    Target("S2", "to ejabberd + PostgreSQL",
           to_peer("ejabberd-archive", ["s2"], ["s2", "s2-lots", "s2-few"]), 5, 12, "×"),
    Target("S2", "messages a second", figure("s2", "rate_per_s"), None, 50000),
    Target("S2", "p99 at 20,000/s, open loop", figure("s2-open-20000", "p99_ms"), None, 20, "ms", False),
    Target("S3", "to mosquitto with QoS 1", to_peer("mosquitto", ["s3", "s3-few"]), 1.2, 2, "×"),
    Target("S3", "messages a second", lambda runs: runs.best("hongyan", ["s3", "s3-few"]), None, 150000),
    *(target for members in (200, 2000, 8000)
      for target in fan_out_targets("S4", members, "members", 1.5, None)),
    Target("S4", "deliveries a second, 200 members", figure("s4-200", "rate_per_s"), None, 250000),
    Target("S4", "deliveries a second, 2,000 members", figure("s4-2000", "rate_per_s"), None, 250000),
    *write_loop_targets("S4", 8000, "members", 0.6),
    *(target for members in (2000, 15000)
      for target in fan_out_targets("S4L", members, "audience", 2, None)),
    *(target for members in (2000, 15000)
      for target in write_loop_targets("S4L", members, "audience", 0.8)),
    Target("S5", "plain, to ejabberd", to_peer("ejabberd", ["s5"]), 3, None, "×"),
    Target("S5", "sign-ins a second, plain", figure("s5", "rate_per_s"), None, 15000),
    Target("S5", "TLS in full, of openssl s_time", of_floor("s5-tls", "tls"), None, 1 / 1.3, "%"),
    Target("S5", "TLS resumed, of openssl s_time", of_floor("s5-tls-resumed", "tls-resumed"), None, 1 / 1.3,
           "%"),
    Target("S6", "p99 of a page, warm, 800 under way", figure("s6", "p99_ms"), 20, 5, "ms", False),
    Target("S6", "p99 of a page, warm, 200 under way", figure("s6-few", "p99_ms"), 20, 5, "ms", False),
    Target("S6", "pages a second, warm", lambda runs: runs.best("hongyan", ["s6", "s6-few"]), None, 50000),
    Target("S7", "sweep of 10 % of a million groups' users, CPU",
           figure("s7-full", "sweep_10_cpu_s"), 60, 10, "s", False),
    Target("S7", "store RSS a cold group", figure("s7-full", "store_rss_bytes_per_group"), None, 200, "B",
           False),
    Target("S7", "rate in 1,000 groups to that in a million", figure("s7-full", "few_to_all"), None, 1.2, "×",
           False),
    Target("S8", "sendmsg a second", lambda runs: runs.best("hongyan", ["s8", "s8-many"]), 5000, None),
    Target("S8", "of nginx's static page", to_peer("nginx", ["s8", "s8-many"]), None, 0.3, "%"),
    Target("S8", "of nginx's static page, 64 connections", to_peer("nginx", ["s8"]), None, 0.3, "%"),
    *(Target("S9", f"growth of CPU a message with {word}", growth_of(axis), 1.5, 1.15, "×", False)
      for axis, word in (("shards", "shards"), ("stored", "stored messages"), ("links", "links"))),
]
