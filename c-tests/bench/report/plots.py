"""Plots of speed.json as SVG. The same figures give the same bytes.

usage: plots.py SPEED_JSON OUT
"""
import json
import os
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "liburing", "svg.fonttype": "none", "font.family": "sans-serif",
                            "font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
from matplotlib import pyplot  # noqa: E402

COLOURS = {"ours": "#0b6e4f", "upstream": "#8d6a9f", "debian": "#c9a227", "raw": "#444444", "crate": "#d1495b",
           "again": "#bbbbbb", "kernel": "#0b6e4f", "pool": "#c9a227"}
TITLES = {"ours": "this library", "upstream": "upstream 2.15", "debian": "Debian's binary", "raw": "bare system calls",
          "crate": "io-uring crate", "again": "upstream against itself", "kernel": "beside the kernel's io_uring",
          "pool": "beside a pool of threads"}


def save(figure, out, name):
    path = os.path.join(out, name)
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight",
                   facecolor="white")
    pyplot.close(figure)
    # Version control reports trailing blanks.
    with open(path, encoding="utf-8") as file:
        text = "\n".join(line.rstrip() for line in file) + "\n"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def caption(record):
    machine, load = record["machine"], record["load"]
    return (f"{machine['processor']}, {machine['processors']} processors (virtualization: {machine['virtualization']}), "
            f"{machine['kernel']}, {machine['date']}, load {load['before']} to {load['after']}; {record['command']}")


def dots(record, out, over, sides, name, title):
    """A dot for each row and side, with the middle half of the turns as a line, and a mark where a row's aim is."""
    rows = [row for row in record["rows"] if over in row][::-1]
    figure, axes = pyplot.subplots(figsize=(8, 0.6 + 0.27 * len(rows)))
    for number, side in enumerate(sides):
        at = [index + 0.22 * ((len(sides) - 1) / 2 - number) for index in range(len(rows))]
        found = [row[over].get(side) for row in rows]
        for place, ratio in zip(at, found):
            if ratio:
                axes.plot([ratio["low"], ratio["high"]], [place, place], color=COLOURS[side], alpha=0.5, linewidth=1.5)
        shown = [(ratio["median"], place) for place, ratio in zip(at, found) if ratio]
        if shown:
            axes.plot(*zip(*shown), "o", markersize=4, color=COLOURS[side], label=TITLES[side])
    aims = [(row["aim"], place) for place, row in enumerate(rows) if row.get("aim")]
    if aims:
        axes.plot(*zip(*aims), "|", markersize=14, color="#d1495b", label="aim beside the kernel's")
    axes.axvline(1, color="#888888", linewidth=0.8)
    axes.set_yticks(range(len(rows)), [row["name"] for row in rows])
    axes.set_xlabel(title)
    axes.grid(axis="x", color="#eeeeee")
    axes.set_axisbelow(True)
    axes.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=3, frameon=False)
    axes.annotate(caption(record), xy=(1, 0), xycoords="axes fraction", xytext=(0, -40), textcoords="offset points",
                  fontsize=6, color="#666666", ha="right")
    save(figure, out, name)


def growth(record, out):
    curves = record["curves"]
    figure, grid = pyplot.subplots(2, 2, figsize=(9, 6), layout="constrained")
    for curve, axes in zip(curves, grid.flat):
        for side in ("upstream", "raw", "ours"):
            shown = [(point["at"], point["ns"][side]) for point in curve["points"] if side in point["ns"]]
            if shown:
                axes.plot(*zip(*shown), "o-", markersize=3, linewidth=1.2, color=COLOURS[side], label=TITLES[side])
        axes.set_xscale("log", base=2)
        axes.set_ylim(bottom=0)
        axes.set_xlabel(curve["name"])
        axes.set_ylabel("ns an operation")
        axes.grid(color="#eeeeee")
    grid.flat[0].legend(frameon=False)
    figure.supxlabel(caption(record), fontsize=6, color="#666666")
    save(figure, out, "growth.svg")


# Of a record's rows: the ratios, their sides, the file and the axis.
DOTS = (
    ("to_upstream", ("ours", "debian", "again"), "ratios.svg",
     "time, as a ratio to upstream's (left of 1 is faster); the line is the middle half of the turns"),
    ("to_raw", ("ours", "upstream", "crate"), "limit.svg",
     "time, as a ratio to bare system calls; the line is the middle half of the turns"),
    ("rate", ("kernel", "pool"), "fallback.svg",
     "operations a second on the fallback, as a ratio (right of 1 is faster); the line is the middle half of the turns"),
)


def main():
    path, out = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        record = json.load(file)
    for over, sides, name, title in DOTS:
        if any(over in row for row in record["rows"]):
            dots(record, out, over, sides, name, title)
    if "curves" in record:
        growth(record, out)


if __name__ == "__main__":
    main()
