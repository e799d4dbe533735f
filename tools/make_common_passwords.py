#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes server/domain/accounts/common_passwords.inc from lists of common passwords.

Usage: tools/make_common_passwords.py LIST...
Each LIST is a text file with one password a line. Passwords below six characters are left out (no app takes them), letters
are taken as lower case. What is written is no list of words: the first 32 bits of the SHA-256 of each, sorted, as differences
in base 128 with the low part first (LEB128), in base64url without padding.

The lists in use, both under the MIT licence: `passwords` of lib/frequency_lists.js of npm zxcvbn 4.4.2 (Dan Wheeler and Dropbox,
Inc.), 30,000 entries, and src/passwords.json of npm @zxcvbn-ts/language-common 4.1.3 (the same and @zxcvbn-ts), 49,233 entries:
  node -p "require('zxcvbn/lib/frequency_lists.js').passwords.join('\\n')" >first.txt
  node -p "require('@zxcvbn-ts/language-common/src/passwords.json').join('\\n')" >second.txt
"""
import base64
import hashlib
import pathlib
import sys

TARGET = pathlib.Path(__file__).resolve().parent.parent / "server/domain/accounts/common_passwords.inc"
SHORTEST = 6
LINE = 112


def digest_of(password):
    return int.from_bytes(hashlib.sha256(password.encode()).digest()[:4], "big")


def passwords_in(path):
    for line in pathlib.Path(path).read_text(errors="ignore").splitlines():
        password = line.strip()
        # As the server does: ASCII letters only.
        password = "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in password)
        if len(password) >= SHORTEST:
            yield password


def packed(numbers):
    out, last = bytearray(), 0
    for number in numbers:
        left, last = number - last, number
        while left > 0x7F:
            out.append(left & 0x7F | 0x80)
            left >>= 7
        out.append(left)
    return bytes(out)


def main():
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__)
        sys.exit(0 if len(sys.argv) > 1 else 2)
    numbers = sorted({digest_of(p) for path in sys.argv[1:] for p in passwords_in(path)})
    text = base64.urlsafe_b64encode(packed(numbers)).decode().rstrip("=")
    lines = [text[i : i + LINE] for i in range(0, len(text), LINE)]
    TARGET.write_text(
        "// SPDX-License-Identifier: Apache-2.0\n"
        f"// {len(numbers)} common passwords, written by tools/make_common_passwords.py, which names the source.\n"
        + "".join(f'"{line}",\n' for line in lines)
    )
    print(f"{len(numbers)} passwords, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
