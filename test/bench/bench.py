#!/usr/bin/python3
"""Figures of FVP beside QEMU's, taken in one run: reported, never asserted.

usage: test/bench/bench.py [RUNS]

CPU time (user + system) of the process under test; medians of RUNS (default 3). Prints a
table and leaves it in build/bench/figures.md.
"""

import os
import resource
import statistics
import subprocess
import sys
import time

RUNS = int(sys.argv[1]) if len(sys.argv) > 1 else 3
GUEST = "build/guests/riscv64"
READY = b"FVP guest ready"
LOOP_INSTRUCTIONS = 20_000_000 * 19.5


def run_until(command, text):
    """(CPU s, wall s, resident KiB beside guest RAM) until @text is printed, or the end."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT)
    seen, wall, beside = b"", None, 0
    while data := os.read(child.stdout.fileno(), 65536):
        seen = seen[-100:] + data
        if text and text in seen:
            wall = time.monotonic() - start
            beside = resident_beside_ram(child.pid)
            child.kill()
            text = None
    child.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if text:
        sys.exit(f"bench: {' '.join(command)}: ended without {text!r}:\n{seen!r}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, wall or time.monotonic() - start, beside


def resident_beside_ram(pid):
    """KiB of resident anonymous memory without the largest mapping, which is the guest's RAM."""
    sizes = []
    with open(f"/proc/{pid}/smaps", encoding="ascii") as f:
        for line in f:
            if line.startswith("Size:"):
                sizes.append([int(line.split()[1]), 0])
            elif line.startswith("Anonymous:"):
                sizes[-1][1] = int(line.split()[1])
    sizes.sort(reverse=True)
    return sum(anon for _, anon in sizes[1:])


def median(values):
    return statistics.median(values)


def fvp(*args):
    return ["build/fvp", "run", "--arch", "riscv64"] + list(args)


def measure(command, text=None):
    got = [run_until(command, text) for _ in range(RUNS)]
    return [median([g[i] for g in got]) for i in range(3)]


def main():
    boot = ["-append", "console=ttyS0"]
    guest = ["--memory", "256M", "--kernel", f"{GUEST}/Image", "--initrd", f"{GUEST}/initrd.gz",
             "--cmdline", "console=ttyS0"]
    qemu = ["qemu-system-riscv64", "-M", "virt", "-m", "256", "-nographic", "-monitor", "none"]
    loop_f = measure(fvp("--memory", "16M", "--runner", "interp",
                         "--firmware", "build/bench/intloop.elf"))
    loop_q = measure(qemu + ["-bios", "build/bench/intloop.elf"])
    boot_f = measure(fvp("--runner", "interp", *guest), READY)
    smp_f = measure(fvp("--runner", "interp", "--cpus", "4", *guest), READY)
    boot_q = measure(qemu + ["-kernel", f"{GUEST}/Image", "-initrd", f"{GUEST}/initrd.gz"] + boot,
                     READY)
    rows = [
        ("integer loop, million guest instructions/s",
         f"{LOOP_INSTRUCTIONS / loop_f[0] / 1e6:.0f}",
         f"{LOOP_INSTRUCTIONS / loop_q[0] / 1e6:.0f}", ">= 100"),
        ("Linux to init, CPU s", f"{boot_f[0]:.2f}", f"{boot_q[0]:.2f}", ""),
        ("Linux to init, wall s", f"{boot_f[1]:.2f}", f"{boot_q[1]:.2f}",
         f"{boot_f[1] / boot_q[1]:.1f}x, <= 8x"),
        ("memory beside guest RAM, MiB", f"{boot_f[2] / 1024:.1f}", f"{boot_q[2] / 1024:.1f}",
         "<= 16"),
    ]
    rows.append(("the same, 4 guest CPUs", f"{smp_f[2] / 1024:.1f}", "", "<= 16"))
    for host in ("x86_64", "aarch64"):
        path = f"build/fvp-{host}.efi"
        if os.path.exists(path):
            size = os.path.getsize(path) / 1024
            rows.append((f"image {host}, KiB", f"{size:.0f}", "", "<= 1024"))
    table = "| figure | FVP (interpreter) | QEMU | goal |\n|---|---|---|---|\n"
    table += "".join("| " + " | ".join(r) + " |\n" for r in rows)
    print(table, end="")
    os.makedirs("build/bench", exist_ok=True)
    with open("build/bench/figures.md", "w", encoding="utf-8") as f:
        f.write(table)


main()
