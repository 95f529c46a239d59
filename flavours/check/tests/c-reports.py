#!/usr/bin/env python3
"""Run the C tests on the check library. Their results must be as without it, and its reports those that are recorded.

The list has a line for each report that a test is meant to get: program, rule, function, reason. A report that is not
in it is an error, and so is a line without a report. A second list has a line for each test that fails, because of what the
check library does: program, test, reason. Such a test gets no reports.
Exit status: 0 when all is as recorded, 1 otherwise.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from recorded import Recorded, read_reports

TIMEOUT_SECONDS = 100


def failing(path):
    tests = set()
    if path:
        with open(path, encoding="utf-8") as file:
            for line in file:
                if line.strip() and not line.startswith("#"):
                    program, test, _ = line.split(None, 2)
                    tests.add((program, test))
    return tests


def run(program, library, words):
    """The program's output, its exit status, and its reports."""
    with tempfile.TemporaryDirectory() as scratch:
        log = os.path.join(scratch, "log")
        environment = dict(os.environ, TMPDIR=scratch, LC_ALL="C", LD_LIBRARY_PATH=library,
                           LIBURING_CHECK=words + "json,log=" + log)
        try:
            done = subprocess.run([program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment,
                                  stdin=subprocess.DEVNULL, timeout=TIMEOUT_SECONDS, check=False)
            output, status = done.stdout.decode(errors="replace"), done.returncode
        except subprocess.TimeoutExpired as expired:
            output, status = (expired.stdout or b"").decode(errors="replace"), None
        return output, status, read_reports(pathlib.Path(log))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dir", required=True, help="where the programs are")
    parser.add_argument("--library", required=True, help="the folder of the check library")
    parser.add_argument("--list", required=True, help="the recorded reports")
    parser.add_argument("--failing", help="the tests that fail")
    parser.add_argument("--words", default="", help="words for LIBURING_CHECK, each with a comma behind it")
    parser.add_argument("--jobs", type=int, default=3)
    parser.add_argument("programs", nargs="+")
    options = parser.parse_args()
    recorded = Recorded(pathlib.Path(options.list))
    fails = failing(options.failing)
    wrong, passed, skipped = 0, 0, 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        runs = [(name, pool.submit(run, os.path.join(options.dir, name), options.library, options.words)) for name in options.programs]
        for name, pending in runs:
            output, status, reports = pending.result()
            passed += len(re.findall(r"^ok ", output, re.M))
            skipped += len(re.findall(r"^skip ", output, re.M))
            failed = {(name, test) for test in re.findall(r"^FAIL (\w+)", output, re.M)}
            known = {key for key in fails if key[0] == name}
            if status != 1 if known else status not in (0, 77):
                wrong += 1
                print("FAIL: %s ends with %s\n%s" % (name, status, output))
            elif failed != known:
                wrong += 1
                print("FAIL: of %s these tests fail: %s\n%s" % (name, sorted(failed), output))
            for report in recorded.unknown(name, reports):
                wrong += 1
                print("FAIL: %s gets a report that is not recorded\n%s" % (name, json.dumps(report, indent=1)))
    for key in recorded.missing(options.programs):
        if (key[0], key[2]) not in fails:
            wrong += 1
            print("FAIL: %s gets no report %s at %s, which is recorded" % key)
    print("C tests: %s%d cases passed, %d skipped by the tests; recorded: %d reports, %d failures; %d wrong"
          % (options.words.replace(",", ": "), passed, skipped, len(recorded.reasons), len(fails), wrong))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
