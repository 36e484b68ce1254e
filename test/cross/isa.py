#!/usr/bin/python3
"""Run the ISA tests on the AArch64 process under QEMU, translated: a PASS or FAIL line each.

usage: test/cross/isa.py QEMU FVP DIRECTORY TEST...
"""

import os
import subprocess
import sys

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from runners import options

FLAGS = ["--memory", "64M", "--no-reboot", "--restart", "never", "--log", "error"]


def run(qemu, fvp, elf, name, runner):
    isa = ["--isa", name] if name.startswith("sv") else []
    cpus = ["--cpus", "4" if "smp" in name else "1"]
    command = [qemu, fvp, "run", "--arch", "riscv64", "--firmware", elf] + options(runner)
    try:
        child = subprocess.run(command + FLAGS + cpus + isa, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                               text=True, errors="replace")
        status, output = child.returncode, child.stdout
    except subprocess.TimeoutExpired as e:
        status, output = "time out", (e.stdout or b"").decode(errors="replace")
    good = status == 0 and "checks passed" in output
    print(f"{'PASS' if good else 'FAIL'} cross/isa/{name} by {runner}", flush=True)
    if not good:
        print(f"    status {status}\n    " + "\n    ".join(output.splitlines()[-40:]))
    return good


def main():
    qemu, fvp, folder, *tests = sys.argv[1:]
    good = True
    for name in tests:
        for runner in ("jit", "hybrid", "direct"):
            good &= run(qemu, fvp, f"{folder}/{name}.elf", name, runner)
    sys.exit(not good)


if __name__ == "__main__":
    main()
