"""Pushes may be lost; nobody stays behind (I8)."""
import time

import client_pb2 as pb
from client import text_of

HEARTBEAT_MS = 3000


def catch_up(client, group):
    """What a client does (docs/protocol.md): ping each heartbeat; when told to, compare and pull."""
    def newest():
        seen = {m.seq for m in client.messages(group=group)} | client.pulled.keys()
        return max(seen, default=0)

    if client.ping().resync:
        conv = client.convs()[(pb.CONV_GROUP, group)]
        if conv.last_seq > newest() or conv.last_seq > len(client.pulled):
            client.pulled = {m.seq: m for m in client.all_history(group, group=True)}


def test_with_one_push_in_fifty_lost_everybody_is_complete_within_a_heartbeat(make_cluster):
    cluster = make_cluster(gateways=2, routers=2, shards=2, apps=["group_rate=0"],
                           settings=["router.test.drop_push_every=50",
                                     f"gateway.heartbeat_ms={HEARTBEAT_MS}"])
    users = [f"u{i}" for i in range(10)]
    clients = [cluster.client(user, gateway=i) for i, user in enumerate(users)]
    group = cluster.create_group("g", "Public", owner=users[0], members=users[1:])
    texts = [f"m{i}" for i in range(300)]
    for client in clients:
        client.pulled = {}
    for i, text in enumerate(texts):
        clients[i % 10].send(group, text, group=True)
        if i % 100 == 50:
            for client in clients:
                catch_up(client, group)
    lost = sum(cluster.metric(name, "hongyan_router_test_dropped_pushes_total")
               for name in cluster.names("router"))
    assert lost > 0, "the switch lost nothing: this test would prove nothing"
    time.sleep(HEARTBEAT_MS / 1000)  # clients ping once a heartbeat; this is the next one
    for client in clients:
        catch_up(client, group)
        seen = {**client.pulled, **{m.seq: m for m in client.messages(group=group)}}
        own = {f"m{i}" for i in range(300) if users[i % 10] == client.user}
        assert {text_of(m) for m in seen.values()} >= set(texts) - own
