#!/usr/bin/python3
"""Deterministic boots: with clock = "icount" every runner must go through the same states.

usage: test/boot/icount.py [NAME ...]

Each row is booted for a number of instructions under each runner. The lines of `trace`, the
console's output and the instruction count at the end must be the same, byte for byte.
"""

import os
import re
import subprocess
import sys
import tempfile

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from runners import RUNNERS, options as how

OPENSBI = "/usr/lib/riscv64-linux-gnu/opensbi/generic"
UBOOT = "/usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin"
GUEST = "build/guests/riscv64"
LINUX = ["--kernel", f"{GUEST}/Image", "--initrd", f"{GUEST}/initrd.gz",
         "--cmdline", "console=ttyS0"]
EVERY = 100000
SECONDS = 300

# name: instructions, what the console must have shown by then, options
ROWS = {
    "linux": (1_700_000_000, "FVP guest ready", LINUX),
    "linux-smp": (2_000_000_000, "FVP guest ready", [*LINUX, "--cpus", "4"]),
    "opensbi-uboot": (1_000_000_000, "Hit any key to stop autoboot",
                      ["--firmware", f"{OPENSBI}/fw_dynamic.bin", "--kernel", UBOOT]),
    "opensbi-linux": (2_200_000_000, "FVP guest ready",
                      ["--firmware", f"{OPENSBI}/fw_jump.bin", *LINUX, "--cpus", "2"]),
}
SV39 = ["--isa", "-sv48", "--isa", "-sv57"]     # all that there is with views
TRACE = re.compile(r"vm vm0: (cpu \d+ at \d+: pc \w+ state \w+)$")
COUNT = re.compile(r"^instructions\s+(\d+)", re.M)


def boot(runner, instructions, options, disk):
    """What must not depend on the runner: trace, console, instructions."""
    command = ["build/fvp", "run", "--arch", "riscv64", "--memory", "256M", "--disk", disk,
               "--clock", "icount", "--trace", str(EVERY), "--budget", str(instructions),
               "--stats", *SV39, *how(runner), *options]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False,
                          timeout=SECONDS, text=True, errors="replace")
    trace = [m[1] for line in done.stderr.splitlines() if (m := TRACE.search(line))]
    count = COUNT.search(done.stderr)
    return trace, done.stdout, count and count[1]


def difference(first, second):
    for i, (a, b) in enumerate(zip(first[0], second[0])):
        if a != b:
            return f"line {i} of the trace: {a!r} and {b!r}"
    if len(first[0]) != len(second[0]):
        return f"{len(first[0])} and {len(second[0])} lines of trace"
    if first[1] != second[1]:
        return "the same trace but another output"
    return first[2] != second[2] and f"{first[2]} and {second[2]} instructions"


def run_row(name, disk):
    instructions, shown, options = ROWS[name]
    if path := next((o for o in options if o.startswith(GUEST) and not os.path.exists(o)), None):
        return f"SKIP icount {name}: {path} could not be had"
    first = None
    for runner in RUNNERS:
        try:
            result = boot(runner, instructions, options, disk)
        except subprocess.TimeoutExpired:
            return f"FAIL icount {name} {runner}: no end after {SECONDS} s"
        if shown not in result[1] or not result[0]:
            return f"FAIL icount {name} {runner}: no {shown!r}, {len(result[0])} lines of trace"
        if first and (why := difference(first, result)):
            return f"FAIL icount {name}: {RUNNERS[0]} and {runner}: {why}"
        first = first or result
    return f"PASS icount {name}: {len(first[0])} states, {first[2]} instructions"


def main():
    good = True
    with tempfile.NamedTemporaryFile() as disk:
        disk.write(bytes(range(256)) * 4096)
        disk.flush()
        for name in sys.argv[1:] or ROWS:
            line = run_row(name, disk.name)
            print(line, flush=True)
            good &= not line.startswith("FAIL")
    return 0 if good else 1


sys.exit(main())
