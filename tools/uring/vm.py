#!/usr/bin/env python3
"""The command uring on other kernels: Debian's, booted in an emulated machine, and one without io_uring.

doctor under kernel.io_uring_disabled and the group, probe's columns, trace against a program's counts.
Exit status: 0 nothing failed, 1 something did, 77 no kernel could be booted here."""

import argparse
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
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
PROGRAMS = ("uring", "refuse", "requests")


class Expected:
    """A run: its line in the plan, its exit status, and what it must say."""

    def __init__(self, name, command, code, *texts, also=None):
        self.name, self.command, self.code, self.texts = name, command, code, texts
        # A function that gets the output's lines and returns what is wrong with them.
        self.also = also


# The console is a terminal.
URING = "/work/bin/uring --color=never"
PLAIN = f"/work/bin/refuse --uid {USER} -- {URING}"


def runs_without():
    leads = "uring doctor says why"
    return [
        Expected("doctor", f"{URING} doctor", 77, "was built without io_uring", "has no CONFIG_IO_URING",
                 "a kernel with CONFIG_IO_URING=y"),
        Expected("doctor-user", f"{PLAIN} doctor", 77, "was built without io_uring"),
        Expected("doctor-program", f"{URING} doctor -- /work/bin/requests nop 8 8", 77, "0 rings were made",
                 "was built without io_uring"),
        Expected("doctor-pid", f"{URING} doctor --pid 1", 77, "was built without io_uring"),
        Expected("probe", f"{URING} probe", 77, leads),
        Expected("limits", f"{URING} limits", 77, leads),
        Expected("bench", f"{URING} bench nop", 77, leads),
        Expected("stat", f"{URING} stat", 0),
        Expected("errno", f"{URING} errno ENOSYS", 0, "ENOSYS (38)"),
    ]


def runs(kernel):
    agree = "query and behaviour agree"
    if kernel.version < QUERY_SINCE:
        agree = f"no IORING_REGISTER_QUERY (6.18) and tells its opcodes alone: {agree}"
    plan = [
        Expected("doctor", f"{URING} doctor", 0, "io_uring works here"),
        Expected("probe", f"{URING} probe --since", 0, agree),
        Expected("probe-since", f"{URING} --json probe", 0, also=lambda lines: differ(lines, kernel.version)),
        Expected("limits", f"{PLAIN} limits", 0, "to be had      works"),
        Expected("seccomp", f"/work/bin/refuse --errno 1 -- {URING} doctor", 1, "with EPERM"),
        Expected("memlock", f"/work/bin/refuse --memlock 4096 --uid {USER} -- {URING} limits --entries 4096",
                 1 if charged(kernel) else 0),
        Expected("trace", f"{URING} trace --summary -- /work/bin/requests kinds", 0, " requests, ", "2 rings",
                 also=miscounted),
        Expected("trace-perf", f"{URING} trace --source perf --summary -- /work/bin/requests kinds", 0, " requests, ",
                 also=miscounted),
    ]
    if kernel.version < SYSCTL_SINCE:
        return plan
    for_all, sysctl = "sysctl -w kernel.io_uring_disabled=0", "kernel.io_uring_disabled"
    return plan + [
        f"set {SYSCTL} 2",
        Expected("sysctl-2", f"{URING} doctor", 1, f"{sysctl}=2 refuses io_uring for everybody", for_all),
        Expected("sysctl-2-user", f"{PLAIN} doctor", 1, f"{sysctl}=2 refuses io_uring for everybody", for_all),
        Expected("sysctl-2-program", f"{URING} doctor -- /work/bin/requests kinds", 1, "EPERM", "io_uring_disabled=2"),
        Expected("sysctl-2-seccomp", f"/work/bin/refuse --errno 1 -- {URING} doctor", 1, "and so does a seccomp filter"),
        f"set {SYSCTL} 1",
        Expected("sysctl-1-root", f"{URING} doctor", 0),
        Expected("sysctl-1", f"{PLAIN} doctor", 1, f"{sysctl}=1 refuses", "kernel.io_uring_group is",
                 "kernel.io_uring_group=GID"),
        f"set {GROUP} {USER}",
        Expected("sysctl-1-group", f"{PLAIN} doctor", 0, "io_uring works here"),
        f"set {SYSCTL} 0",
        Expected("sysctl-0", f"{PLAIN} doctor", 0, "io_uring works here"),
    ]


def charged(kernel):
    """Whether a ring's memory counts to RLIMIT_MEMLOCK. 7.2 lets a plain user have what 6.18 refuses."""
    return kernel.version < (5, 12) or (6, 14) <= kernel.version < (7, 0)


def differ(lines, version):
    """Names whose presence is not what the kernel's version says."""
    names = json.loads("\n".join(lines))["names"]
    wrong = []
    for name in names:
        since = tuple(map(int, name["since"].split(".")))
        there = name["behaviour"] if name["behaviour"] is not None else name["query"]
        if not name["left_out"] and there not in (None, since <= version):
            wrong.append(f"{name['name']} is {'there' if there else 'missing'}, and came with {name['since']}")
    tried = sum(name["behaviour"] is not None for name in names)
    if 10 * tried < 9 * len(names):
        wrong.append(f"{tried} of {len(names)} names were tried out")
    return wrong


def miscounted(lines):
    """The program's own line names the numbers that the summary must have."""
    own = next((line.split() for line in lines if line.startswith("requests ")), None)
    if own is None:
        return ["the program said nothing"]
    wanted = f"{own[1]} requests, {own[3]} completions, {own[11]} rings"
    return [] if any(line.startswith(wanted) for line in lines) else [f"the counts are not the program's: {wanted}"]


def check(kernel, session, plan):
    found = {run.name: run for run in session.runs}
    failures = [session.failure] if session.failure else []
    for expected in plan:
        run = found.get(expected.name)
        if run is None:
            failures.append(f"{expected.name} was not run")
            continue
        said = "\n".join(run.lines)
        wrong = [f'no "{text}"' for text in expected.texts if text not in said]
        if (run.how, run.code) != ("exit", expected.code):
            wrong.append(f"{run.how} {run.code}, wanted {expected.code}")
        elif expected.also:
            wrong += expected.also(run.lines)
        if wrong:
            failures.append(f"{expected.name}: {'; '.join(wrong)}:\n{said}")
            continue
        verdict = next((line for line in run.lines if re.match("FAIL|warn|ok |Linux ", line)), "")
        print(f"ok: Linux {kernel.label} {expected.name}: {verdict[:110]}")
    return [f"Linux {kernel.release}: {failure}" for failure in failures]


def choose(suites):
    """Each kernel that can be had with its plan."""
    for kernel in kernels.to_boot([*suites, kernels.WITHOUT]):
        yield kernel, runs(kernel) if kernel.has_io_uring else runs_without()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--init", type=pathlib.Path, required=True, help="the machine's first process")
    parser.add_argument("--programs", type=pathlib.Path, required=True, help=f"folder of {', '.join(PROGRAMS)}")
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--suites", default="bookworm bookworm-backports sid")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    failures, booted = [], 0
    for kernel, plan in choose(args.suites.split()):
        lines = [p if isinstance(p, str) else f"run {LIMIT} {p.name} {p.command}" for p in plan]
        files = {name: args.programs / name for name in PROGRAMS}
        session = console.boot(kernel, args.init, lines, files, args.output / "work", console.BOOT_SECONDS + 15 * LIMIT)
        (args.output / f"console-{kernel.label.replace(' ', '-')}.txt").write_text("\n".join(session.console) + "\n")
        failures += check(kernel, session, [p for p in plan if not isinstance(p, str)])
        booted += 1
    for failure in failures:
        print(f"FAILED on {failure}")
    print(f"uring on {booted} kernels, {len(failures)} failures")
    return NOT_RUN if booted == 0 else int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
