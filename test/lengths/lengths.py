#!/usr/bin/python3
"""lengths.py TOOL [ELF...]: x86_decode()'s lengths against those that disassemblers list.

TOOL is x86_lengths. First the code of every program given, as objdump lists it. Then made-up
instructions, prefixes, opcode and random bytes, for each mode, as objdump and llvm-objdump read
them: each begins at a multiple of 32 with NOPs behind, where the listing finds its feet again.

A disassembler may overlook what makes an encoding undefined (prefixes, mostly), does not know
other CPUs' instructions, and prints prefixes that it cannot place on a line of their own. So of
what is made up only that counts on which both agree.
"""
import os
import random
import re
import subprocess
import sys
import tempfile

COUNT = int(os.environ.get("LENGTHS_COUNT", 40000))
STRIDE = 32
ENDS = {" 0"} | {f"{n:02x}" for n in range(0, 256, STRIDE)}     # of such addresses
PREFIXES = bytes.fromhex("66 67 f2 f3 26 2e 36 3e 64 65")
FWAIT = 0x9b
MODES = {   # bits: objdump's machine, LLVM's triple
    16: ("i8086", "i386-unknown-unknown-code16"),
    32: ("i386", "i386"),
    64: ("i386:x86-64", "x86_64"),
}
LINE = re.compile(r"\s*([0-9a-f]+):\s((?:[0-9a-f]{2} )*[0-9a-f]{2}) *\t(.*)")
ALONE = re.compile(r"((rex\S*|rep\S*|data16|data32|addr16|addr32|lock|xacquire|xrelease|"
                   r"[c-gs]s)\s*)+$")
# not an instruction; what neither knows: where LOCK is illegal, that VEX wants no prefixes, that
# CS cannot be loaded, F3 0F D7; VIA's own
NOT_ONE = re.compile(r"\(bad\)|<unknown>|\.byte|^rex|\block\b|^(data16|rep\S*)\s+v|"
                     r",\s*%cs(\s|$)|%\?|^rep.*pmovmskb|"
                     r"\bx(crypt|sha|store)|montmul")


def listing(command, stride=1):
    """(address, bytes, text) of the instructions that a disassembler finds whole, at multiples."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace") as child:
        for line in child.stdout:
            if stride > 1 and line.partition(":")[0][-2:] not in ENDS:
                continue
            m = LINE.match(line)
            code = bytes.fromhex(m[2]) if m else b""
            if len(code) > 1 and code[0] == FWAIT:      # which is one by itself
                continue
            if m and not NOT_ONE.search(m[3]) and not ALONE.match(m[3]):
                yield int(m[1], 16), code, m[3]


def lengths(tool, bits, codes):
    text = "".join(f"{bits} {c.hex()}\n" for c in codes)
    child = subprocess.run([tool], input=text, stdout=subprocess.PIPE, text=True, check=True)
    return [int(n) for n in child.stdout.split()]


def judge(name, tool, bits, rows):
    """rows: (bytes to decode, length expected, text)"""
    wrong = 0
    for (code, want, text), got in zip(rows, lengths(tool, bits, [r[0] for r in rows])):
        if got != want:
            wrong += 1
            if wrong <= 20:
                print(f"  {code.hex()}: {got}, expected {want}: {text}")
    ok = not wrong and len(rows) > 1000
    verdict = "PASS" if ok else "FAIL"
    print(f"{verdict} {name}: {len(rows)} instructions, {wrong} differ", flush=True)
    return ok


def program(tool, elf):
    rows = [(code, len(code), text)
            for _, code, text in listing(["objdump", "-d", "--insn-width=16", elf])]
    return judge(os.path.basename(elf), tool, 64, rows)


def invent(rnd, bits):
    code = bytes(rnd.choice(PREFIXES) for _ in range(rnd.choice((0, 0, 0, 1, 1, 2))))
    kind = rnd.randrange(8)
    if kind >= 6:
        vex = rnd.choice((b"\xc5", b"\xc4", b"\x62", b"\x8f"))
        field = rnd.randrange(256) if bits == 64 else rnd.randrange(192, 256)
        if vex != b"\xc5":      # a map that exists
            field = field & 0xf0 | rnd.choice((8, 9, 10) if vex == b"\x8f" else (1, 2, 3))
        return vex + bytes([field]) + rnd.randbytes(14)
    if bits == 64 and rnd.randrange(2):
        code += bytes([rnd.randrange(0x40, 0x50)])
    return code + (b"", b"", b"\x0f", b"\x0f", b"\x0f\x38", b"\x0f\x3a")[kind] + rnd.randbytes(15)


def disassemblers(folder, blob, bits):
    """Their commands for that file."""
    machine, triple = MODES[bits]
    yield ["objdump", "-D", "-b", "binary", "-m", machine, "--insn-width=16", blob]
    source, obj = os.path.join(folder, "code.s"), os.path.join(folder, "code.o")
    with open(source, "w", encoding="ascii") as f:
        f.write(f'.incbin "{blob}"\n')
    subprocess.run(["llvm-mc", f"--triple={triple}", "--filetype=obj", source, "-o", obj],
                   check=True)
    yield ["llvm-objdump", "-d", f"--triple={triple}", obj]


def invented(tool, bits):
    rnd = random.Random(bits)
    codes = [invent(rnd, bits)[:15] for _ in range(COUNT)]
    with tempfile.TemporaryDirectory() as folder:
        blob = os.path.join(folder, "code.bin")
        with open(blob, "wb") as f:
            f.write(b"".join(c.ljust(STRIDE, b"\x90") for c in codes))
        one, two = ({at // STRIDE: (len(code), text) for at, code, text in listing(c, STRIDE)}
                    for c in disassemblers(folder, blob, bits))
    rows = [(codes[n].ljust(15, b"\x90"), *found) for n, found in one.items()
            if n in two and two[n][0] == found[0]]
    return judge(f"{bits}-bit code, made up", tool, bits, rows)


def main():
    tool, *elfs = sys.argv[1:]
    if "x86-64" not in subprocess.run(["objdump", "-i"], stdout=subprocess.PIPE, text=True).stdout:
        print("SKIP lengths: objdump does not know x86-64")
        return 0
    results = [program(tool, elf) for elf in elfs]
    results += [invented(tool, bits) for bits in MODES]
    return not all(results)


if __name__ == "__main__":
    sys.exit(main())
