#!/usr/bin/python3
"""Boot an ESP image in Bochs, whose CPUs have VT-x and SVM as no QEMU without KVM has; the
machine's serial port on stdio.

usage: MODEL=corei7_skylake_x [CPUS=1] [IPS=4000000] test/boot/bochs.py ESP.img

IPS is how many instructions make a second of the machine's: firmware waits in seconds, so few of
them make it start sooner; a guest with a timer needs some. Bochs's exit status says nothing.
"""

import ctypes
import os
import pty
import select
import signal
import subprocess
import sys
import tty

FIRMWARE = ["/usr/share/OVMF/OVMF_VARS.fd", "/usr/share/OVMF/OVMF_CODE.fd"]
PR_SET_PDEATHSIG = 1
CONFIG = """\
cpu: model={model}, count={cpus}, ips={ips}, reset_on_triple_fault=0
clock: sync=none, time0=1700000000
megs: 512
romimage: file=OVMF.fd
pci: enabled=1, chipset=i440fx
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=disk, path={disk}, mode=volatile
ata1: enabled=0
boot: disk
display_library: rfb, options="timeout=0"
plugin_ctrl: unmapped=1, iodebug=1, speaker=0, gameport=0
com1: enabled=1, mode=term, dev={terminal}
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
"""


def prepare(esp, terminal):
    """A folder with all that Bochs wants to have."""
    folder = os.path.abspath(esp + ".bochs")
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/OVMF.fd", "wb") as out:
        for part in FIRMWARE:
            with open(part, "rb") as f:
                out.write(f.read())
    with open(f"{folder}/bochsrc", "w", encoding="ascii") as f:
        f.write(CONFIG.format(model=os.environ["MODEL"], cpus=os.environ.get("CPUS", "1"),
                              ips=os.environ.get("IPS", "4000000"),
                              disk=os.path.abspath(esp), terminal=terminal))
    with open(f"{folder}/debugger", "w", encoding="ascii") as f:
        f.write("c\n")
    if os.path.exists(esp + ".lock"):
        os.remove(esp + ".lock")
    return folder


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def copy(master, child):
    """Between stdio and the serial port, until the machine is off."""
    inputs = [master, 0]
    while True:
        ready = select.select(inputs, [], [], 0.2)[0]
        if 0 in ready:
            data = os.read(0, 4096)
            if data:
                os.write(master, data)
            else:
                inputs.remove(0)
        if master in ready:
            os.write(1, os.read(master, 4096))
        elif child.poll() is not None:
            return


def main():
    if len(sys.argv) != 2 or "MODEL" not in os.environ:
        sys.exit(__doc__)
    master, slave = pty.openpty()
    tty.setraw(slave)
    folder = prepare(sys.argv[1], os.ttyname(slave))
    with open(f"{folder}/log", "wb") as log:
        child = subprocess.Popen(["bochs", "-q", "-f", "bochsrc", "-rc", "debugger"],
                                 cwd=folder, stdin=subprocess.DEVNULL, stdout=log,
                                 stderr=log, preexec_fn=die_with_parent)
        copy(master, child)


main()
