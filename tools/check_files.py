#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks each source file's licence line and its length.

Usage: tools/check_files.py
A source says `SPDX-License-Identifier: Apache-2.0` in its first three lines. It has at most 600 lines; above 400 it stands
with its reason in tools/long_files.toml. Exits 1 when there is a violation.
"""
import re
import sys
import tomllib

import source_text

LICENCE = "SPDX-License-Identifier: Apache-2.0"
SOURCE = re.compile(r"(\.(cpp|hpp|py|sh|cmake|sql|js|mjs|ts|css|html|in)|/CMakeLists\.txt|^CMakeLists\.txt)$")
HARD_LIMIT = 600
SOFT_LIMIT = 400


def is_source(path, text):
    return bool(SOURCE.search(path)) or text.startswith("#!")


def check_file(path, text, reasons):
    """Yields messages."""
    if not is_source(path, text):
        return
    if not any(LICENCE in line for line in text.splitlines()[:3]):
        yield f"no `{LICENCE}` in the first three lines"
    lines = text.count("\n")
    if lines > HARD_LIMIT:
        yield f"{lines} lines; {HARD_LIMIT} is the limit: cut it"
    elif lines > SOFT_LIMIT and not reasons.get(path):
        yield f"{lines} lines; above {SOFT_LIMIT} it needs its reason in tools/long_files.toml"
    elif lines <= SOFT_LIMIT and path in reasons:
        yield "stands in tools/long_files.toml but is not long: take it out"


def main():
    root = source_text.ROOT
    reasons = tomllib.loads((root / "tools/long_files.toml").read_text())["reasons"]
    paths = source_text.project_files(root)
    problems = [f"tools/long_files.toml: {p} does not exist" for p in reasons if p not in paths]
    for path in paths:
        try:
            text = (root / path).read_text()
        except UnicodeDecodeError:
            continue  # no text
        problems += [f"{path}: {message}" for message in check_file(path, text, reasons)]
    print("\n".join(problems), file=sys.stderr, end="\n" if problems else "")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
