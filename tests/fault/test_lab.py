"""A short set of the fault laboratory, what it has found before, and that it would find a loss."""
import os
import pathlib
import subprocess

import pytest

LAB = pathlib.Path(__file__).parent / "lab"
SEEDS = os.environ.get("HONGYAN_LAB_SEEDS", "1-2")
SECONDS = os.environ.get("HONGYAN_LAB_S", "10")

# What a seed found, reduced to its faults: (shape, faults).
FOUND = {
    "a ZeroMQ heartbeat on a link that was handed over and reset aborted the process": (
        "static", "cut:h2-clients@1+1 one-way:h1-h2@1.1+5.4 cable:h2@1.2+2.4 stop:store-0@1.7+6 stop:presence-1@2.2+6.5 "
                  "loss:h2=5@2.3+3.6 loss:h1=25@2.5+2.1 kill:gateway-1@3"),
    "a store that was started on a full or failing disk ended": (
        "replicated", "full-disk:store-2a@1+6 bad-disk:store-0a@1.1+4 kill:store-2a@2.5 kill:store-0a@2.6"),
}


def lab(*words):
    done = subprocess.run([LAB, *map(str, words)], text=True, capture_output=True)
    if done.returncode == 3:
        pytest.skip(done.stderr.strip())
    print(done.stdout, done.stderr)
    return done


def test_a_few_seeds():
    done = lab("--seeds", SEEDS, "--seconds", SECONDS, "--jobs", 2)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("what", FOUND)
def test_found_before(what):
    shape, faults = FOUND[what]
    done = lab("--shape", shape, "--seeds", 1, "--faults", faults)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_loss_is_found():
    """One copy loses the end of its log: the laboratory must say so, whatever else it says."""
    done = lab("--shape", "static", "--seeds", 1, "--faults", "lost-tail:store-1=20000@5+0.5", "--keep", "none")
    assert done.returncode == 1 and "lost:" in done.stdout, done.stdout + done.stderr
