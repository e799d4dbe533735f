#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench/functions.py [--build DIR] [--seconds N]

A trivial function call through the runtime, as a ratio to the floor of the same run: a round trip to a bare worker. Prints
lines of a table. Latencies are microseconds; calls/s is one caller after the other.
"""
import argparse
import json
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
NAMES = {"BM_BareWorker": "bare worker (floor)", "BM_Call": "function call", "BM_CallWithOneQuestion": "function call with one question to the server"}


def measure(build, seconds):
    out = subprocess.run([build / "server/functions/server_functions_bench", "--benchmark_format=json",
                          f"--benchmark_min_time={seconds}"], check=True, capture_output=True, text=True).stdout
    figures = {}
    for each in json.loads(out)["benchmarks"]:
        if each.get("error_occurred"):
            raise SystemExit(f"{each['name']}: {each['error_message']}")
        figures[each["name"].split("/")[0]] = each
    return figures


def table(figures):
    floor = figures["BM_BareWorker"]
    lines = ["| call | p50 us | p99 us | calls/s | p50 to floor |", "|---|---|---|---|---|"]
    for name, title in NAMES.items():
        each = figures[name]
        per_second = 1e9 / each["real_time"] if each["time_unit"] == "ns" else 1e6 / each["real_time"]
        lines.append(f"| {title} | {each['p50_us']:.0f} | {each['p99_us']:.0f} | {per_second:.0f} | {each['p50_us'] / floor['p50_us']:.2f} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--seconds", type=float, default=2)
    given = parser.parse_args()
    print(table(measure(given.build, given.seconds)))


if __name__ == "__main__":
    main()
