#!/usr/bin/env python3
"""Times the fallback beside the kernel's io_uring and a pool of threads, in turns on one machine.

The unit is the ratio: operations a second on the fallback over those of the other side in the same turn. Nothing fails
here; a ratio below the aim is marked.
Exit status: 0 measured, 77 nothing to compare with here.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import sys

PROJECT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(PROJECT / "c-tests" / "bench" / "report"))

# pylint: disable=wrong-import-position
import data
import keep
import machine
from measure import measure, ratio
from programs import compile_c
from report import write_into
from rows import Row

COMMAND = "make bench-fallback"
BESIDE = ("real", "fallback")
WITH_POOL = (*BESIDE, "pool")
# Where the figures of a side are, by what the fallback is compared with.
SIDES = {"kernel": "real", "pool": "pool"}
HEADING = ("| | the kernel, ns | fallback, ns | fallback / kernel | aim | fallback / pool of threads |",
           "| --- | ---: | ---: | ---: | ---: | ---: |")


def rows(path):
    """Each with the ratio to the kernel's that is aimed at."""
    yield Row("read 4 KiB O_DIRECT, depth 32", "read", WITH_POOL, depth=32, direct=1, file=path), 0.90
    yield Row("read 4 KiB O_DIRECT, depth 1", "read", BESIDE, depth=1, direct=1, file=path), None
    yield Row("read 4 KiB cached, depth 32", "read", WITH_POOL, depth=32, direct=0, file=path), 0.75
    yield Row("read 4 KiB cached, depth 32, registered", "read", WITH_POOL, depth=32, direct=0, fixed=1,
              file=path), 0.75
    yield Row("read 4 KiB cached, depth 1", "read", BESIDE, depth=1, direct=0, file=path), None
    yield Row("round trips on 64 socket pairs", "trips", BESIDE, connections=64), 0.60
    yield Row("round trips on 1 socket pair", "trips", BESIDE, connections=1), None
    yield Row("nop, batch of 32", "nop", BESIDE, batch=32), 0.80
    yield Row("nop, batch of 1", "nop", BESIDE, batch=1), None
    yield Row("ring set up and given up, 64 entries", "setup", BESIDE, entries=64), None


def rows_of_qemu(path):
    """The pool is qemu's own there."""
    yield Row("qemu-img bench, 4 KiB O_DIRECT, depth 32", "bench", WITH_POOL, depth=32, direct=1, file=path), None
    yield Row("qemu-img bench, 4 KiB cached, depth 32", "bench", WITH_POOL, depth=32, direct=0, file=path), None


def preload(args):
    return ["env", "LIBURING_FALLBACK=always", f"LD_PRELOAD={args.library.resolve()}"]


def build(args):
    work = str(args.output)
    real = compile_c("c-tests/bench/speed.c", os.path.join(work, "speed"), args.prefix, os.path.join(args.prefix, "lib"))
    return {"real": real, "fallback": [*preload(args), real],
            "pool": compile_c("c-tests/bench/pool.c", os.path.join(work, "pool"), args.prefix)}


def qemu(args):
    """qemu-img as Debian has it: on its own liburing, on the fallback, and on its threads."""
    bench = [sys.executable, str(pathlib.Path(__file__).with_name("qemu-bench.py"))]
    return {"real": [*bench, "io_uring"], "fallback": [*preload(args), *bench, "io_uring"], "pool": [*bench, "threads"]}


def cell(found):
    return f"{found['median']:.2f} ({found['low']:.2f} to {found['high']:.2f})" if found else ""


def measured(args):
    """A record of each row, or None where there is nothing to compare with."""
    path = data.file(str(args.output))
    ours, of_qemu = build(args), qemu(args)
    todo = [(ours, *row) for row in rows(path)]
    if shutil.which("qemu-img"):
        todo += [(of_qemu, *row) for row in rows_of_qemu(path)]
    else:
        print("SKIP: qemu-img is missing")
    print("\n".join(HEADING))
    records = []
    for programs, row, aim in todo:
        times = measure(programs, row, args.seconds, args.turns)
        if times is None:
            return None
        # Times are the inverse of rates.
        rates = {name: ratio(times[side], times["fallback"]) for name, side in SIDES.items() if side in times}
        records.append({"name": row.name, "ns": {side: round(statistics.median(each), 2) for side, each in times.items()},
                        "rate": rates, "aim": aim})
        print(line(records[-1]), flush=True)
    return records


def line(row):
    aim, to_kernel = row["aim"], row["rate"]["kernel"]
    below = " (below)" if aim and to_kernel["median"] < aim else ""
    return (f"| {row['name']} | {row['ns']['real']:,.0f} | {row['ns']['fallback']:,.0f} | {cell(to_kernel)} | "
            f"{f'{aim:.2f}{below}' if aim else ''} | {cell(row['rate'].get('pool'))} |")


def markdown(record):
    about, load, method = record["machine"], record["load"], record["method"]
    return "\n".join([
        *HEADING, *map(line, record["rows"]), "",
        f"`{COMMAND}` on {about['date']}: {about['processor']}, {about['processors']} processors, virtualization "
        f"{about['virtualization']}, {about['kernel']}, reads from {about['filesystem']}; load {load['before']} before and "
        f"{load['after']} after. {method['turns']} turns of {method['seconds']} s, each side once a turn; times are medians, "
        f"ratios medians of the turns' ratios of rates, with their middle half.", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prefix", required=True, help="where the plain library is installed")
    parser.add_argument("--library", type=pathlib.Path, required=True, help="the fallback's liburing.so.2")
    parser.add_argument("--output", type=pathlib.Path, required=True, help="for programs and data")
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--turns", type=int, default=11)
    parser.add_argument("--into", type=pathlib.Path,
                        help="write the table into this document, and figures and a plot into bench/ beside it")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    before = machine.load()
    records = measured(args)
    if records is None:
        return 77
    record = {"command": COMMAND, "machine": machine.describe(str(args.output)),
              "method": {"seconds": args.seconds, "turns": args.turns},
              "load": {"before": before, "after": machine.load()}, "rows": records}
    if not args.into:
        return keep.record(record, args.output, "fallback.json")
    write_into(args.into, COMMAND, markdown(record))
    return keep.record(record, args.into.parent / "bench", "fallback.json")


if __name__ == "__main__":
    sys.exit(main())
