#!/usr/bin/env python3
"""Check that the C tests name every function of the version maps.

usage: coverage.py MAP... TESTS

The map of liburing-ffi has the header's inline functions as well. A call is the name and an opening parenthesis outside
of comments, or a mention of the name in an asm label.
"""

import os
import re
import sys


def exported(path):
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
    return set(re.findall(r"^\s*(\w+);", text, re.M))


def called(directory):
    names = set()
    for name in sorted(os.listdir(directory)):
        if not name.endswith((".c", ".h", ".cpp")):
            continue
        with open(os.path.join(directory, name), encoding="utf-8") as file:
            text = re.sub(r"/\*.*?\*/|//[^\n]*", "", file.read(), flags=re.S)
        names.update(re.findall(r"\b(\w+)\(", text))
        names.update(re.findall(r'__asm__\("(\w+)"\)', text))
    return names


def main():
    *maps, tests = sys.argv[1:]
    wanted = set().union(*(exported(path) for path in maps))
    if not wanted:
        sys.exit("the maps name no function")
    missing = sorted(wanted - called(tests))
    for name in missing:
        print("no C test names %s" % name)
    print("C tests name %d of %d functions" % (len(wanted) - len(missing), len(wanted)))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
