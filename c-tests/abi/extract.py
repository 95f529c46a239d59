#!/usr/bin/env python3
"""Print the C interface that an installed liburing presents, as sorted lines of text.

usage: extract.py layouts|constants|functions INCLUDE_DIR
       extract.py symbols LIBRARY.so

layouts    a line a member: `struct io_uring_sqe.off 8 8` (offset and size in bytes; members of unnamed parts count as
           the structure's own), and a line a type: `struct io_uring_sqe sizeof 64`
constants  a line a macro or enumerator with an integer value: `IORING_SETUP_SQPOLL 0x2`
functions  a prototype a line, after `inline` or `extern`
symbols    a line a symbol that the library defines: `io_uring_submit LIBURING_2.0`

Needs gcc, for layouts also pyelftools (it reads debug information), for symbols readelf.
"""

import os
import re
import subprocess
import sys
import tempfile

HEADERS = """#define _GNU_SOURCE
#include <liburing.h>
#include <liburing/io_uring/query.h>
#include <liburing/io_uring/bpf_filter.h>
"""

# The interface's own names. All others come from the headers of the system.
OWN = re.compile(
    r'(IORING_|IOSQE_|IO_URING|IOU_|IO_WQ_|LIBURING_(UDATA|HAVE)|SPLICE_F_FD_IN_FIXED|SOCKET_URING|BLOCK_URING|ZCRX_|'
    r'__IORING|__IO_URING|__NR_io_uring|io_uring_|NETWORK_|TX_TIMESTAMP)'
)
OWN_TYPE = re.compile(r'(io_|zcrx_)')

# Macros without a value of their own.
NOT_CONSTANTS = {'IO_URING_READ_ONCE', 'IO_URING_WRITE_ONCE', 'IOURINGINLINE', 'LIBURING_NOEXCEPT'}


def gcc(directory, source, *args):
    """Write a source file and compile it; the finished process."""
    path = os.path.join(directory, 'x.c')
    with open(path, 'w') as file:
        file.write(source)
    return subprocess.run(['gcc', *args, path], text=True, capture_output=True, cwd=directory)


def must(process):
    if process.returncode != 0:
        sys.exit(process.stderr)
    return process.stdout


def under(path, directory):
    return os.path.realpath(path).startswith(os.path.realpath(directory) + os.sep)


def preprocessed(tmp, include):
    return must(gcc(tmp, HEADERS, '-E', '-I', include))


def own_structures(tmp, include):
    """Tags of the structures that the installed headers define."""
    tags, own = set(), False
    for line in preprocessed(tmp, include).splitlines():
        marker = re.match(r'# \d+ "([^"]*)"', line)
        if marker:
            own = under(marker.group(1), include)
        elif own:
            definition = re.match(r'\s*struct (\w+) \{', line)
            if definition and OWN_TYPE.match(definition.group(1)):
                tags.add(definition.group(1))
    return sorted(tags)


class Dwarf:
    """Structures in debug information."""

    def __init__(self, pointer_size):
        self.pointer_size = pointer_size

    @staticmethod
    def name(die):
        attribute = die.attributes.get('DW_AT_name')
        return attribute.value.decode() if attribute else None

    @staticmethod
    def type_of(die):
        return die.get_DIE_from_attribute('DW_AT_type')

    def size(self, die):
        if die.tag == 'DW_TAG_array_type':
            count = 1
            for child in die.iter_children():
                if child.tag == 'DW_TAG_subrange_type':
                    bound = child.attributes.get('DW_AT_upper_bound')
                    # No bound, or -1, which reads as a huge number: an array without a size.
                    counted = bound and isinstance(bound.value, int) and bound.value < 2**31
                    count *= bound.value + 1 if counted else 0
            return count * self.size(self.type_of(die))
        if 'DW_AT_byte_size' in die.attributes:
            return die.attributes['DW_AT_byte_size'].value
        if die.tag == 'DW_TAG_pointer_type':
            return self.pointer_size
        return self.size(self.type_of(die))

    def members(self, die, base=0):
        """(name, offset, size) of each member, those of unnamed parts as well."""
        for member in die.iter_children():
            if member.tag != 'DW_TAG_member':
                continue
            location = member.attributes.get('DW_AT_data_member_location')
            offset = base + (location.value if location else 0)
            if self.name(member) is None:
                yield from self.members(self.type_of(member), offset)
            else:
                yield self.name(member), offset, self.size(self.type_of(member))


def layouts(include):
    from elftools.elf.elffile import ELFFile

    lines, done = [], set()
    with tempfile.TemporaryDirectory() as tmp:
        tags = own_structures(tmp, include)
        source = HEADERS + ''.join(f'struct {tag} *use_{tag};\n' for tag in tags)
        must(gcc(tmp, source, '-gdwarf-4', '-O0', '-fno-eliminate-unused-debug-types', '-I', include, '-c', '-o', 'x.o'))
        with open(os.path.join(tmp, 'x.o'), 'rb') as file:
            elf = ELFFile(file)
            dwarf = Dwarf(elf.elfclass // 8)
            for unit in elf.get_dwarf_info().iter_CUs():
                for die in unit.iter_DIEs():
                    tag = dwarf.name(die)
                    if die.tag != 'DW_TAG_structure_type' or tag not in tags or tag in done:
                        continue
                    if 'DW_AT_declaration' in die.attributes:
                        continue
                    done.add(tag)
                    lines.append(f'struct {tag} sizeof {dwarf.size(die)}')
                    lines += [f'struct {tag}.{name} {offset} {size}' for name, offset, size in dwarf.members(die)]
    return lines


def constants(include):
    with tempfile.TemporaryDirectory() as tmp:
        macros = must(gcc(tmp, HEADERS, '-dM', '-E', '-I', include))
        names = set(re.findall(r'^#define (\w+)[ \t]+\S', macros, re.M))
        for body in re.findall(r'enum\s*\w*\s*\{([^}]*)\}', preprocessed(tmp, include)):
            # The preprocessor leaves line markers between enumerators.
            body = re.sub(r'^#.*$', '', body, flags=re.M)
            names |= set(re.findall(r'(?:^|,)\s*(\w+)\s*(?==|,|$)', body))
        names = sorted(name for name in names if OWN.match(name) and name not in NOT_CONSTANTS)

        # A macro may have any expansion. Compile all of them at once, each on its own line, which an error then names.
        def attempt(names):
            lines = [HEADERS]
            for number, name in enumerate(names):
                lines.append(f'#line {number + 1} "constants"\nunsigned long long get_{number}(void)'
                             f' {{ return (unsigned long long)({name}); }}\n')
            return ''.join(lines)

        process = gcc(tmp, attempt(names), '-w', '-fsyntax-only', '-I', include)
        bad = {int(number) for number in re.findall(r'^constants:(\d+):\d+: error:', process.stderr, re.M)}
        names = [name for number, name in enumerate(names) if number + 1 not in bad]
        must(gcc(tmp, attempt(names), '-w', '-fsyntax-only', '-I', include))

        main = HEADERS + '#include <stdio.h>\nint main(void) {\n'
        main += ''.join(f'printf("{name} 0x%llx\\n", (unsigned long long)({name}));\n' for name in names)
        must(gcc(tmp, main + 'return 0;\n}\n', '-w', '-I', include, '-o', 'x'))
        return subprocess.run([os.path.join(tmp, 'x')], check=True, text=True, capture_output=True).stdout.splitlines()


def functions(include):
    lines = []
    with tempfile.TemporaryDirectory() as tmp:
        must(gcc(tmp, HEADERS, '-O0', '-I', include, '-aux-info', 'aux', '-c', '-o', 'x.o'))
        with open(os.path.join(tmp, 'aux')) as file:
            for line in file:
                match = re.match(r'/\* (.*?):\d+:\w+ \*/ (.*?);(?: /\* \(([^)]*)\))?', line)
                if not match or not under(match.group(1), include):
                    continue
                head, _, parameters = match.group(2).partition(' (')
                if head.startswith('static '):
                    kind, head = 'inline', head[len('static '):]
                else:
                    kind, head = 'extern', re.sub('^extern ', '', head)
                # Names of parameters are no part of the interface; gcc lists those of a function with a body.
                for name in filter(None, re.split(r', *', match.group(3) or '')):
                    parameters = re.sub(rf'(?<=[ *])\b{name}\b(?=[,)\[])', '', parameters, count=1)
                parameters = re.sub(r' +(?=[,)])', '', parameters)
                lines.append(f'{kind} {head} ({parameters};')
    return lines


def symbols(library):
    lines = []
    text = subprocess.run(['readelf', '-W', '--dyn-syms', library], check=True, text=True, capture_output=True).stdout
    for line in text.splitlines():
        fields = line.split()
        if len(fields) < 8 or not fields[0][:-1].isdigit():
            continue
        binding, section = fields[4], fields[6]
        if binding in ('GLOBAL', 'WEAK') and section not in ('UND', 'ABS'):
            name, _, version = fields[7].replace('@@', '@').partition('@')
            lines.append(f'{name} {version}'.rstrip())
    return lines


def main():
    what = {'layouts': layouts, 'constants': constants, 'functions': functions, 'symbols': symbols}
    if len(sys.argv) != 3 or sys.argv[1] not in what:
        sys.exit(__doc__)
    print('\n'.join(sorted(what[sys.argv[1]](os.path.abspath(sys.argv[2])))))


if __name__ == '__main__':
    main()
