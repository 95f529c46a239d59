"""Print Zig source that takes the address of every function of <liburing.h>. So each must compile and link.

usage: every_function.py INCLUDE_DIR CC EXPORTED... (files of the recorded interface with a function in each line)
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../.."))
from header_inlines import inline_functions

# It has an ordered access, which Zig cannot translate, and no symbol, as in upstream's liburing-ffi.
WITHOUT = {"io_uring_load_sq_head"}


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    names = {name for _, name, _ in inline_functions(sys.argv[1], sys.argv[2])}
    # One underscore: private to the header.
    names = {name for name in names if not name.startswith("_") or name.startswith("__")}
    for path in sys.argv[3:]:
        with open(path) as f:
            names.update(line.split()[0] for line in f)
    print('const c = @import("liburing.zig");\nexport const every_function = [_]*const anyopaque{')
    for name in sorted(names - WITHOUT):
        print(f"    @ptrCast(&c.{name}),")
    print("};")


if __name__ == "__main__":
    main()
