"""Print Zig source that takes the address of every function of <liburing.h>. So each must compile and link.

usage: every_function.py INCLUDE_DIR CC shared|static EXPORTED... (files of the recorded interface, a function in each line)

For the shared libraries, a function that they do not export is left out.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../.."))
from header_inlines import inline_functions

# It has an ordered access, which Zig cannot translate. Only the archive has a symbol for it, as upstream's does.
NOT_SHARED = {"io_uring_load_sq_head"}


def main():
    if len(sys.argv) < 5 or sys.argv[3] not in ("shared", "static"):
        sys.exit(__doc__)
    names = {name for _, name, _ in inline_functions(sys.argv[1], sys.argv[2])}
    # One underscore: private to the header.
    names = {name for name in names if not name.startswith("_") or name.startswith("__")}
    for path in sys.argv[4:]:
        with open(path) as f:
            names.update(line.split()[0] for line in f)
    if sys.argv[3] == "shared":
        names -= NOT_SHARED
    print('const c = @import("liburing.zig");\nexport const every_function = [_]*const anyopaque{')
    for name in sorted(names):
        print(f"    @ptrCast(&c.{name}),")
    print("};")


if __name__ == "__main__":
    main()
