#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes core/ejson/vectors/*.json from the published suites, one case a line.

Usage: tools/make_conformance_vectors.py --json-test-suite DIR --bson-corpus DIR
DIR of the first holds test_parsing and test_transform; of the second the files of the corpus. core/ejson/vectors/README.md
names the packages that they lie in, and their licences.
"""
import argparse
import base64
import itertools
import json
import pathlib

OUT = pathlib.Path(__file__).resolve().parent.parent / "core/ejson/vectors"
SHORT = 4096  # a longer file repeats one thing


def bytes_of_case(content):
    """As text, as base64 where it is none, or as what is repeated."""
    if len(content) > SHORT:
        for size in range(1, 32):
            times = len(content) // size
            if content[:size] * times == content[:times * size]:
                return {"repeated": content[:size].decode(), "times": times, "then": content[times * size:].decode()}
        raise SystemExit("a long file that repeats nothing")
    try:
        return {"text": content.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}


def json_test_suite(folder):
    files = itertools.chain(*(sorted((folder / part).glob("*.json")) for part in ("test_parsing", "test_transform")))
    return [{"name": path.stem, **bytes_of_case(path.read_bytes())} for path in files]


def bson_corpus(folder):
    cases = []
    for path in sorted(folder.glob("*.json")):
        given = json.loads(path.read_text())
        for kind in ("valid", "decodeErrors", "parseErrors"):
            cases += [{"file": path.stem, "kind": kind, **case} for case in given.get(kind, [])]
    return cases


def write(name, cases):
    lines = ",\n".join(json.dumps(case, ensure_ascii=True, separators=(",", ":")) for case in cases)
    (OUT / name).write_text(f"[\n{lines}\n]\n")
    print(name, len(cases))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json-test-suite", type=pathlib.Path, required=True)
    parser.add_argument("--bson-corpus", type=pathlib.Path, required=True)
    given = parser.parse_args()
    write("json_test_suite.json", json_test_suite(given.json_test_suite))
    write("bson_corpus.json", bson_corpus(given.bson_corpus))


if __name__ == "__main__":
    main()
