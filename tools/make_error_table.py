#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Generates the error enum, its table and the reference page from core/protocol/error_codes.toml.

Usage: tools/make_error_table.py [--check]
--check writes nothing and exits 1 when a generated file is not what the table says.
"""
import pathlib
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLE = ROOT / "core/protocol/error_codes.toml"
NOTE = "Generated from core/protocol/error_codes.toml by tools/make_error_table.py; edit the table, not this file."


def header(codes):
    lines = ["// SPDX-License-Identifier: Apache-2.0", f"// {NOTE}", "// clang-format off", "#pragma once", "", "namespace keyturn {", "",
             "/// What went wrong. The names are those of the wire (`error_code`); docs/reference/errors.md says what to do about each.",
             "enum class ErrorCode {"]
    for c in codes:
        lines.append(f"  {c['name']},  ///< {c['meaning']}")
    return "\n".join(lines + ["};", "", "}  // namespace keyturn", ""])


def table(codes):
    lines = ["// SPDX-License-Identifier: Apache-2.0", f"// {NOTE}", "// clang-format off", "#pragma once", "", "#include <array>", "#include <string_view>", "",
             "#include <keyturn/base/error.hpp>", "", "namespace keyturn::base {", "",
             "struct ErrorCodeRow {", "  ErrorCode code;", "  std::string_view name;", "  int number;", "  int status;", "  Remedy remedy;", "};", "",
             f"inline constexpr std::array<ErrorCodeRow, {len(codes)}> kErrorCodes{{{{"]
    for c in codes:
        lines.append(f"    {{ErrorCode::{c['name']}, \"{c['name']}\", {c['number']}, {c['status']}, Remedy::{c['remedy']}}},")
    return "\n".join(lines + ["}};", "", "}  // namespace keyturn::base", ""])


def page(codes):
    lines = [f"<!-- {NOTE} -->", "# Errors", "",
             "`number` is the value that Atlas SDKs give the code (0: a name of Keyturn's own); `status` is the HTTP status that the",
             "server sends with it unless the endpoint's page says otherwise (0: made on the device, never sent).", "",
             "| code | number | status | remedy | meaning | what to do |", "|---|---|---|---|---|---|"]
    for c in codes:
        lines.append(f"| `{c['name']}` | {c['number']} | {c['status']} | `{c['remedy']}` | {c['meaning']} | {c['mitigation']} |")
    return "\n".join(lines) + "\n"


def main():
    codes = tomllib.loads(TABLE.read_text())["code"]
    names = [c["name"] for c in codes]
    if len(set(names)) != len(names):
        sys.exit("error_codes.toml: a name occurs twice")
    outputs = {
        ROOT / "include/keyturn/base/error_code.hpp": header(codes),
        ROOT / "core/base/error_table.hpp": table(codes),
        ROOT / "docs/reference/errors.md": page(codes),
    }
    stale = [p for p, text in outputs.items() if not p.exists() or p.read_text() != text]
    if "--check" in sys.argv[1:]:
        for p in stale:
            print(f"{p.relative_to(ROOT)}: differs from the table; run tools/make_error_table.py", file=sys.stderr)
        sys.exit(1 if stale else 0)
    for p in stale:
        p.parent.mkdir(parents=True, exist_ok=True)
        p.write_text(outputs[p])


main()
