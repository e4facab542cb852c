"""The drivers of other servers account exactly, and their figures become the right tables."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys

import pytest

from cluster import BIN

BENCH = pathlib.Path(__file__).resolve().parents[2] / "bench"
sys.path[:0] = [str(BENCH), str(BENCH / "peers"), str(BENCH / "floor")]

import plan  # noqa: E402
import servers  # noqa: E402
import tables  # noqa: E402
import targets  # noqa: E402
import tls  # noqa: E402

needs_mosquitto = pytest.mark.skipif(
    shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin") is None,
    reason="mosquitto is not installed")


@pytest.fixture
def mosquitto(tmp_path):
    """Start mosquitto with settings; it is stopped at the end of the test."""
    made = []

    def make(**settings):
        made.append(servers.start("mosquitto", tmp_path / f"m{len(made)}", settings, tied=True))
        return made[-1]

    yield make
    for server in made:
        server.stop()
        assert not any(servers.runs(pid, started) for pid, started
                       in zip(server.facts["pids"], server.facts["started"]))


def drive(server, scenario, *arguments, expect=0, tmp_path):
    out = tmp_path / f"{scenario}.json"
    command = [BIN / "hongyan-bench-peer", "mqtt", scenario, "--port", server.facts["port"], "--pid",
               server.facts["pids"][0], "--seconds", 1, "--json", out, *arguments]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120,
                          check=False)
    assert done.returncode == expect, (done.returncode, done.stdout, done.stderr)
    return json.loads(out.read_text())


def assert_clean(run, deliveries):
    assert run["lost"] == run["doubled"] == run["reordered"] == run["failed"] == 0, run
    assert run["sent"] == run["acked"] > 0 and run["delivered"] == run["sent"] * deliveries, run
    assert run["p99_ms"] >= run["p50_ms"] > 0 and run["server_cpu_us_per_op"] > 0, run


@needs_mosquitto
@pytest.mark.parametrize("loop", [("--window", 4), ("--rate", 1500)])  # fewer may cost no tick of CPU
def test_one_to_one_accounts_exactly(mosquitto, tmp_path, loop):
    run = drive(mosquitto(), "s3", "--pairs", 10, "--workers", 3, *loop, tmp_path=tmp_path)
    assert_clean(run, 1)
    if "--rate" in loop:  # for as long as the warm-up and the measured time really took
        rate = loop[1]
        late = 10 + rate * run["max_ms"] / 1000  # so many may be under way when it begins or ends
        assert abs(run["sent"] - rate * (run["warm_up_s"] + run["seconds"])) <= late, run
        assert abs(run["operations"] - rate * run["seconds"]) <= late, run


@needs_mosquitto
@pytest.mark.parametrize("qos", [0, 1])
def test_fan_out_accounts_exactly(mosquitto, tmp_path, qos):
    run = drive(mosquitto(), "s4", "--members", 30, "--pairs", 3, "--window", 2, "--qos", qos,
                tmp_path=tmp_path)
    assert_clean(run, 30)


@needs_mosquitto
def test_what_a_server_drops_is_counted_as_lost(mosquitto, tmp_path):
    """With room for two messages a subscriber, the server acknowledges more than it delivers."""
    run = drive(mosquitto(inflight=1, queued=1), "s3", "--pairs", 2, "--window", 200, expect=1,
                tmp_path=tmp_path)
    assert run["lost"] > 0 and run["sent"] == run["acked"] == run["delivered"] + run["lost"], run
    assert 0 < run["reordered"] <= run["lost"] and run["doubled"] == 0, run


@needs_mosquitto
def test_links_are_signed_in_and_weighed(mosquitto, tmp_path):
    server = mosquitto()
    run = drive(server, "s1", "--links", 2000, tmp_path=tmp_path)
    assert run["links"] == 1800 and 100 < run["rss_bytes_per_link"] < 20000, run
    assert drive(server, "s5", "--links", 500, tmp_path=tmp_path)["operations"] == 500


@needs_mosquitto
def test_few_sign_in_at_once_when_told(mosquitto, tmp_path):
    run = drive(mosquitto(), "s5", "--links", 300, "--at-once", 2, tmp_path=tmp_path)
    assert run["operations"] == 300 and run["failed"] == 0, run


def test_resumed_connections_are_resumed():
    said = "starting\n{}\n\n4 connections in 0.01s; 400 connections/user sec, bytes read 0\n" \
           "4 connections in 3 real seconds, 0 bytes read per connection\n"
    assert tls.parse(said.format("****"), False) == 4
    assert tls.parse(said.format("rrrr"), True) == 4
    for wrong in (said.format("****"), "no connection"):
        with pytest.raises(ValueError):
            tls.parse(wrong, True)


# ---- the command ----


def compare(*arguments, out):
    root = out.parent / "root"
    root.mkdir(exist_ok=True)
    if not (root / "build").exists():
        (root / "build").symlink_to(BIN.resolve().parent)  # of the programs that are tested
    command = [sys.executable, BENCH / "compare.py", "--root", root, "--quick", "--docs", "",
               "--out", out, *arguments]
    return subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True,
                            stderr=subprocess.STDOUT)


def running_in(directory):
    """Command lines that name the directory, or what runs there."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            line = pathlib.Path("/proc", pid, "cmdline").read_bytes().replace(b"\0", b" ").decode()
            cwd = os.readlink(f"/proc/{pid}/cwd")
        except OSError:
            continue
        if str(directory) in line or cwd.startswith(str(directory)):
            found.append(line)
    return found


# growth.sh starts clusters by itself, and so must stop them
@needs_mosquitto
@pytest.mark.parametrize("scenario, system", [("S5", "hongyan"), ("S1", "mosquitto"), ("S9", "hongyan")])
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_comparison_leaves_nothing(tmp_path, scenario, system, how):
    out = tmp_path / "out"
    if system == "mosquitto":  # what comes before it is there already
        out.mkdir()
        (out / "s1.hongyan.1.json").write_text("{}")
        (out / "s1-tls.hongyan.1.json").write_text("{}")
        for step in plan.PLAN:
            if step.scenario == scenario and step.system == "ejabberd":
                (out / f"{step.key}.ejabberd.1.json").write_text("{}")
        ran = compare("--only", scenario, "--resume", out=out)
    else:
        ran = compare("--only", scenario, out=out)
    said = []
    for line in ran.stdout:
        said.append(line)
        if line.startswith(f"round 1: {system}: {scenario.lower()}"):
            assert running_in(out / "work") or scenario == "S9", said
            ran.send_signal(how)
            break
    said.append(ran.communicate(timeout=100)[0])
    assert ran.returncode == 130, said
    assert not (out / "work").exists()
    assert running_in(out) == [], said


@needs_mosquitto
def test_a_comparison_is_resumed_as_what_it_was(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "run.json").write_text(json.dumps({"seconds": 2, "rounds": 1, "quick": True}))
    for step in plan.PLAN:
        if step.scenario == "S1" and step.system != "mosquitto":
            (out / f"{step.key}.{step.system}.1.json").write_text(json.dumps(
                {"rss_bytes_per_link": 4321, "load": step.label(True), "environment": {}}))
    ran = compare("--only", "S1", "--resume", out=out)
    said = ran.communicate(timeout=100)[0]
    assert ran.returncode == 0, said
    text = (out / "tables.md").read_text()
    assert "| Hongyan | 1,000 links, each beats every 2 s | 4,321 |" in text, text
    assert text.count("| mosquitto | 1,000 links, each beats every 2 s |") == 1, text
    assert said.count("round 1: ") == 1, said
    ran = compare("--only", "S1", "--resume", "--seconds", "3", out=out)
    assert "not resumed" in ran.communicate(timeout=100)[0] and ran.returncode == 2


# ---- tables ----


def write_run(directory, step, system, round_, **figures):
    run = {"rate_per_s": 0, "p50_ms": 1, "p99_ms": 2, "server_cpu_us_per_op": 3, "lost": 0, "doubled": 0,
           "reordered": 0, "failed": 0, "durability": "none", **figures}
    (directory / f"{step}.{system}.{round_}.json").write_text(json.dumps(run))


def test_tables_hold_medians_ratios_and_shares(tmp_path):
    for round_, ours in enumerate((50000, 90000, 60000), 1):
        write_run(tmp_path, "s2", "hongyan", round_, rate_per_s=ours)
        write_run(tmp_path, "s2", "ejabberd-archive", round_, rate_per_s=2000)
        write_run(tmp_path, "s2-few", "ejabberd-archive", round_, rate_per_s=3000, lost=1)
        write_run(tmp_path, "commit-256", "floor", round_, rate_per_s=120000)
    text = tables.render(*tables.load(tmp_path))
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
    ours = next(r for r in rows if r[0] == "| Hongyan")
    assert ours[1:3] == ["200 pairs × 8", "60,000 (50,000–90,000)"], ours
    assert ours[7:10] == ["–", "50% of commit-256", "0"], ours
    peers = [r for r in rows if r[0] == "| ejabberd + PostgreSQL"]
    assert [r[7] for r in peers] == ["30.0 ×", "20.0 ×"] and peers[1][9] == "3 lost", peers
    # the target is against the better load of the peer
    assert "| S2 | to ejabberd + PostgreSQL | 20.0 × | ≥ 5.0 ×: met | ≥ 12.0 ×: met |" in text
    assert "- target: to ejabberd + PostgreSQL 20.0 ×; floor ≥ 5.0 ×: met; goal ≥ 12.0 ×: met\n" in text
    assert "\n| commit-256 | RocksDB, 256 messages a write with fsync | 120,000 (120,000–120,000) | 3.00 |\n" in text
    assert "### S4" not in text


def test_a_figure_short_of_its_target_says_so(tmp_path):
    write_run(tmp_path, "s2", "hongyan", 1, rate_per_s=20000)
    write_run(tmp_path, "s2-open-20000", "hongyan", 1, rate_per_s=20000, p99_ms=21)
    text = tables.render(*tables.load(tmp_path))
    assert "| S2 | messages a second | 20,000 | – | ≥ 50,000: **not met** |" in text
    assert "| S2 | p99 at 20,000/s, open loop | 21 ms | – | ≤ 20 ms: **not met** |" in text


def test_a_share_is_that_of_the_write_loop_that_writes_as_much(tmp_path):
    for step, frames in (("s4-2000", 7), ("s4-2000-1", 1.1), ("s4-8000", 11)):
        write_run(tmp_path, step, "hongyan", 1, rate_per_s=300000, frames_per_write=frames)
        write_run(tmp_path, step, "mosquitto", 1, rate_per_s=100000)
    for end, rate in (("", 400000), ("-4", 500000), ("-8", 750000), ("-16", 1000000)):
        write_run(tmp_path, "fanout-2000" + end, "floor", 1, rate_per_s=rate)
        write_run(tmp_path, "fanout-8000" + end, "floor", 1, rate_per_s=rate)
    text = tables.render(*tables.load(tmp_path))
    ours = [line.split(" | ") for line in text.splitlines() if line.startswith("| Hongyan")]
    assert [r[8] for r in ours] == ["40% of fanout-2000-8", "75% of fanout-2000", "30% of fanout-8000-16"], ours
    assert "| S4 | 2,000 members, one message at a time, to mosquitto | 3.0 × | ≥ 1.50 ×: met | – |" in text


def test_growth_and_environment_are_told(tmp_path):
    point = {"cpu_us": 10, "rate_per_s": 5, "p99_ms": 1, "wrong": 0}
    write_run(tmp_path, "s9", "hongyan", 1, points=[
        {**point, "axis": "shards", "size": 1, "ratio": 1}, {**point, "axis": "shards", "size": 4, "ratio": 1.2}])
    write_run(tmp_path, "s8", "hongyan", 1, rate_per_s=1, environment={"cores": 2, "cpu": "Z80"})
    (tmp_path / "run.json").write_text(json.dumps({"seconds": 2, "rounds": 3, "quick": True,
                                                   "versions": {"mosquitto": "2.0.11"}}))
    text = tables.render(*tables.load(tmp_path))
    assert "| S9 | growth of CPU a message with shards | 1.20 × | ≤ 1.50 ×: met | ≤ 1.15 ×: **not met** |" in text
    assert "2 cores, Z80" in text and "mosquitto 2.0.11" in text and "quick: sizes are small" in text


def test_tables_go_between_the_markers_alone(tmp_path):
    document = tmp_path / "doc.md"
    document.write_text(f"before\n{tables.BEGIN}\nold\n{tables.END}\nafter\n")
    tables.put_between_markers(str(document), "new\n")
    assert document.read_text() == f"before\n{tables.BEGIN}\nnew\n{tables.END}\nafter\n"
    document.write_text("no markers")
    with pytest.raises(ValueError):
        tables.put_between_markers(str(document), "new\n")
    assert document.read_text() == "no markers"


def test_every_step_of_the_plan_is_complete():
    keys = [(step.key, step.system) for step in plan.PLAN]
    assert len(keys) == len(set(keys))
    facts = {"bin": "b", "here": "h", "json": "j", "seconds": 1, "cluster": "c", "port": 1, "url": "u",
             "pids": "1", "durability": "d", "dir": "d", "runs": "r", "with": "", "past": "p"}
    for step in plan.PLAN:
        assert step.system in plan.SYSTEMS and step.scenario in tables.TITLES
        for quick in (False, True):
            assert all(word.format(**facts, **step.sizes_of(quick)) is not None for word in step.words)
            assert step.label(quick)
    steps = {step.key for step in plan.PLAN}
    assert set(tables.FLOOR_OF) | set(tables.FLOOR_OF.values()) <= steps
    loops = {targets.Runs().write_loop(key) for key in steps} - {None}
    assert loops and loops <= steps


def test_a_quick_step_is_called_what_it_is():
    step = next(s for s in plan.PLAN if s.key == "s4-8000" and s.system == "mosquitto")
    assert step.label(False).startswith("8,000 members") and step.label(True).startswith("1,000 members")
    assert step.sizes_of(True)["members"] == 1000 and step.users(True) == 1000


def test_each_scenario_of_ours_is_measured():
    told = subprocess.run([BIN / "hongyan-bench", "--help"], capture_output=True, text=True, check=True).stdout
    known = {line.split()[0].upper() for line in told.splitlines() if line.startswith("  s")}
    assert known and known <= {step.scenario for step in plan.PLAN if step.system == "hongyan"}, known


def test_the_whole_comparison_takes_less_than_half_an_hour(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["compare.sh", "--root", str(BIN.parent.parent), "--out", "/nowhere"])
    import compare as program
    assert 600 < program.Bench(program.parse()).takes_s() <= 25 * 60
