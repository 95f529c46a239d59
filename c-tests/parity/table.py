#!/usr/bin/env python3
"""Print C source: the inline functions of <liburing.h>, and calls with random arguments of those that fill in an SQE.

usage: table.py INCLUDE_DIR CC
"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from header_inlines import inline_functions


def fills_sqe(result, name, params):
    """Whether a function only writes its arguments into an SQE."""
    return (result == "void" and re.match(r"io_uring_(prep|sqe_set)_", name)
            and sum(p.startswith("struct io_uring_sqe *") for p in params) == 1)


def argument(number, param):
    if param.startswith("struct io_uring_sqe *"):
        return "sqe"
    kind = re.sub(r"\w+$", "", param).strip()
    return f"({kind}) (uintptr_t) a[{number}]" if kind.endswith("*") else f"({kind}) a[{number}]"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    functions = inline_functions(sys.argv[1], sys.argv[2])
    for result, name, params in functions:
        if fills_sqe(result, name, params):
            args = ", ".join(argument(i, p) for i, p in enumerate(params))
            print(f"static void call_{name}(any_fn fn, struct io_uring_sqe *sqe, const uint64_t *a)\n"
                  f"{{\n    (void) a;\n    ((__typeof__(&{name})) fn)({args});\n}}\n")
    print("static const struct filler fillers[] = {")
    for result, name, params in functions:
        if fills_sqe(result, name, params):
            print(f'    {{"{name}", (any_fn) {name}, call_{name}}},')
    print("};\n\nstatic const char *const header_functions[] = {")
    for _, name, _ in functions:
        print(f'    "{name}",')
    print("};")


if __name__ == "__main__":
    main()
