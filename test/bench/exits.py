"""What exits cost, in instructions that FVP executes: payloads that do each kind a thousand times
(exits/*.S) in a QEMU whose clock counts instructions, 128 ns each. Beside it what Linux's KVM takes
on the same emulated CPU, to its user space where a device model is there (measured once, with
Debian's 6.1 on x86-64 and 6.12 on AArch64)."""

import os
import re
import subprocess

OUT = "build/bench"
TIMES = 1000
NS = 128
LINE = re.compile(r"exit (\w+) (\d+)")
# host: environment, ns of a tick, {kind: (what it is, KVM)}
HOSTS = {
    "x86_64": ({"CPU": "EPYC,+svm,-monitor"}, 1, {
        "cpuid": ("CPUID", 2913), "rdmsr": ("RDMSR", 2810), "out": ("OUT to a UART", 3291),
        "in": ("IN from a UART", None), "store": ("store to an I/O APIC", 5530),
        "load": ("load from an I/O APIC", None)}),
    "aarch64": ({}, 16, {
        "hvc": ("HVC: PSCI_VERSION", 4740), "idreg": ("MRS of an ID register", 4390),
        "store": ("store to a UART", 12638), "load": ("load from a UART", None)}),
}
CONFIG = """exit = "last-vm"
[vm.exits]
arch = "{}"
memory = "64M"
kernel = "exits"
"""


def run(host):
    """{kind: ticks of a thousand}."""
    config = f"{OUT}/exits-{host}.toml"
    with open(config, "w", encoding="utf-8") as f:
        f.write(CONFIG.format(host))
    esp = f"{OUT}/exits-{host}.img"
    subprocess.run(["boot/esp.sh", esp, f"build/fvp-{host}.efi", config,
                    f"exits={OUT}/exits-{host}.bin"], check=True)
    env = dict(os.environ, CPUS="1", THREADS="single", **HOSTS[host][0])
    done = subprocess.run(["boot/qemu.sh", host, esp, "-icount", "shift=7,sleep=off"], env=env,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300,
                          errors="replace", check=False)
    return {m[1]: int(m[2]) for m in LINE.finditer(done.stdout)}


def table():
    """As text, and what went wrong."""
    lines, errors = ["| exit | FVP, instructions | KVM |", "|---|---|---|"], []
    for host, (_, tick, kinds) in HOSTS.items():
        try:
            ticks = run(host)
        except (OSError, subprocess.SubprocessError) as e:
            errors.append(f"exits on {host}: {e}")
            continue
        loop = ticks.get("nothing", 0)
        for kind, (what, kvm) in kinds.items():
            if kind not in ticks:
                errors.append(f"exits on {host}: no figure for {kind}")
                continue
            cost = (ticks[kind] - loop) * tick / NS / TIMES
            lines.append(f"| {host}: {what} | {cost:.0f} | {kvm or ''} |")
    return "\n".join(lines) + "\n", errors
