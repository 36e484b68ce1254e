#!/usr/bin/python3
"""Run the bare-metal ISA tests on FVP and on QEMU: a PASS or FAIL line each.

usage: test/isa/isa.py FVP DIRECTORY TEST... -- [PART OF A NAME]
"""

import subprocess
import sys

QEMU = ["qemu-system-riscv64", "-M", "virt", "-cpu", "rv64,svinval=on,svnapot=on", "-m", "64M",
        "-nographic", "-no-reboot", "-bios", "none", "-kernel"]


def run(name, machine, command):
    try:
        child = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, timeout=60, text=True, errors="replace")
        status, output = child.returncode, child.stdout
    except subprocess.TimeoutExpired as e:
        status, output = "time out", (e.stdout or b"").decode(errors="replace")
    good = status == 0 and "checks passed" in output
    print(f"{'PASS' if good else 'FAIL'} isa/rv64/{name} on {machine}", flush=True)
    if not good:
        print(f"    status {status}\n    " + "\n    ".join(output.splitlines()[-40:]))
    return good


def main():
    split = sys.argv.index("--")
    fvp, folder, *tests = sys.argv[1:split]
    part = sys.argv[split + 1] if len(sys.argv) > split + 1 else ""
    good = True
    for name in tests:
        if part not in name:
            continue
        elf = f"{folder}/{name}.elf"
        isa = ["--isa", name] if name.startswith("sv") else []
        good &= run(name, "fvp", [fvp, "run", "--arch", "riscv64", "--memory", "64M", "--firmware",
                                  elf, "--log", "error", "--no-reboot", "--restart", "never"] + isa)
        good &= run(name, "qemu", QEMU + [elf])
    sys.exit(not good)


if __name__ == "__main__":
    main()
