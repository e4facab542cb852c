"""The official npm package signs tickets; what we make of them."""
import json
import os
import pathlib
import shutil
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
BIN = pathlib.Path(os.environ.get("HONGYAN_BIN", HERE.parent.parent / "build" / "bin"))
APP = "1400000001"
KEY = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e"
USERS = ["anna", "1", "user with spaces", "x" * 32, "a-b_c.d*e/f+g=h"]


def check(user, sig, sdkappid=APP, key=KEY):
    """The first word that hongyanctl says: "good", or the code."""
    done = subprocess.run([BIN / "hongyanctl", "usersig", "check", "--sdkappid", sdkappid, "--key", key,
                           user, sig], capture_output=True, text=True)
    assert done.stdout, done.stderr
    return done.stdout.split()[0]


@pytest.fixture(scope="module")
def tickets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("npm")
    for name in ("package.json", "sign.js"):
        shutil.copy(HERE / "usersig_npm" / name, folder)
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--silent"],
                   cwd=folder, check=True)
    out = subprocess.run(["node", "sign.js", APP, KEY, *USERS], cwd=folder, check=True,
                         capture_output=True, text=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def test_every_kind_of_ticket_is_good(tickets):
    assert {t["user"] for t in tickets if t["kind"] == "plain"} == set(USERS)
    for ticket in tickets:
        assert check(ticket["user"], ticket["sig"]) == "good", ticket


def test_each_misuse_has_its_code(tickets):
    sig = tickets[0]["sig"]
    assert check("ben", sig) == "70013"
    assert check("anna", sig, sdkappid="1400000002") == "70014"
    assert check("anna", sig, key="another key") == "70009"
    assert check("anna", sig[:-8]) == "70003"
    assert check("anna", sig.replace("*", "%2A")) == "good"
