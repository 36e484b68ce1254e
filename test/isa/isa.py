#!/usr/bin/python3
"""Run the bare-metal ISA tests under each runner of FVP and on QEMU: a PASS or FAIL line each.

usage: test/isa/isa.py FVP DIRECTORY TEST... -- [PART OF A NAME | RUNNER | qemu ...]

A runner is one that `fvp doctor` calls usable for riscv64. A program whose name says smp gets
four CPUs, one with sv in front that feature.
"""

import os
import subprocess
import sys
import threading
import time

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from runners import options, runners

QEMU = ["qemu-system-riscv64", "-M", "virt", "-cpu", "rv64,svinval=on,svnapot=on", "-m", "64M",
        "-nographic", "-no-reboot", "-bios", "none"]
MEMORY = 400                            # MiB that FVP may take: 64 of RAM, code of four CPUs
SECONDS = 60 * float(os.environ.get("ISA_TIME_FACTOR", "1"))
SLOW = {"audit": 5, "direct": 3}    # a process maps pages by system calls
AUDITED = {"bits", "fp", "int", "mem", "vm"}    # unless audit is asked for


def watch(command, seconds):
    """Exit status or what went wrong, output, and memory at its peak in MiB."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as child:
        late = threading.Timer(seconds, child.kill)
        late.start()
        output = child.stdout.read().decode(errors="replace")
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        timed_out = not late.is_alive()
        late.cancel()
    return "time out" if timed_out else child.returncode, output, usage.ru_maxrss >> 10


def run(name, machine, command):
    start = time.monotonic()
    status, output, peak = watch(command, SECONDS * SLOW.get(machine, 1))
    if machine != "qemu" and peak > MEMORY and status == 0:
        status = f"took {peak} MiB, {MEMORY} are allowed"
    good = status == 0 and "checks passed" in output
    print(f"{'PASS' if good else 'FAIL'} isa/rv64/{name} on {machine} "
          f"({time.monotonic() - start:.1f} s)", flush=True)
    if not good:
        print(f"    status {status}\n    " + "\n    ".join(output.splitlines()[-40:]))
    return good


def main():
    split = sys.argv.index("--")
    fvp, folder, *tests = sys.argv[1:split]
    machines = runners(fvp) + ["qemu"]
    picked = [m for m in machines if m in sys.argv[split + 1:]] or machines
    parts = [p for p in sys.argv[split + 1:] if p not in machines]
    good = True
    for name in tests:
        if parts and not any(p in name for p in parts):
            continue
        elf = f"{folder}/{name}.elf"
        cpus = "4" if "smp" in name else "1"
        isa = ["--isa", name] if name.startswith("sv") else []
        for machine in picked:
            if machine == "audit" and machine not in sys.argv and name not in AUDITED:
                continue
            command = [fvp, "run", "--arch", "riscv64", "--memory", "64M", "--cpus", cpus,
                       "--firmware", elf, "--log", "error", "--no-reboot",
                       "--restart", "never"] + options(machine) + isa
            if machine == "qemu":
                command = QEMU + ["-smp", cpus, "-kernel", elf]
            good &= run(name, machine, command)
    sys.exit(not good)


if __name__ == "__main__":
    main()
