"""The cases: every test once, again with each device that the suite's configuration names, and a few with input."""

import pathlib
import re
import subprocess

# Tests that do nothing without input. Each entry: test, arguments, standard input.
WITH_INPUT = (("read-mshot-stdin.t", ("stdin",), b"one line\nand another\n"),)

STAGGER = 4


class Case:
    def __init__(self, test, args=(), stdin=None):
        self.test, self.args, self.stdin = test, tuple(args), stdin
        self.name = " ".join([re.sub(r"\.tt?$", "", test), *self.args])
        self.file_name = re.sub(r"[^\w.-]+", "_", self.name.strip("/"))


class Config:
    """The suite's config.local: devices for the tests that take one, and tests to leave out."""

    def __init__(self, path=None):
        self.files, self.map, self.exclude = [], {}, []
        if path is None:
            return
        script = (
            'declare -A TEST_MAP=(); . "$1"; '
            'for f in $TEST_FILES; do echo "file $f"; done; for t in $TEST_EXCLUDE; do echo "exclude $t"; done; '
            'for k in "${!TEST_MAP[@]}"; do echo "map $k ${TEST_MAP[$k]}"; done'
        )
        out = subprocess.run(["bash", "-c", script, "bash", str(path)], stdout=subprocess.PIPE, text=True, check=True)
        for line in out.stdout.splitlines():
            word, rest = line.split(" ", 1)
            if word == "file":
                self.files.append(rest)
            elif word == "exclude":
                self.exclude.append(rest)
            else:
                test, device = rest.split(" ", 1)
                self.map[test] = device
        for device in [*self.files, *self.map.values()]:
            if not pathlib.Path(device).exists():
                raise SystemExit(f"{path}: {device} does not exist")


def cases(tests, config):
    found = []
    for test in tests:
        if test in config.exclude or test.rsplit(".", 1)[0] in config.exclude:
            continue
        if test in config.map:
            found.append(Case(test, [config.map[test]]))
            continue
        found.append(Case(test))
        found.extend(Case(test, [device]) for device in config.files)
    found.extend(Case(*given) for given in WITH_INPUT if given[0] in tests)
    return found


def read_selection(path):
    """Test names, one a line; `#` begins a comment."""
    names = (line.split("#", 1)[0].strip() for line in pathlib.Path(path).read_text().splitlines())
    return [name for name in names if name]


def staggered(todo, forest):
    """A case runs on one library after the other, but not directly after. When a process ends, the kernel destroys its
    ring a little later. Until then the addresses that it bound stay in use."""
    for at in range(len(todo) + STAGGER * (len(forest) - 1)):
        for number, tree in enumerate(forest):
            if 0 <= at - STAGGER * number < len(todo):
                yield todo[at - STAGGER * number], tree
