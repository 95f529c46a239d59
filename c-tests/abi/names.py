#!/usr/bin/env python3
"""Compare the names that one #include <liburing.h> takes from a program with those that upstream's header takes.

usage: names.py INCLUDE_DIR UPSTREAM_INCLUDE_DIR

A name that only ours takes can break a program. Exceptions are names that C reserves (they start with an underscore),
guards of our headers, and functions that upstream's has in other language versions. Programs may rely on a name that
only upstream's takes. Macros are counted by the header that defines them. Declarations are read from clang's syntax
tree. Without clang only macros are compared, and a line "SKIP: reason" is printed.
"""

import json
import os
import re
import shutil
import subprocess
import sys

# The language versions in which upstream's header compiles.
MODES = [
    ('c', ['-std=gnu99']),
    ('c', ['-std=gnu17']),
    ('c', ['-std=gnu17', '-D_GNU_SOURCE']),
    ('c', ['-std=c99', '-D_POSIX_C_SOURCE=200809L']),
    ('c++', ['-std=c++11']),
    ('c++', ['-std=gnu++20']),
]

PRIVATE = re.compile(r'_|LIBURING_\w+_H$')

# What upstream's header defines for its own parts only.
UPSTREAM_PRIVATE = {'LIBURING_VERSION_H', 'UAPI_LINUX_IO_URING_H_SKIP_LINUX_TIME_TYPES_H'}

SOURCE = '#include <liburing.h>\n'


def compiler(command, language, options, include, *args):
    process = subprocess.run([command, '-w', '-x', language, *options, '-I', include, *args, '-'], input=SOURCE,
                             text=True, capture_output=True)
    if process.returncode != 0:
        sys.exit(process.stderr)
    return process.stdout


def group(path, include):
    """A header's name as programs write it; all of liburing's are one group."""
    path = os.path.normpath(path)
    if path.startswith(include + os.sep):
        return 'liburing'
    return re.sub(r'^.*/include/(?:[\w.]+-linux-gnu\w*/)?(?:c\+\+/\d+/)?', '', path)


def macros(language, options, include):
    """The header that defines each macro which is defined at the end."""
    where, header = {}, ''
    for line in compiler('gcc', language, options, include, '-E', '-dD').splitlines():
        marker = re.match(r'# \d+ "([^"]*)"', line)
        define = re.match(r'#(define|undef) (\w+)', line)
        if marker:
            header = marker.group(1)
        elif define and define.group(1) == 'undef':
            where.pop(define.group(2), None)
        elif define and not header.startswith('<'):
            where[define.group(2)] = group(header, include)
    return where


def declarations(options, include):
    """Functions, types and enumerators at file scope. Tags carry their keyword, as they have a separate name space."""
    text = compiler('clang', 'c', options, include, '-fsyntax-only', '-Xclang', '-ast-dump=json')
    names = {}
    for node in json.loads(text)['inner']:
        name = node.get('name')
        kind = {'RecordDecl': node.get('tagUsed'), 'EnumDecl': 'enum'}.get(node['kind'])
        if name and not node.get('isImplicit'):
            names[f'{kind} {name}' if kind else name] = 'tags' if kind else node['kind'].removesuffix('Decl').lower() + 's'
        if kind == 'enum':
            names.update((inner['name'], 'enumerators') for inner in node.get('inner', ())
                         if inner['kind'] == 'EnumConstantDecl')
    return names


def count(names):
    counts = {}
    for header in names.values():
        counts[header] = counts.get(header, 0) + 1
    return counts


def compare(what, ours, upstream, interface):
    """Print each group whose counts differ between the two; return the names that break a rule."""
    faults = []
    # If several headers define a name, their order decides which one counts.
    ours = {name: upstream.get(name, header) for name, header in ours.items()}
    mine, theirs = count(ours), count(upstream)
    for header in sorted(mine.keys() | theirs.keys()):
        if mine.get(header, 0) != theirs.get(header, 0):
            print(f'  {header}: {mine.get(header, 0)} {what}, upstream {theirs.get(header, 0)}')
    for name in sorted(ours.keys() - upstream.keys() - interface):
        if not PRIVATE.match(name.split()[-1]):
            faults.append(f'{what}: {name} ({ours[name]}) is taken from programs, and not by upstream')
    for name in sorted(upstream.keys() - ours.keys()):
        if not name.split()[-1].startswith('_') and name not in UPSTREAM_PRIVATE:
            faults.append(f'{what}: {name} ({upstream[name]}) is missing')
    return faults


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    include, upstream = map(os.path.realpath, sys.argv[1:])
    clang = shutil.which('clang')
    if not clang:
        print('SKIP: names of functions, types and enumerators need clang')
    faults = []
    interface = clang and {name for name in declarations(['-D_GNU_SOURCE'], upstream) if name.startswith('io_uring_')}
    for language, options in MODES:
        print(' '.join([language, *options]))
        faults += compare('macros', macros(language, options, include), macros(language, options, upstream), set())
        if clang and language == 'c':
            faults += compare('names', declarations(options, include), declarations(options, upstream), interface)
    faults = list(dict.fromkeys(faults))
    print('\n'.join(faults))
    sys.exit(bool(faults))


if __name__ == '__main__':
    main()
