#!/usr/bin/env python3
"""The cost of loading the library and of setting a ring up, beside upstream's.

usage: startup.py OURS UPSTREAM [RUNS]

OURS and UPSTREAM are install prefixes. Counts are limits: exit status 1 if one is above upstream's. The times come from
glibc's dynamic linker: medians of RUNS (51) loads of each, in turns. They are shown, but are no limit.
"""
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

SIDES = ("ours", "upstream")


def build(prefix, number, path):
    library = os.path.join(prefix, "lib")
    subprocess.run([*os.environ.get("CC", "gcc").split(), "-O2", f"-DPROGRAM={number}", "-I",
                    os.path.join(prefix, "include"), "c-tests/cost/weight.c", "-o", path, "-L", library,
                    "-Wl,--no-as-needed", "-luring", f"-Wl,-rpath,{library}"], check=True)
    return path


def relocations(prefix):
    output = subprocess.run(["readelf", "-Wr", os.path.join(prefix, "lib", "liburing.so.2")], check=True, text=True,
                            stdout=subprocess.PIPE).stdout
    return sum(bool(re.match(r"[0-9a-f]{12,} ", line)) for line in output.splitlines())


def system_calls(program, work):
    """The system calls of a whole run, the program's and the dynamic linker's."""
    log = os.path.join(work, "strace")
    subprocess.run(["strace", "-o", log, program], check=True)
    with open(log, encoding="utf-8") as lines:
        return sum("(" in line and not line.startswith(("+++", "---")) for line in lines)


def linker_cycles(program):
    """Cycles from the dynamic linker's own statistics: in all, and for looking symbols up and relocating."""
    environment = dict(os.environ, LD_DEBUG="statistics", LD_BIND_NOW="1")
    output = subprocess.run([program], check=True, text=True, stderr=subprocess.PIPE, env=environment).stderr
    found = {}
    for name, pattern in (("all", r"total startup time in dynamic loader: (\d+)"),
                          ("relocation", r"time needed for relocation: (\d+)"),
                          ("loading", r"time needed to load objects: (\d+)")):
        match = re.search(pattern, output)
        if match:
            found[name] = int(match.group(1))
    return found


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__.split("\n\n")[1])
    prefixes = dict(zip(SIDES, sys.argv[1:3]))
    runs = int(sys.argv[3]) if len(sys.argv) == 4 else 51
    rows = [("relocations", {side: relocations(prefix) for side, prefix in prefixes.items()})]
    times = {}
    with tempfile.TemporaryDirectory() as work:
        idle = {side: build(prefix, 0, os.path.join(work, f"idle-{side}")) for side, prefix in prefixes.items()}
        ring = {side: build(prefix, 1, os.path.join(work, f"ring-{side}")) for side, prefix in prefixes.items()}
        if shutil.which("strace"):
            loading = {side: system_calls(idle[side], work) for side in SIDES}
            rows.append(("system calls to start and end a program", loading))
            rows.append(("system calls of queue_init and queue_exit",
                         {side: system_calls(ring[side], work) - loading[side] for side in SIDES}))
        else:
            print("SKIP: strace is not here; no system calls were counted")
        for _ in range(runs):
            for side in SIDES:
                for name, cycles in linker_cycles(idle[side]).items():
                    times.setdefault(name, {}).setdefault(side, []).append(cycles)

    above = 0
    print(f"{'number of':<46}{'ours':>9}{'upstream':>10}{'ratio':>8}")
    for name, numbers in rows:
        mark = ""
        if numbers["ours"] > numbers["upstream"]:
            above += 1
            mark = "  above"
        print(f"{name:<46}{numbers['ours']:>9}{numbers['upstream']:>10}{numbers['ours'] / numbers['upstream']:>8.2f}{mark}")
    titles = {"all": "in all", "relocation": "looking symbols up, relocating", "loading": "loading objects"}
    print(f"{'cycles of the dynamic linker, with libc':<46}")
    for name, sides in times.items():
        ours, upstream = (statistics.median(sides[side]) for side in SIDES)
        print(f"  {titles[name]:<44}{ours:>9.0f}{upstream:>10.0f}{ours / upstream:>8.2f}  (median of {runs})")
    print(f"{len(rows)} counts, {above} above upstream's")
    sys.exit(above > 0)


if __name__ == "__main__":
    main()
