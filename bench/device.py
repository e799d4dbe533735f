#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench/device.py [--build DIR] [--rounds N]

What the SDK costs a device: the whole process `keyturn token` with a stored, valid token as a ratio to an empty process of
the same run, its memory above that of an empty libcurl program, and the size of a store per user. Prints lines of a table.
The server is a script of this file; the measured commands never ask it.
"""
import argparse
import base64
import http.server
import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
EMPTY_PROGRAM = "int main(void) { return 0; }\n"
EMPTY_CURL_PROGRAM = """#include <curl/curl.h>
int main(void) { curl_global_init(CURL_GLOBAL_DEFAULT); CURL* h = curl_easy_init(); curl_easy_cleanup(h); return 0; }
"""
# The least that a C++ program does which looks into a store that several processes share.
OPENING_PROGRAM = """#include <iostream>
#include <sqlite3.h>
int main(int, char** words) {
  sqlite3* store = nullptr;
  sqlite3_open_v2(words[1], &store, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  sqlite3_exec(store, "pragma journal_mode=wal; create table if not exists t(a); select * from t", nullptr, nullptr, nullptr);
  sqlite3_close(store);
  std::cout << 'x';
}
"""
# Starts a program a number of times; for each: wall ms, processor ms, peak KiB. Small, since the peak of a child counts from its
# parent's size on.
LAUNCHER = """#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static double ms(struct timeval t) { return t.tv_sec * 1e3 + t.tv_usec / 1e3; }
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1e3 + t.tv_nsec / 1e6; }
int main(int count, char** words) {
  for (int i = atoi(words[1]); i > 0 && count > 2; --i) {
    const double begin = now();
    const pid_t child = vfork();
    if (child == 0) { const int out = open("/dev/null", O_WRONLY); dup2(out, 1); dup2(out, 2); execv(words[2], words + 2); _exit(127); }
    int status; struct rusage used;
    wait4(child, &status, 0, &used);
    if (status != 0) return 1;
    printf("%.3f %.3f %ld\\n", now() - begin, ms(used.ru_utime) + ms(used.ru_stime), used.ru_maxrss);
  }
  return 0;
}
"""
USERS = 100


class Server(http.server.BaseHTTPRequestHandler):
    """Logs everybody in, each as a user of its own, with a token of half an hour."""
    protocol_version = "HTTP/1.1"
    users = 0

    def log_message(self, *_):
        pass

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @staticmethod
    def token(life):
        def part(value):
            return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
        now = int(time.time())
        return part({"alg": "ES256"}) + "." + part({"iat": now, "exp": now + life, "sub": "u" * 24, "pad": "x" * 180}) + "." + "s" * 86

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        Server.users += 1
        self.answer(200, {"access_token": self.token(1800), "refresh_token": self.token(5_184_000), "user_id": f"{Server.users:024x}",
                          "device_id": f"{Server.users:024x}"})

    def do_GET(self):
        self.answer(200, {"user_id": f"{Server.users:024x}", "domain_id": "d", "data": {"email": "ada@example.com"}, "type": "normal",
                          "identities": [{"id": "i", "provider_type": "local-userpass", "provider_id": "p"}]})


def spent(launcher, times, command, environment):
    lines = subprocess.run([launcher, str(times), *command], env=environment, check=True, capture_output=True, text=True).stdout.splitlines()
    return [tuple(float(word) for word in line.split()) for line in lines]


def log_in(keyturn, environment, email):
    subprocess.run([keyturn, "login", "--email", email], env=environment, input="correct horse\n", text=True, check=True, capture_output=True)


def store_bytes(folder):
    return sum(file.stat().st_size for file in folder.iterdir() if re.search(r"\.db(\.good|-wal)?$", file.name))


def compiled(scratch, name, text, *more, language="c"):
    source, program = scratch / f"{name}.{language}", scratch / name
    source.write_text(text)
    subprocess.run(["cc" if language == "c" else "c++", "-O2", "-o", program, source, *more], check=True)
    return str(program)


def measure(build, rounds, scratch):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    store = scratch / "store"
    environment = {"PATH": os.environ["PATH"], "HOME": str(scratch), "KEYTURN_STORE": str(store), "KEYTURN_APP": "app",
                   "KEYTURN_KEY_FILE": str(scratch / "key" / "store.key"), "KEYTURN_BASE_URL": f"http://127.0.0.1:{server.server_port}"}
    keyturn = str(build / "cli" / "keyturn")
    empty = compiled(scratch, "empty", EMPTY_PROGRAM)
    curl = compiled(scratch, "empty_curl", EMPTY_CURL_PROGRAM, "-lcurl")
    opening = compiled(scratch, "opening", OPENING_PROGRAM, "-static-libstdc++", "-static-libgcc", "-Wl,-z,relro,-z,now",
                       "-l:libsqlite3.a", "-lm", language="cpp")
    log_in(keyturn, environment, "user0@example.com")
    one_user = store_bytes(store)
    launcher = compiled(scratch, "launcher", LAUNCHER)
    samples = {"empty": [], "opening": [], "token": [], "curl": []}
    for _ in range(rounds):  # in turn, so that a busy moment of the machine meets all of them
        for name, command in (("empty", [empty]), ("opening", [opening, str(scratch / "opened.db")]), ("token", [keyturn, "token"]), ("curl", [curl])):
            samples[name] += spent(launcher, 10, command, environment)
    for number in range(1, USERS):
        log_in(keyturn, environment, f"user{number}@example.com")
    many_users = store_bytes(store)
    server.shutdown()
    return samples, one_user, many_users


def table(samples, one_user, many_users):
    def column(name, index):
        return [sample[index] for sample in samples[name]]

    def row(title, name):
        wall, cpu = column(name, 0), column(name, 1)
        ratio = statistics.median(cpu) / statistics.median(column("empty", 1))
        best = min(wall) / min(column("empty", 0))
        return f"| {title} | {min(wall):.2f} ms | {statistics.median(wall):.2f} ms | {statistics.median(cpu):.2f} ms | {best:.2f}; {ratio:.2f} |"

    peak = {name: max(column(name, 2)) / 1024 for name in samples}
    return "\n".join([
        "| what | best | median | processor time, median | ratio to an empty process: best; processor time |", "|---|---|---|---|---|",
        row("empty process", "empty"), row("C++ program that opens an SQLite database and prints", "opening"), row("`keyturn token`, token stored (wanted: best <= 1.1 ms)", "token"),
        row("empty libcurl program", "curl"), "",
        f"Peak memory of `keyturn token`: {peak['token']:.1f} MiB; of an empty libcurl program: {peak['curl']:.1f} MiB.",
        f"Store with its good copy: {one_user / 1024:.1f} KiB with one user, {(many_users - one_user) / (USERS - 1) / 1024:.2f} KiB for each further one."])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--rounds", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="keyturn-device-") as scratch:
        os.chmod(scratch, 0o700)
        print(table(*measure(given.build, given.rounds, pathlib.Path(scratch))))


if __name__ == "__main__":
    main()
