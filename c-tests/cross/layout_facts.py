#!/usr/bin/env python3
"""Print C source with one variable for each layout fact. Its size is the fact's value plus one byte.

usage: layout_facts.py LAYOUTS

So a compiler for any architecture states the facts, and nm reads them. LAYOUTS is c-tests/abi/layouts.txt.
"""
import re
import sys


def main():
    print("#define _GNU_SOURCE")
    print("#include <stddef.h>")
    print("#include <liburing.h>")
    print("#include <liburing/io_uring/query.h>")
    print("#include <liburing/io_uring/bpf_filter.h>")
    number = 0

    def fact(expression):
        nonlocal number
        number += 1
        name = re.sub(r"\W+", "_", expression).strip("_")
        print("char fact_%03d_%s[%s + 1] = {1};" % (number, name, expression))

    with open(sys.argv[1], encoding="utf-8") as file:
        for line in file:
            subject = re.match(r"struct (\w+)(?:\.(\S+))? \S+ (\S+)$", line)
            struct, field, size = subject.groups()
            if field:
                fact("offsetof(struct %s, %s)" % (struct, field))
                # An array at the end, without a length, has no size.
                if size != "0":
                    fact("sizeof(((struct %s *)0)->%s)" % (struct, field))
            else:
                fact("sizeof(struct %s)" % struct)
                fact("_Alignof(struct %s)" % struct)


main()
