"""A client of the wire protocol written from docs/protocol.md alone: sockets and protobuf, no SDK.

One Client is one link. A thread reads frames: answers go to their waiters, notices to `notices`, where
wait_for() looks. It acknowledges nothing and repairs nothing by itself, so tests see what really came.
"""
import base64
import contextlib
import hashlib
import hmac
import itertools
import json
import os
import select
import socket
import ssl
import struct
import threading
import time
import zlib

import client_pb2 as pb

WAIT_S = float(os.environ.get("HONGYAN_TEST_WAIT_S", "20"))


def usersig(sdkappid, identifier, key, now=None, expire=86400):
    """Issue a v2 ticket (REST v4 section 3.1), made independently of the C code."""
    now = int(time.time() if now is None else now)
    text = (f"TLS.identifier:{identifier}\nTLS.sdkappid:{sdkappid}\n"
            f"TLS.time:{now}\nTLS.expire:{expire}\n")
    mac = base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()
    body = json.dumps({"TLS.ver": "2.0", "TLS.identifier": identifier, "TLS.sdkappid": sdkappid,
                       "TLS.time": now, "TLS.expire": expire, "TLS.sig": mac})
    sig = base64.b64encode(zlib.compress(body.encode())).decode()
    return sig.replace("+", "*").replace("/", "-").replace("=", "_")


def text_body(text):
    return pb.Body(elems=[pb.Elem(text=pb.TextElem(text=text))]).SerializeToString()


def text_of(msg):
    body = pb.Body.FromString(msg.body)
    return "".join(elem.text.text for elem in body.elems)


class Refused(Exception):
    def __init__(self, code, info):
        super().__init__(f"{code} {info}")
        self.code, self.info = code, info


class Link:
    """Frames over TCP or TLS, and nothing more; hostile tests write raw bytes.

    One thread may read while another writes: OpenSSL allows only one of them at a time."""

    def __init__(self, address, tls=False, timeout=WAIT_S):
        host, port = address.rsplit(":", 1)
        self.sock = socket.create_connection((host, int(port)), timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.sock = context.wrap_socket(self.sock)
        self.tls = tls
        self.turn = threading.Lock() if tls else contextlib.nullcontext()
        self.pending = b""

    def write(self, data):
        with self.turn:
            self.sock.sendall(data)

    def read(self):
        """Some bytes; b"": the link is closed."""
        while self.tls:
            if not self.sock.pending() and not select.select([self.sock], [], [], self.sock.gettimeout())[0]:
                raise TimeoutError("nothing to read")
            with self.turn:
                timeout = self.sock.gettimeout()
                self.sock.settimeout(0)
                try:
                    return self.sock.recv(65536)
                except ssl.SSLWantReadError:
                    continue  # a ticket, or half a record
                finally:
                    self.sock.settimeout(timeout)
        return self.sock.recv(65536)

    def write_frame(self, frame):
        data = frame.SerializeToString()
        self.write(struct.pack(">I", len(data)) + data)

    def read_frame(self):
        """The next frame, or None when the link is closed."""
        while len(self.pending) < 4 or len(self.pending) < 4 + struct.unpack(">I", self.pending[:4])[0]:
            try:
                data = self.read()
            except (ConnectionError, ssl.SSLError, ValueError):  # ValueError: closed on this side
                return None
            if not data:
                return None
            self.pending += data
        size = struct.unpack(">I", self.pending[:4])[0]
        frame = pb.Frame.FromString(self.pending[4:4 + size])
        self.pending = self.pending[4 + size:]
        return frame

    def close(self):
        with self.turn:
            try:
                self.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self.sock.close()


class Client:
    def __init__(self, cluster, user, platform=pb.PLATFORM_ANDROID, device="", gateway=0, tls=False,
                 app=None, sign_in=True):
        self.cluster, self.user, self.platform, self.device = cluster, user, platform, device
        self.app = app or cluster.app
        self.ids = itertools.count(1)
        self.client_ids = itertools.count(1)
        self.seed = os.urandom(6).hex()
        self.lock = threading.Condition()
        self.answers, self.notices, self.closed = {}, [], False
        self.token = b""
        self.link = Link(cluster.address("tls" if tls else "tcp", gateway), tls)
        self.link.sock.settimeout(None)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()
        if sign_in:
            self.sign_in()

    # -- frames

    def _read(self):
        while True:
            try:
                frame = self.link.read_frame()
            except OSError:
                frame = None
            with self.lock:
                if frame is None:
                    self.closed = True
                elif frame.id:
                    self.answers[frame.id] = frame
                else:
                    self.notices.append(frame)
                self.lock.notify_all()
            if frame is None:
                return

    def start(self, **body):
        """Send a request, and return its id for finish()."""
        frame = pb.Frame(id=next(self.ids), **body)
        try:
            self.link.write_frame(frame)
        except OSError:
            pass  # finish() tells
        return frame.id

    def finish(self, ident, timeout=WAIT_S):
        with self.lock:
            if not self.lock.wait_for(lambda: ident in self.answers or self.closed, timeout):
                raise TimeoutError(f"{self.user}: no answer to request {ident}")
            if ident not in self.answers:
                raise ConnectionError(f"{self.user}: link closed: {self.kicked()}")
            frame = self.answers.pop(ident)
        if frame.code:
            raise Refused(frame.code, frame.info)
        return frame

    def ask(self, timeout=WAIT_S, **body):
        return self.finish(self.start(**body), timeout)

    def wait_for(self, predicate, timeout=WAIT_S, what="a notice"):
        """Wait until predicate(self) is true; returns its value."""
        with self.lock:
            value = self.lock.wait_for(lambda: predicate(self), timeout)
        assert value, f"{self.user}: waited {timeout} s for {what}; have {self.notices[-5:]}"
        return value

    def wait_closed(self, timeout=WAIT_S):
        self.wait_for(lambda c: c.closed, timeout, "the link to close")

    # -- session

    def sig(self, **options):
        return usersig(self.app["sdkappid"], self.user, self.app["key"], **options)

    def sign_in(self, sig=None):
        frame = self.ask(sign_in=pb.SignInReq(
            sdkappid=self.app["sdkappid"], identifier=self.user,
            usersig=self.sig() if sig is None else sig, platform=self.platform, device_id=self.device))
        self.token, self.heartbeat_ms = frame.sign_in_res.resume_token, frame.sign_in_res.heartbeat_ms
        return frame.sign_in_res

    def resume(self, token):
        frame = self.ask(resume=pb.ResumeReq(resume_token=token))
        self.token = frame.sign_in_res.resume_token
        return frame.sign_in_res

    def ping(self):
        return self.ask(ping=pb.Ping()).pong

    def sign_out(self):
        self.ask(sign_out=pb.SignOutReq())

    def cut(self):
        """Lose the network: no good-bye."""
        self.link.close()
        self.thread.join(WAIT_S)

    close = cut

    # -- messages

    def make_send(self, to, text, group=False, client_id=None, flags=0, body=None):
        return pb.SendReq(conv_type=pb.CONV_GROUP if group else pb.CONV_C2C, to=to,
                          client_id=client_id or f"{self.seed}-{next(self.client_ids)}",
                          body=text_body(text) if body is None else body, flags=flags)

    def send(self, to, text="", timeout=WAIT_S, **options):
        """Returns (seq, time_ms) once the message is acknowledged."""
        res = self.ask(timeout, send=self.make_send(to, text, **options)).send_res
        return res.seq, res.time_ms

    def history(self, peer, group=False, **options):
        req = pb.HistoryReq(conv_type=pb.CONV_GROUP if group else pb.CONV_C2C, peer=peer, **options)
        return self.ask(history=req).history_res

    def all_history(self, peer, group=False):
        """Everything kept, oldest first, by pages from the old end."""
        msgs, start = [], 0
        while True:
            page = self.history(peer, group, from_seq=start, newer=True)
            msgs += page.msgs
            if page.complete or not page.msgs:
                return msgs
            start = page.msgs[-1].seq + 1

    def read(self, peer, seq=0, group=False):
        return self.ask(read=pb.ReadReq(conv_type=pb.CONV_GROUP if group else pb.CONV_C2C,
                                        peer=peer, seq=seq)).read_res

    def convs(self):
        """The conversation list, as {(type, peer): Conv}, in its order."""
        res = self.ask(conv_list=pb.ConvListReq()).conv_list_res
        return {(conv.type, conv.peer): conv for conv in res.convs}

    # -- what came

    def messages(self, peer=None, group=None):
        """Messages pushed so far, in order of arrival."""
        return [msg for frame in list(self.notices) if frame.HasField("msg_notice")
                for msg in frame.msg_notice.msgs
                if (group is None or msg.to == group)
                and (peer is None or (msg.conv_type == pb.CONV_C2C
                                      and peer in (getattr(msg, "from"), msg.to)))
                and not msg.flags & pb.MSG_SYSTEM]

    def texts(self, **where):
        return [text_of(msg) for msg in self.messages(**where)]

    def wait_text(self, text, **where):
        def found(client):
            return [msg for msg in client.messages(**where) if text_of(msg) == text]
        return self.wait_for(found, what=f"message {text!r}")[0]

    def tips(self, group):
        return [pb.Body.FromString(msg.body).elems[0].tip for frame in list(self.notices)
                if frame.HasField("msg_notice") for msg in frame.msg_notice.msgs
                if msg.to == group and msg.flags & pb.MSG_SYSTEM]

    def systems(self):
        return [f.system_notice for f in list(self.notices) if f.HasField("system_notice")]

    def kicked(self):
        return next((f.kicked for f in self.notices if f.HasField("kicked")), None)

    def wait_kicked(self):
        return self.wait_for(lambda c: c.kicked(), what="a kick")
