"""Packets that come later: a thread that lets what the firewall queued (NFQUEUE 0) go after a while.

netem would do it, where the kernel has it; nfnetlink_queue is spoken here by hand, and needs no library.
"""
import collections
import select
import socket
import struct
import threading
import time

NETLINK_NETFILTER = 12
PACKET, VERDICT, CONFIG = 0x300, 0x301, 0x302
CMD, PARAMS = 1, 2                   # attributes of CONFIG
BIND, COPY_META = 1, 1
PACKET_HEADER, VERDICT_HEADER = 1, 2
ACCEPT = 1


def message(kind, queue, attribute, data):
    body = struct.pack("<BBHHH", socket.AF_INET if kind == CONFIG else 0, 0, socket.htons(queue),
                       4 + len(data), attribute) + data + b"\0" * (-len(data) % 4)
    return struct.pack("<IHHII", 16 + len(body), kind, 1, 0, 0) + body


def packet_ids(data):
    """Of all packets of a datagram from the kernel."""
    while len(data) >= 20:
        size, kind = struct.unpack_from("<IH", data)
        at = 20
        while kind == PACKET and at + 4 <= size:
            length, attribute = struct.unpack_from("<HH", data, at)
            if attribute & 0x3fff == PACKET_HEADER:
                yield struct.unpack_from(">I", data, at + 4)[0]
            at += max(4, length + 3 & ~3)
        data = data[max(20, size + 3 & ~3):]


class Delay:
    """Of the namespace of the thread that makes it."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.sock.bind((0, 0))
        self.sock.send(message(CONFIG, 0, CMD, struct.pack(">BBH", BIND, 0, socket.AF_INET)))
        self.sock.send(message(CONFIG, 0, PARAMS, struct.pack(">IB", 0, COPY_META)))
        self.ended = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        waiting = collections.deque()
        while not self.ended or waiting:
            now = time.monotonic()
            while waiting and (waiting[0][0] <= now or self.ended):
                header = struct.pack(">II", ACCEPT, waiting.popleft()[1])
                self.sock.send(message(VERDICT, 0, VERDICT_HEADER, header))
            wait = min(0.05, waiting[0][0] - now) if waiting else 0.05
            if not select.select([self.sock], [], [], max(0, wait))[0]:
                continue
            try:
                data = self.sock.recv(1 << 16)
            except OSError:  # ENOBUFS: the kernel lost some, as a network would
                continue
            waiting.extend((time.monotonic() + self.seconds, packet) for packet in packet_ids(data))

    def close(self):
        """Let all go at once. The rule that queues is gone already."""
        self.ended = True
        self.thread.join()
        self.sock.close()
