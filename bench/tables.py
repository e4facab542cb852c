#!/usr/bin/python3
"""The tables of bench/compare.sh from the JSON of its runs.

usage: tables.py DIR [DOCUMENT]    prints them, or puts them between the markers of DOCUMENT
"""

import json
import os
import re
import statistics
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from plan import PLAN, SYSTEMS  # noqa: E402

BEGIN, END = "<!-- compare:begin -->", "<!-- compare:end -->"
TITLES = {
    "S1": "S1 idle signed-in links", "S2": "S2 one-to-one, stored", "S3": "S3 one-to-one, online only",
    "S4": "S4 one group, deliveries", "S4L": "S4L live room, deliveries", "S5": "S5 sign-ins",
    "S6": "S6 history pages", "S8": "S8 REST",
}
# What a figure is a share of: step -> floor's step.
FLOOR_OF = {
    "s2": "commit-256", "s3": "echo-8", "s3-few": "echo-8", "s4-200": "fanout-200",
    "s4-2000": "fanout-2000", "s4-2000-qos1": "fanout-2000", "s4-8000": "fanout-8000",
    "s4l": "fanout-15000", "s5": "connect", "s5-tls": "tls", "s6": "scan",
}


def load(directory):
    """{(step, system): [result of each round]}; a file that does not read is left out."""
    runs = {}
    for name in sorted(os.listdir(directory)):
        parts = re.fullmatch(r"([a-z0-9-]+)\.([a-z-]+)\.(\d+)\.json", name)
        if parts is None:
            continue
        try:
            with open(os.path.join(directory, name), encoding="utf-8") as file:
                runs.setdefault((parts[1], parts[2]), []).append(json.load(file))
        except ValueError:
            print(f"{name}: no JSON", file=sys.stderr)
    return runs


def median(runs, step, system, key):
    """The median of a figure over the rounds; None when no round has it."""
    values = [run[key] for run in runs.get((step, system), []) if run.get(key) is not None]
    return statistics.median(values) if values else None


def rate(runs, step, system):
    return median(runs, step, system, "rate_per_s") or None


def best_rate(runs, system, *steps):
    rates = [r for r in (rate(runs, step, system) for step in steps) if r]
    return max(rates) if rates else None


def ratio(a, b):
    return a / b if a and b else None


def number(value, digits=0):
    if value is None:
        return "–"
    if digits == 0 and abs(value) < 10:
        digits = 2
    return f"{value:,.{digits}f}"


def spread(runs, step, system):
    """Lowest and highest rate, when there was more than one round."""
    rates = [run["rate_per_s"] for run in runs.get((step, system), [])]
    return f" ({number(min(rates))}–{number(max(rates))})" if len(rates) > 1 else ""


def clean(runs, step, system):
    wrong = {key: sum(run.get(key, 0) for run in runs[(step, system)])
             for key in ("lost", "doubled", "reordered", "failed")}
    return ", ".join(f"{count:,} {key}" for key, count in wrong.items() if count) or "0"


def row(cells):
    return "| " + " | ".join(cells) + " |\n"


def scenario_row(runs, step, ours):
    key, system = step.key, step.system
    value = rate(runs, key, system)
    share = ratio(value, rate(runs, FLOOR_OF.get(key, ""), "floor"))
    times = ratio(ours, value) if system not in ("hongyan", "floor") else None
    floor = system == "floor"
    return row([
        SYSTEMS[system].title, step.load,
        number(value) + (spread(runs, key, system) if value else ""),
        number(median(runs, key, system, "p50_ms") or None, 2),
        number(median(runs, key, system, "p99_ms") or None, 2),
        number(median(runs, key, system, "server_cpu_us_per_op"), 1),
        number(median(runs, key, system, "driver_cpu_us_per_op") or None, 1),
        f"{times:.1f} ×" if times else "–",
        f"{share:.0%}" if share and not floor else "–",
        "–" if floor else clean(runs, key, system),
        runs[(key, system)][0].get("durability", "–"),
    ])


def memory_row(runs, step):
    key, system = step.key, step.system
    return row([SYSTEMS[system].title, step.load,
                number(median(runs, key, system, "rss_bytes_per_link")),
                number(median(runs, key, system, "kernel_bytes_per_link") or None)])


def our_rate(runs, steps):
    """Of our step with the same load, else our best one in this scenario."""
    rates = {step.key: rate(runs, step.key, "hongyan") for step in steps if step.system == "hongyan"}
    rates = {key: value for key, value in rates.items() if value}

    def of(step):
        if step.key in rates:
            return rates[step.key]
        close = [value for key, value in rates.items()
                 if key.startswith(step.key.rsplit("-", 1)[0]) and "open" not in key and "tls" not in key]
        return max(close) if close else None

    return of


def scenario_table(runs, scenario):
    steps = [s for s in PLAN if s.scenario == scenario and (s.key, s.system) in runs]
    if not steps:
        return ""
    text = f"\n### {TITLES[scenario]}\n\n"
    if scenario == "S1":
        text += row(["system", "load", "RSS a link, B", "kernel's TCP buffers a link, B"])
        text += row(["---"] * 4)
        return text + "".join(memory_row(runs, step) for step in steps)
    text += row(["system", "load", "rate a second (lowest–highest)", "p50 ms", "p99 ms",
                 "server CPU µs", "driver CPU µs", "Hongyan is", "of its floor", "wrong",
                 "durability, and what \"acknowledged\" means"])
    text += row(["---"] * 11)
    ours = our_rate(runs, steps)
    return text + "".join(scenario_row(runs, step, ours(step)) for step in steps)


class Target:
    """least: the measured value must be at least floor and goal, else at most."""

    def __init__(self, text, value, floor, goal, unit="", least=True):
        self.text, self.value, self.floor, self.goal = text, value, floor, goal
        self.unit, self.least = unit, least

    def show(self, value):
        if value is None:
            return "–"
        if self.unit == "%":
            return f"{value:.0%}"
        return number(value, 1 if self.unit == "×" else 0) + (f" {self.unit}" if self.unit else "")

    def verdict(self, measured, bound):
        if bound is None:
            return "–"
        sign = "≥" if self.least else "≤"
        if measured is None:
            return f"{sign} {self.show(bound)}: not measured"
        met = measured >= bound if self.least else measured <= bound
        return f"{sign} {self.show(bound)}: {'met' if met else '**short**'}"


def against(step, peer_system, *peer_steps):
    return lambda runs: ratio(best_rate(runs, "hongyan", *([step] if isinstance(step, str) else step)),
                              best_rate(runs, peer_system, *(peer_steps or (step,))))


def figure(step, key):
    return lambda runs: median(runs, step, "hongyan", key)


def of_floor(step, floor_step):
    return lambda runs: ratio(rate(runs, step, "hongyan"), rate(runs, floor_step, "floor"))


TARGETS = [
    Target("S1 RSS of a plain link", figure("s1", "rss_bytes_per_link"), 3000, 1500, "B", False),
    Target("S1 RSS of a TLS link", figure("s1-tls", "rss_bytes_per_link"), 20000, 12000, "B", False),
    Target("S2 to ejabberd + PostgreSQL", against("s2", "ejabberd-archive", "s2", "s2-few"), 5, 12, "×"),
    Target("S2 messages a second", figure("s2", "rate_per_s"), None, 50000),
    Target("S2 p99 at 20,000/s, open loop", figure("s2-open", "p99_ms"), None, 20, "ms", False),
    Target("S3 to mosquitto, QoS 1", against(("s3", "s3-few"), "mosquitto", "s3", "s3-few"), 1.2, 2, "×"),
    Target("S3 messages a second", lambda runs: best_rate(runs, "hongyan", "s3", "s3-few"), None, 150000),
    Target("S4 to mosquitto, 200 members", against("s4-200", "mosquitto"), 1.5, None, "×"),
    Target("S4 to mosquitto, 2,000 members", against("s4-2000", "mosquitto"), 1.5, None, "×"),
    Target("S4 to mosquitto, 8,000 members", against("s4-8000", "mosquitto"), 1.5, None, "×"),
    Target("S4 deliveries a second, 200 members", figure("s4-200", "rate_per_s"), None, 250000),
    Target("S4 deliveries a second, 2,000 members", figure("s4-2000", "rate_per_s"), None, 250000),
    Target("S4 of the raw write loop, 8,000 members", of_floor("s4-8000", "fanout-8000"), None, 0.6, "%"),
    Target("S4L to mosquitto", against("s4l", "mosquitto"), 2, None, "×"),
    Target("S4L of the raw write loop", of_floor("s4l", "fanout-15000"), None, 0.8, "%"),
    Target("S5 to ejabberd", against("s5", "ejabberd"), 3, None, "×"),
    Target("S5 sign-ins a second, plain", figure("s5", "rate_per_s"), None, 15000),
    Target("S5 TLS of openssl s_time", of_floor("s5-tls", "tls"), None, 1 / 1.3, "%"),
    Target("S6 p99 of a page, warm", figure("s6", "p99_ms"), 20, 5, "ms", False),
    Target("S6 pages a second, warm", figure("s6", "rate_per_s"), None, 50000),
    Target("S8 sendmsg a second", figure("s8", "rate_per_s"), 5000, None),
    Target("S8 of nginx's static page", against("s8", "nginx"), None, 0.3, "%"),
]


def target_table(runs):
    rows = [(target, target.value(runs)) for target in TARGETS]
    if all(value is None for _, value in rows):
        return ""
    text = "\n### Targets\n\n" + row(["target", "measured", "floor", "goal"]) + row(["---"] * 4)
    return text + "".join(row([target.text, target.show(value), target.verdict(value, target.floor),
                               target.verdict(value, target.goal)])
                          for target, value in rows if value is not None)


def environment(runs):
    """Where it was measured, from one of Hongyan's runs."""
    for (_, system), results in sorted(runs.items()):
        where = results[0].get("environment") if system == "hongyan" else None
        if where:
            return (f"{where.get('date', '')[:10]}; {where.get('cores')} cores, {where.get('cpu')}; "
                    f"{where.get('kernel')}; {where.get('filesystem')}, fsync of 4 KB "
                    f"{number(where.get('fsync_us'))} µs; server and driver share the cores over loopback")
    return ""


def render(runs):
    rounds = max((len(results) for results in runs.values()), default=0)
    text = (f"Measured by `bench/compare.sh`: medians of {rounds} "
            f"{'round' if rounds == 1 else 'rounds'} over all systems, one system at a time. "
            f"{environment(runs)}.\n\n"
            "CPU is that of all the server's processes, per operation. *Hongyan is*: how many times the "
            "row's rate Hongyan reaches with the same load. *Of its floor*: of what the bare loop, write "
            "or connection below it reaches. *Wrong* is exact: lost, doubled, reordered, refused.\n")
    return text + target_table(runs) + "".join(scenario_table(runs, name) for name in TITLES)


def put_between_markers(path, text):
    """Replace what is between the markers. ValueError: the document has none."""
    with open(path, encoding="utf-8") as file:
        old = file.read()
    begin, end = old.find(BEGIN), old.find(END)
    if begin < 0 or end < begin:
        raise ValueError(f"{path}: it has no {BEGIN} and {END}")
    with open(path, "w", encoding="utf-8") as file:
        file.write(old[:begin + len(BEGIN)] + "\n" + text + old[end:])


def main():
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    text = render(load(sys.argv[1]))
    if len(sys.argv) == 2:
        print(text)
    else:
        put_between_markers(sys.argv[2], text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
