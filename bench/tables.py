#!/usr/bin/python3
"""The tables of bench/compare.sh from the JSON of its runs.

usage: tables.py DIR [DOCUMENT]    prints them, or puts them between the markers of DOCUMENT
"""

import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from plan import PLAN, SYSTEMS  # noqa: E402
from targets import TARGETS, Runs, number, ratio  # noqa: E402

BEGIN, END = "<!-- compare:begin -->", "<!-- compare:end -->"
TITLES = {
    "S1": ("Idle signed-in links", "Memory that each more link takes, after the first 200."),
    "S2": ("One-to-one, stored", "A message counts when it was acknowledged and delivered. Latency is from "
           "when it was due to its delivery."),
    "S3": ("One-to-one, online only", "The same, with nothing stored."),
    "S4": ("One group, all members online", "Each delivery to a member counts. Hongyan stores the message with "
           "fsync before that; the others store nothing."),
    "S4L": ("A live room", "Each delivery to one of the audience counts. Hongyan has two gateways here."),
    "S5": ("Sign-ins", "Of users who have been there before: connect, TLS if said, credentials, answer. For "
           "the storm, latency is the time that a client is offline."),
    "S6": ("History", "Each page of 20 messages counts. Then come lists of conversations, and backlogs: a "
           "client comes back and pulls everything."),
    "S7": ("Many groups, hardly used", "Two members of each are online."),
    "S8": ("REST", "Calls over connections that stay open, beside a static page of about the same size from "
           "nginx, under the same driver."),
    "S9": ("Growth", "CPU of all server processes for one stored one-to-one message; the ratio is to the "
           "first of its axis."),
}
# What a rate is a share of, beside the write loops of S4 and S4L.
FLOOR_OF = {
    "s2": "commit-256", "s2-lots": "commit-256", "s2-few": "commit-256", "s3": "echo-8", "s3-few": "echo-8", "s5": "connect", "s5-tls": "tls",
    "s5-tls-resumed": "tls-resumed", "s6": "scan", "s6-few": "scan",
}


def load(directory):
    """(Runs, what run.json tells of them); a file that does not read is left out."""
    runs, about = Runs(), {}
    for name in sorted(os.listdir(directory)):
        parts = re.fullmatch(r"([a-z0-9-]+)\.([a-z-]+)\.(\d+)\.json", name)
        if parts is None and name != "run.json":
            continue
        try:
            with open(os.path.join(directory, name), encoding="utf-8") as file:
                result = json.load(file)
        except ValueError:
            print(f"{name}: no JSON", file=sys.stderr)
            continue
        if parts:
            runs.setdefault((parts[1], parts[2]), []).append(result)
        else:
            about = result
    return runs, about


def row(cells):
    return "| " + " | ".join(cells) + " |\n"


def head(cells):
    return row(cells) + row(["---"] * len(cells))


def first(runs, step):
    return runs[(step.key, step.system)][0]


def label(runs, step):
    return first(runs, step).get("load") or step.label(False)


# ---- the table that most scenarios have ----


def spread(runs, step):
    """Lowest and highest rate, when there was more than one round."""
    rates = [run["rate_per_s"] for run in runs[(step.key, step.system)]]
    return f" ({number(min(rates))}–{number(max(rates))})" if len(rates) > 1 else ""


def wrong(runs, step):
    counts = {key: sum(run.get(key, 0) for run in runs[(step.key, step.system)])
              for key in ("lost", "doubled", "reordered", "failed")}
    return ", ".join(f"{count:,} {key}" for key, count in counts.items() if count) or "0"


def server_cpu(runs, step):
    """Of a server that the driver has no cluster.json of, under another name."""
    return (runs.median(step.key, step.system, "other_cpu_us_per_op")
            or runs.median(step.key, step.system, "server_cpu_us_per_op") or None)


def scenario_row(runs, step, ours):
    key, system = step.key, step.system
    value = runs.rate(key, system)
    floor = runs.write_loop(key) or FLOOR_OF.get(key)
    share = ratio(value, runs.rate(floor, "floor"))
    times = ratio(ours, value) if system != "hongyan" else None
    return row([
        SYSTEMS[system].title, label(runs, step),
        number(value) + (spread(runs, step) if value else ""),
        number(runs.median(key, system, "p50_ms") or None, 2),
        number(runs.median(key, system, "p99_ms") or None, 2),
        number(server_cpu(runs, step), 1),
        number(runs.median(key, system, "driver_cpu_us_per_op") or None, 1),
        f"{times:.1f} ×" if times else "–",
        f"{share:.0%} of {floor}" if share else "–",
        wrong(runs, step),
        first(runs, step).get("durability") or "–",
    ])


def our_rate(runs, step):
    """That of our step with the same load, else of the load that it is a variant of."""
    words = step.key.split("-")
    while words:
        rate = runs.rate("-".join(words), "hongyan")
        if rate:
            return rate
        words.pop()
    return None


def rate_table(runs, steps):
    text = head(["system", "load", "rate a second (lowest–highest)", "p50 ms", "p99 ms",
                 "server CPU, µs each", "driver CPU, µs each", "Hongyan's rate to it", "share of its floor",
                 "wrong", "durability when acknowledged"])
    return (text + "".join(scenario_row(runs, step, our_rate(runs, step))
                           for step in steps if step.system != "floor")
            + floor_table(runs, [step for step in steps if step.system == "floor"]))


def floor_table(runs, steps):
    if not steps:
        return ""
    return "\n" + head(["floor", "what it does", "rate a second (lowest–highest)", "CPU, µs each"]) + "".join(
        row([step.key, label(runs, step), number(runs.rate(step.key, "floor")) + spread(runs, step),
             number(server_cpu(runs, step), 2)]) for step in steps)


# ---- the others ----


def memory_table(runs, steps):
    text = head(["system", "load", "RSS a link, bytes", "kernel's TCP buffers a link, bytes"])
    return text + "".join(row([
        SYSTEMS[step.system].title, label(runs, step),
        number(runs.median(step.key, step.system, "rss_bytes_per_link") or None),
        number(runs.median(step.key, step.system, "kernel_bytes_per_link") or None)]) for step in steps)


GROUP_ROWS = [
    ("create_s", "made in, s"), ("create_cpu_s", "server CPU for that, s"),
    ("disk_mb", "on disk then, MB"), ("store_rss_bytes_per_group", "store RSS a group, bytes"),
    ("sweep_1_cpu_s", "sweep with 1 % of the users gone, CPU s"),
    ("sweep_10_cpu_s", "sweep with 10 % of the users gone, CPU s"),
    ("sweep_1_told_cpu_s", "sweep of 1 % while each group has two to be told, CPU s"),
    ("rate_per_s", "messages a second to random groups"),
    ("few_rate_per_s", "messages a second to a few of the groups"),
    ("few_to_all", "the second to the first"), ("p99_ms", "p99, ms"),
    ("server_cpu_us_per_op", "server CPU, µs a message"),
]


def group_table(runs, steps):
    text = head(["Hongyan"] + [label(runs, step) for step in steps])
    return text + "".join(
        row([name] + [number(runs.median(step.key, step.system, key)) for step in steps])
        for key, name in GROUP_ROWS)


def growth_table(runs, steps):
    text = head(["axis", "size", "server CPU, µs a message", "rate a second", "p99 ms", "wrong", "ratio"])
    for step in steps:
        text += "".join(row([point["axis"], f"{point['size']:,}", number(point["cpu_us"], 1),
                             number(point["rate_per_s"]), number(point["p99_ms"], 1), str(point["wrong"]),
                             number(point["ratio"], 2)])
                        for run in runs[(step.key, step.system)] for point in run.get("points", []))
    return text


BACKLOG_COLUMNS = [
    ("lists_per_s", "lists of conversations a second"), ("list_p99_ms", "list, p99 ms"),
    ("backlog_messages_per_s", "messages a second, backlogs"), ("backlog_p50_ms", "backlog, p50 ms"),
    ("backlog_p99_ms", "backlog, p99 ms"), ("backlog_cpu_us_per_message", "server CPU, µs a message"),
]


def history_table(runs, steps):
    text = rate_table(runs, steps)
    mine = [step for step in steps if "backlogs" in first(runs, step)]
    if mine:
        text += "\n" + head(["Hongyan"] + [name for _, name in BACKLOG_COLUMNS])
    return text + "".join(
        row([label(runs, step)] + [number(runs.median(step.key, step.system, key)) for key, _ in BACKLOG_COLUMNS])
        for step in mine)


SHAPES = {"S1": memory_table, "S6": history_table, "S7": group_table, "S9": growth_table}


def scenario_section(runs, scenario):
    steps = [s for s in PLAN if s.scenario == scenario and (s.key, s.system) in runs]
    if not steps:
        return ""
    title, what = TITLES[scenario]
    text = f"\n### {scenario} – {title}\n\n{what}\n\n" + SHAPES.get(scenario, rate_table)(runs, steps)
    lines = [line for line in (t.line(runs) for t in TARGETS if t.scenario == scenario) if line]
    return text + ("\n" if lines else "") + "".join(f"- {line}\n" for line in lines)


def target_table(runs):
    rows = [(target, target.value(runs)) for target in TARGETS]
    rows = [row([target.scenario, target.text, target.show(value), target.verdict(value, target.floor),
                 target.verdict(value, target.goal)]) for target, value in rows if value is not None]
    return "\n### Targets\n\n" + head(["", "target", "measured", "floor", "goal"]) + "".join(rows) if rows else ""


def environment(runs, about):
    """Where it was measured, from one of Hongyan's runs, and what it was measured with."""
    where = next((results[0]["environment"] for (_, system), results in sorted(runs.items())
                  if system == "hongyan" and results[0].get("environment")), None)
    lines = []
    if where:
        lines += [f"- {where.get('date', '')[:10]}, Hongyan {where.get('version')}",
                  f"- {where.get('cores')} cores, {where.get('cpu')}, {where.get('memory')}, "
                  f"{where.get('kernel')}",
                  f"- {where.get('filesystem')}, where appending 4 KB with fdatasync takes "
                  f"{number(where.get('fsync_us'))} µs",
                  "- servers and drivers share the cores, over the loopback; none is pinned to a core"]
    if about.get("versions"):
        lines.append("- " + ", ".join(f"{name} {version}" for name, version in about["versions"].items()))
    if about:
        lines.append(f"- rounds: {about['rounds']}, {about['seconds']} s a step"
                     + (", quick: sizes are small, and the figures are no measurement" if about["quick"] else "")
                     + f"; load average when it began: {about.get('load_before', 0):.2f}")
    return "\n".join(lines) + "\n" if lines else ""


def render(runs, about):
    return ("Measured by `bench/compare.sh`, one system at a time; figures are medians of the rounds.\n\n"
            + environment(runs, about) +
            "\n*Server CPU* is that of all the server's processes, per operation. *Hongyan's rate to it* is how "
            "many times the row's rate Hongyan reaches with the same load. *Share of its floor* is the part that "
            "the rate is of what a bare loop, write or connection reaches; for an audience, of the write loop "
            "that puts as many frames in a write as Hongyan did. *Wrong* is exact, over all rounds: lost, "
            "doubled, reordered, failed.\n"
            + target_table(runs) + "".join(scenario_section(runs, name) for name in TITLES))


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
    text = render(*load(sys.argv[1]))
    if len(sys.argv) == 2:
        print(text)
    else:
        put_between_markers(sys.argv[2], text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
