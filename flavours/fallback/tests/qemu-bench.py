#!/usr/bin/env python3
"""Times reads of qemu-img bench. Prints nanoseconds a read.

usage: qemu-bench.py AIO bench SECONDS depth=N direct=0|1 file=PATH

The arguments after AIO are those that programs of bench.py get.
"""

import re
import subprocess
import sys


def seconds(aio, count, options):
    done = subprocess.run(["qemu-img", "bench", "-f", "raw", "-i", aio, "-t", "none" if options["direct"] == "1" else "writeback",
                           "-c", str(count), "-d", options["depth"], "-s", "4096", options["file"]],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    took = re.search(r"completed in ([0-9.]+) seconds", done.stdout)
    if done.returncode or done.stderr or not took:
        sys.exit(f"qemu-img bench: {done.stderr.strip() or done.stdout.strip()}")
    return float(took[1])


def main():
    aio, _, wanted = sys.argv[1:4]
    options = dict(word.split("=", 1) for word in sys.argv[4:])
    count = 4000
    # A first run tells how many reads fill the time.
    rate = count / max(seconds(aio, count, options), 0.001)
    count = max(count, int(rate * float(wanted)))
    print(seconds(aio, count, options) * 1e9 / count)


if __name__ == "__main__":
    main()
