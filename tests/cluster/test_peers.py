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
sys.path[:0] = [str(BENCH), str(BENCH / "peers")]

import plan  # noqa: E402
import servers  # noqa: E402
import tables  # noqa: E402

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
@pytest.mark.parametrize("loop", [("--window", 4), ("--rate", 300)])
def test_one_to_one_accounts_exactly(mosquitto, tmp_path, loop):
    run = drive(mosquitto(), "s3", "--pairs", 10, "--workers", 3, *loop, tmp_path=tmp_path)
    assert_clean(run, 1)
    if "--rate" in loop:  # 300/s for a second of warm-up and one that is measured
        assert 590 <= run["sent"] <= 630 and 290 <= run["operations"] <= 315, run


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
def test_an_interrupted_comparison_leaves_nothing(tmp_path):
    command = [sys.executable, BENCH / "compare.py", "--root", BIN.parent.parent, "--only", "S5", "--quick",
               "--docs", "", "--out", tmp_path / "out"]
    ran = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True,
                           stderr=subprocess.STDOUT)
    said = []
    for line in ran.stdout:
        said.append(line)
        if "mosquitto: s5" in line or "hongyan: s5" in line:
            ran.send_signal(signal.SIGTERM)
            break
    said.append(ran.communicate(timeout=60)[0])
    assert ran.returncode == 130, said
    assert not (tmp_path / "out" / "work").exists()


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
    text = tables.render(tables.load(tmp_path))
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
    ours = next(r for r in rows if r[0] == "| Hongyan")
    assert ours[2] == "60,000 (50,000–90,000)" and ours[8] == "50%" and ours[9] == "0", ours
    peers = [r for r in rows if r[0] == "| ejabberd + PostgreSQL"]
    assert [r[7] for r in peers] == ["30.0 ×", "20.0 ×"] and peers[1][9] == "3 lost", peers
    # the target is against the better load of the peer
    assert "| S2 to ejabberd + PostgreSQL | 20.0 × | ≥ 5.0 ×: met | ≥ 12.0 ×: met |" in text
    assert "S4" not in text and "not measured" not in text


def test_a_figure_short_of_its_target_says_so(tmp_path):
    write_run(tmp_path, "s2", "hongyan", 1, rate_per_s=20000)
    write_run(tmp_path, "s2-open", "hongyan", 1, rate_per_s=20000, p99_ms=21)
    text = tables.render(tables.load(tmp_path))
    assert "| S2 messages a second | 20,000 | – | ≥ 50,000: **short** |" in text
    assert "| S2 p99 at 20,000/s, open loop | 21 ms | – | ≤ 20 ms: **short** |" in text


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
    keys = [(step.key, step.system) for step in plan.PLAN if step.scenario]
    assert len(keys) == len(set(keys))
    facts = {"bin": "b", "here": "h", "json": "j", "seconds": 1, "cluster": "c", "port": 1, "url": "u",
             "pids": "1", "durability": "d", "dir": "d"}
    for step in plan.PLAN:
        assert step.system in plan.SYSTEMS and (not step.scenario or step.scenario in tables.TITLES)
        assert all(word.format(**facts) for word in step.command(True)), step.key
    steps = {step.key for step in plan.PLAN}
    assert set(tables.FLOOR_OF) | set(tables.FLOOR_OF.values()) <= steps
