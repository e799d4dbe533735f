#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that a `co_await` expression passes named objects only.

Usage: tools/check_co_await.py
g++ 12 miscompiles temporaries made with braces and lambdas inside a co_await expression (they end in a double free).
Name the variable first. Exits 1 when there is a violation.
"""
import re
import sys

import source_text

CO_AWAIT = re.compile(r"(?<!operator )\bco_await\b")
CLOSING = {")": "(", "]": "[", "}": "{"}


def expression(code, start):
    """The text from `start` to the end of the expression: a `;`, or a bracket that closes around it."""
    depth = 0
    for i in range(start, len(code)):
        c = code[i]
        if c in "([{":
            depth += 1
        elif c in CLOSING:
            depth -= 1
            if depth < 0:
                return code[start:i]
        elif c == ";" and depth == 0:
            return code[start:i]
    return code[start:]


def check_text(text):
    """Yields (line, message)."""
    code = source_text.without_comments(text)
    for match in CO_AWAIT.finditer(code):
        part = expression(code, match.end())
        line = source_text.line_of(code, match.start())
        if "{" in part:
            yield line, "braces inside a co_await expression: name the object first (g++ 12 miscompiles the temporary)"
        for bracket in re.finditer(r"\[", part):
            before = part[:bracket.start()].rstrip()
            if not before or not re.search(r"[\w)\]]$", before):  # otherwise it is an index
                yield line, "a lambda inside a co_await expression: name it first (g++ 12 miscompiles the temporary)"
                break


def main():
    root = source_text.ROOT
    count = 0
    for path in source_text.cpp_files(root):
        for line, message in check_text((root / path).read_text()):
            print(f"{path}:{line}: {message}", file=sys.stderr)
            count += 1
    sys.exit(1 if count else 0)


if __name__ == "__main__":
    main()
