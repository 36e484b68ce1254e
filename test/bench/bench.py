#!/usr/bin/python3
"""Figures of FVP beside QEMU's, taken in one run: reported, never asserted.

Boots the same guest on each machine in turn (A B A B ...), where it runs the programs one after
another; takes the CPU time (user + system) of the process under test around each. Prints tables
of medians and leaves them in build/bench: figures.md, figures.json, plot.svg. A program that
does not end, or computes something else than elsewhere, is an error: exit status 1.
"""

import argparse
import os
import shlex
import subprocess
import sys

import exits
from machines import MACHINES, programs
from plot import plot
from results import Results
from run import Boot, Failed, process

OUT = "build/bench"
LOOP_INSTRUCTIONS = 20_000_000 * 19.5
SCALING_CPUS = 4
# What is measured besides programs; a name for T like theirs.
EXTRAS = {
    "startup": "Linux to the line that init prints first",
    "memory": "resident beside guest RAM, with 1 and 4 CPUs",
    "loop": "intloop.S on bare metal",
    "images": "sizes of the two images",
    "exits": "instructions of an exit on SVM and on EL2",
}
FIGURES = [
    ("startup", "wall", "Linux to init, wall s", "{:.2f}", float),
    ("loop", "cpu", "integer loop, million guest instructions/s", "{:.0f}",
     lambda s: LOOP_INSTRUCTIONS / s / 1e6),
    ("memory", "other", "memory beside guest RAM, MiB", "{:.1f}", lambda k: k / 1024),
    ("memory4", "other", f"the same, {SCALING_CPUS} guest CPUs", "{:.1f}", lambda k: k / 1024),
    ("scaling", "other", f"4 workers on {SCALING_CPUS} guest CPUs, times the work of one",
     "{:.2f}", float),
]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("what", nargs="*", help="programs, groups, or: " + ", ".join(EXTRAS))
    parser.add_argument("--runs", type=int, default=5, help="boots of each machine (5)")
    parser.add_argument("--machines", help="of " + ",".join(m.name for m in MACHINES))
    parser.add_argument("--limit", type=int, default=180, help="seconds for one program (180)")
    parser.add_argument("--times", type=int, default=1, help="repeat each program in a boot")
    parser.add_argument("--show", action="store_true", help="print the commands, run nothing")
    parser.add_argument("-v", "--verbose", action="store_true", help="print figures at once")
    return parser.parse_args()


def pick(what, known):
    """The programs and extras that @what names; all of them if it is empty."""
    names = set(EXTRAS) | set(known) | set(known.values())
    for word in what:
        if word not in names:
            sys.exit(f"bench: no program or group {word}; there are: {' '.join(sorted(names))}")
    chosen = [n for n, group in known.items() if not what or n in what or group in what]
    return chosen, [e for e in EXTRAS if not what or e in what]


def about(runs):
    """What the figures were taken on, in a line."""
    version = subprocess.run(["qemu-system-riscv64", "--version"], capture_output=True, text=True,
                             check=True).stdout.split()[3]
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        names = [l.split(":", 1)[1].strip() for l in f if l.startswith("model name")]
    return (f"{os.cpu_count()} CPUs {names[0] if names else os.uname().machine}, QEMU {version}, "
            f"medians of {runs}")


def available(names):
    """The machines to measure; says what is left out, and why."""
    chosen = []
    for machine in MACHINES:
        if names and machine.name not in names.split(","):
            continue
        if why := machine.missing():
            print(f"bench: {machine.title} is left out: {why}", flush=True)
        else:
            chosen.append(machine)
    if not chosen:
        sys.exit("bench: no machine to measure")
    return chosen


class Bench:
    def __init__(self, args):
        self.args = args
        self.known = programs()
        self.chosen, self.extras = pick(args.what, self.known)
        self.machines = available(args.machines)
        self.results = Results({m.name: m.title for m in self.machines}, self.known,
                               about(args.runs), min(4, os.cpu_count()))

    def words(self, scaling):
        times = f":{self.args.times}" if self.args.times > 1 else ""
        return [n + times for n in self.chosen if (self.known[n] == "scaling") == scaling]

    def commands(self):
        """Every (machine, what, command) of one round."""
        for machine in self.machines:
            boots = machine.name != "native"
            if self.words(False) or boots and {"startup", "memory"} & set(self.extras):
                yield machine, "programs", machine.boot(1, self.words(False))
            if self.words(True) or boots and "memory" in self.extras:
                yield machine, "scaling", machine.boot(SCALING_CPUS, self.words(True))
            if "loop" in self.extras and boots:
                yield machine, "loop", machine.loop()

    def measure(self):
        failed = set()
        for number in range(self.args.runs):
            for machine, what, command in self.commands():
                enough = machine.runs is not None and number >= machine.runs
                if enough or (machine.name, what) in failed:
                    continue
                print(f"bench: run {number + 1} of {self.args.runs}: {machine.title}, {what}",
                      file=sys.stderr, flush=True)
                try:
                    getattr(self, f"take_{what}")(machine, command)
                except Failed as e:
                    failed.add((machine.name, what))
                    self.results.error(machine.title, e)

    def boot(self, machine, command):
        boot = Boot(command, self.args.limit, self.args.verbose)
        for name, figure in boot.programs.items():
            self.results.add(name, machine.name, figure)
        return boot

    def take_programs(self, machine, command):
        if machine.name == "native":
            return self.take_native(machine)
        boot = self.boot(machine, command)
        if boot.startup and "startup" in self.extras:
            self.results.add("startup", machine.name, boot.startup)
        if boot.memory and "memory" in self.extras:
            self.results.note("memory", machine.name, boot.memory)
        return boot.check(self.words(False))

    def take_native(self, machine):
        """A process each: a process's clock does not count its children, its end does."""
        for word in self.words(False):
            figure, output = process(machine.boot(1, [word]), self.args.limit)
            name, figure.checksum = output.split()[-2:]
            self.results.add(name, machine.name, figure)

    def take_scaling(self, machine, command):
        boot = self.boot(machine, command)
        if boot.memory and "memory" in self.extras:
            self.results.note("memory4", machine.name, boot.memory)
        boot.check(self.words(True))
        if {"workers1", "workers4"} <= set(boot.programs):
            one, four = (boot.programs[n].wall for n in ("workers1", "workers4"))
            self.results.note("scaling", machine.name, 4 * one / four)

    def take_loop(self, machine, command):
        self.results.add("loop", machine.name, process(command, self.args.limit)[0])

    def report(self):
        r = self.results
        text = "\n".join(filter(None, [r.about + "\n", r.program_table(), r.figure_table(FIGURES),
                                       images() if "images" in self.extras else ""]))
        if "exits" in self.extras:
            costs, errors = exits.table()
            r.errors += errors
            text += "\n" + costs
        if r.other.keys() & {("scaling", m) for m in r.machines}:
            text += f"\nIdeal for 4 workers on this machine: {r.ideal}.\n"
        print("\n" + text, end="")
        with open(f"{OUT}/figures.md", "w", encoding="utf-8") as f:
            f.write(text)
        good = r.judge()
        r.save(f"{OUT}/figures.json")
        if plot(r, f"{OUT}/plot.svg"):
            print(f"bench: {OUT}/figures.md, {OUT}/figures.json, {OUT}/plot.svg")
        for line in r.errors:
            print(f"bench: {line}", file=sys.stderr)
        return good


def images():
    text = "| image | KiB |\n|---|---|\n"
    for host in ("x86_64", "aarch64"):
        if os.path.exists(path := f"build/fvp-{host}.efi"):
            text += f"| {host} | {os.path.getsize(path) / 1024:.0f} |\n"
    return text


def main():
    args = arguments()
    bench = Bench(args)
    if args.show:
        for _, _, command in bench.commands():
            print(shlex.join(command))
        return
    bench.measure()
    sys.exit(not bench.report())


main()
