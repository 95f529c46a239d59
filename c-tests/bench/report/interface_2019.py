"""Time random reads through the interface of January 2019, on the preload library, beside the same loop through
today's. Both take turns in one run.

usage: interface_2019.py PREFIX WORK [--quick] [--into DOCUMENT]

PREFIX is an installation, WORK a directory for the program and its data. Prints the table while it runs, and writes it
into DOCUMENT, between its marks.
"""
import argparse
import os
import statistics
import sys

import data
import machine
import measure
import programs
import report
from rows import Row

COMMAND = "make bench-2019"
SIDES = ("2019", "today")


def rows(blocks):
    for name, depth, batch in (("depth 32, batches of 8", 32, 8), ("one at a time", 1, 1)):
        for direct in (0, 1):
            for fixed in (0, 1):
                title = f"{'O_DIRECT' if direct else 'buffered'}{', registered buffers' if fixed else ''}, {name}"
                yield Row(title, "read", SIDES, depth=depth, batch=batch, direct=direct, fixed=fixed, file=blocks)


def table(prefix, work, blocks, seconds, turns):
    program = programs.compile_c("c-tests/bench/interface_2019.c", os.path.join(work, "interface_2019"), prefix)
    preload = os.path.abspath(os.path.join(prefix, "lib", "liburing-0.1", "liburing-0.1-preload.so"))
    found = {"2019": ["env", f"LD_PRELOAD={preload}", program, "2019"], "today": [program, "today"]}
    lines = ["| random 4 KiB reads a second | 2019, preloaded | today's | 2019 / today | middle half |",
             "| --- | ---: | ---: | ---: | ---: |"]
    print(*lines, sep="\n", flush=True)
    for row in rows(blocks):
        times = measure.measure(found, row, seconds, turns)
        if times is None:
            sys.exit(f"{row.name} was not measured")
        # Rates, so today's time over that of 2019.
        ratio = measure.ratio(times["today"], times["2019"])
        rates = [f"{1e9 / statistics.median(times[side]):,.0f}" for side in SIDES]
        lines.append(f"| {row.name} | {rates[0]} | {rates[1]} | {ratio['median']:.3f} "
                     f"| {ratio['low']:.3f} to {ratio['high']:.3f} |")
        print(lines[-1], flush=True)
    return lines


def main():
    parser = argparse.ArgumentParser(description="Time the interface of 2019 beside today's.")
    parser.add_argument("prefix")
    parser.add_argument("work")
    parser.add_argument("--quick", action="store_true", help="a quarter of the turns")
    parser.add_argument("--into", metavar="DOCUMENT")
    options = parser.parse_args()
    os.makedirs(options.work, exist_ok=True)
    seconds, turns = (0.2, 5 if options.quick else 21)
    blocks = data.file(options.work)
    about, before = machine.describe(blocks), machine.load()
    lines = table(options.prefix, options.work, blocks, seconds, turns)
    lines += ["", f"`{COMMAND}` on {about['date']}: {about['processor']}, {about['processors']} processors, virtualization "
                  f"{about['virtualization']}, {about['kernel']}, {about['filesystem']}; load {before} before and "
                  f"{machine.load()} after. {turns} turns of {seconds} s for each; a turn's figure is the median of short "
                  f"slices, ratios are medians of the turns' ratios.", ""]
    print(*lines[-2:], sep="\n")
    if options.into:
        report.write_into(options.into, COMMAND, "\n".join(lines))


if __name__ == "__main__":
    main()
