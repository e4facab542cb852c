"""Slots that move, asked for straight at the coordinator: what hongyanctl rebalance does, one run at a time."""
import base64
import json
import time
import urllib.request

from cluster import wait_until

SLOTS = 16384


def _call(url, what, body):
    request = urllib.request.Request(f"{url}/v3/kv/{what}", json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


def _b64(text):
    return base64.b64encode(text.encode()).decode()


class Coordinator:
    def __init__(self, cluster):
        self.url = cluster.json["etcd"][0]
        self.prefix = f"/hongyan/{cluster.json['bus']['cluster_id']}/"

    def get(self, key):
        answer = _call(self.url, "range", {"key": _b64(self.prefix + key)})
        values = answer.get("kvs", [])
        return json.loads(base64.b64decode(values[0]["value"])) if values else None

    def each(self, prefix):
        first = self.prefix + prefix
        end = first[:-1] + chr(ord(first[-1]) + 1)
        answer = _call(self.url, "range", {"key": _b64(first), "range_end": _b64(end)})
        return [json.loads(base64.b64decode(v["value"])) for v in answer.get("kvs", [])]

    def put(self, key, value):
        _call(self.url, "put", {"key": _b64(self.prefix + key), "value": _b64(json.dumps(value))})

    # -- moves

    def map(self):
        """The owner of each slot."""
        value, owners = self.get("map"), []
        runs = value["runs"] + [[SLOTS, None]]
        for (first, shard), (behind, _) in zip(runs, runs[1:]):
            owners += [shard] * (behind - first)
        return owners

    def moves(self):
        return self.each("move/")

    def start(self, runs, rate=0):
        """Move runs: (first, last, from, to). One rebalance at a time."""
        last = max((move["id"] for move in self.moves()), default=0)
        for i, (first, end, source, target) in enumerate(runs):
            number = last + 1 + i
            self.put(f"move/{number:08x}", {"id": number, "first": first, "last": end, "from": source,
                                             "to": target, "state": "planned"})
        before = self.get("rebalance")
        self.put("rebalance", {"id": (before or {"id": 0})["id"] + 1, "state": "running",
                                "started_ms": int(time.time() * 1000), "rate_bytes_s": rate,
                                "first_move": last + 1, "moves": len(runs)})

    def say(self, state):
        self.put("rebalance", {**self.get("rebalance"), "state": state})

    def wait(self, timeout=60):
        """Until the rebalance has ended; its state."""
        ended = wait_until(lambda: self.get("rebalance")["state"] in ("done", "cancelled"), timeout,
                           f"the moves to end")
        assert ended
        return self.get("rebalance")["state"]


def runs_to(owners, share, target, size=256):
    """Runs of at most size slots that give target so many of each shard's last slots."""
    runs = []
    for shard in sorted(set(owners) - {target}):
        mine = [slot for slot, owner in enumerate(owners) if owner == shard][-share:]
        begin = 0
        for at in range(1, len(mine) + 1):
            if at == len(mine) or mine[at] != mine[at - 1] + 1 or at - begin == size:
                runs.append((mine[begin], mine[at - 1], shard, target))
                begin = at
    return runs
