"""The benchmark runs, and its account agrees with what the servers count."""
import json
import pathlib
import subprocess
import urllib.request

import pytest

from cluster import BIN, Cluster


def bench(cluster, scenario, *arguments, expect=0):
    """Run it; returns the JSON that it wrote."""
    out = cluster.dir / f"{scenario}.json"
    out.unlink(missing_ok=True)
    done = subprocess.run(
        [BIN / "hongyan-bench", scenario, "--cluster", cluster.dir / "cluster.json", "--seconds", "1",
         "--json", out, *map(str, arguments)], capture_output=True, text=True, timeout=120)
    assert done.returncode == expect, (done.returncode, done.stdout, done.stderr)
    return json.loads(out.read_text())


def total(cluster, component, name):
    return sum(cluster.metric(process, name) for process in cluster.names(component))


def labelled(cluster, process, name, label):
    """One series of a metric."""
    with urllib.request.urlopen(cluster.json["metrics"][process], timeout=10) as answer:
        return sum(float(line.rsplit(" ", 1)[1]) for line in answer.read().decode().splitlines()
                   if line.startswith(name + "{") and label in line)


@pytest.fixture(scope="module")
def two_gateways():
    cluster = Cluster(gateways=2)
    yield cluster
    cluster.close()


def assert_clean(run):
    assert run["sent"] == run["acked"] > 0 and run["failed"] == run["unanswered"] == 0, run
    assert run["lost"] == run["doubled"] == run["reordered"] == 0, run
    assert run["operations"] > 0 and run["rate_per_s"] > 0 and run["p99_ms"] >= run["p50_ms"] > 0, run
    assert run["server_cpu_us_per_op"] > 0 and run["driver_cpu_us_per_op"] > 0, run
    assert run["environment"]["cores"] > 0 and run["environment"]["fsync_us"] > 0


@pytest.mark.parametrize("loop", [("--window", 4), ("--rate", 300), ("--rate", 300, "--pace-us", 0)])
def test_one_to_one_accounts_as_the_store_does(two_gateways, loop):
    before = total(two_gateways, "store", "hongyan_store_commit_batch_messages_sum")
    run = bench(two_gateways, "s2", "--pairs", 10, "--workers", 3, *loop)
    assert_clean(run)
    assert run["delivered"] == run["acked"]
    assert total(two_gateways, "store", "hongyan_store_commit_batch_messages_sum") - before == run["acked"]
    assert run["workers"] == 3 and run["fsyncs_per_op"] > 0
    if "--rate" in loop:  # 300/s for a second of warm-up and one that is measured
        assert run["sent"] == 601, run["sent"]
        # so many may be under way when it begins or ends
        late = 300 * max(run["max_ms"], *run["series"]["max_ms"]) / 1000
        assert 299 - late <= run["operations"] <= 301 + late, run


def test_online_only_stores_nothing(two_gateways):
    before = total(two_gateways, "store", "hongyan_store_commit_batch_messages_sum")
    run = bench(two_gateways, "s3", "--pairs", 30, "--rate", 3000)
    assert_clean(run)
    assert run["durability"] == "not stored"
    assert total(two_gateways, "store", "hongyan_store_commit_batch_messages_sum") == before


@pytest.mark.parametrize("scenario, size, chat", [("s4", "--members", "group"), ("s4l", "--audience", "live")])
def test_every_member_gets_every_message(two_gateways, scenario, size, chat):
    name = "hongyan_router_fanout_recipients"

    def told(what):
        return sum(labelled(two_gateways, router, name + what, f'chat="{chat}"')
                   for router in two_gateways.names("router"))

    messages, frames = told("_count"), total(two_gateways, "gateway", "hongyan_gateway_frames_sent_total")
    run = bench(two_gateways, scenario, size, 60, "--senders", 3, "--window", 2)
    assert_clean(run)
    assert run["delivered"] == run["acked"] * 59
    assert told("_count") - messages >= run["acked"]  # tips of joining are pushed, too
    sent = total(two_gateways, "gateway", "hongyan_gateway_frames_sent_total") - frames
    assert sent >= run["delivered"] + run["acked"]  # besides: answers to sign-ins and joins
    assert sent <= run["delivered"] + run["acked"] + 60 * 10
    assert run["frames_per_write"] >= 1


def test_idle_links_and_sign_ins(two_gateways):
    run = bench(two_gateways, "s1", "--links", 300)
    assert run["links"] == 300 and run["rss_bytes_per_link"] >= 0 and run["kernel_bytes_per_socket"] > 0
    assert run["lost"] == 0
    run = bench(two_gateways, "s5", "--links", 100, "--tls")
    assert run["operations"] == 100


@pytest.mark.parametrize("how", [("--window", 2), ("--rate", 500), ("--cold",)])
def test_pages_of_history_are_what_was_written(make_cluster, how):
    cluster = make_cluster(gateways=2)
    run = bench(cluster, "s6", "--pairs", 7, "--convs", 3, "--depth", 90, *how)
    if "--cold" not in how:  # so few pages that the kernel counts no CPU time
        assert_clean(run)
    assert run["sent"] == run["acked"] == run["delivered"] > 0 and run["failed"] == run["lost"] == 0, run
    # What was written before: all of it, and no more is stored by asking.
    if "--cold" not in how:  # a store that was started again has counted nothing
        assert total(cluster, "store", "hongyan_store_commit_batch_messages_sum") == 7 * 3 * 90
    assert run["lists_per_s"] > 0 and run["list_p99_ms"] > 0
    assert run["backlogs"] > 0 and run["backlog_p99_ms"] > 0 and run["backlog_messages_per_s"] > 0
    if "--cold" in how:  # each page once, and no page that is not whole
        assert run["sent"] == 7 * 3 * (90 // 20) and run["durability"].startswith("cold: store restarted")
    if "--rate" in how:
        assert 980 <= run["sent"] <= 1001, run["sent"]


def test_senders_held_back_by_a_limit_are_told(make_cluster):
    cluster = make_cluster(settings=["gateway.request_rate=50", "gateway.request_burst=50"])
    run = bench(cluster, "s3", "--pairs", 2, "--window", 1)
    assert run["rate_limited"] > 0 and run["lost"] == run["reordered"] == 0 and run["failed"] == 0, run


def test_a_lost_push_is_told(make_cluster):
    cluster = make_cluster(settings=["router.test.drop_push_every=50"])
    before = total(cluster, "router", "hongyan_router_test_dropped_pushes_total")
    run = bench(cluster, "s2", "--pairs", 5, "--rate", 400, expect=1)
    assert total(cluster, "router", "hongyan_router_test_dropped_pushes_total") > before
    assert run["lost"] > 0 and run["doubled"] == run["reordered"] == 0, run
    assert run["delivered"] + run["lost"] == run["acked"] == run["sent"], run


def test_thresholds_make_the_exit_code(two_gateways):
    run = bench(two_gateways, "s3", "--pairs", 4, "--rate", 50, "--fail-if", "rate_per_s<1000000",
                "--fail-if", "p99_ms>100000", expect=3)
    assert run["lost"] == 0
    bench(two_gateways, "s3", "--pairs", 4, "--rate", 50, "--fail-if", "lost>0")
    bench(two_gateways, "s3", "--pairs", 4, "--rate", 50, "--fail-if", "no_such<1", expect=2)


def test_several_runs_make_one_page(two_gateways, tmp_path):
    bench(two_gateways, "s2", "--pairs", 4, "--rate", 100, "--html", tmp_path / "one.html")
    bench(two_gateways, "s3", "--pairs", 4, "--rate", 100)
    files = [two_gateways.dir / "s2.json", two_gateways.dir / "s3.json"]
    subprocess.run([BIN / "hongyan-bench", "report", "--html", tmp_path / "all.html", *files], check=True)
    page = (tmp_path / "all.html").read_text()
    assert "<svg" in (tmp_path / "one.html").read_text()
    assert page.count("<section") == 2 and "http" not in page


def test_growth_makes_a_table_of_every_axis(tmp_path):
    script = pathlib.Path(__file__).parents[2] / "bench" / "growth.sh"
    done = subprocess.run(
        [script, "--bin", BIN, "--work", tmp_path / "w", "--out", tmp_path / "o", "--seconds", "1",
         "--pairs", "5", "--rate", "200", "--shards", "2", "--stored", "2000", "--filled", "10", "--links", "100",
         "--json", tmp_path / "growth.json", "--with", "nice -n 1"],
        capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.split() for line in (tmp_path / "o" / "growth.txt").read_text().splitlines()]
    assert [line[0] for line in lines] == ["axis", "shards", "stored", "links"]
    assert all(float(line[2]) > 0 and line[8] == "0" for line in lines[1:]), lines  # CPU; nothing wrong
    points = json.loads((tmp_path / "growth.json").read_text())["points"]
    assert [(p["axis"], p["size"], p["ratio"]) for p in points] == [
        ("shards", 2, 1), ("stored", 2000, 1), ("links", 100, 1)], points
    assert all(p["cpu_us"] > 0 and p["rate_per_s"] > 100 and p["wrong"] == 0 for p in points), points
    assert "2000 messages of 10 pairs" in done.stderr and "0 requests refused" in done.stderr
    assert not (tmp_path / "w").exists() and not (tmp_path / "w-past").exists()
    assert (tmp_path / "o" / "growth.html").exists()


def test_help_tells_every_option():
    def help_of(*words):
        return subprocess.run([BIN / "hongyan-bench", *words, "--help"], capture_output=True, text=True,
                              check=True).stdout

    scenarios = [line.split()[0] for line in help_of().splitlines() if line.startswith("  s")]
    assert {"s1", "s2", "s3", "s4", "s4l", "s5", "s6", "s9"} <= set(scenarios)
    for scenario in scenarios:
        assert "--cluster FILE" in help_of(scenario) and "--fail-if" in help_of(scenario), scenario


@pytest.mark.parametrize("arguments", [
    [], ["s77"], ["s2"], ["s2", "--cluster", "/nowhere"], ["s2", "--cluster", "x", "--pairs", "none"],
    ["s2", "--cluster", "x", "--fail-if", "p99"], ["report"], ["report", "--html", "x", "/nowhere"]])
def test_wrong_calls_are_told(arguments):
    done = subprocess.run([BIN / "hongyan-bench", *arguments], capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr
