"""Where the REST contract is tested: the cluster of HONGYAN_CLUSTER_JSON (the path of a cluster.json), else
one that the test session starts itself."""
import json
import os
import pathlib
import sys
import uuid

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from rest import Rest  # noqa: E402  (needs the path above)


@pytest.fixture(scope="module")
def rest(request):
    path = os.environ.get("HONGYAN_CLUSTER_JSON")
    if path:
        description = json.loads(pathlib.Path(path).read_text())
    else:
        description = request.getfixturevalue("shared_cluster").json
    caller = Rest(description)
    yield caller
    caller.close()


@pytest.fixture
def name():
    """Makes names that no other test, nor an earlier run against the same cluster, has."""
    prefix = uuid.uuid4().hex[:10]
    return lambda text: f"{prefix}{text}"


@pytest.fixture
def people(rest, name):
    """ann, ben and cy are there; nobody is not."""
    users = {who: name(who) for who in ("ann", "ben", "cy", "nobody")}
    rest.ok("im_open_login_svc/multiaccount_import",
            {"Accounts": [users["ann"], users["ben"], users["cy"]]})
    return users
