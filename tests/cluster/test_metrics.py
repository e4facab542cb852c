"""What operators see: lint-clean metrics, health, a real Prometheus."""
import json
import os
import pathlib
import socket
import subprocess
import urllib.request

from cluster import wait_until


def test_promtool_finds_nothing_wrong(cluster):
    for name, url in cluster.json["metrics"].items():
        with urllib.request.urlopen(url) as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            text = answer.read()
        lint = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True)
        assert lint.returncode == 0, (name, lint.stdout + lint.stderr)
        for family in (b"hongyan_build_info", b"process_cpu_seconds_total", b"process_open_fds"):
            assert family in text, (name, family)


def test_health_pages(cluster):
    for name, url in cluster.json["metrics"].items():
        for page in ("livez", "readyz", "readyz?verbose"):
            with urllib.request.urlopen(url.replace("metrics", page)) as answer:
                assert answer.status == 200, (name, page)


def test_a_real_prometheus_scrapes_every_process(cluster, tmp_path):
    targets = [url.split("/")[2] for url in cluster.json["metrics"].values()]
    config = tmp_path / "prometheus.yml"
    config.write_text(json.dumps({
        "global": {"scrape_interval": "1s"},
        "scrape_configs": [{"job_name": "hongyan", "static_configs": [{"targets": targets}]}]}))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    server = subprocess.Popen(
        ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'tsdb'}",
         f"--web.listen-address={address}"], stderr=subprocess.DEVNULL)
    try:
        def up():
            try:
                with urllib.request.urlopen(f"http://{address}/api/v1/query?query=up") as answer:
                    result = json.load(answer)["data"]["result"]
            except OSError:
                return False
            return len(result) == len(targets) and all(r["value"][1] == "1" for r in result)

        wait_until(up, 30, "all targets to be up")
    finally:
        server.terminate()
        server.wait(10)


def families(cluster):
    """{name: (type, help, {components})} of everything the cluster exports."""
    found = {}
    for process, url in cluster.json["metrics"].items():
        if process.startswith("etcd-"):
            continue
        with urllib.request.urlopen(url) as answer:
            lines = answer.read().decode().splitlines()
        kinds = dict(line.split(" ", 3)[2:] for line in lines if line.startswith("# TYPE "))
        for line in lines:
            if line.startswith("# HELP "):
                name, text = line.split(" ", 3)[2:]
                found.setdefault(name, (kinds[name], text, set()))[2].add(process.rsplit("-", 1)[0])
    return found


def test_every_metric_is_documented(make_cluster, unique):
    """docs/metrics.md; with HONGYAN_WRITE_DOCS=1 this test writes it."""
    cluster = make_cluster(gateways=2, etcd=1, replicas=2)  # some are of copies alone
    ann, ben = cluster.client(unique + "ann"), cluster.client(unique + "ben", gateway=1)
    ann.send(ben.user, "so that every family has been used")
    wait_until(lambda: cluster.metric("store-0a", "hongyan_store_replica_insync") == 2, 20, "a follower")
    wait_until(lambda: "hongyan_store_replica_lag_sequences" in families(cluster), 20, "its lag")
    rows = [f"| `{name}` | {kind} | {', '.join(sorted(who))} | {text} |"
            for name, (kind, text, who) in sorted(families(cluster).items())]
    page = pathlib.Path(__file__).parents[2] / "docs" / "metrics.md"
    head = ("# Metrics\n\nEvery process serves `/metrics` (Prometheus text), `/livez` and `/readyz` on its status "
            "port.\nMade from a running cluster by `tests/cluster/test_metrics.py`; do not edit.\n\n"
            "| name | type | of | what |\n|---|---|---|---|\n")
    if os.environ.get("HONGYAN_WRITE_DOCS"):
        page.write_text(head + "\n".join(rows) + "\n")
    documented = page.read_text()
    missing = [row for row in rows if row.split("|")[1].strip() not in documented]
    assert not missing, "run this test once with HONGYAN_WRITE_DOCS=1 and commit docs/metrics.md"
