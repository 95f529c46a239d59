"""Runs one program of the suite the way upstream's runtests.sh does: exit code 77 skips, 0 passes if the kernel's log
shows no complaint, SIGINT at the time limit. Each run has a folder and a session of its own."""

import collections
import errno
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import time

PASS, SKIP, FAIL, TIMEOUT = "pass", "skip", "fail", "timeout"
NOT_BUILT = "not built"
# Uses functions that no shared library exports; upstream's own shared library cannot link it either.
HIDDEN = "hidden"

GRACE = 10
COMPLAINTS = re.compile(
    r"kernel BUG at|WARNING:|BUG:|Oops:|possible recursive locking detected|Internal error|INFO: suspicious RCU usage"
    r"|INFO: possible circular locking dependency detected|general protection fault:"
)

Result = collections.namedtuple("Result", "status detail seconds")


class KernelLog:
    """The kernel's messages since the last call. On some systems only root may read them."""

    def __init__(self):
        try:
            self.fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            self.fd = None

    def skip_to_end(self):
        if self.fd is not None:
            os.lseek(self.fd, 0, os.SEEK_END)

    def complaints(self):
        found = []
        while self.fd is not None:
            try:
                record = os.read(self.fd, 8192).decode(errors="replace")
            except OSError as err:
                if err.errno == errno.EPIPE:  # the ring buffer overwrote what had not been read
                    continue
                break
            text = record.split(";", 1)[-1].splitlines()[0]
            if COMPLAINTS.search(text):
                found.append(text)
        return found


class Runner:
    def __init__(self, work, logs, limit):
        self.work, self.logs, self.limit = pathlib.Path(work), pathlib.Path(logs), limit
        self.kernel_log_readable = KernelLog().fd is not None
        # A shell's background job ignores it, and so would the programs, of which some end their children with it.
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def run(self, tree, case, again=False):
        """Runs a case (a test and its arguments) in a tree. The first run's output is kept apart."""
        binary = tree.binary("test", case.test)
        if not binary.exists():
            status = HIDDEN if case.test in getattr(tree, "hidden", ()) else NOT_BUILT
            return Result(status, first_error(tree.errors.get(case.test, "")), 0.0)
        folder = self.work / tree.name / case.file_name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        # Some tests execute this one from the current folder.
        for name in {case.test, "exec-target.t"}:
            program = tree.binary("test", name)
            if program.exists():
                place(program, folder / name)
        log = self.logs / tree.name / (f"{case.file_name}.again.log" if again else f"{case.file_name}.log")
        log.parent.mkdir(parents=True, exist_ok=True)
        kernel_log = KernelLog()
        kernel_log.skip_to_end()
        start = time.monotonic()
        with open(log, "ab") as out:
            out.truncate(0)
            code, timed_out = self._execute(tree, case, folder, out)
        seconds = time.monotonic() - start
        complaints = kernel_log.complaints()
        if kernel_log.fd is not None:
            os.close(kernel_log.fd)
        shutil.rmtree(folder, ignore_errors=True)
        return self._judge(code, timed_out, complaints, log, seconds)

    def _execute(self, tree, case, folder, out):
        child = subprocess.Popen(
            tree.command([f"./{case.test}", *case.args]), cwd=folder, env=tree.environment(case.file_name), start_new_session=True,
            stdin=subprocess.DEVNULL if case.stdin is None else subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT,
        )
        if case.stdin is not None:
            child.stdin.write(case.stdin)
            child.stdin.close()
        timed_out = False
        for wait, then in ((self.limit, signal.SIGINT), (GRACE, signal.SIGKILL)):
            if exited(child.pid, wait):
                break
            timed_out = True
            out.write(where_it_hangs(child.pid))
            signal_group(child.pid, then)
        code = child.wait()
        # Remaining children would disturb the next test.
        signal_group(child.pid, signal.SIGKILL)
        return code, timed_out

    def _judge(self, code, timed_out, complaints, log, seconds):
        last = last_line(log)
        if timed_out:
            return Result(TIMEOUT, f"{self.limit} s; {last}", seconds)
        if code == 77:
            return Result(SKIP, last, seconds)
        if code < 0:
            return Result(FAIL, f"killed by signal {-code}; {last}", seconds)
        if code != 0:
            return Result(FAIL, f"exit {code}; {last}", seconds)
        if complaints:
            return Result(FAIL, f"kernel log: {complaints[0]}", seconds)
        return Result(PASS, "", seconds)


def place(program, target):
    """A hard link if both are on one file system, not a symbolic one: some tests check their own file type."""
    try:
        os.link(program, target)
    except OSError:
        shutil.copy2(program, target)


def exited(pid, seconds):
    fd = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        return bool(poll.poll(seconds * 1000))
    finally:
        os.close(fd)


def where_it_hangs(group):
    """The kernel's stack of each thread of the process group, as far as this user may see it."""
    lines = ["", "still running:"]
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
            if int(fields[2]) != group:
                continue
            for task in (stat.parent / "task").iterdir():
                comm = (task / "comm").read_text().strip()
                frames = [line.split()[-1] for line in (task / "stack").read_text().splitlines()]
                lines.append(f"  {task.name} {comm}: {' < '.join(frames) or 'running'}")
        except (OSError, IndexError):
            continue
    return ("\n".join(lines) + "\n").encode()


def signal_group(pid, number):
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        pass


def last_line(log):
    lines = [line.strip() for line in log.read_bytes().decode(errors="replace").splitlines() if line.strip()]
    return lines[-1][:160] if lines else ""


def first_error(text):
    for line in text.splitlines():
        if "error" in line or "undefined reference" in line:
            return line.strip()[:200]
    return text.strip().splitlines()[-1][:200] if text.strip() else ""
