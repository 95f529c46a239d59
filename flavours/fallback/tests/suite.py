#!/usr/bin/env python3
"""Runs upstream's test suite, unmodified, on the fallback, with io_uring refused, and holds what does not pass against
the recorded list.

The list has a line for each test that does not pass: test, outcome (fail, skip or hangs), reason. A test that does not
pass and is not in it is an error, and so is one that is in it and passes.
Exit status: 0 all is as recorded, 1 it is not, 77 the suite was not run.
"""

import collections
import os
import pathlib
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "c-tests" / "conformance"))

# pylint: disable=wrong-import-position
import flavour
import report
import runner
import trees
from source import NotAvailable

OUTCOMES = {runner.FAIL: "fail", runner.SKIP: "skip", runner.TIMEOUT: "hangs", runner.NOT_BUILT: "fail",
            runner.HIDDEN: "skip"}


class RefusedTree(trees.Tree):
    """A tree whose programs run where io_uring is refused."""

    refuse = None

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
    parser = flavour.arguments(__doc__, "fallback", HERE)
    parser.add_argument("--refuse", type=pathlib.Path, required=True, help="the command that refuses io_uring")
    parser.add_argument("--runs", type=int, default=1, help="so many times, with a line for each, and its output in run-N")
    return parser.parse_args()


def is_recorded(known, name, result):
    want = known.get(name, ("pass", ""))[0]
    return want in (OUTCOMES.get(result.status, "pass"), "varies")


def run_once(suite, tree, names, known):
    """Returns each test's result."""
    args = suite.args
    outcomes = suite.run([tree], names)
    results = {outcome.case.name: outcome.results[tree.name] for outcome in outcomes}
    # What a busy machine disturbed gets a second turn, alone.
    again = runner.Runner(args.output / "work", args.output / "log", args.limit)
    for case in (outcome.case for outcome in outcomes):
        if not is_recorded(known, case.name, results[case.name]):
            results[case.name] = again.run(tree, case, again=True)
    shutil.rmtree(args.output / "work", ignore_errors=True)
    report.write(args.output, "results", [f"{name:32} {r.status:8} {r.seconds:6.1f} s  {r.detail}"
                                          for name, r in sorted(results.items())])
    return results


def judge(suite):
    args = suite.args
    if subprocess.run([args.refuse, "-e", "EPERM", "true"], check=False).returncode != 0:
        raise NotAvailable("there are no seccomp filters")
    RefusedTree.refuse = args.refuse.resolve()
    tree = suite.tree(RefusedTree, "fallback", "fallback", args.library)
    names = suite.build(tree)
    known, output = recorded(args.list), args.output
    lines, failed = [], False
    for number in range(1, args.runs + 1):
        if args.runs > 1:
            args.output = output / f"run-{number}"
        start = time.monotonic()
        results = run_once(suite, tree, names, known)
        wrong = [f"{name}: {r.status}, recorded as {known.get(name, ('pass',))[0]}: {r.detail}"
                 for name, r in sorted(results.items()) if not is_recorded(known, name, r)]
        hang = [name for name, r in sorted(results.items()) if r.status == runner.TIMEOUT]
        counts = collections.Counter(r.status for r in results.values())
        words = ", ".join(f"{counts[status]} {status}" for status in report.ORDER)
        print("\n".join(wrong))
        lines.append(f"liburing {suite.source.version}'s suite, refused: {words}; {len(wrong)} not as recorded; "
                     f"{time.monotonic() - start:.0f} s, load {os.getloadavg()[0]:.1f}"
                     + (f"; hang: {' '.join(hang)}" if hang else ""))
        print(lines[-1], flush=True)
        failed = failed or bool(wrong)
    if args.runs > 1:
        print("\n".join(["", *(f"{number:3} {line}" for number, line in enumerate(lines, 1))]))
    return not failed


if __name__ == "__main__":
    sys.exit(flavour.main(judge, arguments()))
