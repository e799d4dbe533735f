#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench/data.py [--build DIR] [--seconds N] [--documents N]

Functions and documents as clients reach them: a trivial call over HTTP and through the SDK, against a round trip to a bare
worker of the same run; find of one document by _id and of 100 by an indexed field; refreshes while functions run flat out.
Prints lines of a table. The server and its workers have one core for themselves, the load another; for the last two lines the
server has both, since functions leave one to it wherever there are two. Latencies over HTTP are those at a quarter of the rate,
counted from when a request was due.
"""
import argparse
import contextlib
import http.client
import json
import os
import pathlib
import re
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SERVER_CORE, LOAD_CORE, ALL_CORES = "0", "1", "0,1"
ADMIN = {"username": "bench@example.org", "password": "a long password for the bench"}
GROUP_SIZE, BATCH = 100, 2_000


class Client:
    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, method, path, body=None, token=None):
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self.connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {text[:300]}")
        return json.loads(text) if text else None


class Place:
    """An app with a function, a service and a user."""

    def __init__(self, port):
        client = Client(port)
        admin = client.ask("POST", "/api/admin/v3.0/auth/providers/local-userpass/login", ADMIN)["access_token"]
        group = client.ask("GET", "/api/admin/v3.0/auth/profile", token=admin)["roles"][0]["group_id"]
        made = client.ask("POST", f"/api/admin/v3.0/groups/{group}/apps", {"name": "bench"}, admin)
        path = f"/api/admin/v3.0/groups/{group}/apps/{made['_id']}"
        self.app = made["client_app_id"]
        client.ask("POST", f"{path}/auth_providers", {"type": "anon-user"}, admin)
        client.ask("POST", f"{path}/functions", {"name": "sum", "source": "exports = (a, b) => a + b;"}, admin)
        service = client.ask("POST", f"{path}/services", {"name": "mongodb-atlas", "type": "mongodb-atlas", "config": {}}, admin)
        client.ask("POST", f"{path}/services/{service['_id']}/indexes", {"database": "d", "collection": "c", "keys": {"group": 1}}, admin)
        user = client.ask("POST", f"/api/client/v2.0/app/{self.app}/auth/providers/anon-user/login", {})
        self.user, self.access, self.refresh = user["user_id"], user["access_token"], user["refresh_token"]
        self.client = client

    def call(self, body):
        return self.client.ask("POST", f"/api/client/v2.0/app/{self.app}/functions/call", body, self.access)

    def fill(self, count):
        for first in range(0, count, BATCH):
            documents = [{"_id": n, "owner_id": self.user, "group": n // GROUP_SIZE, "text": "x" * 50} for n in range(first, first + BATCH)]
            self.call({"name": "insertMany", "service": "mongodb-atlas", "arguments": [{"database": "d", "collection": "c", "documents": documents}]})

    def find(self, query):
        return {"name": "find", "service": "mongodb-atlas", "arguments": [{"database": "d", "collection": "c", "query": query}]}

    def request(self, path, body, token):
        text = b"" if body is None else json.dumps(body).encode()
        return (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer {token}\r\n"
                f"Content-Length: {len(text)}\r\n\r\n").encode() + text

    def call_request(self, body):
        return self.request(f"/api/client/v2.0/app/{self.app}/functions/call", body, self.access)

    def refresh_request(self):
        return self.request("/api/client/v2.0/auth/session", None, self.refresh)


def write_requests(path, requests):
    with open(path, "wb") as file:
        for request in requests:
            file.write(f"{len(request)}\n".encode() + request)
    return path


def wrk_command(port, requests, seconds, connections):
    return ["taskset", "-c", LOAD_CORE, "wrk", f"-c{connections}", "-t1", f"-d{seconds}", "-s", ROOT / "bench/load/refresh.lua",
            f"http://127.0.0.1:{port}", "--", requests]


def rate_of(out):
    count, microseconds, failed, _ = map(int, re.search(r"RESULT (\d+) (\d+) (\d+) (\d+)", out).groups())
    if failed:
        raise SystemExit(f"{failed} of {count} answers were no success:\n{out}")
    return count / (microseconds / 1e6)


def load(port, requests, seconds, connections):
    return rate_of(subprocess.run(wrk_command(port, requests, seconds, connections), check=True, capture_output=True, text=True).stdout)


def paced(build, port, rate, seconds, requests, connections=4):
    command = ["taskset", "-c", LOAD_CORE, build / "bench/load/bench_paced_load", str(port), f"{rate:.0f}", str(seconds), str(connections), requests]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def floor(build, seconds):
    out = subprocess.run(["taskset", "-c", SERVER_CORE, build / "server/functions/server_functions_bench", "--benchmark_format=json",
                          "--benchmark_filter=BareWorker", f"--benchmark_min_time={seconds}"], check=True, capture_output=True, text=True).stdout
    figures = json.loads(out)["benchmarks"][0]
    if figures.get("error_occurred"):
        raise SystemExit(figures["error_message"])
    return 1e9 / figures["real_time"], figures["p50_us"] / 1000, figures["p99_us"] / 1000


def start(build, scratch, cores):
    port_file = scratch / "port"
    process = subprocess.Popen(["taskset", "-c", cores, build / "server/daemon/keyturnd", "serve", "--data", scratch / "data", "--listen",
                                "127.0.0.1:0", "--port-file", port_file, "--admin-email", ADMIN["username"]],
                               env={"PATH": os.environ["PATH"], "KEYTURN_ADMIN_PASSWORD": ADMIN["password"]},
                               stdout=open(scratch / "log", "wb"), stderr=subprocess.STDOUT)
    until = time.monotonic() + 30
    while not (port_file.exists() and port_file.read_text().strip()):
        if process.poll() is not None or time.monotonic() > until:
            raise SystemExit((scratch / "log").read_text()[-500:])
        time.sleep(0.01)
    return process, int(port_file.read_text())


@contextlib.contextmanager
def served(build, cores):
    """A server of its own, with a place in it, for as long as the block runs."""
    with tempfile.TemporaryDirectory(prefix="keyturn-bench-data-") as scratch:
        scratch = pathlib.Path(scratch)
        process, port = start(build, scratch, cores)
        try:
            yield scratch, port, Place(port)
        finally:
            process.terminate()
            process.wait(30)


def sum_calls(scratch, place):
    return write_requests(scratch / "sum", [place.call_request({"name": "sum", "arguments": [1, 2]})])


def measure_calls(options):
    build, seconds = options.build, options.seconds
    bare_rate, bare_p50, bare_p99 = floor(build, seconds)
    yield "bare worker, one round trip after the other (floor)", bare_rate, bare_p50, bare_p99, "1"
    with served(build, SERVER_CORE) as (scratch, port, place):
        calls = sum_calls(scratch, place)
        load(port, calls, 2, 2)
        rate = load(port, calls, seconds, 2)
        timed = paced(build, port, rate / 4, seconds, calls, 2)
        yield "function call over HTTP, 2 connections", rate, timed["p50_ms"], timed["p99_ms"], f"{rate / bare_rate:.2f} of the floor's rate"
        out = subprocess.run(["taskset", "-c", LOAD_CORE, build / "bench/load/bench_sdk_calls", f"http://127.0.0.1:{port}", place.app, "sum",
                              str(seconds)], check=True, capture_output=True, text=True).stdout
        sdk = json.loads(out)
        yield "function call through the SDK, one after the other", sdk["rate"], sdk["p50_ms"], sdk["p99_ms"], f"p50 {sdk['p50_ms'] / bare_p50:.1f} of the floor's"

        place.fill(options.documents)
        finds = {"find of one by _id": lambda n: {"_id": n},
                 f"find of {GROUP_SIZE} by an indexed field": lambda n: {"group": n // GROUP_SIZE}}
        for title, query in finds.items():
            spread = range(0, options.documents, max(1, options.documents // 200))
            file = write_requests(scratch / "find", [place.call_request(place.find(query(n))) for n in spread])
            load(port, file, 1, 2)
            rate = load(port, file, seconds, 2)
            timed = paced(build, port, rate / 4, seconds, file, 2)
            yield f"{title}, among {options.documents:,}", rate, timed["p50_ms"], timed["p99_ms"], ""


def measure_flood(options):
    """Row B-87: the median of the rounds, each its own pair of idle and busy."""
    build, seconds = options.build, options.seconds
    rounds = []
    with served(build, ALL_CORES) as (scratch, port, place):
        calls = sum_calls(scratch, place)
        refreshes = write_requests(scratch / "refresh", [place.refresh_request()])
        load(port, calls, 2, 2)
        for _ in range(options.rounds):
            idle = paced(build, port, options.refreshes, seconds, refreshes)
            flood = subprocess.Popen(wrk_command(port, calls, seconds + 3, 8), stdout=subprocess.PIPE, text=True)
            time.sleep(1.5)
            busy = paced(build, port, options.refreshes, seconds, refreshes)
            rounds.append((busy["p99_ms"] / idle["p99_ms"], idle, busy, rate_of(flood.communicate(timeout=60)[0])))
    rounds.sort(key=lambda one: one[0])
    ratio, idle, busy, flooded = rounds[len(rounds) // 2]
    yield f"refresh at {options.refreshes}/s, nothing else", idle["rate"], idle["p50_ms"], idle["p99_ms"], ""
    verdict = f"p99 {ratio:.1f} of idle ({rounds[0][0]:.1f} to {rounds[-1][0]:.1f}), wanted <= 3: {'yes' if ratio <= 3 else 'NO'}"
    yield f"refresh at {options.refreshes}/s beside {flooded:,.0f} function calls/s", busy["rate"], busy["p50_ms"], busy["p99_ms"], verdict


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5, help="of refreshes beside functions")
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--refreshes", type=int, default=500, help="per second")
    options = parser.parse_args()
    print("| what | per second and core | p50 ms | p99 ms | ratio |\n|---|---|---|---|---|")
    for part in (measure_calls, measure_flood):
        for title, rate, p50, p99, ratio in part(options):
            print(f"| {title} | {rate:,.0f} | {p50:.3f} | {p99:.3f} | {ratio} |", flush=True)


if __name__ == "__main__":
    main()
