"""Client links: transports, back-pressure, rates (I6)."""
import json
import signal
import socket
import ssl
import struct
import subprocess

import pytest

import client_pb2 as pb
from client import Link, Refused, text_of, usersig
from cluster import BIN, wait_until


def test_tls_carries_the_same_protocol(cluster, unique):
    ann, ben = cluster.client(unique + "ann", tls=True), cluster.client(unique + "ben", tls=True, gateway=1)
    ann.send(ben.user, "secret")
    ben.wait_text("secret")
    assert ann.link.sock.version() in ("TLSv1.2", "TLSv1.3")


def test_old_tls_is_refused(cluster):
    import warnings
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    host, port = cluster.address("tls").rsplit(":", 1)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        context.wrap_socket(socket.create_connection((host, int(port))))


def test_a_tls_ticket_is_good_at_another_gateway_and_after_a_restart(make_cluster):
    cluster = make_cluster(gateways=2)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    def shake(gateway, session=None):
        host, port = cluster.address("tls", gateway).rsplit(":", 1)
        with context.wrap_socket(socket.create_connection((host, int(port))), session=session) as sock:
            ping = pb.Frame(id=1, ping=pb.Ping()).SerializeToString()
            sock.sendall(struct.pack(">I", len(ping)) + ping)
            assert sock.recv(4096)  # an answer or a refusal; TLS 1.3's ticket comes with the first read
            return sock.session, sock.session_reused

    ticket, reused = shake(0)
    assert not reused
    ticket, reused = shake(1, ticket)
    assert reused
    cluster.kill_and_wait("gateway-0")
    ticket, reused = shake(0, ticket)
    assert reused
    assert cluster.metric("gateway-0", "hongyan_gateway_tls_resumed_total") == 1


def test_an_app_resumes_tls_when_it_comes_back(make_cluster):
    cluster = make_cluster()
    probe = subprocess.Popen([BIN / "hongyan-probe"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tell(**command):
        probe.stdin.write(json.dumps({"u": "ann", **command}) + "\n")
        probe.stdin.flush()

    def wait_online():
        return next(event for event in map(json.loads, probe.stdout) if event.get("state") == "online")

    tell(op="connect", addr=cluster.address("tls"), tls=True, sdkappid=cluster.app["sdkappid"],
         sig=usersig(cluster.app["sdkappid"], "ann", cluster.app["key"]))
    assert not wait_online()["resumed"]
    for _ in range(3):
        tell(op="cut")
        assert wait_online()["resumed"]
    probe.stdin.close()
    assert probe.wait(20) == 0
    assert cluster.metric("gateway-0", "hongyan_gateway_tls_resumed_total") == 3


def test_a_slow_reader_costs_only_itself_and_resumes_with_nothing_missing(make_cluster):
    cluster = make_cluster(apps=["group_rate=0"], settings=["gateway.outbox_bytes=65536"])
    ann, ben, cid = (cluster.client(name) for name in ("ann", "ben", "cid"))
    group = cluster.create_group("g", "Public", owner="ann", members=["ben", "cid"])
    slow = Link(cluster.address("tcp"))
    slow.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sig = cid.sig()
    cid.cut()
    slow.write_frame(pb.Frame(id=1, sign_in=pb.SignInReq(
        sdkappid=cluster.app["sdkappid"], identifier="cid", usersig=sig, device_id="slow")))
    token = slow.read_frame().sign_in_res.resume_token
    body = "x" * 8000
    count = 0
    while cluster.metric("gateway-0", "hongyan_gateway_slow_consumers_total") < 1:
        ann.send(group, f"{count} {body}", group=True)
        count += 1
        assert count < 4000, "the slow reader was never dropped"
    ben.wait_for(lambda c: len(c.messages(group=group)) == count, what="all messages, undisturbed")
    slow.close()
    back = cluster.client("cid", sign_in=False)
    assert back.resume(token).resumed
    texts = [text_of(m).split()[0] for m in back.all_history(group, group=True)
             if not m.flags & pb.MSG_SYSTEM]
    assert texts == [str(i) for i in range(count)]


def test_too_many_requests_on_a_link_are_refused_with_a_code(make_cluster):
    cluster = make_cluster(settings=["gateway.request_rate=10", "gateway.request_burst=20"])
    ann, ben = cluster.client("ann"), cluster.client("ben")
    idents = [ann.start(send=ann.make_send("ben", str(i))) for i in range(60)]
    codes = []
    for ident in idents:
        try:
            ann.finish(ident)
            codes.append(0)
        except Refused as refused:
            codes.append(refused.code)
    assert set(codes) == {0, 6226} and 15 <= codes.count(0) < 60  # the sign-in took of the burst
    assert len(ben.all_history("ann")) == codes.count(0)


def test_frames_over_the_limit_close_the_link_with_a_reason(cluster, unique):
    ann = cluster.client(unique + "ann")
    ann.link.write(struct.pack(">I", 1 << 24))
    assert ann.wait_kicked().code == 200005
    ann.wait_closed()


def test_a_gateway_that_stops_says_good_bye_and_its_clients_resume(make_cluster):
    cluster = make_cluster(gateways=2)
    ann, ben = cluster.client("ann", gateway=0), cluster.client("ben", gateway=1)
    old = cluster.kill("gateway-0", signal.SIGTERM)
    ann.wait_for(lambda c: [f for f in c.notices if f.HasField("go_away")], what="the good-bye")
    ann.wait_closed()
    ben.send("ann", "while away")
    back = cluster.client("ann", sign_in=False, gateway=1)
    assert back.resume(ann.token).resumed
    assert text_of(back.history("ben").msgs[0]) == "while away"
    cluster.wait_back({"gateway-0": old})
