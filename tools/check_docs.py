#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the Markdown pages: relative links lead to a file, and C++ examples that have a main() compile.

Usage: tools/check_docs.py
The compiler is $CXX or g++. Exits 1 when there is a violation.
"""
import os
import re
import subprocess
import sys

import source_text

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)]*)?\)")


def broken_links(text, exists):
    prose = FENCE.sub("", text)
    return [t for t in LINK.findall(prose) if not re.match(r"[a-z]+:", t) and not exists(t)]


def programs(text):
    return [code for language, code in FENCE.findall(text) if language == "cpp" and "int main(" in code]


def compile_errors(code, root):
    command = [os.environ.get("CXX", "g++"), "-std=c++20", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I", str(root / "include"),
               "-x", "c++", "-"]
    return subprocess.run(command, input=code, capture_output=True, text=True).stderr


def main():
    root = source_text.ROOT
    problems = []
    for path in source_text.project_files(root):
        if not path.endswith(".md"):
            continue
        page = root / path
        text = page.read_text()
        problems += [f"{path}: no such file: {t}" for t in broken_links(text, lambda t: (page.parent / t).exists())]
        problems += [f"{path}: an example does not compile:\n{errors}" for errors in (compile_errors(c, root) for c in programs(text)) if errors]
    print("\n".join(problems), file=sys.stderr, end="\n" if problems else "")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
