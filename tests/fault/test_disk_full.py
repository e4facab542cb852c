"""A full disk: sends fail with a clear code, reads go on, service returns with the space."""
import os
import subprocess

import pytest

from client import Refused, text_of
from cluster import wait_until


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 256 MB: a loop-mounted file, or a sized tmpfs where loops are not allowed."""
    where = tmp_path / "disk"
    where.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", str(where)])
    assert done.returncode == 0, "this test needs the right to mount (run as root)"
    yield where
    subprocess.run(["umount", "-l", str(where)], check=True)


def test_a_full_disk_refuses_clearly_and_recovers(small_disk, make_cluster):
    cluster = make_cluster(directory=small_disk / "hy", settings=["store.reserve_mb=32", "store.write_buffer_mb=4",
                           "gateway.request_rate=100000", "gateway.request_burst=100000"])
    ann, ben = cluster.client("ann"), cluster.client("ben")
    acked = []
    ballast = small_disk / "ballast"
    free = os.statvfs(small_disk)
    with ballast.open("wb") as file:
        left = free.f_bavail * free.f_frsize - (40 << 20)
        for _ in range(max(0, left) >> 20):
            file.write(b"\0" * (1 << 20))
    refused = None
    for i in range(20000):
        try:
            ann.send("ben", f"{i} " + os.urandom(2000).hex())
            acked.append(i)
        except Refused as error:
            refused = error
            break
    assert refused is not None and refused.code == 200002 and "disk" in refused.info
    assert [int(text_of(m).split()[0]) for m in ben.all_history("ann")] == acked
    ballast.unlink()

    def sends():
        try:
            return ann.send("ben", "999999 back", client_id="back")
        except Refused:
            return None

    wait_until(sends, 30, "the store to take writes again")
    assert [int(text_of(m).split()[0]) for m in ben.all_history("ann")] == acked + [999999]
