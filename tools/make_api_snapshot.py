#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lists the public declarations of include/keyturn in docs/reference/api_snapshot.txt.

Usage: tools/make_api_snapshot.py [--check]
The list is the promise to users under review: a change of the API shows as a change of this file. Left out are comments,
private members, bodies and the namespaces `detail` and `sdk`. --check writes nothing and exits 1 on a difference.
"""
import re
import sys

import source_text

ROOT = source_text.ROOT
HEADERS = "include/keyturn"
SNAPSHOT = ROOT / "docs/reference/api_snapshot.txt"
HIDDEN_NAMESPACES = {"detail", "sdk"}
SCOPE = re.compile(r"(?:^|\s|>)(namespace|class|struct|union|enum(?: class| struct)?)\b([^()=]*)$")
ACCESS = re.compile(r"\s*(public|protected|private)\s*:(?!:)")

MARKS = "(){};:"  # inside a literal they mean nothing
HIDE = {ord(c): chr(0xE000 + i) for i, c in enumerate(MARKS)}
SHOW = {0xE000 + i: c for i, c in enumerate(MARKS)}
DEFINED_LATER = re.compile(r"\w::~?\w+\s*$")  # a member's body outside its class: declared there already


def squeeze(text):
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r"(?<=[(<\[]) | (?=[)>\],;])", "", text)


def matching(code, start):
    """Position of the bracket that closes the one at `start`."""
    depth = 0
    for i in range(start, len(code)):
        if code[i] in "{(":
            depth += 1
        elif code[i] in "})":
            depth -= 1
            if depth == 0:
                return i
    raise ValueError("unbalanced brackets")


def signature(text):
    """A function's head without its constructor's initialisers."""
    depth = 0
    for i, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if c == ":" and depth == 0 and text[i - 1] != ":" and text[i + 1:i + 2] != ":" and ")" in text[:i]:
            return squeeze(text[:i])
    return squeeze(text)


def skip_body(code, opening):
    """Position after a function's body whose text (or whose initialiser list) has its first brace at `opening`."""
    end = matching(code, opening) + 1
    while True:
        more = re.compile(r"\s*(,[^{;]*)?\{").match(code, end)
        if not more:
            return end
        end = matching(code, more.end() - 1) + 1


def declarations(code, scope=(), visible=True):
    """Yields one line per public declaration of a scope's text."""
    position, begin = 0, 0
    while position < len(code):
        access = ACCESS.match(code, begin) if position == begin else None
        if access:
            visible = access.group(1) != "private"
            begin = position = access.end()
            continue
        c = code[position]
        if c == "(":
            position = matching(code, position) + 1
        elif c == ";":
            text = squeeze(code[begin:position])
            if text and visible:
                yield "  " * len(scope) + text
            begin = position = position + 1
        elif c == "{":
            head = code[begin:position]
            kind = SCOPE.search(re.sub(r"\s+", " ", head).strip())
            end = matching(code, position)
            after = re.compile(r"\s*;").match(code, end + 1)
            if kind:
                name = squeeze(head)
                if visible and not (kind.group(1) == "namespace" and kind.group(2).strip().split("::")[-1] in HIDDEN_NAMESPACES):
                    yield from inside(kind.group(1), name, code[position + 1:end], scope)
                begin = position = after.end() if after and kind.group(1) != "namespace" else end + 1
            elif after:  # an initialiser: part of the declaration
                position = end + 1
            else:
                if visible and not DEFINED_LATER.search(head.split("(")[0]):
                    yield "  " * len(scope) + signature(head)
                begin = position = skip_body(code, position)
        else:
            position += 1


def inside(kind, name, body, scope):
    if kind == "namespace":
        yield from declarations(body, scope)
        return
    yield "  " * len(scope) + name
    if kind.startswith("enum"):
        for value in filter(None, (squeeze(v) for v in body.split(","))):
            yield "  " * (len(scope) + 1) + value
    else:
        yield from declarations(body, (*scope, name), visible=kind != "class")


def snapshot_of(text):
    code = source_text.without_comments(text, literal=lambda token: token.translate(HIDE))
    code = re.sub(r"^[ \t]*#.*$", "", code, flags=re.MULTILINE)
    return [line.translate(SHOW) for line in declarations(code)]


def snapshot(root):
    lines = ["# The public declarations of include/keyturn, written by tools/make_api_snapshot.py."]
    for path in sorted(p.relative_to(root).as_posix() for p in (root / HEADERS).rglob("*.hpp")):
        lines += ["", f"<{path.removeprefix('include/')}>", *snapshot_of((root / path).read_text())]
    return "\n".join(lines) + "\n"


def main():
    text = snapshot(ROOT)
    stale = not SNAPSHOT.exists() or SNAPSHOT.read_text() != text
    if "--check" in sys.argv[1:]:
        if stale:
            sys.exit(f"{SNAPSHOT.relative_to(ROOT)}: differs from the headers; run tools/make_api_snapshot.py and review the change")
    elif stale:
        SNAPSHOT.write_text(text)


if __name__ == "__main__":
    main()
