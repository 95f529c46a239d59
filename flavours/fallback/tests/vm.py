#!/usr/bin/env python3
"""The fallback on other kernels, emulated: where kernel.io_uring_disabled refuses io_uring, where the kernel is older
than most of io_uring, and where it has none.

The C tests run as static programs with the archive, the fallback's own tests with its shared library. Where the kernel
has io_uring and nothing refuses it, its rings are used; LIBURING_FALLBACK=always then shows that the fallback would do.
Exit status: 0 nothing failed, 1 something did, 77 no kernel could be booted here."""

import argparse
import collections
import pathlib
import re
import sys

import c_cases

HERE = pathlib.Path(__file__).resolve().parent
VM = HERE.parent.parent.parent / "c-tests" / "vm"
sys.path.insert(0, str(VM))

import console  # noqa: E402
import kernels  # noqa: E402

NOT_RUN = 77
SYSCTL = "/proc/sys/kernel/io_uring_disabled"
# The sysctl came with this one.
SYSCTL_SINCE = (6, 6)
SKIPPED = re.compile(r"reason: (.*)\nskip (\S+)$", re.M)
SAYS = "serving io_uring from user space"
# A run of this case tells who serves rings.
WITNESS = ("nop", "one_request")
KERNEL, EMULATED, NOBODY = "real", "emulated", "nobody"
OWN = "own-"
# Why rings are emulated where the kernel has and allows them.
ALWAYS = "LIBURING_FALLBACK=always"
# Seconds for one case.
WATCHDOG = 150


def runs(limit, programs, own):
    names = programs + [OWN + name for name in own]
    return [f"run {limit} {name} /{console.PROGRAMS}/{name}" for name in names]


def plan(kernel, args, programs, own):
    """The lines of a boot, and why rings are emulated. Runs of the witness before and after show that they are, for this
    reason."""
    def witness(name):
        program, case = WITNESS
        return f"run {args.limit} {name} /{console.PROGRAMS}/{program} {case}"

    if not kernel.has_io_uring:
        why, refuse = "the kernel refuses io_uring_setup (ENOSYS)", ["env LIBURING_FALLBACK never", witness(NOBODY),
                                                                      "env LIBURING_FALLBACK auto"]
    elif kernel.version >= SYSCTL_SINCE:
        why, refuse = "the kernel refuses io_uring_setup (EPERM)", [witness(KERNEL), f"set {SYSCTL} 2"]
    else:
        why, refuse = ALWAYS, [witness(KERNEL), "env LIBURING_FALLBACK always"]
    return [f"env TMPDIR /{console.FOLDER}", f"env C_TESTS_WATCHDOG {WATCHDOG}", "env LIBURING_FALLBACK_VERBOSE 1", *refuse, witness(EMULATED),
            "env LIBURING_FALLBACK_VERBOSE 0", *runs(args.limit, programs, own)], why


def wrong_witness(run, outcomes, why):
    """Whether this run of the witness is not what its name says."""
    said = "\n".join(run.lines)
    want = {KERNEL: ("ok", False), EMULATED: ("ok", True), NOBODY: ("skip", False)}[run.name]
    return (outcomes.get(WITNESS[1]), SAYS in said) != want or (want[1] and why not in said)


def not_before(path, version):
    """The cases that need a newer kernel than this one, whoever serves them."""
    found = set()
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            program, case, since, _ = line.split(None, 3)
            if version < tuple(map(int, since.split("."))):
                found.add((program, case))
    return found


def check(session, differing, expected, why):
    """The failures of a boot, its cases' counts, and the skipped cases with their reasons."""
    failures = [session.failure] if session.failure else []
    failures += [f"kernel log: {text}" for text in session.complaints]
    counts, skips = collections.Counter(), []
    if len(session.runs) != expected:
        failures.append(f"{len(session.runs)} of {expected} runs")
    for run in session.runs:
        said = "\n".join(run.lines)
        cases = c_cases.outcomes(said, run.code if run.how == "exit" else None)
        if run.name in (KERNEL, EMULATED, NOBODY):
            if wrong_witness(run, cases, why):
                failures.append(f"the run {run.name} of {' '.join(WITNESS)} says:\n{said}")
            continue
        counts.update(cases.values())
        skips += [f"{run.name} {case}: {reason}" for reason, case in SKIPPED.findall(said)]
        wrong = [case for case, outcome in cases.items() if outcome == "FAIL" and (run.name, case) not in differing]
        if wrong:
            failures.append(f"{run.name}: {', '.join(wrong)}:\n{said}")
    return failures, counts, skips


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--init", type=pathlib.Path, required=True, help="the machine's first process")
    parser.add_argument("--static", type=pathlib.Path, required=True, help="folder of the C tests, linked statically")
    parser.add_argument("--own", type=pathlib.Path, required=True, help="folder of the fallback's own tests")
    parser.add_argument("--beside", type=pathlib.Path, action="append", default=[], help="a library that these need")
    parser.add_argument("--list", required=True, help="the cases that differ")
    parser.add_argument("--least", type=int, default=0, help="so many cases pass on each kernel, or it is an error")
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--suites", required=True, help="Debian suites to take kernels from, and 'without' for one without io_uring")
    parser.add_argument("--limit", type=int, default=600, help="seconds for one program")
    parser.add_argument("programs", nargs="+", help="C tests; the fallback's own begin with own-")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    programs = [name for name in args.programs if not name.startswith(OWN)]
    own = [name.removeprefix(OWN) for name in args.programs if name.startswith(OWN)]
    files = {name: args.static / name for name in {*programs, WITNESS[0]}}
    files |= {OWN + name: args.own / name for name in own} | {path.name: path for path in args.beside}
    failed, booted = 0, 0
    for kernel in kernels.to_boot(args.suites.split()):
        lines, why = plan(kernel, args, programs, own)
        count = sum(line.startswith("run ") for line in lines)
        session = console.boot(kernel, args.init, lines, files, args.output / "work",
                               console.BOOT_SECONDS + count * args.limit)
        (args.output / f"console-{kernel.label.replace(' ', '-')}.txt").write_text("\n".join(session.console) + "\n")
        differing = c_cases.recorded(args.list, "static", *(["always"] if why == ALWAYS else []))
        known = differing.keys() | not_before(HERE / "kernels.txt", kernel.version)
        failures, counts, skips = check(session, known, count, why)
        if counts["ok"] < args.least:
            failures.append(f"{counts['ok']} cases pass, fewer than {args.least}")
        for failure in failures:
            print(f"FAILED on Linux {kernel.release}: {failure}")
        for skip in skips:
            print(f"SKIP: on Linux {kernel.release}: {skip}")
        print(f"Linux {kernel.release}, {why}: {counts['ok']} cases passed, {counts['FAIL']} fail, {counts['skip']} skipped",
              flush=True)
        failed += len(failures)
        booted += 1
    print(f"the fallback on {booted} kernels, {failed} failures")
    return NOT_RUN if booted == 0 else int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
