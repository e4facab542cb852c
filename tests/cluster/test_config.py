"""Settings: errors with file and line, overrides, reload all or nothing."""
import os
import pathlib
import signal
import subprocess

import pytest

from cluster import BIN, wait_until

PROGRAMS = ["gateway", "router", "presence", "store"]


def run(program, *arguments, env=None):
    return subprocess.run([str(BIN / f"hongyan-{program}"), *map(str, arguments)], text=True,
                          capture_output=True, timeout=20, env={**os.environ, **(env or {})})


@pytest.mark.parametrize("program", PROGRAMS)
def test_unknown_keys_are_errors_with_a_place_and_a_hint(program, tmp_path):
    config = tmp_path / "x.conf"
    config.write_text('log: { level = "info"; };\nlog_levle = 3;\n')
    done = run(program, "--config", config, "--check-config")
    assert done.returncode != 0
    assert f"{config}:2" in done.stderr and "log_levle" in done.stderr


@pytest.mark.parametrize("program", PROGRAMS)
def test_values_out_of_range_are_errors(program, tmp_path):
    config = tmp_path / "x.conf"
    config.write_text('log: { level = "loud"; };\n')
    done = run(program, "--config", config, "--check-config")
    assert done.returncode != 0 and "x.conf:1" in done.stderr


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_print_config_says_is_a_valid_file(program, tmp_path):
    printed = run(program, "--print-config", env={
        f"HONGYAN_{program.upper()}__LOG__LEVEL": "warn"})
    assert printed.returncode == 0 and 'level = "warn"' in printed.stdout
    config = tmp_path / "printed.conf"
    config.write_text(printed.stdout)
    assert run(program, "--config", config, "--check-config").returncode == 0


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_and_version(program):
    assert run(program, "--version").stdout.strip()
    assert "--check-config" in run(program, "--help").stdout


def test_reload_is_all_or_nothing(make_cluster):
    cluster = make_cluster()
    conf = pathlib.Path(cluster.dir) / "conf" / "gateway-0.conf"
    text = conf.read_text()
    metric = "hongyan_config_last_reload_successful"
    conf.write_text(text + "\nnonsense = 1;\n")
    cluster.kill("gateway-0", signal.SIGHUP)
    wait_until(lambda: cluster.metric("gateway-0", metric) == 0, what="the refusal")
    assert cluster.ready("gateway-0")
    conf.write_text(text)
    cluster.kill("gateway-0", signal.SIGHUP)
    wait_until(lambda: cluster.metric("gateway-0", metric) == 1, what="the reload")
