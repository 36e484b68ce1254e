#!/usr/bin/python3
"""Boot tests: machines from the table boots.toml, driven over their serial console.

usage: test/boot/boot.py [-v] [NAME | HOST | RUNNER ...]      e.g. boot.py linux hosted jit

A row says which hosts it runs on (san is the process under ASan and
UBSan; hostile is that of test/hostile, only where it is named), what it boots, a
dialogue of things to expect and to send, lines that must not appear, a time limit, and for a
process the exit status, whether each runner has to do it (runners), and how many MiB of memory
it may take at most (rss). bare_steps follow on bare metal; env and qemu are for boot/qemu.sh, env
for test/boot/bochs.py (host bochs: an x86_64 machine) too.
Time limits are generous: they end a hang, they never judge speed.
"""

import os
import re
import selectors
import signal
import subprocess
import sys
import time
import tomllib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.dirname(HERE))
from runners import RUNNERS, options, runners

PROCESS = {"hosted": "build/fvp", "san": "build/san/fvp", "hostile": "build/hostile/fvp"}
HOSTS = [*PROCESS, "x86_64", "aarch64", "bochs"]
TIME_FACTOR = float(os.environ.get("BOOT_TIME_FACTOR", "1"))
ALWAYS_FORBIDDEN = ["PANIC on cpu", "assertion failed", "AddressSanitizer", "runtime error:"]


class Lost(Exception):
    """The dialogue did not go as the table says."""


class Console:
    """A child process with its console; keeps everything it printed."""

    def __init__(self, command, env, forbidden, deadline):
        self.child = subprocess.Popen(command, env=os.environ | env, stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.text = ""
        self.seen = 0
        self.peak = 0                   # MiB of memory, known at the end
        self.deadline = deadline
        self.forbidden = [re.compile(f) for f in forbidden]
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.child.stdout, selectors.EVENT_READ)

    def read_more(self):
        """False at the end of the output."""
        left = self.deadline - time.monotonic()
        if left <= 0 or not self.selector.select(left):
            raise Lost("time is up")
        data = os.read(self.child.stdout.fileno(), 65536)
        self.text += data.decode(errors="replace")
        for f in self.forbidden:
            if m := f.search(self.text):
                raise Lost(f"forbidden: {self.line_of(m.start())!r}")
        return bool(data)

    def line_of(self, at):
        start = self.text.rfind("\n", 0, at) + 1
        return self.text[start:self.text.find("\n", at) if "\n" in self.text[at:] else None].strip()

    def expect(self, pattern):
        wanted = re.compile(pattern)
        while not (m := wanted.search(self.text, self.seen)):
            if not self.read_more():
                raise Lost(f"ended without {pattern!r}")
        self.seen = m.end()

    def send(self, text):
        """Typed, not pasted: a guest's UART has sixteen bytes and its shell echoes."""
        for ch in text:
            try:
                self.child.stdin.write(ch.encode())
                self.child.stdin.flush()
            except BrokenPipeError as e:
                raise Lost(f"ended before {text!r} could be sent") from e
            time.sleep(0.005)

    def finish(self):
        while self.read_more():
            pass
        while not (end := os.wait4(self.child.pid, os.WNOHANG))[0]:
            if time.monotonic() > self.deadline:
                raise Lost("time is up")
            time.sleep(0.01)
        self.child.returncode = os.waitstatus_to_exitcode(end[1])
        self.peak = end[2].ru_maxrss >> 10
        return self.child.returncode

    def kill(self):
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()


def command_for(row, host, runner):
    if host in PROCESS:
        return [PROCESS[host]] + row["args"] + (options(runner) if runner else [])
    out = f"build/boot/{row['name']}-{host}"
    os.makedirs(out, exist_ok=True)
    with open(f"{out}/fvp.toml", "w", encoding="utf-8") as f:
        f.write(row["config"])
    esp = f"{out}/esp.img"
    arch = "x86_64" if host == "bochs" else host
    subprocess.run(["boot/esp.sh", esp, f"build/fvp-{arch}.efi", f"{out}/fvp.toml"] +
                   row.get("files", []), check=True)
    if host == "bochs":
        return ["test/boot/bochs.py", esp]
    return ["boot/qemu.sh", host, esp] + row.get("qemu", {}).get(host, [])


def missing(row, host):
    """The first guest image that the row needs and that could not be had, or None."""
    paths = row.get("args", []) if host in PROCESS else [f.split("=", 1)[1]
                                                          for f in row.get("files", [])]
    return next((p for p in paths if p.startswith("build/guests/") and not os.path.exists(p)), None)


def judge(row, host, console, status):
    if host in PROCESS and status != row.get("status", 0):
        raise Lost(f"exit status {status}, not {row.get('status', 0)}")
    if host == "hosted" and console.peak > row.get("rss", console.peak):
        raise Lost(f"took {console.peak} MiB of memory, {row['rss']} are allowed")


def run_row(row, host, runner, verbose):
    title = f"{row['name']} on {host}" + (f"/{runner}" if runner else "")
    if path := missing(row, host):
        print(f"SKIP boot {title}: {path} could not be had", flush=True)
        return True
    limit = row.get("seconds", 120) * (1 if host == "hosted" else row.get("bare", 4)) * TIME_FACTOR
    limit *= 3 if runner == "direct" else 1     # maps pages by system calls
    console = Console(command_for(row, host, runner), row.get("env", {}),
                      ALWAYS_FORBIDDEN + row.get("forbid", []), time.monotonic() + limit)
    try:
        for step in row["steps"] + ([] if host in PROCESS else row.get("bare_steps", [])):
            if "expect" in step:
                console.expect(step["expect"])
            if "send" in step:
                console.send(step["send"])
            if "pause" in step:
                time.sleep(step["pause"])
        judge(row, host, console, console.finish())
    except Lost as lost:
        tail = "\n".join("    | " + l for l in console.text.splitlines()[-40:])
        print(f"FAIL boot {title}: {lost}\n{tail}", flush=True)
        return False
    finally:
        console.kill()
    if verbose:
        print(console.text)
    took = limit - (console.deadline - time.monotonic())
    print(f"PASS boot {title} ({took:.1f} s)", flush=True)
    return True


def runners_of(row, host):
    """None: the one that `auto` chooses."""
    if host not in PROCESS or not row.get("runners"):
        return [None]
    # A view of eight pages takes minutes: hostile views are for the ISA tests.
    left = ["direct"] if host == "hostile" else []
    return [r for r in runners(PROCESS[host]) if r in RUNNERS and r not in left]


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    args = [a for a in sys.argv[1:] if a != "-v"]
    with open(f"{HERE}/boots.toml", "rb") as f:
        rows = tomllib.load(f)["boot"]
    hosts = [a for a in args if a in HOSTS]
    picked = [a for a in args if a in RUNNERS]
    names = [a for a in args if a not in hosts + picked]
    good = True
    for row in rows:
        if names and row["name"] not in names:
            continue
        for host in row["hosts"]:
            if host not in hosts if hosts else host == "hostile":
                continue
            for runner in runners_of(row, host):
                if not picked or runner in picked:
                    good &= run_row(row, host, runner, "-v" in sys.argv)
    return 0 if good else 1


sys.exit(main())
