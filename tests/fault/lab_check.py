"""The checker: do the histories of a run keep the promises? Nothing here asks a cluster.

A history is what `hongyan-probe load --history FILE` writes: conversations, and for each seat (a user in
one conversation) its sends with how they ended, what it was told (stream), read on the way (peeks) and
read at the end (history). Of a conversation, the history of its first seat is the log that all else is
compared with.
"""
import collections
import dataclasses
import json

SYSTEM = -1  # the seat of a message that no user sent

Send = collections.namedtuple("Send", "at done state seq code")
Seen = collections.namedtuple("Seen", "seq seat n at")
Peek = collections.namedtuple("Peek", "asked answered page")
Violation = collections.namedtuple("Violation", "kind text")


@dataclasses.dataclass
class Seat:
    number: int
    talk: int
    user: str
    sends: list
    stream: list
    history: list
    peeks: list


@dataclasses.dataclass
class Talk:
    number: int
    type: str
    slot: int
    seats: list

    @property
    def log(self):
        return self.seats[0].history


@dataclasses.dataclass
class History:
    run: str
    complete: bool
    talks: list

    @property
    def seats(self):
        return [seat for talk in self.talks for seat in talk.seats]

    @property
    def sends(self):
        return [send for seat in self.seats for send in seat.sends]


def parse(lines):
    """A History of the lines of the file."""
    rows = [json.loads(line) for line in lines]
    talks = {row["talk"]: Talk(row["talk"], row["type"], row["slot"], [])
             for row in rows if "slot" in row}
    for row in rows:
        if "seat" not in row:
            continue
        talks[row["talk"]].seats.append(Seat(
            row["seat"], row["talk"], row["user"],
            [Send(*send) for send in row["sends"]],
            [Seen(*seen) for seen in row["stream"]],
            [Seen(*seen) for seen in row["history"]],
            [Peek(asked, answered, [Seen(*seen) for seen in page])
             for asked, answered, page in row["peeks"]]))
    return History(rows[0]["run"], rows[0]["complete"], list(talks.values()))


def load(path):
    with open(path) as file:
        return parse(file)


# ---- one conversation; each of these yields violations

def is_ours(seen):
    return seen.seat != SYSTEM


def same(a, b):
    return (a.seq, a.seat, a.n) == (b.seq, b.seat, b.n)


def one_log(talk):
    """All members read the same."""
    for seat in talk.seats[1:]:
        for mine, first in zip(seat.history, talk.log):
            if not same(mine, first):
                yield Violation("differs", f"{seat.user} read {mine[:3]} where {first[:3]} is")
                break
        if len(seat.history) != len(talk.log):
            yield Violation("differs", f"{seat.user} read {len(seat.history)} messages, not {len(talk.log)}")


def gapless(talk):
    """Sequences go up by one, from 1 in a pair."""
    wanted = 1 if talk.type == "pair" else None
    for seen in talk.log:
        if wanted is not None and seen.seq != wanted:
            yield Violation("gap", f"seq {seen.seq} follows {wanted - 1}")
        wanted = seen.seq + 1


def once(talk):
    """What lies in the log was sent by one of its members, lies there once, and was not refused."""
    seats, there = {seat.number: seat for seat in talk.seats}, {}
    for seen in filter(is_ours, talk.log):
        seat = seats.get(seen.seat)
        if seat is None or seen.n >= len(seat.sends):
            yield Violation("invented", f"{seen.seat}:{seen.n} at {seen.seq} was never sent here")
            continue
        if (seen.seat, seen.n) in there:
            yield Violation("doubled", f"{seen.seat}:{seen.n} is at {there[seen.seat, seen.n]} and {seen.seq}")
        elif seat.sends[seen.n].state == "failed":
            yield Violation("refused", f"{seen.seat}:{seen.n} is at {seen.seq} and was refused "
                                       f"({seat.sends[seen.n].code})")
        there.setdefault((seen.seat, seen.n), seen.seq)


def kept(talk):
    """Each acknowledged message lies where its acknowledgement said."""
    there = {}
    for seen in talk.log:
        there.setdefault((seen.seat, seen.n), []).append(seen.seq)
    for seat in talk.seats:
        for n, send in enumerate(seat.sends):
            places = there.get((seat.number, n), [])
            if send.state != "ok":
                continue
            if not places:
                yield Violation("lost", f"{seat.number}:{n}, acknowledged at {send.seq}")
            elif send.seq not in places:
                yield Violation("moved", f"{seat.number}:{n}, acknowledged at {send.seq}, lies at {places[0]}")


def in_order(talk):
    """A member's acknowledged messages lie as they were sent, and what was sent after an acknowledgement
    arrived lies behind what was acknowledged."""
    place = {(seen.seat, seen.n): seen.seq for seen in talk.log}
    acks, sends = [], []
    for seat in talk.seats:
        last = (0, None)
        for n, send in enumerate(seat.sends):
            seq = place.get((seat.number, n))
            if seq is None:
                continue
            sends.append((send.at, seq, seat.number, n))
            if send.state != "ok":
                continue
            acks.append((send.done, seq))
            if seq < last[0]:
                yield Violation("order", f"{seat.number}:{n} at {seq} lies before {seat.number}:{last[1]}")
            last = max(last, (seq, n))
    acks.sort()
    newest, at = 0, 0
    for sent, seq, number, n in sorted(sends):
        while at < len(acks) and acks[at][0] < sent:
            newest = max(newest, acks[at][1])
            at += 1
        if seq < newest:
            yield Violation("order", f"{number}:{n} at {seq} was sent after {newest} was acknowledged")


def told(talk):
    """Each member was told of all that others sent, in the order of the log, and of nothing else."""
    log = {seen.seq: seen for seen in talk.log}
    for seat in talk.seats:
        last = 0
        for seen in seat.stream:
            if seen.seq not in log or not same(seen, log[seen.seq]):
                yield Violation("vanished", f"{seat.user} was told {seen[:3]}, the log has "
                                            f"{log.get(seen.seq, (None,) * 3)[:3]}")
            if seen.seq <= last:
                yield Violation("stream", f"{seat.user} was told {seen.seq} after {last}")
            last = max(last, seen.seq)
        heard = {seen.seq for seen in seat.stream}
        for seen in filter(is_ours, talk.log):
            if seen.seat != seat.number and seen.seq not in heard:
                yield Violation("untold", f"{seat.user} was not told {seen[:3]}")


def read(talk):
    """A page read on the way shows what stays, and all that had been acknowledged when it was asked for."""
    log = {seen.seq: seen for seen in talk.log}
    acks = sorted((send.done, send.seq) for seat in talk.seats for send in seat.sends if send.state == "ok")
    peeks = sorted((peek.asked, seat.user, peek.page) for seat in talk.seats for peek in seat.peeks)
    newest, at = 0, 0
    for asked, user, page in peeks:
        while at < len(acks) and acks[at][0] < asked:
            newest = max(newest, acks[at][1])
            at += 1
        for seen in page:
            if seen.seq not in log or not same(seen, log[seen.seq]):
                yield Violation("vanished", f"{user} read {seen[:3]}, the log has "
                                            f"{log.get(seen.seq, (None,) * 3)[:3]}")
        top = max((seen.seq for seen in page), default=0)
        if top < newest:
            yield Violation("stale", f"{user} read up to {top} when {newest} had been acknowledged")


RULES = (one_log, gapless, once, kept, in_order, told, read)


def check(history):
    """All violations of a history; none: it is clean."""
    if not history.complete:
        return [Violation("unfinished", "not everything was read back")]
    if not any(send.state == "ok" for send in history.sends):
        return [Violation("unfinished", "nothing was acknowledged, so nothing was tested")]
    found = []
    for talk in history.talks:
        for rule in RULES:
            found += [Violation(v.kind, f"conversation {talk.number}: {v.text}") for v in rule(talk)]
    return found


def count(history):
    """Sends by how they ended, and the longest wait for an acknowledgement, ms."""
    states = collections.Counter(send.state for send in history.sends)
    waits = [send.done - send.at for send in history.sends if send.state == "ok"]
    return {"ok": states["ok"], "failed": states["failed"], "unknown": states["unknown"],
            "wait_ms": max(waits, default=0)}
