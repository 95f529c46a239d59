"""Time this library beside upstream's, Debian's binary, bare system calls, the io-uring crate and the check library.

usage: bench OURS CHECKER WORK OUT [--quick] [--into DOCUMENT]

OURS is an install prefix, CHECKER the folder of the check library, WORK a directory for programs and data, OUT one for
results. Prints the table while it runs; writes speed.json, table.md and the plots, and the table into DOCUMENT, between
its marks.
"""
import argparse
import os
import sys
import time

import data
import keep
import machine
import measure
import programs
import report
import rows


def run_rows(found, path, quick, seconds, turns):
    print(report.heading())
    results = []
    for row in rows.rows(path, quick):
        times = measure.measure(found, row, seconds, turns)
        if times:
            results.append(measure.summarize(row, times))
            print(report.line(results[-1]), flush=True)
    return results


def run_curves(found, path, quick, seconds, turns):
    results = []
    for name, option, points in rows.curves(path, quick):
        possible = machine.allow_many_rings(points[-1][0]) if option == "rings" else points[-1][0]
        curve = {"name": name, "points": []}
        for value, row in points:
            if value > possible:
                print(f"SKIP: {name} {value}: no more than {possible} files may be open")
                continue
            times = measure.measure(found, row, seconds, turns)
            if times:
                result = measure.summarize(row, times)
                curve["points"].append({"at": value, "ns": result["ns"], "to_upstream": result["to_upstream"]["ours"]})
                print(report.line(result), flush=True)
        results.append(curve)
    return results


def main():
    parser = argparse.ArgumentParser(description="Time this library beside others.")
    parser.add_argument("ours")
    parser.add_argument("checker")
    parser.add_argument("work")
    parser.add_argument("out")
    parser.add_argument("--quick", action="store_true", help="about a minute: fewer rows, turns and points")
    parser.add_argument("--into", metavar="DOCUMENT")
    options = parser.parse_args()
    os.makedirs(options.work, exist_ok=True)
    os.makedirs(options.out, exist_ok=True)

    found, versions = programs.build(options.ours, options.work, os.path.abspath(options.checker))
    blocks = data.file(options.work)
    record = {"command": "make bench QUICK=1" if options.quick else "make bench",
              "machine": machine.describe(blocks), "compared": versions}
    seconds, turns = (0.05, 5) if options.quick else (0.15, 11)
    curve_seconds, curve_turns = (0.03, 3) if options.quick else (0.1, 5)
    record["method"] = {"seconds": seconds, "turns": turns, "curve_seconds": curve_seconds, "curve_turns": curve_turns}
    record["load"] = {"before": machine.load()}
    print(report.about(record), flush=True)
    begin = time.monotonic()
    record["rows"] = run_rows(found, blocks, options.quick, seconds, turns)
    record["curves"] = run_curves(found, blocks, options.quick, curve_seconds, curve_turns)
    record["load"]["after"] = machine.load()
    record["minutes"] = round((time.monotonic() - begin) / 60, 1)
    print(report.summary(record))

    with open(os.path.join(options.out, "table.md"), "w", encoding="utf-8") as file:
        file.write(report.markdown(record))
    if options.into:
        report.write_into(options.into, "make bench", report.markdown(record))
    sys.exit(keep.record(record, options.out, "speed.json"))


if __name__ == "__main__":
    main()
