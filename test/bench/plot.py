#!/usr/bin/python3
"""The figures as a picture: for each group a row of bars, times as fast as QEMU on a logarithmic
scale. Bars begin at QEMU, the line 1: up is faster, down is slower.

usage: test/bench/plot.py build/bench/figures.json build/bench/plot.svg
"""

import math
import sys
from xml.sax.saxutils import escape

from results import Results

COLOURS = {"jit": "#0072b2", "direct": "#56b4e9", "hybrid": "#e69f00", "interp": "#999999"}
OTHERS = ["#009e73", "#cc79a7", "#d55e00"]
WIDTH, LEFT, RIGHT, HEAD = 1000, 60, 20, 86
PANEL, PANEL_GAP, LABELS = 170, 26, 22
SHADE = "#f2f2f2"


class Svg:
    def __init__(self, height):
        self.parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
                      f'width="{WIDTH}" height="{height}" font-family="sans-serif">']
        self.box(0, 0, WIDTH, height, "white")

    def box(self, x, y, width, height, fill):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
                          f'height="{height:.1f}" fill="{fill}"/>')

    def line(self, x1, x2, y, colour, width=1, dash=""):
        more = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y:.1f}" x2="{x2:.1f}" y2="{y:.1f}" '
                          f'stroke="{colour}" stroke-width="{width}"{more}/>')

    def text(self, x, y, text, size=12, anchor="middle", bold=False, fill="black"):
        weight = ' font-weight="bold"' if bold else ""
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{fill}" '
                          f'text-anchor="{anchor}"{weight}>{escape(text)}</text>')

    def write(self, path):
        with open(path, "w", encoding="utf-8") as f:
            f.write("\n".join(self.parts + ["</svg>\n"]))


class Scale:
    """Powers of two around 1 with room for a number beyond the highest and the lowest bar."""

    def __init__(self, speeds):
        room = 0.5
        self.low = min(-1, math.floor(min(math.log2(s) for s in speeds) - room))
        self.high = max(1, math.ceil(max(math.log2(s) for s in speeds) + room))

    def y(self, top, speed):
        return top + PANEL * (self.high - math.log2(speed)) / (self.high - self.low)

    def ticks(self):
        step = 1 if self.high - self.low <= 8 else 2
        return [e for e in range(self.low, self.high + 1) if e % step == 0]


def panels(results, machines):
    """[(title, [(label, {machine: speed}, is a mean)])]"""
    def speeds(what):
        return {m: s for m in machines if (s := results.speed(what, m))}
    found = []
    for group, names in results.groups().items():
        bars = [(n, speeds(n), False) for n in names]
        if len(names) > 1:
            means = {m: s for m in machines if (s := results.group_speed(names, m))}
            bars.append(("geometric mean", means, True))
        found.append((group, bars))
    whole = [(label, speeds(what), False) for what, label in
             (("startup", "Linux to init"), ("loop", "bare-metal loop"))]
    found.append(("startup", whole))
    found = [(title, [b for b in bars if b[1]]) for title, bars in found]
    return [p for p in found if p[1]]


def number(speed):
    return f"{speed:.2f}" if speed < 10 else f"{speed:.1f}"


def draw_cluster(svg, scale, top, x, width, cluster, colours):
    label, speeds, mean = cluster
    bar = min(30, width * 0.84 / len(colours))
    left = x + (width - bar * len(colours)) / 2
    svg.text(x + width / 2, top + PANEL + 15, label, bold=mean)
    for i, (machine, colour) in enumerate(colours.items()):
        if machine in speeds:
            one, y = scale.y(top, 1), scale.y(top, speeds[machine])
            at = left + i * bar
            svg.box(at + 1, min(one, y), bar - 2, max(1, abs(one - y)), colour)
            svg.text(at + bar / 2, y - 3 if y <= one else y + 10, number(speeds[machine]), 9,
                     bold=mean)


def draw_panel(svg, top, title, clusters, colours):
    scale = Scale([s for _, speeds, _ in clusters for s in speeds.values()])
    width = min(180, (WIDTH - LEFT - RIGHT) / len(clusters))
    right = LEFT + width * len(clusters)
    svg.text(LEFT, top - 7, title, 13, "start", bold=True)
    for i, cluster in enumerate(clusters):
        if cluster[2]:
            svg.box(LEFT + i * width, top, width, PANEL, SHADE)
    for e in scale.ticks():
        y = scale.y(top, 2.0 ** e)
        svg.line(LEFT, right, y, "#dddddd")
        svg.text(LEFT - 8, y + 4, f"{2 ** e}" if e >= 0 else f"1/{2 ** -e}", 11, "end")
    for i, cluster in enumerate(clusters):
        draw_cluster(svg, scale, top, LEFT + i * width, width, cluster, colours)
    svg.line(LEFT, right, scale.y(top, 1), "black", 1.5)


def draw_scaling(svg, top, results, colours):
    """Beside the last panel: what 4 guest CPUs do in the time in which one does 1, linear to 4."""
    rows = [(title, speed, colours.get(m, "#444444")) for m, title in results.machines.items()
            if (speed := results.value("scaling", m))]
    if not rows:
        return
    left, unit, height = 610, 80, min(28, PANEL / len(rows))
    svg.text(left - 100, top - 7, "4 workers on 4 guest CPUs, times the work of one, by wall time",
             13, "start", bold=True)
    for n in range(5):
        x = left + n * unit
        svg.box(x - 0.5, top, 1, height * len(rows), "black" if n == results.ideal else "#dddddd")
        svg.text(x, top + height * len(rows) + 15,
                 f"{n}" + (" (ideal)" if n == results.ideal else ""), 11)
    for i, (title, speed, colour) in enumerate(rows):
        y = top + i * height
        svg.box(left, y + 3, unit * speed, height - 6, colour)
        svg.text(left - 8, y + height / 2 + 4, title, 11, "end")
        svg.text(left + unit * speed + 4, y + height / 2 + 4, number(speed), 9, "start")


def plot(results, path):
    """Writes the picture; false if there is nothing to compare."""
    machines = [m for m in results.machines if m not in ("qemu", "native")]
    shown = panels(results, machines)
    if not shown:
        return False
    spare = iter(OTHERS)
    colours = {m: COLOURS.get(m) or next(spare) for m in machines}
    svg = Svg(HEAD + len(shown) * (PANEL + LABELS + PANEL_GAP))
    svg.text(LEFT, 24, "FVP beside QEMU: how many times as fast, by CPU time (QEMU = 1)", 16,
             "start", bold=True)
    svg.text(LEFT, 42, results.about, 11, "start", fill="#555555")
    x = LEFT
    for machine, colour in colours.items():
        svg.box(x, 52, 12, 12, colour)
        svg.text(x + 17, 62, results.machines[machine], 12, "start")
        x += 40 + 7 * len(results.machines[machine])
    for i, (title, clusters) in enumerate(shown):
        top = HEAD + 8 + i * (PANEL + LABELS + PANEL_GAP)
        draw_panel(svg, top, title, clusters, colours)
    if title == "startup":
        draw_scaling(svg, top, results, colours)
    svg.write(path)
    return True


if __name__ == "__main__":
    plot(Results.load(sys.argv[1]), sys.argv[2])
