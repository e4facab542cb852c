"""The laboratory's checker finds each kind of violation, and none in a history that keeps the promises."""
import copy
import json

import pytest

import lab_check


def clean():
    """A pair and a group of three; 30 messages each, one of them unknown and stored, one unknown and not."""
    rows = [{"run": "t", "complete": True},
            {"talk": 0, "type": "pair", "slot": 1}, {"talk": 1, "type": "group", "slot": 2}]
    for talk, numbers in ((0, (0, 1)), (1, (2, 3, 4))):
        sends, log = {number: [] for number in numbers}, []
        if talk == 1:
            log.append([1, -1, 0, 0])
        for i in range(30):
            seat = numbers[i % len(numbers)]
            at, seq = 1000 + i * 100, len(log) + 1
            if i == 20:
                sends[seat].append([at, at + 50, "unknown", 0, 6004])
                continue  # not stored
            if i == 22:
                sends[seat].append([at, 0, "failed", 0, 200002])
                continue
            state = [at, at + 40, "unknown", 0, 6004] if i == 10 else [at, at + 5, "ok", seq, 0]
            log.append([seq, seat, len(sends[seat]), at + 5])
            sends[seat].append(state)
        for number in numbers:
            stream = [seen for seen in log if seen[1] not in (-1, number)]
            peeks = [[at, at + 2, [seen for seen in log if seen[3] <= at][-20:]]
                     for at in range(1090, 4000, 300)]
            rows.append({"seat": number, "talk": talk, "user": f"u{number}", "sends": sends[number],
                         "stream": stream, "history": copy.deepcopy(log), "peeks": peeks})
    return json.loads(json.dumps(rows))  # nothing is shared


def kinds(rows):
    return {v.kind for v in lab_check.check(lab_check.parse(map(json.dumps, rows)))}


def seat(rows, number):
    return next(row for row in rows if row.get("seat") == number)


def members(rows, talk):
    return [row for row in rows if "seat" in row and row["talk"] == talk]


def test_a_clean_history_is_clean():
    assert kinds(clean()) == set()
    assert lab_check.count(lab_check.parse(map(json.dumps, clean()))) == {
        "ok": 54, "failed": 2, "unknown": 4, "wait_ms": 5}


def in_all(rows, talk, change):
    """The same change to what all members read at the end, saw on the way, and were told."""
    for row in members(rows, talk):
        change(row["history"])
        change(row["stream"])
        for peek in row["peeks"]:
            change(peek[2])


def drop(seq):
    return lambda seens: seens.__setitem__(slice(None), [s for s in seens if s[0] != seq])


def renumber(seens, gone):
    """What a log looks like when a message never was."""
    seens[:] = [[s[0] - (s[0] > gone), *s[1:]] for s in seens if s[0] != gone]


def lose_acknowledged(rows):
    in_all(rows, 0, lambda seens: renumber(seens, 7))


def leave_a_gap(rows):
    in_all(rows, 0, drop(11))  # the unknown one, so only the gap tells


def double(rows):
    last = seat(rows, 0)["history"][-1]
    for row in members(rows, 0):
        row["history"].append([last[0] + 1, *row["history"][4][1:]])
        row["stream"].append([last[0] + 1, *row["history"][4][1:]])


def swap(rows):
    def change(seens):
        for s in seens:
            s[0] = {5: 7, 7: 5}.get(s[0], s[0])
        seens.sort()
    in_all(rows, 0, change)


def reverse_two_that_were_not_at_the_same_time(rows):
    """As swap, but the acknowledgements say the same: only the order is wrong."""
    swap(rows)
    for row in members(rows, 0):
        for send in row["sends"]:
            send[3] = {5: 7, 7: 5}.get(send[3], send[3])


def vanish_after_push(rows):
    """Told, then replaced by another message."""
    seat(rows, 1)["stream"][3][2] += 1


def vanish_after_read(rows):
    seat(rows, 3)["peeks"][4][2][0][2] += 7


def read_stale(rows):
    page = seat(rows, 3)["peeks"][4][2]
    del page[-2:]


def tell_nobody(rows):
    del seat(rows, 4)["stream"][5]


def tell_in_another_order(rows):
    stream = seat(rows, 4)["stream"]
    stream[5], stream[6] = stream[6], stream[5]


def tell_twice(rows):
    stream = seat(rows, 4)["stream"]
    stream.insert(6, stream[5])


def member_reads_another_log(rows):
    seat(rows, 4)["history"][9][2] += 1


def member_reads_less(rows):
    del seat(rows, 4)["history"][-1]


def store_a_refused_one(rows):
    refused = next((row, n) for row in members(rows, 1) for n, send in enumerate(row["sends"])
                   if send[2] == "failed")
    for row in members(rows, 1):
        seq = row["history"][-1][0] + 1
        row["history"].append([seq, refused[0]["seat"], refused[1], 9000])
        if row is not refused[0]:
            row["stream"].append([seq, refused[0]["seat"], refused[1], 9000])


def invent(rows):
    for row in members(rows, 1):
        seq = row["history"][-1][0] + 1
        row["history"].append([seq, 2, 999, 9000])
        row["stream"].append([seq, 2, 999, 9000])


def read_back_nothing(rows):
    rows[0]["complete"] = False


def acknowledge_nothing(rows):
    for row in rows:
        for send in row.get("sends", ()):
            send[2] = "unknown"


@pytest.mark.parametrize("harm, kind", [
    (lose_acknowledged, "lost"), (leave_a_gap, "gap"), (double, "doubled"), (swap, "moved"),
    (reverse_two_that_were_not_at_the_same_time, "order"), (vanish_after_push, "vanished"),
    (vanish_after_read, "vanished"), (read_stale, "stale"), (tell_nobody, "untold"),
    (tell_in_another_order, "stream"), (tell_twice, "stream"), (member_reads_another_log, "differs"),
    (member_reads_less, "differs"), (store_a_refused_one, "refused"), (invent, "invented"),
    (read_back_nothing, "unfinished"), (acknowledge_nothing, "unfinished")])
def test_each_harm_is_found(harm, kind):
    rows = clean()
    harm(rows)
    assert kind in kinds(rows)


@pytest.mark.parametrize("harm, kind", [
    (leave_a_gap, "gap"), (reverse_two_that_were_not_at_the_same_time, "order"),
    (vanish_after_push, "vanished"), (vanish_after_read, "vanished"), (read_stale, "stale"),
    (tell_nobody, "untold"), (store_a_refused_one, "refused"), (invent, "invented")])
def test_and_nothing_else_is_said(harm, kind):
    rows = clean()
    harm(rows)
    assert kinds(rows) <= {kind, "untold"}  # a pushed message that differs is not told as it is
