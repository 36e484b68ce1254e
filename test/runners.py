# The ways a built process can execute a RISC-V guest: its runners, and "direct", which is hybrid
# with all of guest memory in views. For everything that runs a guest in each of them.
import json
import subprocess

RUNNERS = ["interp", "jit", "hybrid", "direct"]


def options(runner):
    if runner == "direct":
        return ["--runner", "hybrid", "--memory-mode", "direct-all"]
    return ["--runner", runner]


def runners(fvp):
    child = subprocess.run([fvp, "doctor", "--json"], stdout=subprocess.PIPE, check=True)
    usable = [r["runner"] for r in json.loads(child.stdout)["runners"]
              if r["guest"] == "riscv64" and r["usable"] == "yes"]
    return usable + ["direct"] * ("hybrid" in usable)
