#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the commands of a guide against a server of its own.

Usage: tests/guides/run_guide.py PAGE
KEYTURND and KEYTURN name the two programs; NODE_MODULES a folder of npm packages for `js` blocks.

Blocks run in their order in one shell, which ends at the first command that fails: `sh` is run as it stands, `js` is given
to node as a module, `json` is what the block before it must have written last ("…" stands for any text). Blocks of other
languages are shown to readers only. Exits 1 when a block fails.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
START_SECONDS = 20
RUN_SECONDS = 150
ANY = "…"


def blocks_of(page):
    """(language, line, code) of each block."""
    return [(m[1], page[: m.start()].count("\n") + 1, m[2]) for m in FENCE.finditer(page)]


def fits(expected, actual):
    if expected == ANY:
        return isinstance(actual, str)
    if isinstance(expected, dict):
        same = isinstance(actual, dict) and list(expected) == list(actual)
        return same and all(fits(value, actual[name]) for name, value in expected.items())
    if isinstance(expected, list):
        same = isinstance(actual, list) and len(expected) == len(actual)
        return same and all(map(fits, expected, actual))
    return type(expected) is type(actual) and expected == actual


def last_json(text):
    """The last JSON value of a text that is nothing but JSON values."""
    decoder, value, at = json.JSONDecoder(), None, 0
    text = text.strip()
    while at < len(text):
        value, at = decoder.raw_decode(text, at)
        at += len(text[at:]) - len(text[at:].lstrip())
    return value


def problems_of(blocks, outputs):
    """What each `json` block finds wrong with the output before it."""
    last = None
    for index, (language, line, code) in enumerate(blocks):
        if language in ("sh", "js"):
            last = index
        elif language == "json" and last is not None:
            try:
                actual = last_json(outputs[last])
            except ValueError:
                yield f"line {line}: the output is no JSON:\n{outputs[last]}"
                continue
            if not fits(json.loads(code), actual):
                yield f"line {line}: the page says\n{code}but the output was\n{json.dumps(actual, ensure_ascii=False)}"


def script_of(blocks, folder):
    lines = ["set -euo pipefail"]
    for index, (language, line, code) in enumerate(blocks):
        if language not in ("sh", "js"):
            continue
        lines.append(f"exec >{folder / f'{index}.out'} 2>{folder / f'{index}.err'}")
        if language == "js":
            (folder / f"block{index}.mjs").write_text(code)
            lines.append(f"node {folder / f'block{index}.mjs'}")
        else:
            lines.append(code)
    return "\n".join(lines)


def start_server(folder, environment):
    port_file = folder / "port"
    log = open(folder / "server.log", "w")
    server = subprocess.Popen(
        ["keyturnd", "serve", "--data", folder / "data", "--listen", "127.0.0.1:0", "--port-file", port_file, "--admin-email",
         environment["KEYTURN_ADMIN_EMAIL"], "--email-dir", folder / "mail", "--allow-short-lifetimes"],
        env=environment, stdout=log, stderr=log)
    until = time.monotonic() + START_SECONDS
    while not port_file.exists() or not port_file.read_text().strip():
        if server.poll() is not None or time.monotonic() > until:
            server.kill()
            sys.exit("the server did not start:\n" + (folder / "server.log").read_text())
        time.sleep(0.02)
    return server, port_file.read_text().strip()


def environment_for(folder):
    programs = folder / "bin"
    programs.mkdir()
    for name in ("KEYTURND", "KEYTURN"):
        program = programs / name.lower()
        # Not a link: the server looks for its parts beside itself.
        program.write_text(f'#!/bin/sh\nexec "{os.environ[name]}" "$@"\n')
        program.chmod(0o755)
    if os.environ.get("NODE_MODULES"):
        (folder / "node_modules").symlink_to(os.environ["NODE_MODULES"])
    return {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(folder), "LANG": "C.UTF-8", "TMPDIR": str(folder),
            "KEYTURN_ADMIN_EMAIL": "admin@example.com", "KEYTURN_ADMIN_PASSWORD": "correct horse battery staple",
            "KEYTURN_STORE": str(folder / "store"), "KEYTURN_KEY_FILE": str(folder / "store.key"),
            **{name: os.environ[name] for name in ("ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ}}


def run(page, folder):
    """The problems of a page."""
    blocks = blocks_of(page.read_text())
    environment = environment_for(folder)
    server, port = start_server(folder, environment)
    try:
        environment["KEYTURN_BASE_URL"] = f"http://127.0.0.1:{port}"
        shell = subprocess.Popen(["bash", "-c", script_of(blocks, folder)], env=environment, cwd=folder, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True)
        try:
            _, complaint = shell.communicate(timeout=RUN_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(shell.pid, signal.SIGKILL)
            complaint = "it took too long"
        outputs = {i: p.read_text() for i in range(len(blocks)) if (p := folder / f"{i}.out").exists()}
    finally:
        server.terminate()
        try:
            server.wait(timeout=START_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
    if shell.returncode != 0:
        index = max(outputs, default=0)
        said = (folder / f"{index}.err").read_text() if outputs else ""
        return [f"line {blocks[index][1]}: the block failed: {complaint}{said}{outputs.get(index, '')}"]
    return list(problems_of(blocks, outputs))


def main():
    page = pathlib.Path(sys.argv[1]).resolve()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="keyturn-guide-"))
    try:
        problems = run(page, folder)
        if problems:
            problems.append("the server's log ends with\n" + "".join((folder / "server.log").open().readlines()[-10:]))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for problem in problems:
        print(f"{page.name}: {problem}", file=sys.stderr)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
