#!/usr/bin/env python3
"""The size of the libraries and of static programs, beside upstream's.

usage: size.py OURS UPSTREAM

OURS and UPSTREAM are install prefixes. "text" is the figure of size(1): code, constants, symbol tables and unwinding
tables. Exit status 1 if a library's limited row is not below upstream's, or a program's is above it.
"""
import os
import subprocess
import sys
import tempfile

FILES = {"liburing": "liburing.so", "liburing-ffi": "liburing-ffi.so"}


def run(*command):
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout


def text(path):
    return int(run("size", path).splitlines()[1].split()[0])


def stripped(path, work):
    copy = os.path.join(work, "stripped")
    run("strip", "-o", copy, path)
    return os.path.getsize(copy)


def program(prefix, number, options, work):
    """A program of c-tests/cost/weight.c with liburing.a: its text and its size without symbols."""
    path = os.path.join(work, "program")
    run(*os.environ.get("CC", "gcc").split(), "-O2", f"-DPROGRAM={number}", "-I", os.path.join(prefix, "include"),
        "c-tests/cost/weight.c", os.path.join(prefix, "lib", "liburing.a"), *options, "-o", path)
    return text(path), stripped(path, work)


def rows(prefix, work):
    for name, file in FILES.items():
        path = os.path.join(prefix, "lib", file)
        yield f"{name}.so.2, stripped", stripped(path, work), "below"
        yield f"{name}.so.2, text", text(path), "below"
    collected = ["-Wl,--gc-sections"]
    for title, number, options, limit in (
            ("five functions", 2, [], "not above"),
            ("five functions, --gc-sections", 2, collected, "not above"),
            ("five functions, -static", 2, ["-static"], "not above"),
            ("five functions, -static --gc-sections", 2, ["-static", *collected], "not above"),
            ("one function", 3, [], "not above"),
            ("one function, --gc-sections", 3, collected, "not above")):
        code, whole = program(prefix, number, options, work)
        yield f"{title}: text", code, limit
        # So small a program is mostly the linker's own bookkeeping.
        yield f"{title}: stripped", whole, limit if number != 3 else ""


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.split("\n\n")[1])
    with tempfile.TemporaryDirectory() as work:
        ours, upstream = (list(rows(prefix, work)) for prefix in sys.argv[1:])
    broken = 0
    print(f"{'bytes of':<46}{'ours':>9}{'upstream':>10}{'ratio':>8}")
    for (name, mine, limit), (_, theirs, _) in zip(ours, upstream):
        above = mine > theirs or (limit == "below" and mine == theirs)
        broken += bool(limit) and above
        mark = "  above" if above and limit else "  (no limit)" if not limit else ""
        print(f"{name:<46}{mine:>9}{theirs:>10}{mine / theirs:>8.2f}{mark}")
    print(f"{len(ours)} rows, {broken} above their limit")
    sys.exit(broken > 0)


if __name__ == "__main__":
    main()
