"""What the laboratory reads from etcd: who leads a shard, and who is in sync. It never writes."""
import base64
import http.client
import json


class Coordinator:
    def __init__(self, shape, net, data):
        """data: the folder of the stores' data."""
        self.shape, self.net, self.data = shape, net, data

    def http(self, host, port, path, body=None, timeout=1.0):
        """(status, text); (0, "") without an answer."""
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        try:
            link.sock = self.net.connect(host, port, timeout)
            link.request("POST" if body is not None else "GET", path, body)
            answer = link.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            link.close()

    def values(self, suffix):
        """The JSON values of all keys of this cluster that end so, by key: {} when etcd does not answer."""
        begin, end = (base64.b64encode(text).decode() for text in (b"/hongyan/", b"/hongyan0"))
        for name in self.shape.names("etcd"):
            status, text = self.http(self.shape.nodes[name].host, 2379, "/v3/kv/range",
                                     json.dumps({"key": begin, "range_end": end}))
            if status != 200:
                continue
            pairs = {base64.b64decode(pair["key"]).decode(): base64.b64decode(pair.get("value", "")).decode()
                     for pair in json.loads(text).get("kvs", ())}
            return {key: json.loads(value) for key, value in pairs.items() if key.endswith(suffix)}
        return {}

    def value(self, suffix):
        return next(iter(self.values(suffix).values()), None)

    def state(self, shard):
        return self.value(f"/shard/{shard}/state") or {"insync": []}

    def leader(self, shard):
        value = self.value(f"/shard/{shard}/leader")
        return value["node"] if value else None

    def members(self, shard):
        """The in-sync set: {node: (the id of its database, the boot of its machine)}."""
        return {node: (db, boot) for node, db, boot in
                (member.split(":") for member in self.state(shard)["insync"])}

    def insync(self, shard):
        """Who is in sync with the disk that it has now, and has been so since its machine started."""
        return {name for name, now in self.members(shard).items() if now == (self.db(name), self.boot(name))}

    def boot(self, name):
        return (self.data.parent / "run" / f"{name}.boot").read_text().strip()

    def db(self, name):
        """What store/replica/home.h calls db-id."""
        path = self.data / name / "db-id"
        return path.read_text().strip() if path.exists() else ""

    def etcd_leader(self):
        for name in self.shape.names("etcd"):
            status, text = self.http(self.shape.nodes[name].host, 2379, "/v3/maintenance/status", "{}")
            if status == 200:
                answer = json.loads(text)
                if answer.get("leader") == answer["header"]["member_id"]:
                    return name
        return None
