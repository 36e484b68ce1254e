"""The columns: what boots a guest (FVP, QEMU) or runs its programs itself (native), as commands."""

import subprocess

KERNEL = "build/guests/riscv64/Image"
INITRD = "build/bench/initrd.gz"
LOOP = "build/bench/intloop.elf"
NATIVE = "build/bench/native"
GUEST_MIB = 512                           # a size that no other mapping has
NOT_HERE = (64, 65, 69)                   # FVP: usage, configuration, the host lacks a feature


def append(words):
    return "console=ttyS0 quiet panic=-1" + (" bench.run=" + ",".join(words) if words else "")


class Fvp:
    """FVP with some options, measured @runs times at most."""

    def __init__(self, name, *options, runs=None):
        self.name, self.options, self.runs = name, options, runs
        self.title = f"FVP {name}"

    def start(self, memory, *args):
        return ["build/fvp", "run", "--arch", "riscv64", "--memory", memory, "--log", "error",
                "--no-reboot", *args, *self.options]

    def boot(self, cpus, words):
        """The command that boots Linux and runs programs."""
        return self.start(f"{GUEST_MIB}M", "--cpus", str(cpus), "--kernel", KERNEL,
                          "--initrd", INITRD, "--cmdline", append(words))

    def loop(self):
        """The command that runs the bare-metal loop."""
        return self.start("16M", "--firmware", LOOP)

    def missing(self):
        """Why this build does not have it, or None. What hangs or crashes is there."""
        try:
            child = subprocess.run(self.start("16M", "--firmware", LOOP, "--budget", "1000"),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True, check=False, timeout=60)
        except subprocess.TimeoutExpired:
            return None
        return child.stderr.strip().split(": ")[-1] if child.returncode in NOT_HERE else None


class Qemu:
    """Debian's qemu-system-riscv64."""

    name, title, runs = "qemu", "QEMU", None

    def start(self, *args):
        return ["qemu-system-riscv64", "-M", "virt", "-nographic", "-monitor", "none",
                "-no-reboot", *args]

    def boot(self, cpus, words):
        return self.start("-m", str(GUEST_MIB), "-smp", str(cpus), "-kernel", KERNEL,
                          "-initrd", INITRD, "-append", append(words))

    def loop(self):
        return self.start("-m", "16", "-bios", LOOP)

    def missing(self):
        return None


class Native:
    """The same programs compiled for this machine: nothing boots."""

    name, title, runs = "native", "native", None

    def boot(self, cpus, words):
        return [NATIVE, *words]

    def loop(self):
        return None

    def missing(self):
        return None


MACHINES = [
    Fvp("jit", "--runner", "jit"),
    Fvp("direct", "--runner", "hybrid", "--memory-mode", "direct"),
    Fvp("hybrid", "--runner", "hybrid"),
    Fvp("interp", "--runner", "interp", runs=1),
    Qemu(),
    Native(),
]


def programs():
    """What there is to run: {name: group}, in order."""
    child = subprocess.run([NATIVE, "list"], stdout=subprocess.PIPE, text=True, check=True)
    return {name: group for group, name in map(str.split, child.stdout.splitlines())}
