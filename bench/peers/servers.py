#!/usr/bin/python3
"""Start and stop the servers that Hongyan is compared with, each in a directory of its own.

usage: servers.py start NAME --dir DIR [--set KEY=VALUE]...    prints {"port": ..., "pids": [...], ...}
       servers.py stop --dir DIR

NAME: mosquitto, ejabberd, ejabberd-archive (archive in a PostgreSQL cluster of its own, fsync on), nginx.
Everything listens on the loopback at a free port, keeps its data under DIR and is tuned for
throughput; what is set and why is in this file. --set changes one of these: pool (connections to the
database), schedulers, poll (+K), busy_wait (+sbwt), commit_delay, shared_buffers.
"""

import argparse
import ctypes
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time

EJABBERD_LIBS = "/usr/lib/x86_64-linux-gnu"
DEADLINE_S = 60
OPEN_FILES = 20000


class Failed(Exception):
    pass


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_port(port, process, log):
    """Until something accepts there. Raises Failed when the process ends instead."""
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise Failed(f"it ended at once; see {log}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise Failed(f"it does not listen on port {port}; see {log}")


def find(name, *places):
    path = shutil.which(name) or next((p for p in places if os.access(p, os.X_OK)), None)
    if path is None:
        raise Failed(f"{name} is not installed; deploy/packages.sh peers installs it")
    return path


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def die_with_parent():
    """Linux: SIGKILL for this process when its parent ends, however that ends."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Server:
    """What was started in a directory: its processes, in the order in which they were started."""

    def __init__(self, directory, tied=False):
        self.directory = os.path.abspath(directory)
        self.tied = tied  # nothing outlives the process that started it
        self.processes = []
        self.facts = {"pids": []}
        os.makedirs(self.directory, exist_ok=True)

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    def spawn(self, name, command, env=None, user=None):
        log = self.path(name + ".log")

        def prepare():
            import resource

            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            most = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            if user is not None:
                os.initgroups(user.pw_name, user.pw_gid)
                os.setgid(user.pw_gid)
                os.setuid(user.pw_uid)
            if self.tied:
                die_with_parent()

        with open(log, "ab") as out:
            process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                                       cwd=self.directory, env=env, preexec_fn=prepare,
                                       start_new_session=True)
        self.processes.append(process)
        self.facts["pids"].append(process.pid)
        self.facts.setdefault("started", []).append(start_time(process.pid))
        write(self.path("server.json"), json.dumps(self.facts))
        return process, log

    def ready(self, **facts):
        self.facts.update(facts)
        write(self.path("server.json"), json.dumps(self.facts))
        return self

    def stop(self):
        stop_pids(self.facts)
        for process in self.processes:
            process.wait()
        self.processes = []


def start_time(pid):
    """When the kernel started it: tells a process from a later one with the same number."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return int(file.read().rsplit(")", 1)[1].split()[19])
    except (OSError, IndexError, ValueError):
        return None


def runs(pid, started):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return int(fields[19]) == started and fields[0] != "Z"
    except (OSError, IndexError, ValueError):
        return False


def stop_pids(facts):
    """End them, the last one first: SIGTERM, and SIGKILL to the group of one that does not listen."""
    pairs = list(zip(facts.get("pids", []), facts.get("started", [])))
    for pid, started in reversed(pairs):
        quick = signal.SIGINT if pid == facts.get("postmaster") else signal.SIGTERM
        end = time.monotonic() + 10
        if runs(pid, started):
            os.kill(pid, quick)
        while runs(pid, started) and time.monotonic() < end:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass
            time.sleep(0.02)
        if runs(pid, started):
            os.killpg(pid, signal.SIGKILL)


# ---- mosquitto ----


def mosquitto(server, settings):
    """One thread, no persistence, no limits on what is under way."""
    program = find("mosquitto", "/usr/sbin/mosquitto")
    port = free_port()
    config = write(server.path("mosquitto.conf"), f"""\
listener {port} 127.0.0.1
allow_anonymous true
persistence false
log_type none
sys_interval 0
set_tcp_nodelay true
max_inflight_messages {settings.get("inflight", 0)}
max_queued_messages {settings.get("queued", 0)}
""")
    process, log = server.spawn("mosquitto", [program, "-c", config])
    wait_port(port, process, log)
    return server.ready(port=port, protocol="mqtt",
                        durability="none: acknowledged when the server has it in memory")


# ---- ejabberd ----


def postgres_bin():
    base = "/usr/lib/postgresql"
    for version in sorted(os.listdir(base) if os.path.isdir(base) else [], key=float, reverse=True):
        if os.access(f"{base}/{version}/bin/initdb", os.X_OK):
            return f"{base}/{version}/bin"
    raise Failed("postgresql is not installed; deploy/packages.sh peers installs it")


def open_way(directory):
    """Let the database's user pass: it cannot read what lies on the way, only go through."""
    while directory != "/":
        mode = os.stat(directory).st_mode
        if not mode & 0o001:
            os.chmod(directory, mode | 0o001)
        directory = os.path.dirname(directory)


def postgres(server, settings):
    """A cluster of its own, on the loopback with a password made up here. Durable as it comes: fsync and synchronous_commit are on.
    Room for the write-ahead log, so that checkpoints do not disturb; no limits of a small machine."""
    bin_dir = postgres_bin()
    user = pwd.getpwnam("postgres") if os.getuid() == 0 else None  # it refuses to run as root
    home = server.path("pg")
    os.makedirs(home, mode=0o700, exist_ok=True)
    if user is not None:
        os.chown(home, user.pw_uid, user.pw_gid)
        open_way(server.directory)
    data = os.path.join(home, "data")
    made = server.spawn("initdb", [f"{bin_dir}/initdb", "-D", data, "-U", "bench", "-A", "trust",
                                   "-E", "UTF8", "--locale=C", "--no-instructions"], user=user)[0]
    if made.wait() != 0:
        raise Failed(f"initdb failed; see {server.path('initdb.log')}")
    server.processes.remove(made)
    server.facts["pids"].remove(made.pid)
    server.facts["started"].pop()
    port, password = free_port(), secrets.token_hex(16)
    write(os.path.join(data, "pg_hba.conf"),
          "local all bench trust\nhost ejabberd ejabberd 127.0.0.1/32 md5\n")
    options = {
        "listen_addresses": "'127.0.0.1'", "port": str(port), "unix_socket_directories": f"'{home}'",
        "password_encryption": "md5", "max_connections": "200", "fsync": "on", "synchronous_commit": "on",
        "full_page_writes": "on", "shared_buffers": settings.get("shared_buffers", "1GB"),
        "wal_buffers": settings.get("wal_buffers", "16MB"),
        "wal_sync_method": settings.get("wal_sync_method", "fdatasync"), "max_wal_size": "8GB", "checkpoint_timeout": "30min",
        "commit_delay": settings.get("commit_delay", "0"), "commit_siblings": "5",
        "wal_compression": "off", "logging_collector": "off", "log_min_messages": "fatal",
        "autovacuum": "on", "max_parallel_workers": "0", "wal_level": "minimal",
        "max_wal_senders": "0", "jit": "off",
    }
    if user is not None:
        os.chown(os.path.join(data, "pg_hba.conf"), user.pw_uid, user.pw_gid)
    with open(os.path.join(data, "postgresql.conf"), "a", encoding="utf-8") as file:
        file.writelines(f"{key} = {value}\n" for key, value in options.items())
    process, log = server.spawn("postgres", [f"{bin_dir}/postgres", "-D", data], user=user)
    server.facts["postmaster"] = process.pid
    psql = [f"{bin_dir}/psql", "-q", "-h", home, "-p", str(port), "-U", "bench", "-v", "ON_ERROR_STOP=1"]
    end = time.monotonic() + DEADLINE_S
    while subprocess.run([f"{bin_dir}/pg_isready", "-q", "-h", home, "-p", str(port),
                           "-U", "bench"], check=False).returncode != 0:
        if process.poll() is not None or time.monotonic() > end:
            raise Failed(f"PostgreSQL does not start; see {log}")
        time.sleep(0.05)
    subprocess.run(psql + ["-d", "postgres", "-c", f"CREATE ROLE ejabberd LOGIN PASSWORD '{password}'",
                           "-c", "CREATE DATABASE ejabberd OWNER ejabberd"], check=True)
    subprocess.run(psql + ["-d", "ejabberd", "-c", "SET ROLE ejabberd", "-f",
                           "/usr/share/ejabberd/sql/pg.sql"], check=True, stdout=subprocess.DEVNULL)
    return port, password


def ejabberd(server, settings, archive=False):
    """No roster, no shapers, no log; accounts in its own memory tables. The archive (XEP-0313) keeps a
    row for the sender and one for the receiver, as everybody may page their history.

    Tried for the archive on 2 cores, each with 200 pairs x 8, 400 x 4 and 50 x 4, messages a second of the
    best of the three; both cores are busy in all of them, so that CPU is the limit and not fsync. Runs of one
    setting differ by up to a fifth:
        pool of 10, +K true (as it is)       2,710
        pool of 2 / 20 / 40                  1,690 / 2,420 / 2,120
        commit_delay 500 / 2000, pool of 40  1,560 / 2,440
        wal_sync_method open_datasync        2,470 (pool of 20)
        wal_buffers 64 MB                    1,970 (pool of 20)
        one scheduler instead of two         2,380; +S 2:2, which is what it takes by itself, 2,210
        +K false                             1,890"""
    erl = find("erl")
    sql_port, password = postgres(server, settings) if archive else (0, "")
    port = free_port()
    sql = f"""\
sql_type: pgsql
sql_server: "127.0.0.1"
sql_port: {sql_port}
sql_database: "ejabberd"
sql_username: "ejabberd"
sql_password: "{password}"
sql_pool_size: {settings.get("pool", "10")}
sql_prepared_statements: true
sql_start_interval: 1
""" if archive else ""
    mam = """\
  mod_mam:
    db_type: sql
    default: always
    assume_mam_usage: true
    compress_xml: false
""" if archive else ""
    config = write(server.path("ejabberd.yml"), f"""\
hosts:
  - localhost
loglevel: none
hide_sensitive_log_data: false
auth_method: internal
auth_password_format: plain
registration_timeout: infinity
default_db: mnesia
max_fsm_queue: 1000000
{sql}shaper: {{}}
shaper_rules: {{}}
access_rules:
  all_of_us:
    allow: all
api_permissions: {{}}
listen:
  -
    port: {port}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    access: all_of_us
    shaper: none
    starttls: false
    zlib: false
    backlog: 4096
    max_stanza_size: infinity
modules:
  mod_register:
    access: all_of_us
    ip_access: all_of_us
    password_strength: 0
{mam}  mod_muc:
    db_type: mnesia
    access: all_of_us
    access_create: all_of_us
    access_persistent: all_of_us
    history_size: 0
    max_users: 1000000
    max_users_presence: 0
    min_message_interval: 0
    min_presence_interval: 0
    max_user_conferences: 1000
    room_shaper: none
    user_message_shaper: none
    user_presence_shaper: none
    default_room_options:
      mam: {"true" if archive else "false"}
      presence_broadcast: []
      max_users: 1000000
      public: false
      logging: false
""")
    env = dict(os.environ, EJABBERD_CONFIG_PATH=config, ERL_LIBS=EJABBERD_LIBS,
               EJABBERD_LOG_PATH=server.path("ejabberd-own.log"), HOME=server.directory,
               ERL_CRASH_DUMP=server.path("crash.dump"), ERL_MAX_PORTS="64000")
    command = [erl, "-noinput", "+K", settings.get("poll", "true"), "+P", "1000000",
               "+Q", "65536", "+sbwt", settings.get("busy_wait", "none"),
               "+sbwtdcpu", "none", "+sbwtdio", "none"]
    if "schedulers" in settings:
        command += ["+S", settings["schedulers"]]
    command += ["-mnesia", "dir", json.dumps(server.path("mnesia")),
                "-mnesia", "dump_log_write_threshold", "50000", "-s", "ejabberd"]
    process, log = server.spawn("ejabberd", command, env=env)
    wait_port(port, process, log)
    return server.ready(
        port=port, protocol="xmpp", own=process.pid,
        durability="two archive rows in PostgreSQL, fsync on; XMPP has no acknowledgement: "
        "counted when received" if archive
        else "none; XMPP has no acknowledgement: counted when received")


def ejabberd_archive(server, settings):
    return ejabberd(server, settings, archive=True)


# ---- nginx ----


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []


def nginx(server, settings):
    """A page of 128 bytes, about what REST answers, kept in the page cache."""
    program = find("nginx", "/usr/sbin/nginx")
    port = free_port()
    os.makedirs(server.path("www"), exist_ok=True)
    write(server.path("www", "page"), "." * 128)
    for name in ("body", "proxy", "fastcgi", "uwsgi", "scgi"):
        os.makedirs(server.path(name), exist_ok=True)
    user = "user root;\n" if os.getuid() == 0 else ""
    config = write(server.path("nginx.conf"), f"""\
daemon off;
{user}worker_processes auto;
pid {server.path("nginx.pid")};
error_log {server.path("error.log")} crit;
events {{ worker_connections 10000; }}
http {{
    access_log off;
    sendfile off;
    tcp_nopush off;
    keepalive_timeout 600s;
    keepalive_requests 100000000;
    open_file_cache max=100 inactive=600s;
    client_body_temp_path {server.path("body")};
    proxy_temp_path {server.path("proxy")};
    fastcgi_temp_path {server.path("fastcgi")};
    uwsgi_temp_path {server.path("uwsgi")};
    scgi_temp_path {server.path("scgi")};
    server {{ listen 127.0.0.1:{port} reuseport backlog=4096; root {server.path("www")}; }}
}}
""")
    process, log = server.spawn("nginx", [program, "-p", server.directory, "-c", config,
                                          "-e", server.path("error.log")])
    wait_port(port, process, log)
    while not children(process.pid):  # it listens before it has its workers
        if process.poll() is not None:
            raise Failed(f"it ended at once; see {log}")
        time.sleep(0.01)
    return server.ready(port=port, url=f"http://127.0.0.1:{port}/page", durability="none: it only reads",
                        workers=children(process.pid))


def versions():
    """What is installed of them, by package."""
    found = {}
    for package in ("mosquitto", "ejabberd", "postgresql", "nginx-light", "nginx-core", "nginx", "openssl"):
        try:
            asked = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", package],
                                   capture_output=True, text=True, check=False)
        except OSError:
            return found
        state, _, version = asked.stdout.partition(" ")
        if state == "installed":
            found[package] = version
    return found


STARTERS = {"mosquitto": mosquitto, "ejabberd": ejabberd, "ejabberd-archive": ejabberd_archive,
            "nginx": nginx}


def start(name, directory, settings=None, tied=False):
    """Gives a Server with facts port, pids, durability. Raises Failed, with nothing left running."""
    server = Server(directory, tied)
    try:
        return STARTERS[name](server, settings or {})
    except BaseException:
        server.stop()
        raise


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("verb", choices=["start", "stop"])
    parser.add_argument("name", nargs="?", choices=list(STARTERS))
    parser.add_argument("--dir", required=True)
    parser.add_argument("--set", action="append", default=[])
    options = parser.parse_args()
    if options.verb == "stop":
        with open(os.path.join(options.dir, "server.json"), encoding="utf-8") as file:
            stop_pids(json.load(file))
        return 0
    try:
        server = start(options.name, options.dir, dict(s.split("=", 1) for s in options.set))
    except (Failed, subprocess.CalledProcessError) as why:
        print(f"servers.py: {options.name}: {why}", file=sys.stderr)
        return 1
    print(json.dumps(server.facts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
