"""One run of a process under test. Whenever a marker arrives on its console (see guest/bench.c),
its CPU time (user + system of all its threads) and the wall time are taken."""

import ctypes
import os
import re
import select
import subprocess
import sys
import time

from machines import GUEST_MIB

LINE = re.compile(rb"(?:BEGIN (?P<begin>\w+)|END (?P<end>\w+) (?P<sum>[0-9a-f]{16})|"
                  rb"(?P<ready>FVP guest ready)|(?P<bad>bench: .*?|.*Kernel panic.*?))\r?\n")
CPUCLOCK_SCHED = 2                        # <linux/posix-timers.h>: user + system, in nanoseconds


class Failed(Exception):
    """A run that did not end as it should."""


class Figure:
    """Seconds of one program in one run, and what it computed."""

    def __init__(self, cpu, wall, checksum=None):
        self.cpu, self.wall, self.checksum = cpu, wall, checksum


def cpu_seconds(pid):
    """CPU time of a running process; of children only what it has not waited for: nothing."""
    return time.clock_gettime(ctypes.c_int32(~pid << 3 | CPUCLOCK_SCHED).value)


def resident_beside_ram(pid):
    """KiB of resident memory that is no file's, without the guest's RAM: mappings of just its
    size. What is mapped twice (a memfd) counts once, as Pss."""
    beside = size = 0
    key = None
    with open(f"/proc/{pid}/smaps", encoding="ascii", errors="replace") as f:
        for line in f:
            word = line.split()
            if not word[0].endswith(":"):
                key = "Pss:" if word[5:] and word[5].startswith("/memfd:") else "Anonymous:"
            elif word[0] == "Size:":
                size = int(word[1])
            elif word[0] == key and size != GUEST_MIB * 1024:
                beside += int(word[1])
    return beside


class Boot:
    """A boot that runs programs. What is known when it fails remains; .error says why it did."""

    def __init__(self, command, limit, verbose=False):
        self.command, self.limit, self.verbose = command, limit, verbose
        self.programs = {}                # Figure by name
        self.startup = None               # Figure: to the line that init prints first
        self.memory = None                # KiB beside guest RAM, at that line
        self.error = None
        self.begun = None                 # (name, CPU, wall)
        self.text = b""
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT) as self.child:
            self.start = self.heard = time.monotonic()
            try:
                self.follow()
            except Failed as e:
                self.error = f"{' '.join(command)}: {e}"
            finally:
                self.child.kill()

    def follow(self):
        while True:
            left = self.heard + self.limit - time.monotonic()
            if left <= 0 or not select.select([self.child.stdout], [], [], left)[0]:
                raise Failed(f"no marker for {self.limit} s" +
                             (f" after BEGIN {self.begun[0]}" if self.begun else ""))
            data = os.read(self.child.stdout.fileno(), 65536)
            if not data:
                break
            self.take(data)
        try:
            status = self.child.wait(self.limit)
        except subprocess.TimeoutExpired as e:
            raise Failed("does not end") from e
        if self.begun:
            raise Failed(f"BEGIN {self.begun[0]} without its END, status {status}")
        if status:
            raise Failed(f"status {status}: {self.text.decode(errors='replace')[-300:]}")

    def take(self, data):
        now, end = time.monotonic(), 0
        self.text += data
        for m in LINE.finditer(self.text):
            if m["bad"]:
                raise Failed(m["bad"].decode())
            self.mark(m, cpu_seconds(self.child.pid), now)
            self.heard = now
            end = m.end()
        self.text = self.text[end:]

    def mark(self, m, cpu, wall):
        if m["ready"]:
            self.startup = Figure(cpu, wall - self.start)
            self.memory = resident_beside_ram(self.child.pid)
        elif m["begin"]:
            self.begun = m["begin"].decode(), cpu, wall
        elif not self.begun or self.begun[0] != m["end"].decode():
            raise Failed(f"END {m['end'].decode()} without its BEGIN")
        else:
            figure = Figure(cpu - self.begun[1], wall - self.begun[2], m["sum"].decode())
            self.programs[self.begun[0]] = figure
            if self.verbose:
                print(f"    {self.begun[0]} {figure.cpu:.3f} s", file=sys.stderr)
            self.begun = None

    def check(self, words):
        """Fails if the boot did, or if a program of @words (NAME[:TIMES]) is missing."""
        if self.error:
            raise Failed(self.error)
        if missing := {w.split(":")[0] for w in words} - set(self.programs):
            raise Failed(f"{' '.join(self.command)}: ended without {' '.join(missing)}")


def process(command, limit):
    """Run a command to its end: (Figure with its children's CPU time, output)."""
    start = time.monotonic()
    with subprocess.Popen(["timeout", str(limit), *command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:
        output = child.stdout.read().decode(errors="replace")
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise Failed(f"{' '.join(command)}: status {child.returncode}: {output[-300:]}")
    return Figure(used.ru_utime + used.ru_stime, time.monotonic() - start), output
