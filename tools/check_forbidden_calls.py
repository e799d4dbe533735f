#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that no source makes a call that tools/forbidden_calls.toml forbids outside the files it allows.

Usage: tools/check_forbidden_calls.py
Comments and string literals are not looked at. Each message names the alternative. Exits 1 when there is a violation.
"""
import fnmatch
import re
import sys
import tomllib

import source_text


def load(text):
    rules = tomllib.loads(text)["call"]
    for rule in rules:
        rule["pattern"] = re.compile(rule["regex"])
    return rules


def check_file(rules, path, text):
    """Yields (line, message)."""
    code = source_text.without_comments(text)
    for rule in rules:
        if any(fnmatch.fnmatch(path, allowed) for allowed in rule["allowed"]):
            continue
        for match in rule["pattern"].finditer(code):
            yield source_text.line_of(code, match.start()), f"{rule['name']} is forbidden here; {rule['instead']}"


def main():
    root = source_text.ROOT
    rules = load((root / "tools/forbidden_calls.toml").read_text())
    count = 0
    for path in source_text.cpp_files(root):
        for line, message in check_file(rules, path, (root / path).read_text()):
            print(f"{path}:{line}: {message}", file=sys.stderr)
            count += 1
    sys.exit(1 if count else 0)


if __name__ == "__main__":
    main()
