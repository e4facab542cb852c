"""Fixtures of the cluster tests. HONGYAN_BIN names the programs' folder (a sanitizer build, say)."""
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE / "lib"), str(HERE / "fault")]

import protos  # noqa: E402,F401  (needs the path above)
from cluster import Cluster  # noqa: E402  (needs the path above)


@pytest.fixture
def make_cluster():
    """Start clusters with settings of the test's own; all are stopped and checked at its end."""
    made = []

    def make(**options):
        made.append(Cluster(**options))
        return made[-1]

    yield make
    for cluster in made:
        cluster.close()


@pytest.fixture(scope="module")
def shared_cluster():
    """One cluster for the tests of a file: 2 gateways, 2 routers, 2 presence, 4 shards."""
    cluster = Cluster(gateways=2, routers=2, presence=2, shards=4)
    yield cluster
    cluster.close()


@pytest.fixture
def cluster(shared_cluster):
    yield shared_cluster
    for client in shared_cluster.clients:
        client.close()
    shared_cluster.clients = []


@pytest.fixture
def unique(request):
    """A short prefix, so that tests sharing a cluster do not share users or groups."""
    unique.count = getattr(unique, "count", 0) + 1
    return f"t{unique.count}-"
