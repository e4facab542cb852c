"""What a laboratory's cluster is made of: which processes, on which hosts, with which settings.

The processes get the settings that `hongyanctl up --bus tcp` writes (ctl/plan.c), each with its host's address.
"""
import collections
import json

CLIENTS = "clients"  # the host of the load
HOSTS = ("h1", "h2", "h3")

# name: of the process; kind: the program; shard and letter of the replica: of stores
Node = collections.namedtuple("Node", "name kind host shard port")


class Shape:
    def __init__(self, name, replicas, etcd, shards=3):
        self.name, self.replicas, self.etcd, self.shards = name, replicas, etcd, shards
        self.nodes = {node.name: node for node in self.make()}

    def make(self):
        if self.etcd:
            for i, host in enumerate(HOSTS):
                yield Node(f"etcd-{i}", "etcd", host, None, 2379)
        for shard in range(self.shards):
            for copy in range(self.replicas):  # on hosts that differ
                letter = "abc"[copy] if self.etcd else ""
                yield Node(f"store-{shard}{letter}", "store", HOSTS[(shard + copy) % 3], shard, 7100 + 10 * shard + copy)
        for i in range(2):
            yield Node(f"presence-{i}", "presence", HOSTS[(i + 1) % 3], None, 7200 + i)
            yield Node(f"router-{i}", "router", HOSTS[i], None, 7300 + i)
            yield Node(f"gateway-{i}", "gateway", HOSTS[(i + 2) % 3], None, 7400 + i)

    def names(self, kind):
        return [node.name for node in self.nodes.values() if node.kind == kind]

    def on(self, host):
        return [node.name for node in self.nodes.values() if node.host == host]

    def copies(self, shard):
        return [node.name for node in self.nodes.values() if node.shard == shard]

    def partners(self, name):
        """The other copies of a store's shard."""
        return [copy for copy in self.copies(self.nodes[name].shard) if copy != name]


SHAPES = {
    "static": Shape("static", replicas=1, etcd=False),
    "etcd": Shape("etcd", replicas=1, etcd=True),
    "replicated": Shape("replicated", replicas=2, etcd=True),
    "three": Shape("three", replicas=3, etcd=True),
}


# ---- settings

def write_conf(path, tree):
    """In libconfig's form."""
    def text(value):
        if isinstance(value, dict):
            return "{\n" + "".join(f"{key} = {text(inner)};\n" for key, inner in value.items()) + "}"
        if isinstance(value, (list, tuple)):
            return "[" + ", ".join(map(text, value)) + "]"
        return json.dumps(value)

    nested = {}
    for key, value in tree.items():
        *outer, last = key.split(".")
        at = nested
        for word in outer:
            at = at.setdefault(word, {})
        at[last] = value
    path.write_text("".join(f"{key} = {text(value)};\n" for key, value in nested.items()))


def status_port(node):
    return node.port + 1000


def peers(shape, kind, address):
    return [f"{name}=tcp://{address(shape.nodes[name].host)}:{shape.nodes[name].port}" for name in shape.names(kind)]


def common_settings(shape, folder, cluster_id, address):
    tree = {"cluster.id": cluster_id, "cluster.curve_dir": str(folder / "keys")}
    if shape.etcd:
        tree["cluster.shards"] = shape.shards
        tree["etcd.endpoints"] = [f"http://{address(shape.nodes[name].host)}:2379" for name in shape.names("etcd")]
        if shape.replicas == 1:  # stores that have no other copy find each other by the list
            tree["cluster.stores"] = peers(shape, "store", address)
        return tree
    for setting, kind in (("stores", "store"), ("presences", "presence"), ("routers", "router")):
        tree[f"cluster.{setting}"] = peers(shape, kind, address)
    return tree


def settings(shape, node, folder, cluster_id, address, more):
    """more: settings of the run, as {"store.KEY": value}; "etcd.KEY" is an option of etcd."""
    host = address(node.host)
    tree = common_settings(shape, folder, cluster_id, address)
    tree.update({"name": node.name, "status.listen": f"0.0.0.0:{status_port(node)}"})
    if node.kind == "gateway":
        tree.update({
            "listen.tcp": f"{host}:{node.port}", "listen.rest": f"{host}:{node.port + 50}", "listen.ws": "",
            "resume_secret_file": str(folder / "keys/resume.secret"), "connect_rate": 50000,
            "heartbeat_ms": 2000})
    else:
        tree["bus.listen"] = f"tcp://{host}:{node.port}"
    if node.kind == "store":
        tree.update({"data_dir": str(folder / "data" / node.name), "log_dir": str(folder / "log" / node.name),
                     "shard": node.shard, "write_buffer_mb": 4, "block_cache_mb": 16, "reserve_mb": 24})
    for key, value in more.items():
        kind, key = key.split(".", 1)
        if kind in (node.kind, node.name):
            tree[key] = value
    return tree


def etcd_words(shape, node, folder, address, more):
    host = address(node.host)
    members = ",".join(f"{name}=http://{address(shape.nodes[name].host)}:2380" for name in shape.names("etcd"))
    return ["etcd", "--name", node.name, "--data-dir", folder / "data" / node.name,
            "--listen-client-urls", f"http://{host}:2379,http://127.0.0.1:2379",
            "--advertise-client-urls", f"http://{host}:2379",
            "--listen-peer-urls", f"http://{host}:2380", "--initial-advertise-peer-urls", f"http://{host}:2380",
            "--initial-cluster", members, "--initial-cluster-state", "new", "--logger", "zap",
            *(f"--{key[5:]}={value}" for key, value in more.items() if key.startswith("etcd."))]


def cluster_json(shape, cluster_id, folder, app, address):
    """What the tools read; see ctl/report.c."""
    gateways = [{"name": name, "tcp": f"{address(node.host)}:{node.port}",
                 "rest": f"http://{address(node.host)}:{node.port + 50}"}
                for name, node in shape.nodes.items() if node.kind == "gateway"]
    return {**gateways[0], "gateways": gateways, "apps": [app],
            "bus": {"cluster_id": cluster_id, "curve_dir": str(folder / "keys"),
                    "routers": peers(shape, "router", address),
                    "presences": peers(shape, "presence", address)}}
