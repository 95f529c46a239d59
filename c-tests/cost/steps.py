#!/usr/bin/env python3
"""Executed user-space instructions a call, on this library and on upstream's.

usage: steps.py OURS UPSTREAM [--json FILE]

OURS and UPSTREAM are install prefixes. The same rows (c-tests/cost/steps-*.c) are compiled with each library's headers by the
same compiler, once by $CC (gcc) and once by clang if it is there, and single-stepped. A row's figure is the median of
three runs. Exit status 1 if a row takes more instructions than upstream's and than dearer.py allows, or if a geometric
mean of ratios is above its limit: of all rows 0.90, of the rows "full cycle" 0.80.
"""
import argparse
import glob
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

from dearer import most

LIMIT = 0.90
CYCLE = "full cycle"
CYCLE_LIMIT = 0.80
RUNS = 3


def count(compiler, prefix, work):
    """The rows of one library: a dictionary of instructions by name, and the names that differed between runs."""
    program = os.path.join(work, "steps")
    library = os.path.join(prefix, "lib")
    sources = sorted(glob.glob("c-tests/cost/steps*.c"))
    subprocess.run(
        [*compiler, "-O2", "-Wall", "-Wextra", "-I", os.path.join(prefix, "include"), *sources, "-o", program,
         "-L", library, "-luring", f"-Wl,-rpath,{library}"],
        check=True)
    # Symbols are looked up before the rows run, so a first call takes no more instructions than a later one.
    environment = dict(os.environ, LD_BIND_NOW="1")
    found = {}
    for _ in range(RUNS):
        output = subprocess.run([program], check=True, text=True, stdout=subprocess.PIPE, env=environment).stdout
        for row, steps in (line.split("\t") for line in output.splitlines()):
            found.setdefault(row, []).append(int(steps))
    unsteady = {row for row, steps in found.items() if len(set(steps)) > 1}
    return {row: int(statistics.median(steps)) for row, steps in found.items()}, unsteady


def mean_of(ratios):
    """The geometric mean."""
    return math.exp(sum(math.log(ratio) for ratio in ratios) / len(ratios))


def compare(compiler, ours_prefix, upstream_prefix):
    """Print the table of one compiler. Return its rows and means, and how many rows and means are above their limit."""
    with tempfile.TemporaryDirectory() as work:
        ours, unsteady_ours = count(compiler, ours_prefix, work)
        upstream, unsteady_upstream = count(compiler, upstream_prefix, work)
    if list(ours) != list(upstream):
        sys.exit("the two libraries did not run the same rows")
    unsteady = unsteady_ours | unsteady_upstream

    above = 0
    title = f"instructions of, with {os.path.basename(compiler[0])}"
    print(f"{title:<48}{'ours':>6}{'upstream':>10}{'ratio':>8}")
    for row, steps in ours.items():
        ratio = steps / upstream[row]
        is_above = steps > most(f"io_uring_{row}", upstream[row])
        above += is_above
        marks = ["above" if is_above else "more, as allowed"] * (steps > upstream[row]) + ["differed between runs"] * (row in unsteady)
        print(f"{row:<48}{steps:>6}{upstream[row]:>10}{ratio:>8.2f}  {', '.join(marks)}".rstrip())
    ratios = {row: steps / upstream[row] for row, steps in ours.items()}
    mean = mean_of(ratios.values())
    print(f"{len(ours)} rows, geometric mean of the ratios {mean:.3f} (limit {LIMIT:.2f}), {above} above their limit")
    cycles = [ratio for row, ratio in ratios.items() if row.startswith(CYCLE)]
    cycle_mean = mean_of(cycles)
    print(f"{len(cycles)} rows \"{CYCLE}\", geometric mean of the ratios {cycle_mean:.3f} (limit {CYCLE_LIMIT:.2f})\n")
    above += (mean > LIMIT) + (cycle_mean > CYCLE_LIMIT)
    rows = [{"name": row, "ours": ours[row], "upstream": upstream[row]} for row in ours]
    return {"compiler": os.path.basename(compiler[0]), "geometric_mean": round(mean, 4),
            "full_cycle_mean": round(cycle_mean, 4), "rows": rows}, above


def main():
    parser = argparse.ArgumentParser(description="Executed user-space instructions a call.")
    parser.add_argument("ours")
    parser.add_argument("upstream")
    parser.add_argument("--json")
    options = parser.parse_args()

    compilers = [os.environ.get("CC", "gcc").split()]
    if shutil.which("clang"):
        if compilers[0] != ["clang"]:
            compilers.append(["clang"])
    else:
        print("SKIP: clang is not here; the rows were compiled by one compiler only")
    results = [compare(compiler, options.ours, options.upstream) for compiler in compilers]

    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump([table for table, _ in results], file, indent=1)
            file.write("\n")
    sys.exit(any(above for _, above in results))


if __name__ == "__main__":
    main()
