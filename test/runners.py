# The runners that a built process can use for a RISC-V guest; for isa.py and boot.py.
import json
import subprocess

RUNNERS = ["interp", "jit", "hybrid"]


def runners(fvp):
    child = subprocess.run([fvp, "doctor", "--json"], stdout=subprocess.PIPE, check=True)
    return [r["runner"] for r in json.loads(child.stdout)["runners"]
            if r["guest"] == "riscv64" and r["usable"] == "yes"]
