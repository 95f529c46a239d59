#!/usr/bin/env python3
"""Run the C tests on the fallback library and hold the cases that fail against the recorded ones.

The list has a line for each case that differs from the kernel: program, case, reason. A reason that begins with
"static:" holds for static programs alone, one with "instructions:" for those that make system calls with instructions of
their own, one with "not instructions:" for all others, and one with "always:" where LIBURING_FALLBACK says so. A case that
fails and is not in the list is an error, and so is one that is in it and passes, or that does not exist. A reason that
begins with "user:" holds for programs under QEMU's user emulation; what it says depends on QEMU's version, so that such a
case may pass.
Exit status: 0 when all is as recorded, 1 otherwise.
"""

import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile

TIMEOUT_SECONDS = 60
KINDS = ("static", "instructions", "always", "user")


def recorded(path, *kinds):
    cases = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                program, case, reason = line.split(None, 2)
                words = reason.partition(":")[0].split()
                limited = words and words[-1] in KINDS and ":" in reason
                if not limited or (words[-1] in kinds) != (words[0] == "not"):
                    cases[program, case] = reason.strip()
    return cases


def outcomes(output, status):
    """The outcomes of a program's cases; one called "(ends)" when the program did not end as it should, which is a
    status of None if it did not end at all."""
    cases = {name: word for word, name in re.findall(r"^(ok|FAIL|skip) (\S+)$", output, re.M)}
    if status is None or (status not in (0, 77) and "FAIL" not in cases.values()) or not cases:
        cases["(ends)"] = "FAIL"
    return cases


def run(program, wrapper):
    """The outcomes of a program's cases, and its output."""
    with tempfile.TemporaryDirectory() as scratch:
        command = wrapper + [program]
        environment = dict(os.environ, TMPDIR=scratch, LC_ALL="C")
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                  env=environment, timeout=TIMEOUT_SECONDS, check=False)
            output, status = done.stdout.decode(errors="replace"), done.returncode
        except subprocess.TimeoutExpired as expired:
            output, status = (expired.stdout or b"").decode(errors="replace"), None
    return outcomes(output, status), output


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dir", required=True, help="where the programs are")
    parser.add_argument("--list", required=True, help="the recorded cases")
    parser.add_argument("--wrapper", required=True, help="a command to run each program under")
    parser.add_argument("--kind", choices=KINDS, help="what the programs are, other than linked to the shared library")
    parser.add_argument("--least", type=int, default=0, help="so many cases pass, or it is an error: a skip is no pass")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("programs", nargs="+")
    options = parser.parse_args()
    differing = recorded(options.list, options.kind)
    may_pass = {case for case, reason in differing.items() if reason.startswith("user:")}
    counts = {"ok": 0, "FAIL": 0, "skip": 0}
    wrong, unseen = [], {(program, case) for program, case in differing if program in options.programs}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        runs = [(name, pool.submit(run, os.path.join(options.dir, name), options.wrapper.split())) for name in options.programs]
        for name, pending in runs:
            cases, output = pending.result()
            said = False
            for case, outcome in cases.items():
                counts[outcome] += 1
                unseen.discard((name, case))
                known = (name, case) in differing
                if (outcome == "FAIL") == known or outcome == "skip" or (name, case) in may_pass:
                    continue
                wrong.append((name, case, outcome))
                if outcome == "FAIL" and not said:
                    print("---- %s\n%s" % (name, output))
                    said = True
    for name, case, outcome in wrong:
        if outcome == "FAIL":
            print("FAIL: %s %s fails, and is not recorded" % (name, case))
        else:
            print("FAIL: %s %s is recorded as failing, and passes" % (name, case))
    for name, case in sorted(unseen):
        print("FAIL: %s %s is recorded as failing, and does not exist" % (name, case))
    few = counts["ok"] < options.least
    if few:
        print("FAIL: fewer than %d pass" % options.least)
    failed = sum(outcome == "FAIL" for _, _, outcome in wrong)
    print("%d passed, %d fail as recorded, %d fail and are not recorded, %d skipped by the tests"
          % (counts["ok"], counts["FAIL"] - failed, failed, counts["skip"]))
    sys.exit(1 if wrong or unseen or few else 0)


if __name__ == "__main__":
    main()
