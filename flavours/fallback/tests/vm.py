#!/usr/bin/env python3
"""The fallback on other kernels, emulated: where kernel.io_uring_disabled refuses io_uring, and where the kernel is older
than most of io_uring.

The C tests run as static programs with the archive, the fallback's own tests with its shared library. Where the kernel
has io_uring and nothing refuses it, its rings are used; LIBURING_FALLBACK=always then shows that the fallback would do.
Exit status: 0 nothing failed, 1 something did, 77 no kernel could be booted here."""

import argparse
import pathlib
import shutil
import subprocess
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
SAYS = "serving io_uring from user space"
# A run of this program tells whether rings are emulated.
WITNESS = "nop"
OWN = "own-"


def runs(limit, programs, own):
    names = programs + [OWN + name for name in own]
    return [f"run {limit} {name} /{console.PROGRAMS}/{name}" for name in names]


def plan(kernel, args, programs, own):
    """The lines of a boot. The first run, named "real", is of a ring that nothing refuses."""
    lines = [f"env TMPDIR /{console.FOLDER}", "env LIBURING_FALLBACK_VERBOSE 1",
             f"run {args.limit} real /{console.PROGRAMS}/{WITNESS}"]
    if kernel.version >= SYSCTL_SINCE:
        lines.append(f"set {SYSCTL} 2")
    else:
        lines.append("env LIBURING_FALLBACK always")
    return lines + [f"run {args.limit} emulated /{console.PROGRAMS}/{WITNESS}", "env LIBURING_FALLBACK_VERBOSE 0"] + \
        runs(args.limit, programs, own)


def why(kernel):
    return "refused by the sysctl" if kernel.version >= SYSCTL_SINCE else "LIBURING_FALLBACK=always"


def check(session, differing, expected):
    """The failures of a boot, and its cases' counts."""
    failures = [session.failure] if session.failure else []
    failures += [f"kernel log: {text}" for text in session.complaints]
    counts = {"ok": 0, "FAIL": 0, "skip": 0}
    if len(session.runs) != expected:
        failures.append(f"{len(session.runs)} of {expected} runs")
    for run in session.runs:
        said = "\n".join(run.lines)
        cases = c_cases.outcomes(said, run.code if run.how == "exit" else None)
        if run.name in ("real", "emulated"):
            if (SAYS in said) != (run.name == "emulated"):
                failures.append(f"the run {run.name} of {WITNESS} says:\n{said}")
            if "ok" not in cases.values() or "FAIL" in cases.values():
                failures.append(f"the run {run.name} of {WITNESS} fails:\n{said}")
            continue
        for case, outcome in cases.items():
            counts[outcome] += 1
        wrong = [case for case, outcome in cases.items() if outcome == "FAIL" and (run.name, case) not in differing]
        if wrong:
            failures.append(f"{run.name}: {', '.join(wrong)}:\n{said}")
    return failures, counts


def choose(suites):
    if subprocess.run([VM / "install-qemu.sh"], check=False).returncode or not shutil.which("qemu-system-x86_64"):
        print("SKIP: no kernel was booted: there is no qemu-system-x86_64 here")
        return
    for name in suites:
        try:
            yield kernels.kernel(name)
        except kernels.NotAvailable as err:
            print(f"SKIP: the kernel {name} was not booted: {err}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--init", type=pathlib.Path, required=True, help="the machine's first process")
    parser.add_argument("--static", type=pathlib.Path, required=True, help="folder of the C tests, linked statically")
    parser.add_argument("--own", type=pathlib.Path, required=True, help="folder of the fallback's own tests")
    parser.add_argument("--beside", type=pathlib.Path, action="append", default=[], help="a library that these need")
    parser.add_argument("--list", required=True, help="the cases that differ")
    parser.add_argument("--least", type=int, default=0, help="so many cases pass on each kernel, or it is an error")
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--suites", required=True, help="Debian suites to take kernels from")
    parser.add_argument("--limit", type=int, default=180, help="seconds for one program")
    parser.add_argument("programs", nargs="+", help="C tests; the fallback's own begin with own-")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    programs = [name for name in args.programs if not name.startswith(OWN)]
    own = [name.removeprefix(OWN) for name in args.programs if name.startswith(OWN)]
    files = {name: args.static / name for name in {*programs, WITNESS}}
    files |= {OWN + name: args.own / name for name in own} | {path.name: path for path in args.beside}
    differing = c_cases.recorded(args.list, True)
    failed, booted = 0, 0
    for kernel in choose(args.suites.split()):
        lines = plan(kernel, args, programs, own)
        count = sum(line.startswith("run ") for line in lines)
        session = console.boot(kernel, args.init, lines, files, args.output / "work",
                               console.BOOT_SECONDS + count * args.limit)
        (args.output / f"console-{kernel.label.replace(' ', '-')}.txt").write_text("\n".join(session.console) + "\n")
        failures, counts = check(session, differing, count)
        if counts["ok"] < args.least:
            failures.append(f"{counts['ok']} cases pass, fewer than {args.least}")
        for failure in failures:
            print(f"FAILED on Linux {kernel.release}: {failure}")
        print(f"Linux {kernel.label}, {why(kernel)}: {counts['ok']} cases passed, {counts['FAIL']} failed, {counts['skip']} skipped",
              flush=True)
        failed += len(failures)
        booted += 1
    print(f"the fallback on {booted} kernels, {failed} failures")
    return NOT_RUN if booted == 0 else int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
