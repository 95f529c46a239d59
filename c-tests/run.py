#!/usr/bin/env python3
"""Run the built C tests and show a table: a line for each program, a column for each build.

A cell gives the passed cases, and "+N" for skipped or "!N" for failed ones. The output of a failed program follows its
line. A failed program is run again, alone on the machine, to show whether it depends on load. It still counts as
failed.
Exit status: 0 when nothing failed, 1 otherwise.
"""

import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import time

TIMEOUT_SECONDS = 300
RUNS_ALONE = 4
HUGE_PAGES_A_JOB = 16
HUGE_PAGES_FILE = "/sys/kernel/mm/hugepages/hugepages-2048kB/"


class Result:
    """The output of one program in one build."""

    def __init__(self, status, output):
        self.status = status
        self.output = output
        self.passed = len(re.findall(r"^ok ", output, re.M))
        self.failed = len(re.findall(r"^FAIL ", output, re.M))
        # the line of a skipped case follows its reason
        self.skips = re.findall(r"^ *reason: (.*)\nskip (\S+)", output, re.M)
        counted = self.passed + self.failed + len(self.skips)
        if counted == 0 or (status not in (0, 77) and self.failed == 0):
            self.failed += 1

    def cell(self):
        text = str(self.passed)
        if self.skips:
            text += "+%d" % len(self.skips)
        if self.failed:
            text += "!%d" % self.failed
        return text


def run(command, environment):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                              env=environment, timeout=TIMEOUT_SECONDS, check=False)
        return Result(done.returncode, done.stdout.decode(errors="replace"))
    except subprocess.TimeoutExpired as expired:
        output = (expired.stdout or b"").decode(errors="replace")
        return Result(1, output + "\nkilled after %d s\n" % TIMEOUT_SECONDS)


class HugePages:
    """A few free huge pages while the tests run, where the user may reserve them."""

    def __init__(self, count):
        self.count = count
        self.added = 0

    def __enter__(self):
        try:
            total = self.read("nr_hugepages")
            if os.geteuid() == 0 and self.read("free_hugepages") < self.count:
                self.write(total + self.count)
                self.added = self.read("nr_hugepages") - total
                print("reserved %d huge pages for the tests that need some" % self.added)
        except OSError as error:
            print("no huge pages: %s" % error)
        return self

    def __exit__(self, *_):
        # given back as a number of pages: another run may have reserved some meanwhile
        if self.added > 0:
            self.write(max(0, self.read("nr_hugepages") - self.added))

    @staticmethod
    def read(name):
        with open(HUGE_PAGES_FILE + name, encoding="ascii") as file:
            return int(file.read())

    @staticmethod
    def write(count):
        with open(HUGE_PAGES_FILE + "nr_hugepages", "w", encoding="ascii") as file:
            file.write(str(count))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dir", required=True, help="where the builds are")
    parser.add_argument("--builds", required=True, help="their names, the table's columns")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--wrapper", default="", help="a command to run each program under")
    parser.add_argument("programs", nargs="+")
    options = parser.parse_args()
    builds = options.builds.split()
    wrapper = options.wrapper.split()
    names = options.programs
    for name in names:
        if not any(os.path.exists(os.path.join(options.dir, build, name)) for build in builds):
            sys.exit("there is no program " + name)

    scratch = os.path.join(options.dir, "tmp")
    shutil.rmtree(scratch, ignore_errors=True)
    os.makedirs(scratch)
    environment = dict(os.environ, TMPDIR=scratch, LC_ALL="C")
    if not environment.get("C_TESTS_REFERENCE"):
        environment.pop("C_TESTS_REFERENCE", None)

    totals = {"passed": 0, "skipped": 0, "failed": 0}
    skips = {}
    doubtful = []
    started = time.monotonic()
    print("%-20s" % "program" + "".join("%10s" % build for build in builds))
    with HugePages(HUGE_PAGES_A_JOB * options.jobs), concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        pending = [(name, {build: pool.submit(run, wrapper + [os.path.join(options.dir, build, name)], environment)
                           for build in builds if os.path.exists(os.path.join(options.dir, build, name))})
                   for name in names]
        for name, futures in pending:
            results = {build: future.result() for build, future in futures.items()}
            cells = [results[build].cell() if build in results else "-" for build in builds]
            print("%-20s" % name + "".join("%10s" % cell for cell in cells), flush=True)
            shown = set()
            for build, result in results.items():
                totals["passed"] += result.passed
                totals["skipped"] += len(result.skips)
                totals["failed"] += result.failed
                for reason, case in result.skips:
                    skips.setdefault((name, case, reason), []).append(build)
                if result.failed:
                    doubtful.append((name, build))
                if result.failed and result.output not in shown:
                    shown.add(result.output)
                    print("    %s, exit status %d:" % (build, result.status))
                    print("".join("    | %s\n" % line for line in result.output.splitlines()), end="", flush=True)
        for name, build in doubtful:
            command = wrapper + [os.path.join(options.dir, build, name)]
            again = [run(command, environment).failed for _ in range(RUNS_ALONE)]
            passes = again.count(0)
            print("%s, %s: failed beside others, passed %d of %d runs alone" % (name, build, passes, RUNS_ALONE), flush=True)
    shutil.rmtree(scratch, ignore_errors=True)

    for (name, case, reason), where in skips.items():
        note = "" if len(where) == len(builds) else " (%s)" % ", ".join(where)
        print("SKIP: %s %s: %s%s" % (name, case, reason, note))
    print("C tests: %d programs in %d builds, %d cases passed, %d skipped, %d failed, %.0f s" %
          (len(names), len(builds), totals["passed"], totals["skipped"], totals["failed"],
           time.monotonic() - started))
    return 1 if totals["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
