#!/usr/bin/env python3
"""Find the branches of the installed headers that no compilation of the header matrix takes.

usage: branches.py INCLUDE_DIR <COMMANDS

COMMANDS are compilations, one a line, with "-I INCLUDE_DIR" written as one word. Each is only preprocessed, with headers
that have a mark behind each #if, #else and #elif.
"""

import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile

STRIDE = 64

BRANCH = re.compile(r'\s*#\s*(if|ifdef|ifndef|elif|else)\b')
LATER = re.compile(r'#if !IO_URING_CHECK_VERSION\((\d+), (\d+)\)$')
VERSION = re.compile(r'#define IO_URING_VERSION_(?:MAJOR|MINOR) (\d+)$', re.M)


def marked(text, path, branches, version):
    """The text with a mark behind each directive that opens a branch.

    A branch that only holds #error gets none, and neither does what waits for a later version (make check-options).
    """
    lines, open_branch, depth = [], None, 0
    for number, line in enumerate(text.splitlines(), 1):
        lines.append(line)
        later = LATER.match(line)
        if depth or (later and version < tuple(map(int, later.groups()))):
            depth += bool(re.match(r'\s*#\s*if', line)) - bool(re.match(r'\s*#\s*endif', line))
            continue
        if BRANCH.match(line):
            open_branch = f'{path}:{number}: {line.strip()}'
        if open_branch and not line.endswith('\\'):
            lines.append(f'#pragma liburing_branch {len(branches)}')
            branches.append(open_branch)
            open_branch = None
        elif '#error' in line and lines[-2].startswith('#pragma liburing_branch'):
            branches[int(lines[-2].split()[-1])] = None
    return '\n'.join(lines) + '\n'


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    include = sys.argv[1]
    with open(os.path.join(include, 'liburing/io_uring_version.h')) as source:
        version = tuple(map(int, VERSION.findall(source.read())))
    branches, seen = [], set()
    with tempfile.TemporaryDirectory() as copy:
        for directory, _, files in os.walk(include):
            for file in files:
                # The headers of 2019 have a separate check.
                if not file.endswith('.h') or '/liburing-0.1' in directory:
                    continue
                path = os.path.relpath(os.path.join(directory, file), include)
                os.makedirs(os.path.dirname(os.path.join(copy, path)), exist_ok=True)
                with open(os.path.join(include, path)) as source, open(os.path.join(copy, path), 'w') as target:
                    target.write(marked(source.read(), path, branches, version))

        def preprocess(command):
            words = command.replace(f'-I{include} ', f'-I{copy} ').replace('-fsyntax-only', '-E -w').split()
            output = subprocess.run(words, text=True, capture_output=True).stdout
            return set(map(int, re.findall(r'#pragma liburing_branch (\d+)', output)))

        commands = sys.stdin.read().splitlines()
        wanted = {number for number, branch in enumerate(branches) if branch}
        # A spread over the whole list, so that all branches are found soon.
        commands = [command for start in range(STRIDE) for command in commands[start::STRIDE]]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            while commands and not wanted <= seen:
                for taken in pool.map(preprocess, commands[:STRIDE]):
                    seen |= taken
                del commands[:STRIDE]
    untaken = [branch for number, branch in enumerate(branches) if branch and number not in seen]
    for branch in untaken:
        print(f'no compilation takes {branch}')
    print(f'{len(branches) - len(untaken)} of {len(branches)} branches of the headers are compiled')
    sys.exit(bool(untaken))


if __name__ == '__main__':
    main()
