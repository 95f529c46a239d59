"""A boot of the machine and its console: programs, their output, the kernel's complaints."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(PROJECT / "c-tests" / "conformance"))

import machine
from runner import COMPLAINTS

BOOT_SECONDS = 120
# Where programs are, below the machine's root, and the folder that each is started in, as init.c has them.
PROGRAMS, FOLDER = "work/bin", "work/now"
SPARE_MIB = 512


class Run:
    """One program's run."""

    def __init__(self, name):
        self.name, self.lines, self.complaints = name, [], []
        self.how, self.code, self.ms = None, None, 0

    def end(self, how, code, ms):
        self.how, self.code, self.ms = how, int(code), int(ms)


class Session:
    """Follows the console of one boot."""

    def __init__(self, kernel, total):
        self.kernel, self.total = kernel, total
        self.runs, self.notes, self.complaints = [], [], []
        self.current, self.done, self.failure = None, False, None
        self.console = []

    def line(self, text):
        self.console.append(text)
        if COMPLAINTS.search(text):
            self.complaints.append(text.strip())
            if self.current:
                self.current.complaints.append(text.strip())
        begin = re.search(r"@begin (\S+)$", text)
        end = re.search(r"@end (\S+) (\S+) (-?\d+) (\d+)$", text)
        if begin:
            self.current = Run(begin.group(1))
            self.runs.append(self.current)
        elif end and self.current:
            self.current.end(*end.groups()[1:])
            self.current = None
            self.progress()
        elif text.startswith("@note "):
            self.notes.append(text[6:])
        elif text.startswith("@done"):
            self.done = True
        elif self.current:
            self.current.lines.append(text)

    def progress(self):
        text = f"{self.kernel.release}: {len(self.runs)}/{self.total} {self.runs[-1].name}"
        if sys.stdout.isatty():
            print(f"\r\033[K{text}", end="", flush=True)
        elif len(self.runs) % (10 if self.total < 100 else 50) == 0:
            print(text, flush=True)


def boot(kernel, init, plan, files, work, limit):
    """Boots with these files ({path below /work/bin: file here}) and carries out the plan, a list of lines."""
    folder = work / kernel.release
    shutil.rmtree(folder, ignore_errors=True)
    programs = []
    for name, source in files.items():
        target = folder / "root" / "bin" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([os.environ.get("STRIP", "strip"), "-o", str(target), str(source)], check=True)
        programs.append(target)
    text = "".join(f"{line}\n" for line in plan)
    order = "".join(f"/{name}\n" for name in kernel.modules)
    first = {"init": init.read_bytes(), "plan": text.encode(), "load": order.encode(), **kernel.modules}
    runs = sum(line.startswith("run ") for line in plan)
    session = Session(kernel, runs)
    start = time.monotonic()
    print(f"booting {kernel.release}, {runs} runs", flush=True)
    try:
        machine.archive(first, folder / "initramfs")
        drives = {"raw": folder / "raw", "files": folder / "files"}
        machine.raw_drive(drives["raw"])
        size = sum(path.stat().st_size for path in programs)
        machine.file_system(folder / "root", drives["files"], (size >> 20) + SPARE_MIB)
        machine.boot(kernel, folder / "initramfs", drives, limit, session.line)
    except machine.BootError as err:
        session.failure = str(err)
    if not session.done and session.failure is None:
        session.failure = "the machine went down before the plan was done"
    shutil.rmtree(folder)
    if sys.stdout.isatty():
        print("\r\033[K", end="")
    print(f"{kernel.release}: {len(session.runs)} of {runs} runs, {time.monotonic() - start:.0f} s"
          + (f"; {session.failure}" if session.failure else ""), flush=True)
    return session
