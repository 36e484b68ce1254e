#!/usr/bin/python3
"""Run test suites and close with one line: N passed, N failed.

usage: test/run.py NAME=COMMAND ...

A suite is a command. Its result is read from what it prints: cmocka's summaries, and lines
that begin with PASS, FAIL or SKIP. A suite that exits non-zero without a FAIL line, or that
reports nothing at all, counts as one failure. Output is passed through as it comes.
"""

import re
import subprocess
import sys
import time

PASSED = re.compile(r"\[  PASSED  \] (\d+) test")
FAILED = re.compile(r"^ ?\d+ FAILED TEST|^\[  FAILED  \] \w")
LINE = re.compile(r"^(PASS|FAIL|SKIP)\b")


class Count:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.names = []

    def read(self, line):
        if m := PASSED.search(line):
            self.passed += int(m[1])
        elif re.match(r"^\[  FAILED  \] \w+$", line):
            self.fail(line[13:].strip())
        elif m := LINE.match(line):
            if m[1] == "PASS":
                self.passed += 1
            elif m[1] == "SKIP":
                self.skipped += 1
            else:
                self.fail(line[5:].strip())

    def fail(self, name):
        if name not in self.names:
            self.failed += 1
            self.names.append(name)


def run_suite(name, command):
    count = Count()
    print(f"==== {name}: {command}", flush=True)
    start = time.monotonic()
    with subprocess.Popen(command, shell=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace") as child:
        for line in child.stdout:
            print(line, end="", flush=True)
            count.read(line.rstrip("\n"))
    if child.returncode and not count.failed:
        count.fail(f"exit status {child.returncode}")
    if not count.passed and not count.failed and not count.skipped:
        count.fail("reported nothing")
    print(f"==== {name}: {count.passed} passed, {count.failed} failed "
          f"({time.monotonic() - start:.0f} s)", flush=True)
    return count


def main():
    passed = failed = skipped = 0
    broken = []
    for arg in sys.argv[1:]:
        name, _, command = arg.partition("=")
        count = run_suite(name, command)
        passed += count.passed
        failed += count.failed
        skipped += count.skipped
        broken += [f"{name}: {n}" for n in count.names]
    for line in broken:
        print(f"FAILED {line}")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


sys.exit(main())
