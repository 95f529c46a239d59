#!/usr/bin/env python3
"""Boots Debian's cloud kernels in an emulated machine and runs test programs on each, statically linked or with --beside.

A cell of the table gives the passed cases, "+N" skipped ones and "!N" failed ones; "-" means not run.
With --reference-programs each program also runs as linked with upstream's library, in the same boot; a case that fails
there, too, is the kernel's or the emulator's, and is named but not counted.
Exit status: 0 nothing failed, 1 something did, 77 no machine could be booted here."""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys

import console
import kernels
from architectures import ARCHITECTURES

from c_tests import Result

HERE = pathlib.Path(__file__).resolve().parent
NOT_RUN = 77
# Marks a program that is linked with upstream's library.
REFERENCE = "+upstream"
HUGE_PAGES = 32
# Where one has 32 MiB, so many would leave the machine no memory.
HUGE_PAGES_OF_32_MIB = 4

# Programs of the interface of January 2019 that run in several modes; the arguments are the mode. The files of the
# machine lie on a drive with polled queues.
PREFIX_2019 = "2019-"
MODES_2019 = {
    "2019-reads": {"direct": "-d8", "buffered": "-b", "polled": "-p", "polled-fixed": "-pf", "polled-thread": "-pT"},
    "2019-engine": {"direct": "--direct", "buffered": "--sqwq", "polled": "--hipri", "polled-fixed": "--hipri --fixedbufs",
                    "polled-thread": "--hipri --sqthread --sqthread-poll"},
}
LENGTH_2019 = {"2019-reads": "-n 1000 -c 1", "2019-engine": "--rounds 500"}
# The first kernel with rings in memory that the program provides. On older ones the interface must return ENOSYS.
SINCE_2019 = (6, 5)
BEFORE_2019 = "2019-setup_errors"


def result(run):
    """A program's cases, as the runner of the C tests reads them."""
    return Result(run.code if run.how == "exit" else 1, "\n".join(run.lines) + "\n")


def runs_2019(kernel, programs, limit):
    """The programs of the interface of 2019."""
    if kernel.version < SINCE_2019:
        if BEFORE_2019 not in programs:
            return []
        return [f"run {limit} {BEFORE_2019}=old_kernel /work/bin/{BEFORE_2019} old_kernel"]
    lines = []
    for name in programs:
        for mode, options in MODES_2019.get(name, {}).items():
            lines.append(f"run {limit} {name}={mode} /work/bin/{name} {LENGTH_2019[name]} {options} data")
        if name not in MODES_2019:
            lines.append(f"run {limit} {name} /work/bin/{name}")
    return lines


def plan(kernel, programs, limit, reference, both, huge_pages):
    """The programs on a plain machine, then those that need io_uring restricted (kernel.io_uring_disabled)."""
    lines = [f"set /proc/sys/vm/nr_hugepages {huge_pages}", "env TMPDIR /work/now"]
    if reference:
        lines.append("env C_TESTS_REFERENCE 1")
    of_2019 = [name for name in programs if name.startswith(PREFIX_2019)]
    plain = [name for name in programs if not name.startswith(("disabled", PREFIX_2019))]
    restricted = [name for name in programs if name.startswith("disabled")]
    lines += [f"run {limit} {name} /work/bin/{name}" for name in plain]
    if both:
        lines.append("env C_TESTS_REFERENCE 1")
        lines += [f"run {limit} {name}{REFERENCE} /work/bin/{name}{REFERENCE}" for name in plain]
        return lines
    lines += runs_2019(kernel, of_2019, limit)
    for value in (0, 1, 2):
        for name in restricted:
            lines.append(f"set /proc/sys/kernel/io_uring_disabled {value}")
            lines.append(f"run {limit} {name}={value} /work/bin/{name}")
    return lines


def boot(kernel, args, programs):
    both = args.reference_programs
    huge_pages = HUGE_PAGES_OF_32_MIB if args.arch in ("arm64-16k", "loong64") else HUGE_PAGES
    lines = plan(kernel, programs, args.limit, args.reference, both, huge_pages)
    limit = console.BOOT_SECONDS + len(lines) * args.limit
    files = {name: args.programs / name for name in programs} | {path.name: path for path in args.beside}
    if both:
        files |= {name + REFERENCE: both / name for name in programs}
    session = console.boot(kernel, args.init, lines, files, args.output / "work", limit)
    (args.output / f"console-{kernel.label}.txt").write_text("\n".join(session.console) + "\n")
    return session


def table(sessions):
    names = []
    for session in sessions:
        names += [run.name for run in session.runs if run.name not in names]
    lines = [f"{'program':<24}" + "".join(f"{'Linux ' + s.kernel.label:>14}" for s in sessions)]
    for name in names:
        cells = []
        for session in sessions:
            run = next((r for r in session.runs if r.name == name), None)
            cells.append(f"{result(run).cell() if run else '-':>14}")
        lines.append(f"{name:<24}" + "".join(cells))
    return lines


def skips(sessions):
    reasons = {}
    for session in sessions:
        for run in session.runs:
            if run.name.endswith(REFERENCE):
                continue
            for reason, case in result(run).skips:
                reasons.setdefault((run.name, case, reason), []).append(session.kernel.label)
    return [f"SKIP: {name} {case}: {reason} (Linux {', '.join(where)})"
            for (name, case, reason), where in reasons.items()]


def notes(sessions):
    """A feature that the kernel lacks is a note, not a failure."""
    return [f"note of Linux {session.kernel.release}: {note}" for session in sessions for note in session.notes]


def failed_cases(run):
    """The names of the failed cases; for a program that ran no case, its own name."""
    names = set(re.findall(r"^FAIL (\S+)", "\n".join(run.lines), re.M))
    return names or ({run.name.removesuffix(REFERENCE)} if result(run).failed else set())


def forgiven(session, run):
    """Whether every failed case of a run also fails with upstream's library, or the run is upstream's."""
    if run.name.endswith(REFERENCE):
        return True
    twin = next((other for other in session.runs if other.name == run.name + REFERENCE), None)
    return twin is not None and failed_cases(run) <= failed_cases(twin)


def failures(sessions):
    lines = []
    for session in sessions:
        for run in session.runs:
            if result(run).failed and not forgiven(session, run):
                lines.append(f"FAILED on Linux {session.kernel.release}: {run.name}: {run.how} {run.code}")
                lines += [f"    | {line}" for line in run.lines]
        lines += [f"FAILED on Linux {session.kernel.release}: kernel log: {text}" for text in session.complaints]
        if session.failure:
            lines.append(f"FAILED on Linux {session.kernel.release}: {session.failure}")
            lines += [f"    | {line}" for line in session.console[-15:]]
    return lines


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--init", type=pathlib.Path, required=True, help="the machine's first process")
    parser.add_argument("--programs", type=pathlib.Path, required=True, help="folder of the static test programs")
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--reference-programs", type=pathlib.Path, help="the same programs, linked with upstream's liburing")
    parser.add_argument("--beside", type=pathlib.Path, action="append", default=[],
                        help="a library that the programs need in their folder, /work/bin")
    parser.add_argument("--arch", default="amd64", choices=sorted(ARCHITECTURES), help="architecture, by Debian's name")
    parser.add_argument("--suites", default="bullseye bookworm bookworm-backports trixie-backports sid",
                        help="Debian suites to take kernels from")
    parser.add_argument("--limit", type=int, default=180, help="seconds for one program")
    parser.add_argument("--reference", action="store_true", help="the programs are linked with upstream's liburing")
    parser.add_argument("names", nargs="+", help="programs to run")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    return args


def totals(runs):
    results = [result(run) for run in runs]
    return (f"{sum(r.passed for r in results)} cases passed, {sum(len(r.skips) for r in results)} skipped, "
            f"{sum(r.failed for r in results)} failed")


def main():
    args = arguments()
    emulator = ARCHITECTURES[args.arch]
    installed = subprocess.run([HERE / "install-qemu.sh", emulator.qemu, emulator.package]).returncode
    if installed != 0 or shutil.which(emulator.qemu) is None:
        print(f"SKIP: no kernel was booted: there is no {emulator.qemu} here", flush=True)
        return NOT_RUN
    programs = args.names
    sessions = []
    for suite in args.suites.split():
        try:
            kernel = kernels.kernel(suite, args.arch)
        except kernels.NotAvailable as err:
            print(f"SKIP: the kernel of {suite} was not booted: {err}", flush=True)
            continue
        sessions.append(boot(kernel, args, programs))
    if not sessions:
        print("SKIP: no kernel was booted", flush=True)
        return NOT_RUN
    failed = failures(sessions)
    lines = [*table(sessions), "", *notes(sessions), *failed, *skips(sessions)]
    ours = [run for session in sessions for run in session.runs if not run.name.endswith(REFERENCE)]
    lines.append(f"VM, {args.arch}: {len(sessions)} kernels, {totals(ours)}")
    if args.reference_programs:
        theirs = [run for session in sessions for run in session.runs if run.name.endswith(REFERENCE)]
        lines.append(f"VM, {args.arch}, upstream's library: {totals(theirs)}")
        shared = [f"{run.name}: {', '.join(sorted(failed_cases(run)))}" for session in sessions for run in session.runs
                  if result(run).failed and not run.name.endswith(REFERENCE) and forgiven(session, run)]
        lines += [f"fails with both libraries: {text}" for text in shared]
    (args.output / "results.txt").write_text("\n".join(lines) + "\n")
    print("\n" + "\n".join(lines), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
