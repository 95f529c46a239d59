#!/usr/bin/env python3
"""Compare the size of every inline function of two <liburing.h>, as machine instructions.

usage: inline-size.py [-a] [--only PREFIX] OURS_INCLUDE REFERENCE_INCLUDE

Each inline function is compiled alone, as the whole body of an external function, with gcc and clang at -O2. Prints the
functions that are longer than the reference's (with -a: all), and a summary. The exit status is 1 if one is longer than
dearer.py allows.
"""
import argparse
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from dearer import most
from header_inlines import SOURCE, inline_functions


def wrappers(functions):
    out = [SOURCE]
    for result, name, params in functions:
        args = ", ".join(params) or "void"
        call = name + "(" + ", ".join(re.findall(r"\w+", p)[-1] for p in params) + ");"
        ret = "" if result == "void" else "return "
        out.append(f"{result} size_{name}({args}); {result} size_{name}({args}) {{ {ret}{call} }}")
    return "\n".join(out) + "\n"


def count(compiler, include, text, workdir):
    """Return {function: number of instructions}, padding left out."""
    source, obj = os.path.join(workdir, "w.c"), os.path.join(workdir, "w.o")
    with open(source, "w") as f:
        f.write(text)
    subprocess.run([compiler, "-O2", "-w", "-fcf-protection=none", "-fno-asynchronous-unwind-tables",
                    "-ffunction-sections", "-I", include, "-c", source, "-o", obj], check=True)
    dump = subprocess.run(["objdump", "-d", "--no-show-raw-insn", obj], check=True, text=True,
                          capture_output=True).stdout
    counts, name = {}, None
    for line in dump.splitlines():
        m = re.match(r"[0-9a-f]+ <(?:size_)?([\w.]+)>:", line)
        if m:  # what is out of line is not counted, but the rare part of a split function is
            name = m.group(1).removesuffix(".cold") if "<size_" in line else None
            counts.setdefault(name, 0)
        elif name and re.match(r"\s+[0-9a-f]+:\t", line):
            op = line.split("\t")[1]
            if not re.match(r"(nop|data16|cs nop|xchg\s+%ax,%ax)", op):
                counts[name] += 1
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-a", "--all", action="store_true", help="print every function, not only the longer ones")
    parser.add_argument("--only", default="", help="only functions whose name contains this")
    parser.add_argument("ours")
    parser.add_argument("reference")
    args = parser.parse_args()
    worse = 0
    with tempfile.TemporaryDirectory() as workdir:
        functions = inline_functions(args.reference)
        missing = {f[1] for f in functions} - {f[1] for f in inline_functions(args.ours)}
        if missing:
            sys.exit("not in ours: " + " ".join(sorted(missing)))
        functions = [f for f in functions if args.only in f[1]]
        for compiler in filter(shutil.which, ["gcc", "clang"]):
            text = wrappers(functions)
            ours, ref = (count(compiler, inc, text, workdir) for inc in (args.ours, args.reference))
            logs = 0.0
            for name in sorted(ref):
                logs += math.log(ours[name] / ref[name])
                longer = ours[name] > ref[name]
                too_long = ours[name] > most(name, ref[name])
                worse += too_long
                if args.all or longer:
                    print(f"{compiler:6} {name:42} {ours[name]:4} {ref[name]:4} {ours[name] / ref[name]:6.2f}"
                          f"{'  LONGER' if too_long else '  longer, as allowed' if longer else ''}")
            shorter = sum(ours[n] < ref[n] for n in ref)
            longer = sum(ours[n] > ref[n] for n in ref)
            print(f"{compiler}: {len(ref)} functions, {sum(ours.values())} instructions against {sum(ref.values())}, "
                  f"{shorter} shorter, {longer} longer, geometric mean {math.exp(logs / len(ref)):.3f}")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
