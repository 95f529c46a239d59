#!/usr/bin/env python3
"""Executed user-space instructions a call, on this library and on upstream's.

usage: steps.py OURS UPSTREAM [--json FILE]

OURS and UPSTREAM are install prefixes. The same rows (benches/steps-rows.c) are compiled with each library's headers by
the same compiler ($CC, gcc) and single-stepped. Exit status 1 if a row takes more instructions than upstream's, or if
the geometric mean of the ratios is above 0.90.
"""
import argparse
import json
import math
import os
import subprocess
import sys
import tempfile

LIMIT = 0.90
SOURCES = ["benches/steps.c", "benches/steps-rows.c"]


def count(prefix, work, name):
    """The rows of one library: a dictionary of instructions by name."""
    program = os.path.join(work, name)
    library = os.path.join(prefix, "lib")
    compiler = os.environ.get("CC", "gcc").split()
    subprocess.run(
        [*compiler, "-O2", "-Wall", "-Wextra", "-I", os.path.join(prefix, "include"), *SOURCES, "-o", program,
         "-L", library, "-luring", f"-Wl,-rpath,{library}"],
        check=True)
    # Symbols are looked up before the rows run: a first call counts no more than a later one.
    environment = dict(os.environ, LD_BIND_NOW="1")
    output = subprocess.run([program], check=True, text=True, stdout=subprocess.PIPE, env=environment).stdout
    return {row: int(steps) for row, steps in (line.split("\t") for line in output.splitlines())}


def main():
    parser = argparse.ArgumentParser(description="Executed user-space instructions a call.")
    parser.add_argument("ours")
    parser.add_argument("upstream")
    parser.add_argument("--json")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as work:
        ours = count(options.ours, work, "ours")
        upstream = count(options.upstream, work, "upstream")
    if list(ours) != list(upstream):
        sys.exit("the two libraries did not run the same rows")

    above = []
    logs = 0.0
    print(f"{'instructions of':<44}{'ours':>6}{'upstream':>10}{'ratio':>8}")
    for row, steps in ours.items():
        ratio = steps / upstream[row]
        logs += math.log(ratio)
        mark = ""
        if steps > upstream[row]:
            above.append(row)
            mark = "  above"
        print(f"{row:<44}{steps:>6}{upstream[row]:>10}{ratio:>8.2f}{mark}")
    mean = math.exp(logs / len(ours))
    print(f"{len(ours)} rows, geometric mean of the ratios {mean:.3f} (limit {LIMIT:.2f}), {len(above)} above upstream's")

    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            rows = [{"name": row, "ours": ours[row], "upstream": upstream[row]} for row in ours]
            json.dump({"rows": rows, "geometric_mean": mean}, file, indent=1)
            file.write("\n")
    sys.exit(1 if above or mean > LIMIT else 0)


if __name__ == "__main__":
    main()
