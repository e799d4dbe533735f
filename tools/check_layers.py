#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that every #include goes in a direction that tools/layers.toml allows.

Usage: tools/check_layers.py
Quotes name a file by its full path from the repository root; angle brackets are <keyturn/...>, the standard library, or a
third party that layers.toml gives to the including room. Prints one line per violation; exits 1 when there is one.
"""
import pathlib
import re
import sys
import tomllib

import source_text

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
STANDARD = re.compile(r"[a-z0-9_]+$")
TEST_FILE = re.compile(r"_(test|bench|fuzz)\.cpp$")


def is_within(path, folder):
    return path == folder or path.startswith(folder + "/")


def longest(path, folders):
    found = [f for f in folders if is_within(path, f)]
    return max(found, key=len) if found else None


class Layers:
    def __init__(self, rules):
        self.rooms = rules["room"]
        self.third_party = rules["third_party"]
        self.test_folders = rules["tests"]["folders"]
        self.test_rooms = rules["tests"]["may_include"]
        for name, room in self.rooms.items():
            for other in room["may_include"]:
                if other not in self.rooms:
                    raise ValueError(f"layers.toml: {name} may include {other}, which is no room")

    def is_test(self, path):
        parts = pathlib.PurePosixPath(path).parts
        return bool(TEST_FILE.search(path)) or any(f in parts for f in self.test_folders)

    def may_include(self, path, target):
        """Whether the file may include the project's file `target`; None or the reason why not."""
        here, there = longest(path, self.rooms), longest(target, self.rooms)
        if here is None:
            return "the including file is in no room of layers.toml"
        if there is None:
            return f"{target} is in no room of layers.toml"
        if here == there or there in self.rooms[here]["may_include"]:
            return None
        if self.is_test(path) and there in self.test_rooms:
            return None
        return f"{here} may not include {there}"

    def third_party_of(self, header):
        best = None
        for name, entry in self.third_party.items():
            for prefix in entry["headers"]:
                if header.startswith(prefix) and (best is None or len(prefix) > best[1]):
                    best = (name, len(prefix))
        return best[0] if best else None

    def may_use(self, path, header):
        name = self.third_party_of(header)
        if name is None:
            return f"<{header}> belongs to no library of layers.toml"
        entry = self.third_party[name]
        if any(is_within(path, room) for room in entry["rooms"]):
            return None
        if entry.get("tests", False) and self.is_test(path):
            return None
        return f"{name} may be used by {', '.join(entry['rooms']) or 'tests'} only"


def check_file(layers, path, text, exists):
    """Yields (line, message); `exists` tells whether a path of the project exists."""
    blanked = source_text.without_comments(text, literal=str)
    for match in INCLUDE.finditer(blanked):
        bracket, header = match.groups()
        line = source_text.line_of(blanked, match.start())
        problem = None
        if bracket == '"':
            if "/" not in header or not exists(header):
                problem = f'"{header}" is not a full path from the repository root'
            elif header.startswith("include/"):
                problem = f"public headers are included as <{header.removeprefix('include/')}>"
            else:
                problem = layers.may_include(path, header)
        elif header.startswith("keyturn/"):
            target = "include/" + header
            problem = layers.may_include(path, target) if exists(target) else f"<{header}> does not exist"
        elif not STANDARD.match(header):
            problem = layers.may_use(path, header)
        if problem:
            yield line, problem


def main():
    root = source_text.ROOT
    layers = Layers(tomllib.loads((root / "tools/layers.toml").read_text()))
    count = 0
    for path in source_text.cpp_files(root):
        for line, problem in check_file(layers, path, (root / path).read_text(), lambda p: (root / p).is_file()):
            print(f"{path}:{line}: {problem}", file=sys.stderr)
            count += 1
    sys.exit(1 if count else 0)


if __name__ == "__main__":
    main()
