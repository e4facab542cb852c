#!/usr/bin/python3
"""The floor of sign-ins over TLS: full handshakes a second of openssl s_time against openssl s_server.

usage: tls.py [--seconds S] [--resumed] [--json FILE]

One client process makes one connection after another, TLS 1.3 with a P-256 certificate as our gateway
has it. The rate is that of the wall clock; CPU is that of s_server. Tickets of TLS 1.3 come behind the
handshake, and s_time reads them only when it asks for a page: so --resumed asks for one of 6 bytes.
"""

import argparse
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time


def cpu_us(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1_000_000 // os.sysconf("SC_CLK_TCK")


def parse(text, resumed):
    """How many connections s_time tells of. ValueError: it says something else, or resumed none."""
    found = re.search(r"(\d+) connections in (\d+) real seconds", text)
    if found is None:
        raise ValueError(f"openssl s_time says: {text[-300:]}")
    count = int(found.group(1))
    marks = max(re.findall(r"^[r*]+$", text, re.MULTILINE), key=len, default="")
    if resumed and marks.count("r") < count * 0.9:
        raise ValueError(f"of {count} connections {marks.count('r')} were resumed")
    return count


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def measure(seconds, resumed):
    with tempfile.TemporaryDirectory(prefix="hongyan-bench-tls-") as home:
        key, cert = os.path.join(home, "key.pem"), os.path.join(home, "cert.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj",
                        "/CN=localhost", "-keyout", key, "-out", cert],
                       check=True, stderr=subprocess.DEVNULL)
        with open(os.path.join(home, "page"), "w", encoding="ascii") as page:
            page.write("hello\n")
        port = free_port()
        server = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", cert,
                                   "-key", key, "-WWW" if resumed else "-quiet", "-tls1_3"],
                                  cwd=home, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        try:
            for _ in range(200):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.02)
            before, begun = cpu_us(server.pid), time.monotonic()
            ran = subprocess.run(["openssl", "s_time", "-connect", f"127.0.0.1:{port}", "-tls1_3",
                                  *(["-reuse", "-www", "/page"] if resumed else ["-new"]),
                                  "-time", str(seconds)],
                                 check=False, capture_output=True, text=True)
            took = time.monotonic() - begun
            used = cpu_us(server.pid) - before
        finally:
            server.kill()
            server.wait()
        count = parse(ran.stdout + ran.stderr, resumed)
        return {"scenario": "tls", "system": "floor", "unit": "handshakes", "durability": "none",
                "title": "openssl s_time, " + ("resumed" if resumed else "full handshakes"),
                "seconds": took, "operations": count, "rate_per_s": count / took,
                "server_cpu_us_per_op": used / count if count else 0}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--resumed", action="store_true")
    parser.add_argument("--json")
    options = parser.parse_args()
    result = measure(options.seconds, options.resumed)
    print(f"{result['title']}: {result['rate_per_s']:.0f}/s, "
          f"server {result['server_cpu_us_per_op']:.0f} us each")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
