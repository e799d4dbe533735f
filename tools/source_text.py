# SPDX-License-Identifier: Apache-2.0
"""What the checks share: which files belong to the project, and C++ text without comments and literals."""
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
CPP = (".cpp", ".hpp")

_TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^ ()\\\t\n]{0,16})\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Za-z_])\'(?:\\.|[^\'\\\n])+\'',
    re.DOTALL)


def project_files(root=ROOT):
    """Paths, relative to the root, of what is in git or would be added by `git add .`."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            cwd=root, check=True, capture_output=True, text=True).stdout
    return sorted({p for p in listed.split("\0") if p and (root / p).is_file()})


def cpp_files(root=ROOT):
    return [p for p in project_files(root) if p.endswith(CPP)]


def without_comments(text, literal=None):
    """The same text with comments blanked, and literals too unless `literal` says what stands in a literal's place.
    Lines keep their numbers."""
    def blank(match):
        token = match.group(0)
        if token.startswith("/"):
            return re.sub(r"[^\n]", " ", token)
        if literal:
            return literal(token)
        quote = token[-1]
        return quote + re.sub(r"[^\n]", " ", token[1:-1]) + quote
    return _TOKEN.sub(blank, text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1
