#!/usr/bin/env python3
"""Runs upstream's test suite, unmodified, on the fallback, with io_uring refused, and holds what does not pass against
the recorded list.

The list has a line for each test that does not pass: test, outcome (fail, skip or hangs), reason. A test that does not
pass and is not in it is an error, and so is one that is in it and passes.
Exit status: 0 all is as recorded, 1 it is not, 77 the suite was not run.
"""

import argparse
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parents[2]
sys.path.insert(0, str(PROJECT / "c-tests" / "conformance"))

# pylint: disable=wrong-import-position
import report
import runner
import trees
from c_tests import HugePages
from cases import Config, cases
from run import pick, uses_fixed_port
from source import NotAvailable, compiler_identity, locate

NOT_RUN = 77
HUGE_PAGES = 32
OUTCOMES = {runner.FAIL: "fail", runner.SKIP: "skip", runner.TIMEOUT: "hangs", runner.NOT_BUILT: "fail",
            runner.HIDDEN: "skip"}


class Install(trees.Install):
    """The headers of an installation with the fallback's library."""

    def __init__(self, prefix, library):
        super().__init__(prefix)
        self.shared = pathlib.Path(library).resolve()


class RefusedTree(trees.Tree):
    """A tree whose programs run where io_uring is refused."""

    def __init__(self, refuse, *args):
        super().__init__(*args)
        self.refuse = refuse

    def command(self, command):
        library = self.root / "src" / "liburing.so.2"
        return [str(self.refuse), "-e", "EPERM", "env", f"LD_PRELOAD={library}", *command]


def recorded(path):
    tests = {}
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            test, outcome, reason = line.split(None, 2)
            tests[test] = (outcome, reason)
    return tests


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prefix", type=pathlib.Path, required=True, help="where the headers are installed")
    parser.add_argument("--library", type=pathlib.Path, required=True, help="the fallback's liburing.so.2")
    parser.add_argument("--refuse", type=pathlib.Path, required=True, help="the command that refuses io_uring")
    parser.add_argument("--list", type=pathlib.Path, default=HERE / "suite.txt", help="the recorded tests")
    parser.add_argument("--output", type=pathlib.Path, default=PROJECT / "build" / "fallback" / "suite")
    parser.add_argument("--only", nargs="+", metavar="TEST", help="run only these tests")
    parser.add_argument("--limit", type=int, default=180, help="seconds for one test")
    parser.add_argument("--jobs", type=int, default=2)
    return parser.parse_args()


def run_all(args, tree, todo):
    run = runner.Runner(args.output / "work", args.output / "log", args.limit)
    progress = report.Progress("running", every=25)
    # Tests that bind the same fixed port run one after the other, before all others.
    alone = [case for case in todo if uses_fixed_port(tree.source, case.test)]
    results = {case.name: run.run(tree, case) for case in alone}
    rest = [case for case in todo if case.name not in results]
    with HugePages(HUGE_PAGES), concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for case, result in zip(rest, pool.map(lambda case: run.run(tree, case), rest)):
            results[case.name] = result
            progress.step(len(results), len(todo), case.name)
    progress.end(f"{len(todo)} cases")
    # What a busy machine disturbed gets a second turn, alone.
    known = recorded(args.list)
    for case in todo:
        result = results[case.name]
        if result.status != runner.PASS and known.get(case.name, ("",))[0] != OUTCOMES[result.status]:
            results[case.name] = run.run(tree, case, again=True)
    shutil.rmtree(args.output / "work", ignore_errors=True)
    return results


def judge(known, results):
    wrong = []
    for name, result in sorted(results.items()):
        outcome = OUTCOMES.get(result.status, "pass")
        want = known.get(name, ("pass", ""))[0]
        if outcome != want and want != "varies":
            wrong.append(f"{name}: {outcome}, recorded as {want}: {result.detail}")
    return wrong


def main():
    args = arguments()
    args.output = args.output.resolve()
    try:
        source = locate(None)
        install = Install(args.prefix, args.library)
        if subprocess.run([args.refuse, "-e", "EPERM", "true"], check=False).returncode != 0:
            raise NotAvailable("there are no seccomp filters")
    except (NotAvailable, trees.BuildError) as err:
        print(f"SKIP: upstream's suite was not run: {err}", flush=True)
        return NOT_RUN
    cc, cxx = os.environ.get("CC", "gcc"), os.environ.get("CXX", "g++")
    tools = trees.Tools(cc, cxx, compiler_identity(cc, cxx))
    tree = RefusedTree(args.refuse.resolve(), "fallback", "fallback", "shared", args.output / "tree", source, tools)
    tree.create(install)
    names = tree.tests()
    if args.only:
        names = pick(names, args.only)
    tree.build("test", sorted({*names, "exec-target.t"}), report.Progress("building", every=100), 2)
    results = run_all(args, tree, cases(names, Config()))
    report.write(args.output, "results", [f"{name:32} {r.status:8} {r.seconds:6.1f} s  {r.detail}"
                                          for name, r in sorted(results.items())])
    counts = [f"{sum(r.status == status for r in results.values())} {word}" for status, word in
              ((runner.PASS, "pass"), (runner.SKIP, "skip"), (runner.FAIL, "fail"), (runner.TIMEOUT, "hang"),
               (runner.NOT_BUILT, "not built"), (runner.HIDDEN, "hidden"))]
    wrong = judge(recorded(args.list), results)
    print("\n".join(wrong))
    print(f"liburing {source.version}'s suite, refused: {', '.join(counts)}; {len(wrong)} not as recorded")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
