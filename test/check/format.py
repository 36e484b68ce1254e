#!/usr/bin/python3
"""format.py [FILE...]: shorten C lines of more than 100 columns, touch nothing else.

Code goes through clang-format, line by line, so that hand-made tables stay. Comments it would
spoil are wrapped here: one of its own becomes a block, one behind code moves above the line if
fewer tabs before it do not help. Macros and rows of X-macro tables are left to people.
"""
import re
import subprocess
import sys
import textwrap

from check import COLUMNS, files_of_project, read


def width(line):
    return len(line.expandtabs(8))


def block(indent, words):
    """A comment of its own: one line if it fits, else a block."""
    one = f"{indent}/* {words} */"
    if width(one) <= COLUMNS:
        return [one]
    lines = textwrap.wrap(words, COLUMNS - width(indent) - 4)
    return [indent + "/*"] + [f"{indent} * {l}" for l in lines] + [indent + " */"]


def shorten_comment(line):
    """The lines that replace @line, or None if it is no business of ours."""
    if m := re.fullmatch(r"(\t*)/\* (.*?) ?\*/", line):
        return block(m[1], m[2])
    m = re.fullmatch(r"(\t*)(\S.*?)(\s+)/\* (.*?) \*/", line)
    if not m or m[2].startswith("#") or "*/" in m[2]:
        return None
    for gap in ("\t\t", "\t", " "):
        if width(tighter := m[1] + m[2] + gap + f"/* {m[4]} */") <= COLUMNS:
            return [tighter]
    return block(m[1], m[4]) + [m[1] + m[2]]


def shorten_comments(text):
    out = []
    macro = False
    for line in text.split("\n"):
        macro = macro or line.startswith("#")
        new = None if macro or width(line) <= COLUMNS else shorten_comment(line)
        out += new or [line]
        macro = macro and line.endswith("\\")
    return "\n".join(out)


def long_code(text):
    """Numbers of the long lines that clang-format may break."""
    macro = False
    for n, line in enumerate(text.split("\n"), 1):
        macro = macro or line.startswith("#")
        comment = "/*" in line or line.lstrip().startswith("*")
        if not macro and not comment and width(line) > COLUMNS:
            yield n
        macro = macro and line.endswith("\\")


def format_file(path):
    text = read(path)
    new = shorten_comments(text)
    if new != text:
        with open(path, "w", encoding="utf-8", newline="") as f:
            f.write(new)
    lines = [f"--lines={n}:{n}" for n in long_code(new)]
    if lines:
        subprocess.run(["clang-format", "-i", *lines, path], check=True)
    return new != text or bool(lines)


def main():
    paths = [p for p in sys.argv[1:] or files_of_project() if p.endswith((".c", ".h"))]
    changed = [p for p in paths if format_file(p)]
    print(f"format: {len(changed)} of {len(paths)} files changed")


main()
