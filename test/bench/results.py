"""What has been measured: every figure of every run, checked, reduced to medians and tables."""

import json
import statistics


def median(values):
    return statistics.median(values) if values else None


def geomean(values):
    return statistics.geometric_mean(values) if values else None


class Results:
    """Figures by what was measured and by machine; errors, which are not figures."""

    def __init__(self, machines, programs, about, ideal):
        self.about = about                # what the host is, in a line
        self.ideal = ideal                # of the figure "scaling", on this host
        self.machines = machines          # {name: title}, columns in order
        self.programs = programs          # {name: group}, rows in order
        self.cpu = {}                     # {(what, machine): [s]}
        self.wall = {}
        self.other = {}                   # {(what, machine): [value]}
        self.checksums = {}               # {program: {checksum: [machine]}}
        self.errors = []

    def add(self, what, machine, figure):
        self.cpu.setdefault((what, machine), []).append(figure.cpu)
        self.wall.setdefault((what, machine), []).append(figure.wall)
        if figure.checksum:
            who = self.checksums.setdefault(what, {}).setdefault(figure.checksum, [])
            if machine not in who:
                who.append(machine)

    def note(self, what, machine, value):
        self.other.setdefault((what, machine), []).append(value)

    def error(self, machine, text):
        self.errors.append(f"{machine}: {text}")

    def judge(self):
        """Programs must have computed the same everywhere; false with the errors complete."""
        for what, sums in self.checksums.items():
            if len(sums) > 1:
                told = ", ".join(f"{s} by {' '.join(who)}" for s, who in sums.items())
                self.errors.append(f"{what}: checksums differ: {told}")
        return not self.errors

    def value(self, what, machine):
        """The median of a figure that is no time, or None."""
        return median(self.other.get((what, machine)))

    def speed(self, what, machine):
        """How many times as fast as QEMU, by CPU time; None if either is missing."""
        mine, reference = (median(self.cpu.get((what, m))) for m in (machine, "qemu"))
        return reference / mine if mine and reference else None

    def groups(self):
        """{group: [program]} of what was measured, without scaling, which is about wall time."""
        found = {}
        for name, group in self.programs.items():
            if group != "scaling" and any(what == name for what, _ in self.cpu):
                found.setdefault(group, []).append(name)
        return found

    def group_speed(self, names, machine):
        """The geometric mean; None unless the machine has all programs of the group."""
        speeds = [self.speed(n, machine) for n in names]
        return geomean(speeds) if all(speeds) else None

    # ---- tables, in Markdown ----

    def table(self, head, rows):
        lines = ["| " + " | ".join(r) + " |" for r in [[head, *self.machines.values()], *rows]]
        return "\n".join([lines[0], "|---" * (len(self.machines) + 1) + "|", *lines[1:]]) + "\n"

    def cell(self, what, machine):
        seconds, speed = median(self.cpu.get((what, machine))), self.speed(what, machine)
        if seconds is None:
            return ""
        return f"{seconds:.2f}" + (f" ({speed:.2f}x)" if speed and machine != "qemu" else "")

    def program_table(self):
        rows = []
        for group, names in self.groups().items():
            rows += [[n] + [self.cell(n, m) for m in self.machines] for n in names]
            if len(names) > 1:
                speeds = [self.group_speed(names, m) for m in self.machines]
                rows.append([f"**{group}, geometric mean**"] +
                            [f"**{s:.2f}x**" if s else "" for s in speeds])
        startup = [self.cell("startup", m) for m in self.machines]
        if any(startup):
            rows.append(["startup: Linux to init", *startup])
        return self.table("CPU s (times as fast as QEMU)", rows) if rows else ""

    def figure_table(self, formats):
        """@formats: (what, "cpu" | "wall" | "other", format, factor)."""
        rows = []
        for what, kind, title, form, factor in formats:
            values = [median(getattr(self, kind).get((what, m))) for m in self.machines]
            if any(v is not None for v in values):
                rows.append([title] + ["" if v is None else form.format(factor(v))
                                       for v in values])
        return self.table("figure", rows) if rows else ""

    def save(self, path):
        """For plot.py, and for whoever wants to look at single runs."""
        def flat(figures):
            return [{"what": w, "machine": m, "values": v} for (w, m), v in figures.items()]
        with open(path, "w", encoding="utf-8") as f:
            json.dump({"about": self.about, "ideal": self.ideal, "machines": self.machines,
                       "programs": self.programs, "errors": self.errors, "cpu": flat(self.cpu),
                       "wall": flat(self.wall), "other": flat(self.other)}, f)
            f.write("\n")

    @classmethod
    def load(cls, path):
        with open(path, encoding="utf-8") as f:
            saved = json.load(f)
        self = cls(saved["machines"], saved["programs"], saved["about"], saved["ideal"])
        for kind in ("cpu", "wall", "other"):
            setattr(self, kind, {(r["what"], r["machine"]): r["values"] for r in saved[kind]})
        return self
