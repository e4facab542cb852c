"""Faults, and schedules of them that a seed decides.

A schedule is made from the seed, the shape and what the machine can do, and from nothing else, so a seed can be
repeated. Each kind of fault is a row of KINDS: on what it falls, with which values, for how long, and the two
functions that begin and end it.
"""
import collections
import errno
import random
import re
import signal
import struct

from lab_shape import CLIENTS, HOSTS

Fault = collections.namedtuple("Fault", "at kind target value seconds")

Kind = collections.namedtuple("Kind", "weight targets values seconds begin end claims needs")


def text(fault):
    """As it is printed: kind:target=value@when+seconds."""
    value = "" if fault.value is None else f"={fault.value}"
    return f"{fault.kind}:{fault.target}{value}@{fault.at:g}" + (f"+{fault.seconds:g}" if fault.seconds else "")


def parse(line, shape):
    """The faults of a printed list, in the order in which they begin. ValueError: which is wrong."""
    faults = []
    for word in line.split():
        match = re.fullmatch(r"([a-z-]+):([a-z0-9-]+)(?:=(-?\d+))?@([0-9.]+)(?:\+([0-9.]+))?", word)
        row = KINDS.get(match[1]) if match else None
        if row is None or match[2] not in row.targets(shape) or bool(row.values) != bool(match[3]):
            raise ValueError(f"{word} is no fault of shape {shape.name}")
        faults.append(Fault(float(match[4]), match[1], match[2], int(match[3]) if match[3] else None,
                            float(match[5] or 0)))
    return sorted(faults, key=lambda fault: fault.at)


# ---- on what they fall

def processes(shape):
    return [name for name, node in shape.nodes.items() if node.kind != "etcd"]


def stores(shape):
    return shape.names("store")


def hosts(shape):
    return list(HOSTS)


def pairs(shape):
    """Both directions of each pair, clients included."""
    everywhere = (*HOSTS, CLIENTS)
    return [f"{a}-{b}" for a in everywhere for b in everywhere if a != b]


def everything(shape):
    return ["all"]


# ---- what no two faults at a time may hold

def claim_process(shape, target):
    return {target}


def claim_net(what):
    return lambda shape, target: {f"{what}:{target}"}


def claim_host(shape, target):
    return {f"cable:{target}", *shape.on(target)}


def claim_etcd(shape, target):
    return set(shape.names("etcd"))


def claim_all(shape, target):
    return set(shape.nodes)


# ---- what they do; lab: .cluster, .net, .note(text)

def nothing(lab, fault):
    pass


def kill(lab, fault):
    lab.cluster.processes[fault.target].kill()


def take_down(lab, fault):
    lab.cluster.processes[fault.target].wanted = False
    kill(lab, fault)


def put_up(lab, fault):
    lab.cluster.processes[fault.target].wanted = True


def stop(lab, fault):
    lab.cluster.processes[fault.target].send(signal.SIGSTOP)


def go_on(lab, fault):
    lab.cluster.processes[fault.target].send(signal.SIGCONT)


def kill_host(lab, fault):
    lab.cluster.kill_host(fault.target)


def start_host(lab, fault):
    lab.cluster.start_host(fault.target)


def kill_all(lab, fault):
    """The site's power goes, and comes back."""
    for process in lab.cluster.processes.values():
        process.wanted = False
        process.send(signal.SIGKILL)
    for name, process in lab.cluster.processes.items():
        process.kill()
        lab.cluster.reboot(name)


def start_all(lab, fault):
    for process in lab.cluster.processes.values():
        process.wanted = True


def pull(lab, fault):
    lab.net.pull(fault.target)


def plug(lab, fault):
    lab.net.plug(fault.target)


def cut(lab, fault):
    lab.net.cut(fault, *fault.target.split("-"))


def cut_one_way(lab, fault):
    lab.net.cut(fault, *fault.target.split("-"), both=False)


def lose(lab, fault):
    lab.net.lose(fault, fault.target, fault.value)


def heal(lab, fault):
    lab.net.heal(fault)


def slow_net(lab, fault):
    lab.net.slow(fault, fault.target, fault.value)


def slow_net_no_more(lab, fault):
    lab.net.slow_no_more(fault, fault.target)


def set_shim(lab, name, at, value):
    with open(lab.cluster.shim(name), "r+b") as file:
        file.seek(8 * at)
        file.write(struct.pack("=q", value))


def slow_disk(lab, fault):
    set_shim(lab, fault.target, 0, fault.value * 1000)


def fast_disk(lab, fault):
    set_shim(lab, fault.target, 0, 0)


def fail_disk(lab, fault):
    set_shim(lab, fault.target, 1, errno.EIO)


def good_disk(lab, fault):
    set_shim(lab, fault.target, 1, 0)


def jump(lab, fault):
    set_shim(lab, fault.target, 2, fault.value * 1000)


def jump_back(lab, fault):
    set_shim(lab, fault.target, 2, 0)


def ballast(lab, fault):
    return lab.cluster.dir / "data" / fault.target / "ballast"


def fill_disk(lab, fault):
    with open(ballast(lab, fault), "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 16))
        except OSError:  # full
            return


def free_disk(lab, fault):
    ballast(lab, fault).unlink()


def kill_etcd_leader(lab, fault):
    lab.dead_etcd = lab.cluster.coord.etcd_leader() or lab.cluster.shape.names("etcd")[0]
    lab.note(f"etcd leader: {lab.dead_etcd}")
    take_down(lab, fault._replace(target=lab.dead_etcd))


def start_etcd_leader(lab, fault):
    put_up(lab, fault._replace(target=lab.dead_etcd))


def stop_etcd(lab, fault):
    for name in lab.cluster.shape.names("etcd"):
        take_down(lab, fault._replace(target=name))


def start_etcd(lab, fault):
    for name in lab.cluster.shape.names("etcd"):
        put_up(lab, fault._replace(target=name))


def is_whole_elsewhere(lab, name):
    """Does another copy that is in sync, and lives, hold what this one (dead by now) acknowledged?

    The set that counts is the one that etcd has after the death: the dead change nothing any more, and nothing was
    acknowledged that a member of it lacks. A member counts if it has the disk with which it joined."""
    lab.cluster.wait(0.3)  # a change under way when it died
    shape = lab.cluster.shape
    return any(lab.cluster.processes[partner].alive and partner not in lab.harmed
               for partner in lab.cluster.coord.insync(shape.nodes[name].shard) & set(shape.partners(name)))


def tear(lab, fault):
    """Its machine dies, and the end of its newest write-ahead log is not on the disk."""
    take_down(lab, fault)
    if not is_whole_elsewhere(lab, fault.target):
        lab.note(f"{fault.target} was not torn: nobody else is in sync")
        return
    lab.harmed.add(fault.target)
    cut_log(lab, fault)


def tear_anyway(lab, fault):
    """Nobody else has it, so this is a loss, and must be found."""
    take_down(lab, fault)
    cut_log(lab, fault)


def cut_log(lab, fault):
    home = lab.cluster.dir / "data" / fault.target  # with other copies the database is in db/, beside its checkpoints
    folder = home / "db" if (home / "db").exists() else home
    logs = sorted(folder.glob("[0-9]*.log"), key=lambda path: int(path.stem))
    size = logs[-1].stat().st_size
    lab.cluster.reboot(fault.target)
    with open(logs[-1], "r+b") as file:
        file.truncate(max(0, size - fault.value))


def wipe(lab, fault):
    """Dies, and comes back with another disk."""
    take_down(lab, fault)
    if not is_whole_elsewhere(lab, fault.target):
        lab.note(f"{fault.target} was not wiped: nobody else is in sync")
        return
    lab.harmed.add(fault.target)
    lab.wipe(lab.cluster.dir / "data" / fault.target)


def put_up_and_wait(lab, fault):
    """Until it is in sync again: until then the others must keep their disks."""
    put_up(lab, fault)
    lab.when_in_sync(fault.target)


CLOCKS = (-20 * 3600, -3600, -5, 5, 3600, 20 * 3600)  # s; tickets are good for a day

KINDS = {
    #                   weight targets    values                 seconds     begin             end                claims                needs
    "kill":        Kind(6, processes,     None,                  None,       kill,             nothing,           claim_process,        ""),
    "down":        Kind(2, processes,     None,                  (1, 8),     take_down,        put_up,            claim_process,        ""),
    "stop":        Kind(4, processes,     None,                  (0.5, 9),   stop,             go_on,             claim_process,        ""),
    "host":        Kind(3, hosts,         None,                  (1, 9),     kill_host,        start_host,        claim_host,           ""),
    "cable":       Kind(3, hosts,         None,                  (0.5, 9),   pull,             plug,              claim_net("cable"),   ""),
    "cut":         Kind(3, pairs,         None,                  (0.5, 9),   cut,              heal,              claim_net("cut"),     ""),
    "one-way":     Kind(3, pairs,         None,                  (0.5, 9),   cut_one_way,      heal,              claim_net("one-way"), ""),
    "loss":        Kind(2, hosts,         (2, 5, 10, 25),        (2, 8),     lose,             heal,              claim_net("loss"),    "lose"),
    "delay":       Kind(2, hosts,         (5, 30, 120, 400),     (2, 8),     slow_net,         slow_net_no_more,  claim_net("delay"),   "slow"),
    "clock":       Kind(2, processes,     CLOCKS,                (1, 8),     jump,             jump_back,         claim_process,        ""),
    "slow-disk":   Kind(2, stores,        (5, 50, 300, 1200),    (2, 8),     slow_disk,        fast_disk,         claim_process,        ""),
    "bad-disk":    Kind(1, stores,        None,                  (1, 5),     fail_disk,        good_disk,         claim_process,        "replicas"),
    "full-disk":   Kind(1, stores,        None,                  (2, 8),     fill_disk,        free_disk,         claim_process,        ""),
    "torn":        Kind(2, stores,        (1, 7, 60, 400),       (0.5, 3),   tear,             put_up_and_wait,   claim_process,        "replicas"),
    "wiped":       Kind(2, stores,        None,                  (0.5, 3),   wipe,             put_up_and_wait,   claim_process,        "replicas"),
    "etcd-leader": Kind(2, everything,    None,                  (1, 9),     kill_etcd_leader, start_etcd_leader, claim_etcd,           "etcd"),
    "etcd-away":   Kind(1, everything,    None,                  (12, 20),   stop_etcd,        start_etcd,        claim_etcd,           "etcd"),
    "site":        Kind(1, everything,    None,                  (0.5, 3),   kill_all,         start_all,         claim_all,            ""),
    # What no cluster survives: never drawn, for tests of the laboratory.
    "lost-tail":   Kind(0, stores,        (20000,),              (0.5, 3),   tear_anyway,      put_up,            claim_process,        ""),
}


def make_one(rng, shape, kind, at):
    row = KINDS[kind]
    return Fault(at, kind, rng.choice(row.targets(shape)), rng.choice(row.values) if row.values else None,
                 round(rng.uniform(*row.seconds), 1) if row.seconds else 0)


def meets(shape, fault, others):
    """Does it hold what another one holds at the same time?"""
    mine = KINDS[fault.kind].claims(shape, fault.target)
    return any(mine & KINDS[other.kind].claims(shape, other.target)
               and fault.at <= other.at + other.seconds + 0.2 and other.at <= fault.at + fault.seconds + 0.2
               for other in others)


def schedule(seed, shape, abilities, seconds=20):
    """The faults of a seed, in the order in which they begin."""
    rng = random.Random(f"{shape.name} {seed}")
    have = {"", *abilities, *(["etcd"] if shape.etcd else []), *(["replicas"] if shape.replicas > 1 else [])}
    kinds = [kind for kind, row in KINDS.items() if row.needs in have]
    weights = [KINDS[kind].weight for kind in kinds]
    at, faults = round(rng.uniform(0.5, 2), 1), []
    while at < seconds:
        fault = make_one(rng, shape, rng.choices(kinds, weights)[0], at)
        if not meets(shape, fault, faults):
            faults.append(fault)
            at = round(at + rng.choice((0.1, 0.5, rng.expovariate(1 / 3))), 1)
    return faults


def need_shim(faults):
    return {fault.target for fault in faults if fault.kind in ("clock", "slow-disk", "bad-disk")}


def need_small_disk(faults):
    return {fault.target for fault in faults if fault.kind == "full-disk"}
