#!/usr/bin/python3
"""What one durable one-to-one message costs, hop by hop: system calls, context switches, allocations, CPU.

usage: bench/profile.py [--bin BUILD/bin] [--rate R]... [--seconds S]

Starts a cluster of its own, runs hongyan-bench s2 at each rate (0: closed loop, 200 pairs with 8 under way),
and watches each process in turn: strace counts its system calls, perf the calls of malloc, calloc and
realloc, /proc its context switches and CPU. Each count is divided by the messages that the router counted
in the same seconds. A watched process is slower and batches more: at low rates its system calls are a lower
bound. Prints a Markdown table. Needs root for strace and perf; without one of them its columns say so.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

PROCESSES = ["gateway-0", "router-0", "store-0", "presence-0"]
LIBC = "/lib/x86_64-linux-gnu/libc.so.6"
ALLOCATIONS = ["malloc", "calloc", "realloc"]


def messages(cluster):
    """How many messages the router has answered so far."""
    text = urllib.request.urlopen(cluster["metrics"]["router-0"]).read().decode()
    return sum(float(line.split()[-1]) for line in text.splitlines()
               if line.startswith("hongyan_router_messages_total") and 'result="ok"' in line)


def watched(cluster, seconds, command):
    """Run command (it ends by itself after seconds, or is waited for); returns (messages meanwhile, stderr)."""
    before = messages(cluster)
    done = subprocess.run(command + ["sleep", str(seconds)], capture_output=True, text=True, check=False)
    return messages(cluster) - before, done.stdout + done.stderr


def system_calls(cluster, pid, seconds):
    """{name: calls a message}, or None without strace."""
    if shutil.which("strace") is None:
        return None
    with tempfile.NamedTemporaryFile() as out:
        before = messages(cluster)
        subprocess.run(["timeout", "-s", "INT", str(seconds), "strace", "-c", "-f", "-o", out.name, "-p", str(pid)],
                       capture_output=True, check=False)
        sent = messages(cluster) - before
        rows = [line.split() for line in open(out.name, encoding="utf-8")]
    calls = {row[-1]: int(row[3]) / sent for row in rows
             if len(row) >= 5 and row[3].isdigit() and row[-1] != "total"} if sent > 0 else {}
    return calls


def allocations(cluster, pid, seconds):
    """Allocations a message, or None without perf's probes."""
    events = ",".join("probe_libc:" + name for name in ALLOCATIONS)
    sent, text = watched(cluster, seconds, ["perf", "stat", "-x", ";", "-e", events, "-p", str(pid), "--"])
    counts = [int(row.split(";")[0]) for row in text.splitlines() if "probe_libc" in row and row[0].isdigit()]
    return sum(counts) / sent if counts and sent > 0 else None


def used(pid):
    """(CPU seconds, context switches) of all threads so far."""
    cpu = switches = 0.0
    for task in os.listdir(f"/proc/{pid}/task"):
        stat = open(f"/proc/{pid}/task/{task}/stat", encoding="utf-8").read().rsplit(")", 1)[1].split()
        cpu += (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
        status = open(f"/proc/{pid}/task/{task}/status", encoding="utf-8").read()
        switches += sum(int(n) for n in re.findall(r"ctxt_switches:\s+(\d+)", status))
    return cpu, switches


def costs(cluster, seconds):
    """{process: (CPU us, context switches) a message}, unwatched."""
    before, sent = {name: used(cluster["pids"][name]) for name in PROCESSES}, messages(cluster)
    time.sleep(seconds)
    after, sent = {name: used(cluster["pids"][name]) for name in PROCESSES}, messages(cluster) - sent
    return {name: ((after[name][0] - before[name][0]) * 1e6 / sent, (after[name][1] - before[name][1]) / sent)
            for name in PROCESSES}, sent / seconds


def show_calls(calls):
    if calls is None:
        return "no strace"
    shown = sorted(((n, c) for n, c in calls.items() if c >= 0.005), key=lambda item: -item[1])
    return f"{sum(calls.values()):.2f}: " + ", ".join(f"{name} {count:.2f}" for name, count in shown[:7])


def profile(options, directory, rate):
    cluster = json.load(open(f"{directory}/cluster.json", encoding="utf-8"))
    whole = options.seconds * (1 + 2 * len(PROCESSES)) + 20
    load = ["--rate", str(rate)] if rate > 0 else ["--window", "8"]
    bench = subprocess.Popen([f"{options.bin}/hongyan-bench", "s2", "--cluster", f"{directory}/cluster.json", "--pairs",
                              "200", "--seconds", str(whole)] + load, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while messages(cluster) == 0 or bench.poll() is not None:
            if bench.poll() is not None:
                sys.exit("profile.py: hongyan-bench ended early; run it by hand to see why")
            time.sleep(0.1)
        time.sleep(2)
        cost, reached = costs(cluster, options.seconds)
        print(f"\n{'open loop at ' + format(rate, ',') + '/s' if rate else 'closed loop, 200 pairs × 8 under way'}, "
              f"{reached:,.0f} messages/s while unwatched; each figure is for one message:\n")
        print("| process | CPU µs | context switches | allocations | system calls |\n|---|---|---|---|---|")
        for name in PROCESSES:
            pid = cluster["pids"][name]
            calls, allocated = system_calls(cluster, pid, options.seconds), allocations(cluster, pid, options.seconds)
            print(f"| {name.split('-')[0]} | {cost[name][0]:.1f} | {cost[name][1]:.2f} | "
                  f"{'no probe' if allocated is None else format(allocated, '.2f')} | {show_calls(calls)} |", flush=True)
    finally:
        bench.terminate()
        bench.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default="build/bin")
    parser.add_argument("--rate", type=int, action="append", help="messages/s; 0: closed loop (5000 and 0)")
    parser.add_argument("--seconds", type=int, default=3, help="for each count (3)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    for name in ALLOCATIONS:
        subprocess.run(["perf", "probe", "-q", "-x", LIBC, name], capture_output=True, check=False)
    with tempfile.TemporaryDirectory(prefix="hongyan-profile-") as directory:
        subprocess.run([f"{options.bin}/hongyanctl", "up", "--dir", directory, "--detach"], check=True,
                       stdout=subprocess.DEVNULL)
        try:
            for rate in options.rate or [5000, 0]:
                profile(options, directory, rate)
        finally:
            subprocess.run([f"{options.bin}/hongyanctl", "down", "--dir", directory], check=False,
                           stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
