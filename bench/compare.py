#!/usr/bin/python3
"""What bench/compare.sh runs once all is built and installed; see there for the options."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "peers")]

import servers  # noqa: E402
import tables  # noqa: E402
from plan import PLAN, SYSTEMS  # noqa: E402

STEP_LIMIT_S = 400  # a step that takes longer hangs


class Interrupted(Exception):
    pass


def interrupt(number, frame):
    raise Interrupted(signal.Signals(number).name)


class Bench:
    def __init__(self, options):
        self.options = options
        self.bin = os.path.join(options.root, "build", "bin")
        self.work = os.path.join(options.out, "work")
        self.failures = []

    # ---- processes ----

    def run(self, command, log):
        """Run a step to its end. Gives its exit code; what it says goes to log."""
        with open(log, "ab") as out:
            out.write((" ".join(command) + "\n").encode())
            out.flush()
            process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                                       start_new_session=True)
            try:
                return process.wait(STEP_LIMIT_S)
            except BaseException as why:
                try:
                    os.killpg(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                process.wait()
                if isinstance(why, subprocess.TimeoutExpired):
                    return -1
                raise

    def start(self, system):
        """Start a system afresh. Gives ({placeholder: value}, function that stops it)."""
        home = os.path.join(self.work, system)
        shutil.rmtree(home, ignore_errors=True)
        if system == "floor":
            os.makedirs(home)
            return {"dir": os.path.join(home, "db")}, lambda: shutil.rmtree(home, ignore_errors=True)
        if system == "hongyan":
            return self.start_hongyan(home)
        server = servers.start(system, home, SYSTEMS[system].settings, tied=True)

        def stop():
            server.stop()
            shutil.rmtree(home, ignore_errors=True)

        pids = server.facts["pids"]
        return {"port": str(server.facts["port"]), "url": server.facts.get("url", ""),
                "pids": ",".join(str(pid) for pid in pids), "durability": server.facts["durability"],
                "protocol": server.facts.get("protocol", "")}, stop

    def start_hongyan(self, home):
        ctl = os.path.join(self.bin, "hongyanctl")
        log = os.path.join(self.options.out, "hongyanctl.log")

        def stop():
            self.run([ctl, "down", "--dir", home], log)
            shutil.rmtree(home, ignore_errors=True)

        if self.run([ctl, "up", "--dir", home, "--detach"], log) != 0:
            stop()
            raise servers.Failed(f"hongyanctl up failed; see {log}")
        return {"cluster": os.path.join(home, "cluster.json")}, stop

    # ---- steps ----

    def command_of(self, step, facts, file):
        words = [word.format(**facts, bin=self.bin, here=HERE, json=file,
                             seconds=max(1, int(self.options.seconds * step.time)))
                 for word in step.command(self.options.quick)]
        if words[0].endswith("hongyan-bench-peer"):
            for pid in facts["pids"].split(","):
                words += ["--pid", pid]
        return words

    def measure(self, round_, system, steps):
        """Run steps of one system, started once. Those that have their file already are left out."""
        def file_of(step):
            return os.path.join(self.options.out, f"{step.key}.{system}.{round_}.json")

        steps = [s for s in steps if not (self.options.resume and os.path.exists(file_of(s)))]
        if not any(step.scenario for step in steps):
            return
        log = os.path.join(self.options.out, f"{system}.log")
        try:
            facts, stop = self.start(system)
        except (servers.Failed, subprocess.CalledProcessError, OSError) as why:
            self.fail(f"{system}: {why}")
            return
        try:
            for step in steps:
                print(f"round {round_}: {system}: {step.key}", flush=True)
                file = file_of(step)
                part = file + ".part"
                code = self.run(self.command_of(step, facts, part), log)
                if not step.scenario:
                    continue
                if code not in (0, 1) or not os.path.exists(part):
                    self.fail(f"{system}: {step.key}: exit {code}; see {log}")
                    continue
                os.replace(part, file)
                if code == 1:
                    self.fail(f"{system}: {step.key}: its account is not clean")
        finally:
            stop()

    def fail(self, text):
        print(text, file=sys.stderr, flush=True)
        self.failures.append(text)

    def sittings(self, system):
        """The system's steps, as lists that share one start of it."""
        shared, alone = [], []
        for step in PLAN:
            if step.system != system or (step.scenario and self.options.only and
                                         step.scenario not in self.options.only):
                continue
            if step.alone:
                alone.append([s for s in PLAN if s.system == system and not s.scenario] + [step])
            else:
                shared.append(step)
        return ([shared] if any(step.scenario for step in shared) else []) + alone

    def rounds(self):
        for round_ in range(1, self.options.runs + 1):
            for system in SYSTEMS:
                if not SYSTEMS[system].available():
                    continue
                for steps in self.sittings(system):
                    self.measure(round_, system, steps)


def clean_up(work):
    """Stop what an earlier run left that was killed, and remove its data."""
    for name in os.listdir(work) if os.path.isdir(work) else []:
        facts = os.path.join(work, name, "server.json")
        if os.path.exists(facts):
            with open(facts, encoding="utf-8") as file:
                servers.stop_pids(json.load(file))
    shutil.rmtree(work, ignore_errors=True)


def parse():
    parser = argparse.ArgumentParser(prog="compare.sh")
    parser.add_argument("--root", required=True)
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--runs", type=int)
    parser.add_argument("--only", default="")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--no-install", action="store_true")
    parser.add_argument("--html")
    parser.add_argument("--out")
    parser.add_argument("--docs")
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args()
    options.root = os.path.abspath(options.root)
    options.out = os.path.abspath(options.out or os.path.join(options.root, "build", "compare"))
    options.seconds = options.seconds or (2 if options.quick else 10)
    options.runs = options.runs or (1 if options.quick else 3)
    options.only = [name.upper() for name in options.only.split(",") if name]
    if options.docs is None: # a quick look is nothing to keep
        options.docs = "" if options.quick else os.path.join(options.root, "docs", "performance.md")
    return options


def write_tables(options):
    text = tables.render(tables.load(options.out))
    path = servers.write(os.path.join(options.out, "tables.md"), text)
    print(text)
    print(f"The tables are in {path}")
    if options.docs:
        tables.put_between_markers(options.docs, text)
    runs = [os.path.join(options.out, name) for name in sorted(os.listdir(options.out))
            if ".hongyan." in name and name.endswith(".json")]
    if options.html and runs:
        subprocess.run([os.path.join(options.root, "build", "bin", "hongyan-bench"), "report",
                        "--html", options.html] + runs, check=True)


def main():
    options = parse()
    os.makedirs(options.out, exist_ok=True)
    bench = Bench(options)
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, interrupt)
    clean_up(bench.work)
    if not options.resume:
        for name in os.listdir(options.out):
            if name.endswith((".json", ".part", ".log")):
                os.unlink(os.path.join(options.out, name))
    os.makedirs(bench.work, exist_ok=True)
    begun = time.monotonic()
    try:
        bench.rounds()
    except Interrupted as why:
        print(f"compare.sh: {why}: stopped; --resume measures the rest", file=sys.stderr)
        return 130
    finally:
        clean_up(bench.work)
    write_tables(options)
    print(f"It took {(time.monotonic() - begun) / 60:.0f} minutes.")
    for failure in bench.failures:
        print(f"not clean: {failure}", file=sys.stderr)
    return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())
