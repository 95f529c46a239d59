"""Reports that programs are meant to get, because they misuse io_uring: a line for each, with its reason."""

import json
import pathlib
import platform
import re

KERNEL = pathlib.Path(__file__).resolve().parents[1] / "src" / "fields" / "kernel.rs"

# Rules that a table speaks for. On a newer kernel than the table's it speaks only if asked.
BY_TABLE = ("ignored", "refused")


def is_newer_kernel():
    """Whether the kernel is newer than the one whose table the library has."""
    table = re.search(r"VERSION: \(u32, u32\) = \((\d+), (\d+)\)", KERNEL.read_text(encoding="utf-8"))
    running = re.match(r"(\d+)\.(\d+)", platform.release())
    return [int(number) for number in running.groups()] > [int(number) for number in table.groups()]


class Recorded:
    """The lines of a file: program, rule, function, reason. A reason in brackets: the report depends on time."""

    def __init__(self, path):
        self.reasons = {}
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip() and not line.startswith("#"):
                program, rule, function, reason = line.split(None, 3)
                self.reasons[program, rule, function] = reason
        self.unseen = set(self.reasons)

    def unknown(self, program, reports):
        """Those of a program's reports that are not recorded. The others are seen then."""
        left = []
        for report in reports:
            functions = {place.split()[0] for place in report["where"] + report.get("submitted", [])}
            known = {key for key in self.reasons if key[:2] == (program, report["rule"]) and key[2] in functions}
            self.unseen -= known
            if not known:
                left.append(report)
        return left

    def missing(self, programs):
        """Lines of these programs that no report was seen for, and should have been."""
        silent = BY_TABLE if is_newer_kernel() else ()
        return sorted(key for key in self.unseen
                      if key[0] in programs and key[1] not in silent and not self.reasons[key].startswith("("))


def read_reports(path):
    """What `LIBURING_CHECK=json,log=` has written. Notes are no reports: they say which rings have no proxy."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [report for report in map(json.loads, lines) if "rule" in report]
