#!/usr/bin/python3
"""What bench/compare.sh runs once all is built and installed; see there for the options."""

import argparse
import json
import os
import shlex
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

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE_S = 15  # for a step that is to stop


class Interrupted(Exception):
    pass


def interrupt(number, frame):
    raise Interrupted(signal.Signals(number).name)


def end_group(process):
    """End a step and all that it has started: it is asked first, and may clean up."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, how)
            process.wait(GRACE_S)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
    process.wait()


def run(command, log, limit_s):
    """Run a command to its end. Gives its exit code, -1 when it took too long; what it says goes to log."""
    with open(log, "ab") as out:
        out.write((shlex.join(command) + "\n").encode())
        out.flush()
        process, held = None, signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
        try:  # held: a process that is being made could not be ended yet
            process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                                       start_new_session=True,
                                       preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, held))
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
            return process.wait(limit_s)
        except subprocess.TimeoutExpired:
            return -1
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
            if process is not None and process.returncode is None:
                end_group(process)


class Running:
    """A system that was started: what its steps are filled in with, and how it is stopped."""

    def __init__(self, facts, stop):
        self.facts = facts
        self.stop = stop


class Bench:
    def __init__(self, options):
        self.options = options
        self.bin = os.path.join(options.root, "build", "bin")
        self.ctl = os.path.join(self.bin, "hongyanctl")
        self.work = os.path.join(options.out, "work")
        self.failures = []

    # ---- systems ----

    def start(self, system, step):
        """Start a system afresh, as its first step wants it."""
        home = os.path.join(self.work, system)
        shutil.rmtree(home, ignore_errors=True)
        os.makedirs(home)

        def clean():
            shutil.rmtree(home, ignore_errors=True)

        if system == "floor" or step.bare:
            return Running({"dir": os.path.join(home, "data"), "runs": os.path.join(home, "runs")}, clean)
        if system == "hongyan":
            return self.start_hongyan(home, step.up)
        server = servers.start(system, home, SYSTEMS[system].settings, tied=True)

        def stop():
            server.stop()
            clean()

        return Running({key: server.facts.get(key, "") for key in ("port", "url", "durability")}
                       | {"pids": ",".join(str(pid) for pid in server.facts.get("workers")
                                           or server.facts["pids"])}, stop)

    def start_hongyan(self, home, extra):
        log = os.path.join(self.options.out, "hongyanctl.log")

        def stop():
            run([self.ctl, "down", "--dir", home], log, 60)
            shutil.rmtree(home, ignore_errors=True)

        try:
            if run([self.ctl, "up", "--dir", home, "--detach", "--console", "", *extra], log, 120) != 0:
                raise servers.Failed(f"hongyanctl up failed; see {log}")
        except BaseException:
            stop()
            raise
        return Running({"cluster": os.path.join(home, "cluster.json")}, stop)

    # ---- steps ----

    def command_of(self, words, facts, **more):
        filled = [word.format(**facts, **more, bin=self.bin, here=HERE, past=self.options.past,
                              **{"with": self.options.with_})
                  for word in words]
        if filled[0].endswith("hongyan-bench-peer"):
            for pid in facts["pids"].split(","):
                filled += ["--pid", pid]
        return filled

    def prepare(self, system, steps, facts, log):
        words = SYSTEMS[system].prepare
        if words:
            users = max(step.users(self.options.quick) for step in steps)
            if run(self.command_of(words, facts, users=users), log, 600) != 0:
                raise servers.Failed(f"it cannot be prepared; see {log}")

    def measure(self, round_, system, step, facts, log):
        file = self.file_of(step, round_)
        part = file + ".part"
        command = self.command_of(step.words, facts, **step.sizes_of(self.options.quick), json=part,
                                  seconds=step.seconds(self.options.seconds))
        if not step.bare:
            command = shlex.split(self.options.with_) + command
        print(f"round {round_}: {system}: {step.key}: {step.label(self.options.quick)}", flush=True)
        begun = time.monotonic()
        code, result = run(command, log, step.limit_s), None
        try:
            with open(part, encoding="utf-8") as done:
                result = json.load(done)
            os.unlink(part)
        except (OSError, ValueError):
            code = code or -1
        if code not in (0, 1) or not result:
            self.fail(f"{system}: {step.key}: exit {code}; see {log}")
            return
        result.update(system=system, load=step.label(self.options.quick),
                      took_s=round(time.monotonic() - begun, 1))
        servers.write(file + ".part", json.dumps(result, indent=1))
        os.replace(file + ".part", file)
        if code == 1:
            self.fail(f"{system}: {step.key}: its account is not clean; see {log}")

    def file_of(self, step, round_):
        return os.path.join(self.options.out, f"{step.key}.{step.system}.{round_}.json")

    def sit(self, round_, system, steps):
        """Run steps of one system, started once."""
        log = os.path.join(self.options.out, f"{system}.log")
        running = None
        try:
            running = self.start(system, steps[0])
            self.prepare(system, steps, running.facts, log)
            for step in steps:
                self.measure(round_, system, step, running.facts, log)
        except (servers.Failed, subprocess.CalledProcessError, OSError) as why:
            self.fail(f"{system}: {why}")
        finally:
            if running:
                running.stop()

    def fail(self, text):
        print(text, file=sys.stderr, flush=True)
        self.failures.append(text)

    # ---- all of them ----

    def wanted(self, step, round_):
        only = self.options.only
        return ((step.scenario in only if only else not step.asked) and not (step.once and round_ > 1) and
                not (self.options.quick and step.asked) and
                not (self.options.resume and os.path.exists(self.file_of(step, round_))))

    def sittings(self, round_):
        """(system, steps that share one start of it), in their order."""
        for system in self.options.systems:
            shared = {}
            for number, step in enumerate(PLAN):
                if step.system == system and self.wanted(step, round_):
                    shared.setdefault(number if step.alone else " ".join(step.up), []).append(step)
            yield from ((system, steps) for steps in shared.values())

    def takes_s(self):
        """About how long all will take."""
        return sum(SYSTEMS[system].start_s + sum(step.takes_s(self.options.seconds) for step in steps)
                   for round_ in self.rounds() for system, steps in self.sittings(round_))

    def rounds(self):
        return range(1, self.options.rounds + 1)

    def run_all(self):
        for round_ in self.rounds():
            for system, steps in list(self.sittings(round_)):
                self.sit(round_, system, steps)

    def clean_up(self):
        """Stop what is there, also of an earlier run that was killed, and remove its data."""
        for at, _, files in os.walk(self.work):
            if "server.json" in files:
                with open(os.path.join(at, "server.json"), encoding="utf-8") as file:
                    servers.stop_pids(json.load(file))
            elif "cluster.json" in files:
                run([self.ctl, "down", "--dir", at], os.path.join(self.options.out, "hongyanctl.log"), 60)
        shutil.rmtree(self.work, ignore_errors=True)


def parse():
    parser = argparse.ArgumentParser(prog="compare.sh")
    parser.add_argument("--root", required=True)
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--only", default="")
    parser.add_argument("--systems", default="")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--with", dest="with_", default="")
    parser.add_argument("--past", default="")
    parser.add_argument("--no-install", action="store_true")
    parser.add_argument("--html")
    parser.add_argument("--out")
    parser.add_argument("--docs")
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args()
    options.root = os.path.abspath(options.root)
    options.out = os.path.abspath(options.out or os.path.join(options.root, "build", "compare"))
    options.seconds = options.seconds or (2 if options.quick else 5)
    options.rounds = options.rounds or (1 if options.quick else 3)
    options.only = [name.upper() for name in options.only.split(",") if name]
    if not set(options.only) <= {step.scenario for step in PLAN}:
        parser.error(f"--only {','.join(options.only)}: there is no such scenario")
    options.systems = [name for name in options.systems.split(",") if name] or list(SYSTEMS)
    if not set(options.systems) <= set(SYSTEMS):
        parser.error(f"--systems: these are {', '.join(SYSTEMS)}")
    if options.docs is None:  # a quick look, or a part, is nothing to keep
        whole = not options.quick and not options.only and len(options.systems) == len(SYSTEMS)
        options.docs = os.path.join(options.root, "docs", "performance.md") if whole else ""
    return options


def about(options):
    """What tells this run from another; a run is not resumed as another."""
    return {"seconds": options.seconds, "rounds": options.rounds, "quick": options.quick}


def open_out(options):
    """Make the directory of results ready. False: it has another kind of run, which cannot be resumed."""
    os.makedirs(options.out, exist_ok=True)
    path = os.path.join(options.out, "run.json")
    if options.resume:
        try:
            with open(path, encoding="utf-8") as file:
                had = json.load(file)
        except (OSError, ValueError):
            had = about(options)
        return all(had.get(key) == value for key, value in about(options).items())
    for name in os.listdir(options.out):
        if name.endswith((".json", ".part", ".log")):
            os.unlink(os.path.join(options.out, name))
    servers.write(path, json.dumps({**about(options), "versions": servers.versions(),
                                    "load_before": os.getloadavg()[0]}, indent=1))
    return True


def write_tables(options):
    text = tables.render(*tables.load(options.out))
    path = servers.write(os.path.join(options.out, "tables.md"), text)
    print(text)
    print(f"The tables are in {path}")
    if options.docs:
        tables.put_between_markers(options.docs, text)
    runs = [os.path.join(options.out, name) for name in sorted(os.listdir(options.out))
            if ".hongyan." in name and name.endswith(".json") and not name.startswith("s9")]
    if options.html and runs:
        subprocess.run([os.path.join(options.root, "build", "bin", "hongyan-bench"), "report",
                        "--html", options.html] + runs, check=True)


def main():
    options = parse()
    if not open_out(options):
        print(f"compare.sh: {options.out} has a run with other --seconds, --rounds or --quick: not resumed",
              file=sys.stderr)
        return 2
    bench = Bench(options)
    for name in STOPS:
        signal.signal(name, interrupt)
    try:
        bench.clean_up()
        os.makedirs(bench.work, exist_ok=True)
        print(f"{options.rounds} x {options.seconds} s a step: about {bench.takes_s() / 60:.0f} minutes; "
              f"load average {os.getloadavg()[0]:.2f}", flush=True)
        begun = time.monotonic()
        bench.run_all()
    except Interrupted as why:
        print(f"compare.sh: {why}: stopped; --resume measures the rest", file=sys.stderr)
        return 130
    finally:
        for name in STOPS:
            signal.signal(name, signal.SIG_IGN)
        bench.clean_up()
    write_tables(options)
    print(f"It took {(time.monotonic() - begun) / 60:.0f} minutes.")
    for failure in bench.failures:
        print(f"not clean: {failure}", file=sys.stderr)
    return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())
