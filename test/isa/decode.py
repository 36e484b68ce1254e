#!/usr/bin/python3
"""The decode-table tool must refuse bad tables, each for its reason: a PASS or FAIL line each.

usage: test/isa/decode.py TOOL
"""

import subprocess
import sys
import tempfile
from pathlib import Path

R = 'FORMAT(R, "d,s", "")\n'
B = 'FORMAT(B, "s,p", "-4|3:0")\n'
TABLES = {
    "good": (R + 'I("00000000 dddd ssss", R, a, X, F(d))', None),
    "unknown format": (R + 'I("00000000 dddd ssss", N, a, X, F)', "no format N"),
    "nested": (R + 'FORMAT(N, "s", "")\nI("00000000 dddd ssss", R, a, X, F)\n'
               'S("00000000 0000 ssss", N, b, X, F)', None),
    "overlap": (R + 'I("00000000 dddd ssss", R, a, X, F)\nI("0000000 - dddd ssss", R, b, X, F)',
                "overlaps"),
    "undeclared special": (R + 'FORMAT(N, "s", "")\nI("00000000 dddd ssss", R, a, X, F)\n'
                           'I("00000000 0000 ssss", N, b, X, F)', "overlaps"),
    "short picture": (R + 'I("0000000 dddd ssss", R, a, X, F)', "15 bits"),
    "bad letter": (R + 'I("0000000A dddd ssss", R, a, X, F)', "bad picture"),
    "split field": (R + 'I("dd000000 dd00 ssss", R, a, X, F)', "two pieces"),
    "missing operand": (R + 'I("00000000 dddd 0000", R, a, X, F)', "not in the picture"),
    "immediate": (B + 'I("000000000000 iiii", B, a, X, F)', "immediate bits"),
    "same name": (R + 'I("00000000 dddd ssss", R, a, X, F)\nI("00000001 dddd ssss", R, a, X, F)',
                  "twice"),
    "syntax": ('I("0000"', "syntax error"),
    "unterminated": (R + 'I("00000000 dddd ssss", R, a, X, F(', "unterminated"),
    "comment": ('/* for ever', "unterminated comment"),
    "unknown row": ('J(a)', "FORMAT, I or S"),
}


def judge(tool, folder, table, reason):
    (folder / "table").write_text(table)
    child = subprocess.run([tool, folder / "table", folder], stderr=subprocess.PIPE, text=True)
    if reason is None:
        return child.returncode == 0 and (folder / "decode.inc").exists()
    return child.returncode == 1 and reason in child.stderr


def main():
    good = True
    for name, (table, reason) in TABLES.items():
        with tempfile.TemporaryDirectory() as folder:
            ok = judge(sys.argv[1], Path(folder), table, reason)
        print("PASS" if ok else "FAIL", f"decode/{name}")
        good &= ok
    sys.exit(not good)


if __name__ == "__main__":
    main()
