#!/usr/bin/env python3
"""Runs upstream's test suite, unmodified, on upstream's library and on ours, and compares result by result.

Exit status: 0 every test that passes on upstream's passes on ours; 1 some fail; 77 the suite was not run."""

import argparse
import collections
import concurrent.futures
import os
import pathlib
import platform
import re
import shutil
import sys
import threading
import time

import compare
import examples
import report
import runner
import trees
from c_tests import HugePages
from cases import Config, cases, read_selection, staggered
from source import PROJECT, NotAvailable, cache_folder, compiler_identity, locate

NOT_RUN = 77
HUGE_PAGES = 32
PAUSE = 0.5


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours-prefix", type=pathlib.Path, default=PROJECT / "build" / "stage" / "usr",
                        help="install to test (default: build/stage/usr)")
    parser.add_argument("--source", help="built source of upstream's (default: build-aux/fetch-upstream.sh provides it)")
    parser.add_argument("--output", type=pathlib.Path, default=PROJECT / "build" / "conformance")
    parser.add_argument("--selection", type=pathlib.Path, help="file with the names of the tests to run")
    parser.add_argument("--only", nargs="+", metavar="TEST", help="run only these tests")
    parser.add_argument("--config", type=pathlib.Path, default=default_config(),
                        help="a config.local as the suite describes it (TEST_FILES, TEST_MAP, TEST_EXCLUDE); tests "
                             "may overwrite the devices that it names (default: c-tests/conformance/config.local if there)")
    parser.add_argument("--jobs", type=int, choices=(1, 2), default=2, help="tests at a time (default: 2)")
    parser.add_argument("--limit", type=int, default=120,
                        help="seconds for one test (default: 120; the suite's own 60 is short on a busy machine)")
    parser.add_argument("--no-examples", action="store_true")
    return parser.parse_args()


def default_config():
    path = PROJECT / "c-tests" / "conformance" / "config.local"
    return path if path.exists() else None


def main():
    args = arguments()
    try:
        source = locate(args.source)
        ours = trees.Install(args.ours_prefix)
    except (NotAvailable, trees.BuildError) as err:
        print(f"SKIP: upstream's suite was not run: {err}", flush=True)
        return NOT_RUN
    cc, cxx = os.environ.get("CC", "gcc"), os.environ.get("CXX", "g++")
    tools = trees.Tools(cc, cxx, compiler_identity(cc, cxx))
    forest = plant(args, source, ours, tools)
    names = forest[0].tests()
    picked = args.only or (read_selection(args.selection) if args.selection else None)
    if picked is not None:
        names = pick(names, picked)
    build_all(forest, "test", names)
    settle_hidden(args, forest, names, source, tools)
    problems = check_binding(forest, names)
    outcomes = run_all(args, forest, cases(names, Config(args.config)))
    example_lines, example_failures = ([], [])
    if not args.no_examples:
        build_all(forest, "examples", forest[0].examples())
        example_lines, example_failures = examples.run_all(forest, args.output)
    return finish(args, source, forest, outcomes, problems, example_lines, example_failures)


def plant(args, source, ours, tools):
    # Upstream's tree stays in the cache: it depends only on the compiler.
    cached = cache_folder() / f"suite-{source.version}"
    folder = args.output.resolve() / "trees"
    forest = [
        trees.Tree("upstream", "upstream", "static", cached, source, tools),
        trees.Tree("static", "our .a", "static", folder / "static", source, tools),
        trees.Tree("shared", "our .so", "shared", folder / "shared", source, tools),
    ]
    for tree, install in zip(forest, (source, ours, ours)):
        tree.create(install, shared=tree.name == "upstream")
    return forest


def pick(names, picked):
    wanted = [name if name.endswith((".t", ".tt")) else f"{name}.t" for name in picked]
    unknown = sorted(set(wanted) - set(names))
    if unknown:
        print(f"SKIP: not in this version or configuration of the suite: {' '.join(unknown)}", flush=True)
    return [name for name in names if name in wanted]


def build_all(forest, folder, targets):
    for tree in forest:
        progress = report.Progress(f"building {folder}, {tree.label}", every=100)
        needed = [*targets, "exec-target.t"] if folder == "test" else targets
        tree.build(folder, sorted(set(needed)), progress, 2)
        missing = [t for t in targets if not tree.binary(folder, t).exists()]
        progress.end(f"{len(targets) - len(missing)} of {len(targets)} built")


def settle_hidden(args, forest, names, source, tools):
    """Tests that link with our static library but not with our shared one: does upstream's shared library link them?"""
    _, static, shared = forest
    shared.hidden = set()
    odd = [n for n in names if not shared.binary("test", n).exists() and static.binary("test", n).exists()]
    if not odd:
        return
    root = args.output.resolve() / "trees" / "upstream-shared"
    twin = trees.Tree("upstream-shared", "upstream .so", "shared", root, source, tools)
    twin.create(source)
    twin.build("test", odd, report.Progress("upstream's shared library, same tests"), 2)
    shared.hidden = {n for n in odd if not twin.binary("test", n).exists()}


def check_binding(forest, names):
    """Checks that each test ran on the library of its column."""
    problems = []
    for tree in forest:
        wrong = tree.wrongly_bound("test", names)
        if wrong:
            problems.append(f"{tree.label}: not bound to its library: {' '.join(wrong)}")
    return problems


def run_all(args, forest, todo):
    """Runs the cases in each tree, and judges what the others do by the first."""
    output = args.output.resolve()
    run = runner.Runner(output / "work", output / "log", args.limit)
    if not run.kernel_log_readable:
        print("SKIP: the kernel's log is not readable, so complaints of the kernel are not looked for", flush=True)
    outcomes = [report.Outcome(case) for case in todo]
    progress = report.Progress("running", every=25)
    counting, locks = threading.Lock(), collections.defaultdict(threading.Lock)
    count = iter(range(1, len(outcomes) + 1))

    def one(outcome, tree):
        # Never run one test twice at once, nor two tests that bind the same fixed port.
        group = "port" if uses_fixed_port(forest[0].source, outcome.case.test) else outcome.case.test
        with counting:
            lock = locks[group]
        with lock:
            outcome.results[tree.name] = run.run(tree, outcome.case)
        with counting:
            if len(outcome.results) == len(forest):
                statuses = [outcome.results[t.name].status for t in forest]
                if len(set(statuses)) > 1:
                    words = ", ".join(f"{t.label} {s}" for t, s in zip(forest, statuses))
                    progress.line(f"  {outcome.case.name}: {words}")
                progress.step(next(count), len(outcomes), outcome.case.name)

    with HugePages(HUGE_PAGES), concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for done in [pool.submit(one, *item) for item in staggered(outcomes, forest)]:
            done.result()
    progress.end(f"{len(outcomes)} cases in {len(forest)} builds")
    settle(run, forest, outcomes)
    shutil.rmtree(output / "work", ignore_errors=True)
    return outcomes


def uses_fixed_port(source, test):
    path = source.path / "test" / re.sub(r"\.tt?$", ".c", test)
    return path.is_file() and re.search(r"^#define\s+\w*PORT\b", path.read_text(), re.MULTILINE) is not None


def settle(run, forest, outcomes):
    """Judges each case. Cases that differ are run again on both, one at a time on a quiet machine."""
    def again(tree, case):
        time.sleep(PAUSE)
        return run.run(tree, case, again=True)

    theirs = forest[0].name
    unsettled = [o for o in outcomes if any(compare.differs(o.results[theirs].status, o.results[t.name].status)
                                            for t in forest[1:])]
    if unsettled:
        print(f"running again, alone, on both: {' '.join(o.case.name for o in unsettled)}", flush=True)
    by_name = {tree.name: tree for tree in forest}
    for outcome in outcomes:
        outcome.verdicts = compare.judge(outcome.results, lambda name: again(by_name[name], outcome.case), theirs)
        for name, verdict in outcome.verdicts.items():
            if verdict.word != compare.SAME:
                print(f"  {outcome.case.name} [{name}]: {verdict.word} {verdict.history()}", flush=True)


def finish(args, source, forest, outcomes, problems, example_lines, example_failures):
    output = args.output.resolve()
    found = report.lists(forest, outcomes)
    for name, lines in found.items():
        report.write(output, name, lines)
    report.write(output, "results", report.details(forest, outcomes))
    warnings = [w for t in forest[1:] for folder in trees.SUITE for w in t.header_warnings(folder)]
    report.write(output, "header-warnings", warnings)
    summary = [f"liburing {source.version}'s suite, kernel {platform.release()} {platform.machine()}, "
               f"{'root' if os.geteuid() == 0 else 'not root'}", ""]
    summary += report.table(forest, outcomes)
    for name in ("regressions", "flickering", "better", "failing", "not-built"):
        summary += ["", f"{name}: {len(found[name])}"] + [f"  {line}" for line in found[name]]
    summary += ["", f"skipped: {len(found['skipped'])} (skipped.txt says why)"]
    if warnings:
        summary += ["", f"warnings about our headers: {len(warnings)} (header-warnings.txt)"]
    if example_lines:
        summary += ["", "examples:"] + [f"  {line}" for line in example_lines]
    summary += [f"PROBLEM: {problem}" for problem in problems]
    bad = found["regressions"] or problems or example_failures or not outcomes
    summary += ["", "FAILED" if bad else "no test that passes on upstream's library fails on ours"]
    report.write(output, "summary", summary)
    print("\n" + "\n".join(summary))
    print(f"files: {output}/*.txt, output of each test in {output}/log/", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
