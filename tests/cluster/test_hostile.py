"""Bad bytes from anyone: a clear error where the protocol allows one, never a crash (I7)."""
import os
import random
import socket
import struct
import urllib.error
import urllib.request

import pytest

import client_pb2 as pb
from client import Link, Refused
from cluster import wait_until


@pytest.fixture(autouse=True)
def nobody_dies(shared_cluster):
    before = dict(shared_cluster.json["pids"])
    yield
    assert shared_cluster.json["pids"] == before


def raw(address, data, read=True):
    host, port = address.replace("http://", "").replace("ws://", "").rsplit(":", 1)
    with socket.create_connection((host, int(port)), 10) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        got = b""
        while read:
            try:
                part = sock.recv(65536)
            except ConnectionError:
                break
            if not part:
                break
            got += part
    return got


@pytest.mark.parametrize("data", [
    b"", b"\0", b"\0\0\0\0", b"\xff" * 64, b"GET / HTTP/1.1\r\n\r\n", struct.pack(">I", 5) + b"\xff" * 5,
    struct.pack(">I", 100) + b"short", b"\x16\x03\x01\x02\x00\x01\x00" * 10])
def test_garbage_on_the_tcp_port(cluster, data):
    answer = raw(cluster.address("tcp"), data)
    if len(answer) >= 4:
        frame = pb.Frame.FromString(answer[4:4 + struct.unpack(">I", answer[:4])[0]])
        assert frame.HasField("kicked") or frame.code


@pytest.mark.parametrize("data", [
    b"", b"GET", b"POST / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000, b"\x81\x05hello"])
def test_garbage_on_the_websocket_port(cluster, data):
    answer = raw(cluster.address("ws"), data)
    assert not answer or answer.startswith(b"HTTP/1.1 4")


@pytest.mark.parametrize("data", [
    b"", b"{", b"[]", b"null", b'{"To_Account":', b"\xff\xfe", b'{"To_Account":{"a":[[[[[[' * 50,
    b'{"MsgBody":[{"MsgType":1}],"To_Account":"x","MsgRandom":1}', b"[" * 100000])
def test_garbage_in_rest_bodies_gets_a_code(cluster, data):
    answer = cluster.rest("openim/sendmsg", data)
    assert answer["ActionStatus"] == "FAIL" and answer["ErrorCode"] and answer["ErrorInfo"]


@pytest.mark.parametrize("path, code", [
    ("/v4/openim/sendmsg", 60012),
    ("/v4/openim/sendmsg?sdkappid=1", 60006),
    ("/v4/openim/sendmsg?sdkappid=x", 60006),
    ("/v4/nothing/here?sdkappid=1400000001&identifier=administrator&usersig=x", None)])
def test_rest_urls_that_make_no_sense(cluster, path, code):
    import json
    with urllib.request.urlopen(urllib.request.Request(cluster.json["rest"] + path, b"{}")) as answer:
        got = json.load(answer)
    assert got["ActionStatus"] == "FAIL" and (code is None or got["ErrorCode"] == code)


def test_random_frames_of_a_signed_in_client(cluster, unique):
    rng = random.Random(1)
    good = pb.Frame(id=1, send=pb.SendReq(conv_type=pb.CONV_C2C, to="x", client_id="y", body=b"z"))
    sample = good.SerializeToString()
    for _ in range(100):
        link = Link(cluster.address("tcp"))
        data = bytearray(sample if rng.random() < 0.7 else os.urandom(rng.randrange(1, 300)))
        for _ in range(rng.randrange(4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        link.write(struct.pack(">I", len(data)) + bytes(data))
        link.close()
    cluster.client(unique + "fine").ping()


def test_server_only_frames_from_a_client_are_refused(cluster, unique):
    ann = cluster.client(unique + "ann")
    ann.start(pong=pb.Pong())
    kicked = ann.wait_kicked()
    assert (kicked.why, kicked.code) == (pb.KickedNotice.PROTOCOL, 200006) and kicked.info


def test_a_client_cannot_forge_a_tip(cluster, unique):
    ann = cluster.client(unique + "ann")
    cluster.import_users(unique + "ben")
    body = pb.Body(elems=[pb.Elem(tip=pb.TipElem(type=pb.TIP_KICKED))]).SerializeToString()
    with pytest.raises(Refused):
        ann.send(unique + "ben", body=body)


def test_a_client_that_dribbles_its_request_is_cut_off(make_cluster):
    cluster = make_cluster(settings=["gateway.sign_in_ms=1000", "gateway.rest.timeout_s=1"])
    for address in (cluster.address("tcp"), cluster.address("ws"),
                    cluster.json["rest"].replace("http://", "")):
        host, port = address.replace("ws://", "").rsplit(":", 1)
        with socket.create_connection((host, int(port)), 20) as sock:
            sock.sendall(b"G")
            while True:
                try:
                    if not sock.recv(4096):
                        break
                except ConnectionError:
                    break


def test_a_crowd_that_never_signs_in_is_cut_off_and_shuts_nobody_out_for_long(make_cluster):
    """Silent links, TLS links that never shake hands, and one that dribbles its handshake."""
    sign_in_ms, most = 2000, 120
    cluster = make_cluster(settings=[f"gateway.sign_in_ms={sign_in_ms}", "gateway.workers=1",
                                     f"gateway.max_connections={most}"])
    ann = cluster.client("ann")
    links = lambda: cluster.metric("gateway-0", "hongyan_gateway_connections")  # noqa: E731
    tcp, tls = (tuple(cluster.address(kind).rsplit(":", 1)) for kind in ("tcp", "tls"))
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"  # as far as the client's version
    crowd = [socket.create_connection((tcp[0], int(tcp[1])), 10) for _ in range(40)]
    half = [socket.create_connection((tls[0], int(tls[1])), 10) for _ in range(most - 41)]
    for sock in half[1:]:
        sock.sendall(hello)
    wait_until(lambda: links() == most, what="the house to be full")
    late = Link(cluster.address("tcp"))
    assert late.read_frame().kicked.code == 200012  # too many links, said at once
    ann.ping()
    for byte in hello * 1000:  # one byte after the other does not buy time
        try:
            half[0].sendall(bytes([byte]))
        except OSError:
            break
        if links() == 1:
            break
    wait_until(lambda: links() == 1, timeout=sign_in_ms / 1000 + 5, what="all but ann to be cut off")
    assert cluster.metric("gateway-0", "hongyan_gateway_handshakes_total") == len(half)  # all failed
    ann.ping()
    cluster.client("ben", tls=True).ping()
    for sock in crowd + half:
        sock.close()
