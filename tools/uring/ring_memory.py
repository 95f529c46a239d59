#!/usr/bin/env python3
"""Compares what `uring stat` and `uring top` say of a stopped process with the memory of its rings.

usage: ring_memory.py URING PID          prints a line for each ring; exit status 1 if something differs"""

import json
import os
import re
import struct
import subprocess
import sys
import time

# head and tail of both rings, their masks, their sizes: the beginning of the memory that they share.
RINGS = struct.Struct("<8I")
TOP_SECONDS = 20


def memory(pid):
    """Inode, sizes, and both rings' heads and tails, from the process's memory."""
    found = []
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb") as mem:
        for line in maps:
            place, _, offset, _, inode, *name = line.split()
            # Offset 0 is the rings, 0x10000000 the SQEs.
            if name[:1] != ["anon_inode:[io_uring]"] or int(offset, 16) != 0:
                continue
            mem.seek(int(place.split("-")[0], 16))
            sq_head, sq_tail, cq_head, cq_tail, _, _, sq_size, cq_size = RINGS.unpack(mem.read(RINGS.size))
            found.append((int(inode), sq_size, cq_size, sq_head, sq_tail, cq_head, cq_tail))
    return sorted(found)


def stat(uring, pid):
    said = subprocess.run([uring, "--json", "stat", str(pid)], stdout=subprocess.PIPE, text=True, check=False)
    rings = json.loads(said.stdout)["rings"]
    for ring in rings:
        assert ring["pending"] == (ring["sq_tail"] - ring["sq_head"]) % 2**32, ring
        assert ring["unseen"] == (ring["cq_tail"] - ring["cq_head"]) % 2**32, ring
    fields = ("inode", "sq_entries", "cq_entries", "sq_head", "sq_tail", "cq_head", "cq_tail")
    return sorted(tuple(ring[field] for field in fields) for ring in rings)


def top(uring, pid, count):
    """(CQ size, pending, unseen) as the screen of top has them."""
    # Each has a server of its own: one that ends takes a moment to go.
    server = ["tmux", "-L", f"uring-memory-{os.getpid()}"]
    subprocess.run([*server, "new-session", "-d", "-x", "140", "-y", str(count + 10),
                    f"TERM=screen {uring} top -i 0.1 {pid}"], check=True)
    try:
        until = time.monotonic() + TOP_SECONDS
        rows = []
        while len(rows) < count and time.monotonic() < until:
            time.sleep(0.1)
            screen = subprocess.run([*server, "capture-pane", "-p"], stdout=subprocess.PIPE, text=True, check=True).stdout
            # PID COMMAND FD SUBMIT/s COMPL/s PENDING UNSEEN/SIZE ...
            rows = re.findall(rf"^ *{pid} .+? +\d+ +\S+ +\S+ +(\d+) +(\d+)/(\d+) ", screen, re.M)
        return sorted((int(size), int(pending), int(unseen)) for pending, unseen, size in rows)
    finally:
        subprocess.run([*server, "kill-server"], check=False)


def main():
    uring, pid = sys.argv[1], int(sys.argv[2])
    own = memory(pid)
    shown = []
    for _, sq_size, cq_size, sq_head, sq_tail, cq_head, cq_tail in own:
        pending, unseen = (sq_tail - sq_head) % 2**32, (cq_tail - cq_head) % 2**32
        print(f"SQ {sq_size}, CQ {cq_size}: {sq_head} requests taken, {pending} pending, {unseen} unseen")
        shown.append((cq_size, pending, unseen))
    wrong = not own
    for name, seen, wanted in (("stat", stat(uring, pid), own), ("top", top(uring, pid, len(own)), sorted(shown))):
        if seen != wanted:
            print(f"{name} says {seen}, the rings' memory {wanted}")
            wrong = True
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
