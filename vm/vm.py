#!/usr/bin/env python3
"""Boots Debian's cloud kernels in an emulated machine and runs statically linked test programs on each.

A cell of the table gives the passed cases, "+N" skipped ones and "!N" failed ones; "-" means not run.
Exit status: 0 nothing failed, 1 something did, 77 no machine could be booted here."""

import argparse
import importlib.util
import pathlib
import re
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parent
sys.path.insert(0, str(PROJECT / "conformance"))

import kernels
import machine
from runner import COMPLAINTS

NOT_RUN = 77
HUGE_PAGES = 32
BOOT_SECONDS = 120


def load_c_tests_runner():
    spec = importlib.util.spec_from_file_location("c_tests_run", PROJECT / "c-tests" / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


Result = load_c_tests_runner().Result


class Run:
    """What one program said on one kernel."""

    def __init__(self, name):
        self.name, self.lines, self.how, self.code, self.ms = name, [], None, None, 0

    def end(self, how, code, ms):
        self.how, self.code, self.ms = how, int(code), int(ms)

    def result(self):
        status = self.code if self.how == "exit" else 1
        return Result(status, "\n".join(self.lines) + "\n")


class Session:
    """One boot: follows the console."""

    def __init__(self, kernel, total):
        self.kernel, self.total = kernel, total
        self.runs, self.notes, self.complaints = [], [], []
        self.current, self.done = None, False
        self.console = []

    def line(self, text):
        self.console.append(text)
        if COMPLAINTS.search(text):
            self.complaints.append(text.strip())
        begin = re.match(r"@begin (\S+)$", text)
        end = re.match(r"@end (\S+) (\S+) (-?\d+) (\d+)$", text)
        if begin:
            self.current = Run(begin.group(1))
            self.runs.append(self.current)
        elif end and self.current:
            self.current.end(*end.groups()[1:])
            self.current = None
            self.progress()
        elif text.startswith("@note "):
            self.notes.append(text[6:])
        elif text.startswith("@done"):
            self.done = True
        elif self.current:
            self.current.lines.append(text)

    def progress(self):
        text = f"{self.kernel.release}: {len(self.runs)}/{self.total} {self.runs[-1].name}"
        if sys.stdout.isatty():
            print(f"\r\033[K{text}", end="", flush=True)
        elif len(self.runs) % 10 == 0:
            print(text, flush=True)


def plan(programs, limit, reference):
    """The programs on a plain machine, then the ones that want io_uring restricted (kernel.io_uring_disabled)."""
    lines = [f"set /proc/sys/vm/nr_hugepages {HUGE_PAGES}", "env TMPDIR /work/now"]
    if reference:
        lines.append("env C_TESTS_REFERENCE 1")
    plain = [name for name in programs if not name.startswith("disabled")]
    restricted = [name for name in programs if name.startswith("disabled")]
    lines += [f"run {limit} {name} /work/bin/{name}" for name in plain]
    for value in (0, 1, 2):
        for name in restricted:
            lines.append(f"set /proc/sys/kernel/io_uring_disabled {value}")
            lines.append(f"run {limit} {name}={value} /work/bin/{name}")
    runs = len([line for line in lines if line.startswith("run ")])
    return "\n".join(lines) + "\n", runs


def boot(kernel, args, programs):
    folder = args.work / kernel.release
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "root" / "bin").mkdir(parents=True)
    size = 0
    for name in programs:
        target = folder / "root" / "bin" / name
        shutil.copy(args.programs / name, target)
        subprocess.run(["strip", str(target)], check=True)
        size += target.stat().st_size
    text, runs = plan(programs, args.limit, args.reference)
    machine.archive({"init": args.init.read_bytes(), "plan": text.encode()}, folder / "initramfs")
    drives = {"raw": folder / "raw", "files": folder / "files"}
    machine.raw_drive(drives["raw"])
    machine.file_system(folder / "root", drives["files"], (size >> 20) + 512)
    session = Session(kernel, runs)
    start = time.monotonic()
    print(f"booting {kernel.release}, {runs} runs", flush=True)
    failure = None
    try:
        limit = BOOT_SECONDS + runs * args.limit
        machine.boot(kernel, folder / "initramfs", drives, limit, session.line)
    except machine.BootError as err:
        failure = str(err)
    if not session.done and failure is None:
        failure = "the machine went down before the plan was done"
    session.failure = failure
    (args.output / f"console-{kernel.label}.txt").write_text("\n".join(session.console) + "\n")
    shutil.rmtree(folder)
    if sys.stdout.isatty():
        print("\r\033[K", end="")
    print(f"{kernel.release}: {len(session.runs)} of {runs} runs, {time.monotonic() - start:.0f} s"
          + (f"; {failure}" if failure else ""), flush=True)
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
            cells.append(f"{run.result().cell() if run else '-':>14}")
        lines.append(f"{name:<24}" + "".join(cells))
    return lines


def skips(sessions):
    reasons = {}
    for session in sessions:
        for run in session.runs:
            for reason, case in run.result().skips:
                reasons.setdefault((run.name, case, reason), []).append(session.kernel.label)
    return [f"SKIP: {name} {case}: {reason} (Linux {', '.join(where)})" for (name, case, reason), where in reasons.items()]


def failures(sessions):
    lines = []
    for session in sessions:
        lines += [f"note of Linux {session.kernel.release}: {note}" for note in session.notes]
        for run in session.runs:
            if run.result().failed:
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
    parser.add_argument("--suites", default="bookworm bookworm-backports sid", help="Debian suites to take kernels from")
    parser.add_argument("--limit", type=int, default=180, help="seconds for one program")
    parser.add_argument("--reference", action="store_true", help="the programs are linked with liburing 2.15 itself")
    parser.add_argument("names", nargs="*", help="programs to run (default: all)")
    args = parser.parse_args()
    args.work = args.output / "work"
    args.output.mkdir(parents=True, exist_ok=True)
    return args


def main():
    args = arguments()
    installed = subprocess.run([HERE / "install-qemu.sh"]).returncode
    if installed != 0 or shutil.which("qemu-system-x86_64") is None:
        print("SKIP: no kernel was booted: there is no qemu-system-x86_64 here", flush=True)
        return NOT_RUN
    programs = args.names or sorted(p.name for p in args.programs.iterdir() if p.is_file())
    sessions = []
    for suite in args.suites.split():
        try:
            kernel = kernels.kernel(suite)
        except kernels.NotAvailable as err:
            print(f"SKIP: the kernel of {suite} was not booted: {err}", flush=True)
            continue
        sessions.append(boot(kernel, args, programs))
    if not sessions:
        print("SKIP: no kernel was booted", flush=True)
        return NOT_RUN
    failed = failures(sessions)
    lines = [*table(sessions), "", *failed, *skips(sessions)]
    totals = [run.result() for session in sessions for run in session.runs]
    lines.append(f"VM: {len(sessions)} kernels, {sum(r.passed for r in totals)} cases passed, "
                 f"{sum(len(r.skips) for r in totals)} skipped, {sum(r.failed for r in totals)} failed")
    (args.output / "results.txt").write_text("\n".join(lines) + "\n")
    print("\n" + "\n".join(lines), flush=True)
    # what a kernel has not got is worth a note, not a failure
    return 1 if any(line.startswith("FAILED") for line in failed) else 0


if __name__ == "__main__":
    sys.exit(main())
