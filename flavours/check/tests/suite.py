#!/usr/bin/env python3
"""Runs upstream's tests and examples, unmodified, on the plain library and on the check library. Results must be the
same, and the reports those that are recorded.

The list has a line for each report: test, rule, function, reason. A report that is not in it is an error, and so is a
line without a report. Where the reason is in brackets, the report depends on time, and may be missing.
Exit status: 0 all is as it is to be, 1 it is not, 77 the suite was not run.
"""

import json
import os
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "c-tests" / "conformance"))

# pylint: disable=wrong-import-position
import examples
import flavour
import report
import trees
from recorded import Recorded, read_reports


class CheckedTree(trees.Tree):
    """The programs of the plain library's tree, with the check library in its place."""

    plain = reports = None
    words = ""

    def borrow(self, folder, targets):
        for target in targets:
            binary = self.plain.binary(folder, target)
            if binary.exists():
                self.binary(folder, target).unlink(missing_ok=True)
                os.link(binary, self.binary(folder, target))
        self.errors = self.plain.errors

    def log(self, name):
        return self.reports / f"{name}.json"

    def environment(self, name):
        return dict(super().environment(name), LIBURING_CHECK=f"{self.words}json,log={self.log(name)}")


def judge(suite):
    args = suite.args
    plain = suite.tree(trees.Tree, "plain", "plain library")
    checked = suite.tree(CheckedTree, "checked", "check library", args.library)
    checked.plain, checked.reports = plain, args.output / "reports"
    checked.words = f"{args.words}," if args.words else ""
    shutil.rmtree(checked.reports, ignore_errors=True)
    checked.reports.mkdir(parents=True)
    # Some tests give up their rights.
    checked.reports.chmod(0o777)
    forest = [plain, checked]
    names = suite.build(plain)
    checked.borrow("test", [*names, "exec-target.t"])
    outcomes = suite.run(forest, names)
    programs = {outcome.case.file_name for outcome in outcomes}
    lines, failures = [], []
    if not args.only:
        wanted = plain.examples()
        plain.build("examples", wanted, report.Progress("building examples", every=100), 2)
        checked.borrow("examples", wanted)
        lines, failures = examples.run_all(forest, args.output)
        programs |= set(wanted)
    found = report.lists(forest, outcomes)
    wrong = found["regressions"] + failures
    recorded = Recorded(args.list)
    count = 0
    for program in sorted(programs):
        reports = read_reports(checked.log(program))
        count += len(reports)
        wrong += [f"{program} gets a report that is not recorded\n{json.dumps(text, indent=1)}"
                  for text in recorded.unknown(program, reports)]
    wrong += [f"{' '.join(key)}: recorded, and there is no such report" for key in recorded.missing(programs)]
    report.write(args.output, "results", report.details(forest, outcomes) + lines)
    print("\n".join([*report.table(forest, outcomes), *lines, *wrong]))
    print(f"liburing {suite.source.version}'s suite{args.words and ', ' + args.words}: {len(outcomes)} cases, {len(lines)} examples, {count} reports; "
          f"{len(wrong)} wrong, {len(found['flickering'])} with results that vary")
    return not wrong and bool(outcomes)


def arguments():
    parser = flavour.arguments(__doc__, "checker", HERE)
    parser.add_argument("--words", default="", help="words for LIBURING_CHECK")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(flavour.main(judge, arguments()))
