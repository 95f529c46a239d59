#!/usr/bin/env python3
"""The command uring on other kernels: Debian's, booted in an emulated machine.

doctor under kernel.io_uring_disabled and the group, probe's two columns, trace against a program's counts.
Exit status: 0 nothing failed, 1 something did, 77 no machine could be booted here."""

import argparse
import pathlib
import shutil
import subprocess
import sys

PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent
VM = PROJECT / "c-tests" / "vm"
sys.path.insert(0, str(VM))

import console  # noqa: E402
import kernels  # noqa: E402

NOT_RUN = 77
LIMIT = 120
SYSCTL = "/proc/sys/kernel/io_uring_disabled"
GROUP = "/proc/sys/kernel/io_uring_group"
# The sysctl came with this one.
SYSCTL_SINCE = (6, 6)
QUERY_SINCE = (6, 18)
USER = 54321



class Expected:
    """A run: its line in the plan, its exit status, and what it must say."""

    def __init__(self, name, command, code, *texts):
        self.name, self.command, self.code, self.texts = name, command, code, texts


def runs(kernel):
    # The console is a terminal.
    uring = "/work/bin/uring --color=never"
    plain = f"/work/bin/refuse --uid {USER} -- {uring}"
    agree = "query and behaviour agree" if kernel.version >= QUERY_SINCE else "by behaviour alone"
    plan = [
        Expected("doctor", f"{uring} doctor", 0, "io_uring works here"),
        Expected("probe", f"{uring} probe --since", 0, agree),
        Expected("limits", f"{plain} limits", 0, "to be had      works"),
        Expected("seccomp", f"/work/bin/refuse --errno 1 -- {uring} doctor", 1, "with EPERM"),
        Expected("memlock", f"/work/bin/refuse --memlock 4096 --uid {USER} -- {uring} limits --entries 4096",
                 1 if charged(kernel) else 0),
        Expected("trace", f"{uring} trace --summary -- /work/bin/requests kinds", 0, " requests, ", "2 rings"),
        Expected("trace-perf", f"{uring} trace --source perf --summary -- /work/bin/requests kinds", 0, " requests, "),
    ]
    if kernel.version < SYSCTL_SINCE:
        return plan
    return plan + [
        f"set {SYSCTL} 2",
        Expected("sysctl-2", f"{uring} doctor", 1, "kernel.io_uring_disabled=2 refuses io_uring for everybody"),
        Expected("sysctl-2-program", f"{uring} doctor -- /work/bin/requests kinds", 1, "EPERM", "io_uring_disabled=2"),
        Expected("sysctl-2-seccomp", f"/work/bin/refuse --errno 1 -- {uring} doctor", 1, "and so does a seccomp filter"),
        f"set {SYSCTL} 1",
        Expected("sysctl-1-root", f"{uring} doctor", 0),
        Expected("sysctl-1", f"{plain} doctor", 1, "kernel.io_uring_disabled=1 refuses", "kernel.io_uring_group is"),
        f"set {GROUP} {USER}",
        Expected("sysctl-1-group", f"{plain} doctor", 0, "io_uring works here"),
        f"set {SYSCTL} 0",
        Expected("sysctl-0", f"{plain} doctor", 0, "io_uring works here"),
    ]


def charged(kernel):
    """Whether a ring's memory counts to RLIMIT_MEMLOCK. 7.2 lets a plain user have what 6.18 refuses."""
    return kernel.version < (5, 12) or (6, 14) <= kernel.version < (7, 0)


def check(kernel, session, plan):
    found = {run.name: run for run in session.runs}
    failures = [session.failure] if session.failure else []
    for expected in plan:
        run = found.get(expected.name)
        if run is None:
            failures.append(f"{expected.name} was not run")
            continue
        said = "\n".join(run.lines)
        wrong = [text for text in expected.texts if text not in said]
        if (run.how, run.code) != ("exit", expected.code) or wrong:
            failures.append(f"{expected.name}: {run.how} {run.code}, wanted {expected.code} and {wrong}:\n{said}")
        elif expected.name.startswith("trace") and not counted(run.lines):
            failures.append(f"{expected.name}: the counts are not the program's:\n{said}")
        else:
            first = next((line for line in run.lines if line.strip()), "")
            print(f"ok: Linux {kernel.label} {expected.name}: {first[:110]}")
    return [f"Linux {kernel.release}: {failure}" for failure in failures]


def counted(lines):
    """The program's own line names the numbers that the summary must have."""
    own = next((line.split() for line in lines if line.startswith("requests ")), None)
    if own is None:
        return False
    wanted = f"{own[1]} requests, {own[3]} completions, {own[11]} rings"
    return any(line.startswith(wanted) for line in lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--init", type=pathlib.Path, required=True, help="the machine's first process")
    parser.add_argument("--programs", type=pathlib.Path, required=True, help="folder of uring, refuse, requests")
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--suites", default="bookworm bookworm-backports sid")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    installed = subprocess.run([VM / "install-qemu.sh"], check=False).returncode
    if installed != 0 or shutil.which("qemu-system-x86_64") is None:
        print("SKIP: no kernel was booted: there is no qemu-system-x86_64 here")
        return NOT_RUN
    failures, booted = [], 0
    for suite in args.suites.split():
        try:
            kernel = kernels.kernel(suite)
        except kernels.NotAvailable as err:
            print(f"SKIP: the kernel of {suite} was not booted: {err}")
            continue
        plan = runs(kernel)
        lines = [p if isinstance(p, str) else f"run {LIMIT} {p.name} {p.command}" for p in plan]
        files = {name: args.programs / name for name in ("uring", "refuse", "requests")}
        session = console.boot(kernel, args.init, lines, files, args.output / "work", console.BOOT_SECONDS + 15 * LIMIT)
        (args.output / f"console-{kernel.label}.txt").write_text("\n".join(session.console) + "\n")
        failures += check(kernel, session, [p for p in plan if not isinstance(p, str)])
        booted += 1
    for failure in failures:
        print(f"FAILED on {failure}")
    print(f"uring on {booted} kernels, {len(failures)} failures")
    return NOT_RUN if booted == 0 else int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
