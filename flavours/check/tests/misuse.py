#!/usr/bin/env python3
"""Run the programs that misuse io_uring on the check library, and hold its reports against what they say.

A wrong case must be reported by its rules and no other, with its request and the calls that led to it, and with a function
of the program as the place. A right case must be silent. A case must end as it says: by a signal, or without. "TOOL:WORDS" among the rules is what the tool, under which the program runs, must say.
Exit status: 0 when all is so, 1 otherwise.
"""

import argparse
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile

from recorded import BY_TABLE, is_newer_kernel

TIMEOUT_SECONDS = 60


def cases(program, library):
    program = os.path.abspath(program)
    environment = dict(os.environ, LD_LIBRARY_PATH=os.path.dirname(library))
    output = subprocess.run([program], stdout=subprocess.PIPE, env=environment, check=True).stdout.decode()
    for line in output.splitlines():
        name, rule, request, signal = line.split("\t")
        yield program, name, rule, request, int(signal)


def reports(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    # Notes are no reports: they say which rings have no proxy.
    return [report for report in found if "rule" in report]


class Tool:
    """How programs run under a tool, and what it says."""

    def __init__(self, name, environment=None, says=None, command=()):
        self.name = name
        self.environment = environment or {}
        self.says = says
        self.command = list(command)

    def found(self, scratch):
        said = set()
        for name in os.listdir(scratch):
            if name.startswith("tool"):
                with open(os.path.join(scratch, name), encoding="utf-8", errors="replace") as lines:
                    said.update(self.name + ":" + "".join(match) for match in re.findall(self.says, lines.read()))
        return said


TOOLS = {
    None: Tool("none"),
    "asan": Tool("asan", {"ASAN_OPTIONS": "detect_leaks=0:exitcode=0:log_path={}/tool"}, r"ERROR: AddressSanitizer: (\S+)"),
    # It does not find its place in memory where addresses are drawn from too wide a range.
    "tsan": Tool("tsan", {"TSAN_OPTIONS": "exitcode=0:log_path={}/tool"}, r"WARNING: ThreadSanitizer: ([a-z ]+?) \(pid", ["setarch", "-R"]),
    "memcheck": Tool("memcheck", {},
                     r"==\d+==\s+(?:(Invalid read|Invalid write|(?:Uninitialised|Unaddressable) byte\(s\)|Conditional jump)"
                     r"|Address .* inside a (buffer of \S+),)",
                     ["valgrind", "--quiet", "--log-file={}/tool.%p"]),
}


def whole(calls, case_name):
    """Whether these are the calls that led to a request: they begin in the program, and go back to its beginning."""
    names = [call.split(" ")[0] for call in calls]
    if "main" in names:
        return case_name in names
    # In another thread they go back to the C library, whose functions may have no names.
    return len(calls) > 2 and ".c:" in calls[0]

def run(case, library, tool, words):
    """What is wrong with the reports of a case, or None; "skip" if the kernel cannot do it."""
    program, case_name, rule, request, signal = case
    with tempfile.TemporaryDirectory() as scratch:
        log = os.path.join(scratch, "log")
        environment = dict(os.environ, LIBURING_CHECK=words + "json,log=" + log)
        if tool.says:
            # The sanitizers want to come first, and tools are not what is looked at.
            environment["LD_LIBRARY_PATH"] = os.path.dirname(library)
        else:
            environment["LD_PRELOAD"] = library
        for name, value in tool.environment.items():
            environment[name] = value.format(scratch)
        wanted = [] if rule == "-" else rule.split(",")
        switches = {"-": ",off=", "+": ",on="}
        for name in wanted:
            if name[0] in switches:
                environment["LIBURING_CHECK"] += switches[name[0]] + name[1:]
            elif name in BY_TABLE and is_newer_kernel():
                environment["LIBURING_CHECK"] += ",on=" + name
        try:
            command = [word.format(scratch) for word in tool.command] + [program, case_name]
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=scratch,
                                  stdin=subprocess.DEVNULL, env=environment, timeout=TIMEOUT_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return "hangs"
        found = reports(log)
        said = tool.found(scratch) if tool.says else set()
    if done.returncode == 77:
        return "skip"
    # Tools may catch the signal. Any other alarm has ended a case that hangs.
    if done.returncode not in ({0, -signal} if tool.says else {-signal}):
        return "ends with %d: %s" % (done.returncode, done.stdout.decode(errors="replace"))
    if done.stdout:
        return "prints %r" % done.stdout.decode(errors="replace")
    rules = sorted({report["rule"] for report in found} | said)
    wanted = sorted(name.lstrip("+") for name in wanted if not name.startswith("-"))
    if rules != wanted:
        return "reports %s, not %s\n%s" % (rules, wanted, json.dumps(found, indent=1))
    named = [report["request"] for report in found if "request" in report]
    if request != "-" and (not named or any(request not in name for name in named)):
        return "names the requests %s, not %r" % (named, request)
    for report in found:
        places = report["where"] + report.get("submitted", [])
        if not any(os.path.basename(program) + ".c:" in place for place in places):
            return "names no place in the program: %s" % places
        if "request" in report and not whole(report["submitted"], case_name):
            return "does not name the calls that led to the request: %s" % report["submitted"]
        if not report["do"] or not report["read"]:
            return "does not say what to do"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", required=True)
    parser.add_argument("--tool", choices=[name for name in TOOLS if name])
    parser.add_argument("--words", default="", help="words for LIBURING_CHECK, each with a comma behind it")
    parser.add_argument("--jobs", type=int, default=3)
    parser.add_argument("--only", nargs="*", help="names of cases")
    parser.add_argument("programs", nargs="+")
    options = parser.parse_args()
    todo = [case for program in options.programs for case in cases(program, options.library)
            if options.only is None or case[1] in options.only]
    failed, skipped, seen = 0, [], set()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for case, wrong in zip(todo, pool.map(lambda case: run(case, options.library, TOOLS[options.tool], options.words), todo)):
            if wrong == "skip":
                skipped.append(case[1])
            elif wrong:
                failed += 1
                print("FAIL: %s %s %s" % (os.path.basename(case[0]), case[1], wrong))
            else:
                seen.update(name.lstrip("+") for name in case[2].split(",") if not name.startswith("-"))
    print("%s: %s%d cases, %d failed, %d skipped; %d rules reported" % (
        options.tool or "misuse", options.words.replace(",", ": "), len(todo), failed, len(skipped), len(seen)))
    if skipped:
        print("SKIP: " + (options.tool or "misuse") + ": this kernel cannot do %s" % " ".join(skipped))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
