#!/usr/bin/env python3
"""Turn the recorded layouts and constants into C that compiles only where they hold.

usage: facts.py ABI_DIR [ffi] >facts.h

With "ffi", without the two constants that are objects in liburing-ffi.h, since no enumerator can hold them.
"""

import os
import sys

# These hold pointers: the recorded layout is that of 64-bit machines.
LIBRARY = {'io_uring', 'io_uring_sq', 'io_uring_cq', 'io_uring_zcrx_rq', 'io_uring_cqe_iter'}

OBJECTS = {'IORING_ZCRX_AREA_MASK', 'LIBURING_UDATA_TIMEOUT'}


def lines(name):
    with open(os.path.join(sys.argv[1], name)) as file:
        return [line.split() for line in file]


def main():
    if len(sys.argv) < 2 or sys.argv[2:] not in ([], ['ffi']):
        sys.exit(__doc__)
    print('#define CHECK(name, condition) typedef char check_##name[(condition) ? 1 : -1]')
    for number, (_, what, *rest) in enumerate(lines('layouts.txt')):
        structure, _, member = what.partition('.')
        if rest[0] == 'sizeof':
            condition = f'sizeof(struct {structure}) == {rest[1]}'
        else:
            offset, size = rest
            condition = f'offsetof(struct {structure}, {member}) == {offset}'
            # sizeof does not apply to an array without a size.
            if size != '0':
                condition += f' && sizeof(((struct {structure} *)0)->{member}) == {size}'
        check = f'CHECK(layout_{number}, {condition});'
        print(f'#if __SIZEOF_POINTER__ == 8\n{check}\n#endif' if structure in LIBRARY else check)
    for name, value in lines('constants.txt'):
        if sys.argv[2:] and name in OBJECTS:
            continue
        print(f'CHECK({name}_value, (unsigned long long)({name}) == {value}ULL);')


if __name__ == '__main__':
    main()
