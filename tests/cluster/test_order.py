"""Many senders, one order, nothing missing (I3)."""
from concurrent.futures import ThreadPoolExecutor

from client import text_of


def test_fifty_senders_in_one_group_give_one_order_to_all(make_cluster):
    cluster = make_cluster(gateways=2, routers=2, presence=2, shards=4, apps=["group_rate=0"])
    users = [f"u{i}" for i in range(50)]
    clients = [cluster.client(user, gateway=i) for i, user in enumerate(users)]
    group = cluster.create_group("g", "Public", owner=users[0], members=users[1:])

    def speak(client):
        return [client.send(group, f"{client.user}:{i}", group=True)[0] for i in range(20)]

    with ThreadPoolExecutor(50) as pool:
        seqs = [seq for own in pool.map(speak, clients) for seq in own]
    assert len(set(seqs)) == 1000 and max(seqs) - min(seqs) == 999  # gapless
    truth = {m.seq: m for m in clients[0].all_history(group, group=True)}
    for client in clients:
        client.wait_for(lambda c: len(c.messages(group=group)) >= 980, what="all 980 of the others")
        seen = client.messages(group=group)
        assert [m.seq for m in seen] == sorted(m.seq for m in seen)
        assert all(truth[m.seq] == m for m in seen)
        own = [text_of(truth[s]) for s in sorted(truth) if text_of(truth[s]).startswith(client.user + ":")]
        assert own == [f"{client.user}:{i}" for i in range(20)]
