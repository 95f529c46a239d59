#!/usr/bin/env python3
"""Runs upstream's test suite, unmodified and statically linked, on upstream's library and on ours, on other kernels in
an emulated machine, and compares result by result. The tests that want an NVMe drive get one.

Exit status: 0 every test that passes on upstream's passes on ours; 1 some fail; 77 the suite was not run."""

import argparse
import collections
import os
import pathlib
import shutil
import subprocess
import sys

import console
import kernels

import compare
import report
import runner
import trees
from cases import Case, Config, cases, read_selection, staggered
from source import NotAvailable, cache_folder, compiler_identity, locate

HERE = pathlib.Path(__file__).resolve().parent
NOT_RUN = 77
HUGE_PAGES = 64

# Tests that do more with a drive: with its block device, or with the device for its commands.
ON_DRIVE = ("cmd-discard", "fixed-seg", "iopoll", "iopoll-leak", "iopoll-overflow", "read-write")
ON_COMMANDS = ("io_uring_passthrough", "sqe-mixed-uring_cmd")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--init", type=pathlib.Path, required=True, help="the machine's first process")
    parser.add_argument("--ours-prefix", type=pathlib.Path, required=True)
    parser.add_argument("--source", help="built source of upstream's (default: build-aux/fetch-upstream.sh provides it)")
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--suites", default="bookworm bookworm-backports sid",
                        help="Debian suites to take kernels from")
    parser.add_argument("--limit", type=int, default=120, help="seconds for one test; the machine is slow")
    parser.add_argument("--selection", type=pathlib.Path, help="file with the names of the tests to run")
    parser.add_argument("names", nargs="*", help="tests to run (default: all)")
    args = parser.parse_args()
    args.output = args.output.resolve()
    args.output.mkdir(parents=True, exist_ok=True)
    return args


def plant(args, source, ours, tools):
    cached = cache_folder() / f"suite-{source.version}-static"
    forest = [
        trees.Tree("upstream", "upstream", "static", cached, source, tools, "-static"),
        trees.Tree("ours", "ours", "static", args.output / "tree", source, tools, "-static"),
    ]
    for tree, install in zip(forest, (source, ours)):
        tree.create(install, shared=tree.name == "upstream")
    return forest


def all_cases(tests):
    found = [case for case in cases(tests, Config()) if case.stdin is None]
    for names, device in ((ON_DRIVE, "$VM_DRIVE"), (ON_COMMANDS, "$VM_DRIVE_COMMANDS")):
        found += [Case(f"{name}.t", [device]) for name in names if f"{name}.t" in tests]
    return found


def plan(forest, todo, limit, rounds=1):
    lines = [f"set /proc/sys/vm/nr_hugepages {HUGE_PAGES}", "with /work/bin/upstream/exec-target.t"]
    for number in range(rounds):
        for tree, case in todo:
            if tree.binary("test", case.test).exists():
                arguments = " ".join(case.args)
                lines.append(f"run {limit} {tree.name}:{case.file_name}:{number} "
                             f"/work/bin/{tree.name}/{case.test} {arguments}".rstrip())
    return lines


def outcome_of(run):
    last = next((line.strip() for line in reversed(run.lines) if line.strip()), "")[:160]
    seconds = run.ms / 1000
    if run.how is None:
        return runner.Result(runner.FAIL, "did not end", seconds)
    if run.how == "timeout":
        return runner.Result(runner.TIMEOUT, last, seconds)
    if run.how == "signal":
        return runner.Result(runner.FAIL, f"killed by signal {run.code}; {last}", seconds)
    if run.code == 77:
        return runner.Result(runner.SKIP, last, seconds)
    if run.code != 0:
        return runner.Result(runner.FAIL, f"exit {run.code}; {last}", seconds)
    if run.complaints:
        return runner.Result(runner.FAIL, f"kernel log: {run.complaints[0]}", seconds)
    return runner.Result(runner.PASS, "", seconds)


def run_plan(args, kernel, forest, todo, rounds=1):
    """Boots once. Returns {(tree name, case): results}."""
    lines = plan(forest, todo, args.limit, rounds)
    files = {"upstream/exec-target.t": forest[0].binary("test", "exec-target.t")}
    files.update({f"{tree.name}/{case.test}": tree.binary("test", case.test) for tree, case in todo
                  if tree.binary("test", case.test).exists()})
    session = console.boot(kernel, args.init, lines, files, args.output / "work",
                           console.BOOT_SECONDS + len(lines) * args.limit)
    with open(args.output / f"console-{kernel.label}.txt", "a") as log:
        log.write("\n".join(session.console) + "\n")
    got = collections.defaultdict(list)
    for run in session.runs:
        tree, case, _ = run.name.split(":")
        got[tree, case].append(outcome_of(run))
    return got, session.failure


def not_built(tree, case):
    return runner.Result(runner.NOT_BUILT, runner.first_error(tree.errors.get(case.test, "")), 0.0)


def compare_on(args, kernel, forest, todo):
    """Outcomes of all cases on one kernel. Cases that differ are run again, in a second boot."""
    (args.output / f"console-{kernel.label}.txt").unlink(missing_ok=True)
    first, failure = run_plan(args, kernel, forest, [(tree, case) for case, tree in staggered(todo, forest)])
    outcomes = []
    for case in todo:
        outcome = report.Outcome(case)
        for tree in forest:
            ended = first.get((tree.name, case.file_name))
            if ended:
                outcome.results[tree.name] = ended[0]
            elif tree.binary("test", case.test).exists():
                outcome.results[tree.name] = runner.Result(runner.FAIL, "not reached", 0.0)
            else:
                outcome.results[tree.name] = not_built(tree, case)
        outcomes.append(outcome)
    odd = [o for o in outcomes if compare.differs(o.results["upstream"].status, o.results["ours"].status)]
    again = collections.defaultdict(list)
    if odd:
        print(f"running again: {' '.join(o.case.name for o in odd)}", flush=True)
        again, failed = run_plan(args, kernel, forest, [(t, o.case) for o in odd for t in forest], compare.LONG)
        failure = failure or failed
    for outcome in outcomes:
        file_name = outcome.case.file_name
        queues = {tree.name: iter(again.get((tree.name, file_name), [])) for tree in forest}
        lost = runner.Result(runner.FAIL, "not reached", 0.0)
        outcome.verdicts = compare.judge(outcome.results, lambda name: next(queues[name], lost))
    return outcomes, failure


def build(forest, names):
    for tree in forest:
        progress = report.Progress(f"building test, static, {tree.label}", every=100)
        tree.build("test", sorted({*names, "exec-target.t"}), progress, 2)
        progress.end(f"{sum(tree.binary('test', n).exists() for n in names)} of {len(names)} built")


def picked(names, args):
    chosen = args.names or (read_selection(args.selection) if args.selection else None)
    if chosen is None:
        return names
    wanted = {name if name.endswith(".t") else f"{name}.t" for name in chosen}
    return [name for name in names if name in wanted]


def summary(kernel, forest, outcomes, failure):
    found = report.lists(forest, outcomes)
    lines = [f"Linux {kernel.release}", "", *report.table(forest, outcomes)]
    for name in ("regressions", "flickering", "better", "failing", "not-built"):
        lines += ["", f"{name}: {len(found[name])}", *[f"  {line}" for line in found[name]]]
    lines += ["", f"skipped: {len(found['skipped'])}"]
    if failure:
        lines.append(f"FAILED: {failure}")
    return lines, found


def main():
    args = arguments()
    installed = subprocess.run([HERE / "install-qemu.sh"]).returncode
    if installed != 0 or shutil.which("qemu-system-x86_64") is None:
        print("SKIP: upstream's suite was not run on other kernels: there is no qemu-system-x86_64 here", flush=True)
        return NOT_RUN
    try:
        source, ours = locate(args.source), trees.Install(args.ours_prefix)
    except (NotAvailable, trees.BuildError) as err:
        print(f"SKIP: upstream's suite was not run: {err}", flush=True)
        return NOT_RUN
    cc, cxx = os.environ.get("CC", "gcc"), os.environ.get("CXX", "g++")
    forest = plant(args, source, ours, trees.Tools(cc, cxx, compiler_identity(cc, cxx)))
    names = picked(forest[0].tests(), args)
    build(forest, names)
    bad, booted, everything = False, 0, []
    for suite in args.suites.split():
        try:
            kernel = kernels.kernel(suite)
        except kernels.NotAvailable as err:
            print(f"SKIP: the kernel of {suite} was not booted: {err}", flush=True)
            continue
        booted += 1
        outcomes, failure = compare_on(args, kernel, forest, all_cases(names))
        lines, found = summary(kernel, forest, outcomes, failure)
        report.write(args.output, f"results-{kernel.label}", report.details(forest, outcomes))
        report.write(args.output, f"skipped-{kernel.label}", found["skipped"])
        print("\n" + "\n".join(lines) + "\n", flush=True)
        everything += [*lines, ""]
        bad = bad or bool(failure or found["regressions"] or not outcomes)
    if not booted:
        print("SKIP: no kernel was booted", flush=True)
        return NOT_RUN
    verdict = "FAILED" if bad else f"no test that passes on upstream's library fails on ours, on {booted} kernels"
    report.write(args.output, "summary", [*everything, verdict])
    print(verdict, flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
