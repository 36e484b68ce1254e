#!/usr/bin/python3
"""check.py [FILE...]: what the compiler does not see; prints file:line: message and a summary.

Layers, headers that compile alone, sizes, format, opening comments, names, words. The rules are
the tables below and docs/layers.md and docs/style.md in words. Only product code has a budget for
#if; tests obey all the rest. Compilers come from the Makefile in CHECK_CC_<flavour>.
"""
import concurrent.futures
import os
import re
import shlex
import subprocess
import sys

# ---- layers: a folder may include from itself and from what stands here; * = with all below ----
BASE = "kernel/base arch host"
ENGINE = "engine engine/ir engine/fp mmu " + BASE
LAYERS = {
    "kernel/base": BASE,
    "arch": "kernel/base",                          # the contract of a host
    "mmu": BASE,
    "mmu/tuning": "mmu " + BASE,
    # cached blocks carry what the back ends made of them
    "engine": ENGINE + " engine/back/interp engine/back/jit",
    "engine/fp": "kernel/base",
    "engine/tuning": ENGINE,
    "engine/ir": ENGINE,
    "engine/front*": ENGINE + " gen",
    "engine/back*": ENGINE + " engine/back/jit",
    "engine/back/jit": ENGINE + " engine/back/interp",
    "engine/tool*": ENGINE + " engine/front*",
    "drivers/port": BASE,
    "drivers/host*": "drivers/port boot " + BASE,
    "drivers/model*": "drivers/port drivers/model* mmu " + BASE,
    "kernel": "drivers/model drivers/port mmu boot " + ENGINE,
    "kernel/cli": "kernel drivers/model drivers/port mmu " + ENGINE,
    "guests": "kernel drivers/model* drivers/port engine/front* mmu " + ENGINE,
    "arch/bare": "arch/bare drivers/port boot mmu " + BASE,
    "arch/hosted*": "*",
    "arch/x86_64*": "arch* kernel engine engine/back* drivers/port drivers/host* boot* " + BASE,
    "arch/x86_64/vt": "arch arch/x86_64/sys engine/front/x86 " + ENGINE,
    "arch/x86_64/svm": "arch arch/x86_64/sys arch/x86_64/vt engine/front/x86 " + ENGINE,
    "arch/x86_64/vmx": "arch arch/x86_64/sys arch/x86_64/vt engine/front/x86 " + ENGINE,
    "arch/aarch64*": "arch* kernel engine engine/back* drivers/port drivers/host* boot* " + BASE,
    "arch/aarch64/el2": "arch arch/aarch64/sys engine/front/a64 " + ENGINE,
    "boot/loader*": "boot boot/loader* kernel/base",
    "boot*": "*",
    "test*": "*",
}
THIRD_PARTY = re.compile(r"^(softfloat|opts-GCC|internals|specialize|libfdt)\.h$")

# ---- budgets ----
FILE_LINES, MAKEFILE_LINES, COLUMNS = 800, 250, 100
FUNCTION_P90, FUNCTION_MAX, IF_PER_KLOC, HEAD_LINES = 45, 120, 1.0, 17
EXCEPTIONS = "test/check/exceptions"

TOP = "arch boot docs drivers engine guests kernel linker mmu test".split()
CODE = (".c", ".h", ".S", ".def")
TEXT = CODE + (".ld", ".mk", ".sh", ".py", ".awk", ".toml")
# Spelt so that this file does not find itself.
WORDS = re.compile(r"\b(T[O]DO|F[I]XME|X[X]X|H[A]CK|(?i:st[u]b|place[h]older)s?)\b")
PLACES = re.compile(r"(?<![\w}])/(w[o]rk|tm[p]/wt|r[o]ot|h[o]me)/"
                    r"|(deb|security|snapshot)\.debi[a]n\.org|pyp[i]\.org|crates\.i[o]"
                    r"|registry\.np[m]js|proxy\.gol[a]ng")
VERBS = re.compile(r"(^|_)(handle|process|manage|misc|util|utils|common|do)(_|$)")


def files_of_project():
    found = ["Makefile", "README.md"]
    for top in TOP:
        for folder, _, names in os.walk(top):
            found += [os.path.join(folder, n) for n in names if n.endswith(TEXT + (".md",))]
    return sorted(f for f in found if os.path.exists(f))


def read(path):
    with open(path, encoding="utf-8", errors="replace", newline="") as f:
        return f.read()


def matches(folder, patterns):
    """Is @folder one of these? A pattern that ends in * stands for all below as well."""
    return any(p in ("*", folder) or p[-1] == "*" and f"{folder}/".startswith(p[:-1] + "/")
               for p in patterns.split())


def rule_of(folder):
    """The most specific row of LAYERS for a folder."""
    rows = [k for k in LAYERS if matches(folder, k)]
    return LAYERS[max(rows, key=len)] if rows else None


def check_layers(path, text):
    if not path.endswith((".c", ".h", ".S")):
        return
    folder = os.path.dirname(path)
    allowed = rule_of(folder)
    if allowed is None:
        yield 1, f"folder {folder} has no row in the layer table of test/check/check.py"
        return
    for n, line in enumerate(text.split("\n"), 1):
        m = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if not m or THIRD_PARTY.match(m.group(1)):
            continue
        target = os.path.dirname(m.group(1)) or "gen"
        if target != folder and target != "gen" and not matches(target, allowed):
            yield n, f"{folder} must not include from {target}"


def check_format(path, text):
    if path.endswith(".md"):
        return
    columns = 1000 if path.endswith(".def") else COLUMNS   # a row of a table is one line
    if not text.endswith("\n") or text.endswith("\n\n"):
        yield text.count("\n") + 1, "file must end with exactly one newline"
    for n, line in enumerate(text.split("\n"), 1):
        if line.endswith((" ", "\t", "\r")):
            yield n, "trailing blank"
        if len(line.expandtabs(8)) > columns:
            yield n, f"{len(line.expandtabs(8))} columns, {COLUMNS} are allowed"
        if path.endswith((".c", ".h")) and re.match(r"[\t ]* (\t| {7})", line):
            yield n, "indent with tabs"


def check_head(path, text):
    lines = text.split("\n")
    if path.endswith((".c", ".h", ".S", ".ld", ".def")):
        if not lines[0].startswith(("/*", "//", "#")):
            yield 1, "file must open with a comment"
        end = next((i for i, l in enumerate(lines) if "*/" in l), 0)
        if lines[0].startswith("/*") and end >= HEAD_LINES:
            yield 1, f"opening comment of {end + 1} lines, {HEAD_LINES} are allowed"
    elif path.endswith((".mk", ".sh", ".awk", ".toml")) or path == "Makefile":
        if not any(l.startswith("# ") for l in lines[:2]):
            yield 1, "file must open with a comment"
    elif path.endswith(".py") and not any('"""' in l or l.startswith("# ") for l in lines[:2]):
        yield 1, "file must open with a comment"


def check_words(path, text, known):
    for n, line in enumerate(text.split("\n"), 1):
        if (m := WORDS.search(line)) and f"{path}:{m.group(1).rstrip('s')}" not in known:
            yield n, f"unfinished business: {m.group(0)}"
        if (m := PLACES.search(line)) and not line.startswith("#!"):
            yield n, f"names a place of one machine or network: {m.group(0)}"


def functions_of(text):
    """(line, name, lines) of every function: between an opening and a closing brace in column 0."""
    lines = text.split("\n")
    start = None
    for n, line in enumerate(lines, 1):
        if line == "{":
            start = n
        elif start and line.startswith("}"):
            head, i = "", start - 2
            while i >= 0 and lines[i].strip() and not lines[i].endswith((";", "}", "*/")):
                head = lines[i] + " " + head
                i -= 1
            name = re.search(r"(\w+)\s*\(", head)
            yield start, name.group(1) if name else "?", n - start - 1
            start = None


def check_functions(path, text, known, lengths):
    if not path.endswith(".c"):
        return
    for line, name, length in functions_of(text):
        lengths.append(length)
        if f"{path}:{name}" in known:
            continue
        if length > FUNCTION_MAX:
            yield line, f"{name} has {length} lines, {FUNCTION_MAX} need a reason in {EXCEPTIONS}"
        if not path.startswith("test/") and VERBS.search(name):
            yield line, f"{name}: a name says what, not that (docs/style.md)"


def check_size(path, text):
    count = text.count("\n")
    limit = MAKEFILE_LINES if path == "Makefile" or path.endswith(".mk") else FILE_LINES
    if path.endswith(CODE + (".mk",)) or path == "Makefile":
        if count > limit:
            yield limit + 1, f"{count} lines, {limit} are allowed"


def check_conditionals(texts):
    """The budget of #if over the whole product; nothing while it is kept."""
    hits, lines = [], 0
    for path, text in texts.items():
        if path.startswith("test/") or not path.endswith((".c", ".h", ".S")):
            continue
        lines += text.count("\n")
        hits += [(path, n) for n, l in enumerate(text.split("\n"), 1)
                 if re.match(r"\s*#\s*(if|ifdef|ifndef|elif)\b", l)]
    if len(hits) > IF_PER_KLOC * lines / 1000:
        for path, n in hits:
            yield path, n, f"conditional: {len(hits)} in {lines} lines are too many"


FLAVOURS = {
    "boot/loader/include/aarch64": "loader_aarch64", "boot/loader": "loader",
    "arch/hosted": "process", "test": "process",
    "arch/aarch64": "aarch64", "boot/aarch64": "aarch64", "": "x86_64",
}


def compiler_of(path):
    flavour = next(v for k, v in FLAVOURS.items() if path.startswith(k))
    return os.environ.get("CHECK_CC_" + flavour)


def check_header(path):
    """Does it compile alone, twice?"""
    cc = compiler_of(path)
    if cc is None:
        return []
    source = f'#include "{path}"\n' * 2
    run = subprocess.run(shlex.split(cc) + ["-fsyntax-only", "-x", "c", "-"], input=source,
                         capture_output=True, text=True)
    first = next((l for l in run.stderr.split("\n") if "error" in l), "the compiler failed")
    return [(path, 1, f"does not compile alone: {first}")] if run.returncode else []


def percentile(values, percent):
    return sorted(values)[len(values) * percent // 100] if values else 0


def findings_of(paths, whole):
    texts = {p: read(p) for p in paths}
    known = {l.split()[0] for l in read(EXCEPTIONS).split("\n") if l and not l.startswith("#")}
    lengths = []
    for path, text in texts.items():
        for check in (check_layers, check_format, check_head, check_size):
            yield from ((path, n, m) for n, m in check(path, text))
        yield from ((path, n, m) for n, m in check_words(path, text, known))
        yield from ((path, n, m) for n, m in check_functions(path, text, known, lengths))
    p90 = percentile(lengths, 90)
    if whole:
        yield from check_conditionals(texts)
    if whole and p90 > FUNCTION_P90:
        yield "Makefile", 1, f"90 % of the functions have up to {p90} lines, not {FUNCTION_P90}"
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for found in pool.map(check_header, [p for p in paths if p.endswith(".h")]):
            yield from found


def main():
    paths = sys.argv[1:] or files_of_project()
    count = 0
    for path, line, message in findings_of(paths, len(sys.argv) == 1):
        print(f"{path}:{line}: {message}")
        count += 1
    print(f"check: {len(paths)} files, {count} findings")
    return count != 0


if __name__ == "__main__":
    sys.exit(main())
