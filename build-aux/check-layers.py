#!/usr/bin/env python3
"""Check the source against the order of layers in CONTRIBUTING.md, and find circles of imports.

usage: check-layers.py [ROOT]

A module of core/src may use the layers above its own in the list between the two comments in CONTRIBUTING.md, and
itself; modules of one line do not use each other. No two files of a crate, a folder of Python scripts
or a set of C headers may need each other, directly or through others. A file that only names its child modules, or
exports their names as its own, does not need them. Tests may use any module. Before it checks the source, the script
plants wrong imports in copies of it and must find each of them.
"""

import os
import re
import shutil
import sys
import tempfile

CORE = 'core/src'
FIRST = '<!-- check-layers reads this list -->'
LAST = '<!-- end of the list -->'


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def files_below(root, folder, *endings):
    for directory, names, files in os.walk(os.path.join(root, folder)):
        names[:] = sorted(name for name in names if name not in ('target', 'build', '__pycache__', '.git'))
        for file in sorted(files):
            if file.endswith(endings):
                yield os.path.relpath(os.path.join(directory, file), root)


# Rust


def code_only(text):
    """The source without comments, and with empty strings and characters."""
    token = re.compile(r'''//[^\n]*|/\*.*?\*/|b?r(#*)".*?"\1|b?"(?:\\.|[^"\\])*"|b?'(?:\\.[^']*|[^'\\])\'''', re.S)
    return token.sub(lambda match: ' ' if match.group().startswith('/') else '""', text)


def block_end(text, start):
    """The position after the first pair of braces from `start`, or after the first semicolon if that is earlier."""
    depth = 0
    for place in range(start, len(text)):
        if text[place] == '{':
            depth += 1
        elif text[place] == '}':
            depth -= 1
        if depth == 0 and text[place] in '};':
            return place + 1
    return len(text)


def without_tests(text):
    while match := re.search(r'#\[cfg\((?:test|any\([^\]]*\btest\b[^\]]*)\)\]', text):
        text = text[:match.start()] + text[block_end(text, match.end()):]
    return text


def use_paths(tree, prefix=()):
    """The paths that the tree behind `use` names, as tuples."""
    tree = tree.strip()
    brace = tree.find('{')
    if brace < 0:
        path = re.sub(r'\s+as\s+\w+$', '', tree)
        yield prefix + tuple(part.strip() for part in path.split('::') if part.strip())
        return
    head = prefix + tuple(part.strip() for part in tree[:brace].split('::') if part.strip())
    inner, depth, start = tree[brace + 1:tree.rindex('}')], 0, 0
    for place, letter in enumerate(inner + ','):
        depth += (letter == '{') - (letter == '}')
        if letter == ',' and depth == 0:
            if inner[start:place].strip():
                yield from use_paths(inner[start:place], head)
            start = place + 1


class Crate:
    """The modules of a crate, each a tuple of names, with its file and the modules that it needs."""

    def __init__(self, root, entry):
        self.root, self.files, self.text = root, {}, {}
        self.load((), entry)
        self.needs = {module: self.needed_by(module) for module in self.files}

    def load(self, module, path, beside=False):
        text = without_tests(code_only(read(os.path.join(self.root, path))))
        self.files[module], self.text[module] = path, text
        # Children of a file that is named by its path stand beside it, as those of mod.rs do.
        base = os.path.dirname(path)
        if not beside and os.path.basename(path) not in ('mod.rs', 'lib.rs', 'main.rs'):
            base = os.path.splitext(path)[0]
        named = {name: file for file, name in
                 re.findall(r'#\[path = "([^"]+)"\]\s*(?:pub(?:\([^)]*\))? )?mod (\w+);', read(os.path.join(self.root, path)))}
        for child in re.findall(r'\bmod\s+(\w+)\s*;', text):
            if child in named:
                place = os.path.normpath(os.path.join(os.path.dirname(path), named[child]))
                self.load((*module, child), place, beside=True)
                continue
            for place in (f'{base}/{child}.rs', f'{base}/{child}/mod.rs'):
                if os.path.exists(os.path.join(self.root, place)):
                    self.load((*module, child), place)

    def resolve(self, module, path):
        """The module with a file that a path leads to, or None if it leaves the crate."""
        if path[0] == 'crate':
            where, path = (), path[1:]
        elif path[0] in ('self', 'super'):
            where = module
            while path and path[0] in ('self', 'super'):
                where, path = (where[:-1] if path[0] == 'super' else where), path[1:]
        elif (*module, path[0]) in self.files:
            where = module
        else:
            return None
        for part in path:
            if (*where, part) not in self.files:
                break
            where = (*where, part)
        return where

    def needed_by(self, module):
        text, needed = self.text[module], set()
        use = re.compile(r'(\bpub(?:\s*\([^)]*\))?\s+)?\buse\s+([^;]+);')
        for match in use.finditer(text):
            for path in use_paths(match.group(2)):
                target = self.resolve(module, path)
                # A module may export names of its children.
                if target and not (match.group(1) and target[:len(module)] == module):
                    needed.add(target)
        for match in re.finditer(r'(?<![\w:])((?:\w+::)+\w+)', use.sub(' ', text)):
            target = self.resolve(module, tuple(match.group(1).split('::')))
            if target is not None:
                needed.add(target)
        return needed - {module}


def layers(root, crate):
    """The line of each module of the core in CONTRIBUTING.md, and the faults of the list."""
    text = read(os.path.join(root, 'CONTRIBUTING.md'))
    try:
        text = text[text.index(FIRST) + len(FIRST):text.index(LAST)]
    except ValueError:
        return {}, ['CONTRIBUTING.md has no list of layers']
    modules = {module[0] for module in crate.files if module}
    order, faults = {}, []
    lines = [line for line in text.splitlines() if line.strip()]
    for number, line in enumerate(lines):
        for name in re.findall(r'`(\w+)`', line):
            if name in modules:
                if name in order:
                    faults.append(f'CONTRIBUTING.md names the layer {name} twice')
                order[name] = number
    faults += [f'CONTRIBUTING.md gives no layer to {name}' for name in sorted(modules - order.keys())]
    return order, faults


def wrong_layers(root, crate):
    order, faults = layers(root, crate)
    for module, needed in sorted(crate.needs.items()):
        for target in sorted(needed):
            if not module or not target or module[0] == target[0]:
                continue
            here, there = order.get(module[0]), order.get(target[0])
            if here is not None and there is not None and there >= here:
                how = 'a lower layer' if there > here else 'its neighbour'
                faults.append(f'{crate.files[module]} uses {"::".join(target)} of {how}')
    return faults


# All languages


def circles(graph):
    """Sets of files that need each other, by Tarjan's algorithm."""
    number, low, stack, found = {}, {}, [], []

    def visit(node):
        number[node] = low[node] = len(number)
        stack.append(node)
        for target in sorted(graph.get(node, ())):
            if target not in number:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], number[target])
        if low[node] == number[node]:
            group = stack[stack.index(node):]
            del stack[stack.index(node):]
            if len(group) > 1:
                found.append(sorted(group))

    for node in sorted(graph):
        if node not in number:
            visit(node)
    return found


def python_graph(root, paths):
    graph = {}
    for path in paths:
        names = re.findall(r'^\s*(?:from\s+\.?(\w+)\s+import|import\s+([\w, ]+))', read(os.path.join(root, path)), re.M)
        modules = {word for one, several in names for word in re.findall(r'\w+', one or several)}
        beside = {os.path.join(os.path.dirname(path), f'{module}.py') for module in modules}
        graph[path] = {target for target in beside if target in paths and target != path}
    return graph


def c_graph(root, paths):
    graph = {}
    for path in paths:
        graph[path] = set()
        for name in re.findall(r'^\s*#\s*include\s+"([^"]+)"', read(os.path.join(root, path)), re.M):
            for folder in (os.path.dirname(path), 'c-tests', 'include'):
                target = os.path.normpath(os.path.join(folder, name))
                if target in paths:
                    graph[path].add(target)
                    break
    return graph


def check(root):
    """The faults of a source, and how many files were read."""
    entries = [f'{CORE}/lib.rs', 'src/lib.rs', 'io_uring-2019/src/lib.rs', 'flavours/check/src/lib.rs', 'flavours/fallback/src/lib.rs']
    tools = os.path.join(root, 'tools')
    for tool in sorted(os.listdir(tools)) if os.path.isdir(tools) else []:
        entries += [f'tools/{tool}/src/{name}' for name in ('lib.rs', 'main.rs')]
    graph, faults = {}, []
    for entry in entries:
        if not os.path.exists(os.path.join(root, entry)):
            continue
        crate = Crate(root, entry)
        if entry.startswith(CORE):
            faults += wrong_layers(root, crate)
        for module, needed in crate.needs.items():
            graph.setdefault(crate.files[module], set()).update(crate.files[target] for target in needed)
    scripts = {path for folder in ('c-tests', 'build-aux', 'tools') for path in files_below(root, folder, '.py')}
    headers = {path for folder in ('include', 'io_uring-2019', 'c-tests', 'examples')
               for path in files_below(root, folder, '.c', '.cpp', '.h')}
    graph.update(python_graph(root, scripts))
    graph.update(c_graph(root, headers))
    faults += ['a circle: ' + ', '.join(group) for group in circles(graph)]
    return faults, len(graph)


# The faults to be found: a part of the message, and the text to append to each file.
PLANTED = [
    ('a lower layer', {'core/src/kernel/mod.rs': 'use crate::inline::sq;\n'}),
    ('a lower layer', {'core/src/errno.rs': 'fn planted() { crate::queue::submit::planted() }\n'}),
    ('its neighbour', {'core/src/queue/wait.rs': 'use crate::{abi, register::files};\n'}),
    ('a circle', {'core/src/ring/map.rs': 'use super::setup;\n', 'core/src/ring/setup.rs': 'use super::{map, sizes};\n'}),
    ('a circle', {'flavours/check/src/map.rs': 'use crate::state::State;\n'}),
    ('a circle', {'flavours/fallback/src/workers.rs': 'use crate::run;\n'}),
    ('a circle', {'c-tests/planted_a.py': 'import planted_b\n', 'c-tests/planted_b.py': 'from planted_a import x\n'}),
    ('a circle', {'c-tests/planted_a.h': '#include "planted_b.h"\n', 'c-tests/planted_b.h': '#include "planted_a.h"\n'}),
]


def self_test(root, known):
    """Plant each wrong import in a copy. Returns those not found."""
    missed = []
    for wanted, files in PLANTED:
        with tempfile.TemporaryDirectory() as copy:
            for part in ('core/src', 'src', 'io_uring-2019', 'include', 'c-tests', 'tools', 'build-aux',
                         'flavours'):
                shutil.copytree(os.path.join(root, part), os.path.join(copy, part), symlinks=True,
                                ignore=shutil.ignore_patterns('target', '__pycache__'))
            shutil.copy(os.path.join(root, 'CONTRIBUTING.md'), copy)
            for path, text in files.items():
                with open(os.path.join(copy, path), 'a', encoding='utf-8') as file:
                    file.write(text)
            found = [fault for fault in check(copy)[0] if fault not in known]
            if not any(wanted in fault and any(path in fault for path in files) for fault in found):
                missed.append(f'this check does not find {wanted} in {", ".join(files)}')
    return missed


def main():
    if len(sys.argv) > 2:
        sys.exit(__doc__)
    root = sys.argv[1] if len(sys.argv) == 2 else '.'
    faults, files = check(root)
    missed = self_test(root, faults)
    print('\n'.join(faults + missed + [f'{files} files keep the order of the layers and form no circle'
                                       if not faults else f'{len(faults)} faults in {files} files']))
    sys.exit(bool(faults or missed))


if __name__ == '__main__':
    main()
