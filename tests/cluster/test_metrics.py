"""What operators see: lint-clean metrics, health, a real Prometheus."""
import json
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
