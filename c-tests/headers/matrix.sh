#!/usr/bin/env bash
# Compile a program with the installed headers in every language version, with every order of includes; print a table.
#
# usage: matrix.sh INCLUDE_DIR LIBRARY_DIR [DOCUMENT]
#
# A cell is one compiler, language version and order, with no feature-test macro, with _GNU_SOURCE and with
# _POSIX_C_SOURCE. "kernel" is <linux/io_uring.h>: the system's, one as old as Linux 5.1, one newer than ours. "ffi" is
# <liburing-ffi.h>. In "own names" the program defines names that <liburing.h> must not define. In "extern c" it
# includes the header between the braces of extern "C". If all compilers are there, the table in DOCUMENT must equal the
# resulting one.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
include=$(realpath "$1") libdir=$(realpath "$2") document=${3:+$(realpath "$3")}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

warnings="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror"
"${PYTHON:-python3}" "$here/facts.py" "$here/../abi" >facts.h
"${PYTHON:-python3}" "$here/facts.py" "$here/../abi" ffi >ffi-facts.h

# A future kernel's header: everything that ours has, and more.
mkdir -p future/linux
sed -e 's/LIBURING_IO_URING_H/TOMORROW_IO_URING_H/; s/"linux_types.h"/<linux\/types.h>\n#include <linux\/fs.h>\n#include <linux\/time_types.h>/' \
    -e 's/IORING_OP_LAST = 65/IORING_OP_OF_TOMORROW = 65, IORING_OP_LAST = 66/' \
    -e '/^struct io_uring_napi {/i struct io_uring_tomorrow { __u64 field; };\n#define IORING_SETUP_OF_TOMORROW (1U << 30)' \
    "$include/liburing/io_uring.h" >future/linux/io_uring.h
mkdir future/linux/io_uring
for part in query bpf_filter; do
    sed -e "s/LIBURING_IO_URING_/TOMORROW_IO_URING_/; s/\"..\/linux_types.h\"/<linux\/types.h>/" \
        "$include/liburing/io_uring/$part.h" >future/linux/io_uring/$part.h
done
echo '#define BLOCK_URING_CMD_DISCARD _IO(0x12, 0)' >future/linux/blkdev.h
grep -q 'IORING_OP_OF_TOMORROW = 65' future/linux/io_uring.h
grep -q 'io_uring_tomorrow {' future/linux/io_uring.h

have() { command -v "$1" >/dev/null 2>&1; }

columns=(alone parts others_around kernel_after kernel_first kernel_old kernel_new ffi own_names extern_c)
rows=()

# A line a compilation: row, column, command.
row() { # name "columns" compiler and flags...
    local name=$1 cells=$2 column order flags macro source
    shift 2
    rows+=("$name")
    for column in $cells; do
        order=$column flags='' source=$here/program.c
        # Braces of extern "C" are C++.
        [[ $column != extern_c || $1 = *++ ]] || continue
        case $column in
        ffi) source=$here/ffi.c ;;
        kernel_old) order=kernel_first flags="-isystem $here/old" ;;
        kernel_new) order=kernel_first flags="-isystem $work/future -DFUTURE" ;;
        esac
        for macro in -DNONE -D_GNU_SOURCE -D_POSIX_C_SOURCE=200809L; do
            # C++ compilers define _GNU_SOURCE themselves.
            [[ $1 != *++ || $macro = -DNONE ]] || continue
            echo "$name|$column|$* $macro -DORDER=$order $flags $warnings -I. -I$include -fsyntax-only $source"
        done
    done
}

{
    for cc in gcc clang; do
        have $cc || continue
        for std in c99 gnu99 c11 gnu11 c17 gnu17 c2x gnu2x; do
            row "$cc $std" "${columns[*]}" $cc -std=$std
        done
    done
    for cc in g++ clang++; do
        have $cc || continue
        for std in c++11 gnu++11 c++14 c++17 gnu++17 c++20 gnu++20 c++2b; do
            row "$cc $std" "${columns[*]}" $cc -x c++ -std=$std
        done
    done
    if have musl-gcc; then
        musl_versions="c99 gnu99 c11 c17 gnu2x"
        for std in $musl_versions; do
            row "musl $std" "alone parts ffi own_names" musl-gcc -std=$std
        done
        for std in $musl_versions; do
            row "musl+linux $std" "${columns[*]}" musl-gcc -std=$std -idirafter /usr/include \
                -idirafter "/usr/include/$(gcc -print-multiarch)"
        done
    fi
    # The kernel's headers serve both word sizes.
    m32="-m32 -idirafter /usr/include/$(gcc -print-multiarch)"
    for cc in gcc clang; do
        echo '#include <errno.h>' | $cc $m32 -fsyntax-only -x c - 2>/dev/null || continue
        for std in c99 gnu17; do
            row "$cc-m32 $std" "${columns[*]}" $cc $m32 -std=$std
        done
    done
    for cc in g++ clang++; do
        echo '#include <atomic>' | $cc $m32 -fsyntax-only -x c++ - 2>/dev/null || continue
        for std in c++11 c++20; do
            row "$cc-m32 $std" "${columns[*]}" $cc $m32 -x c++ -std=$std
        done
    done
    printf '%s\n' "${rows[@]}" >rows

    # Parts of the headers for other machines, compiled as if for such a machine.
    elsewhere() { # order, compiler and flags...
        local order=$1
        shift
        echo "elsewhere|$order|$* -DORDER=$order -I. -I$include -fsyntax-only $here/program.c"
    }
    for cc in gcc clang; do
        have $cc || continue
        elsewhere kernel_after $cc $warnings -D__alpha__ -DSETUP_NUMBER=535
        elsewhere kernel_after $cc $warnings -D__mips__ -D__NR_Linux=5000 -DSETUP_NUMBER=5425
        elsewhere alone $cc $warnings -U__BYTE_ORDER__ -D__BYTE_ORDER__=__ORDER_BIG_ENDIAN__
        # Compilers warn about the option, so warnings are off.
        elsewhere alone $cc -w -U__has_builtin
    done
    ! have musl-gcc || elsewhere alone musl-gcc $warnings -D_GNU_SOURCE -D__BIONIC__
} >jobs

complete=1
left_out() {
    echo "SKIP: $*"
    complete=
}
for cc in gcc clang g++ clang++ musl-gcc; do
    have $cc || left_out "there is no $cc"
done
left_out_m32() { # compiler, what it needs
    ! have "$1" || grep -q "^$1-m32" rows || left_out "$1 -m32 finds no headers: $2"
}
left_out_m32 gcc "there is no 32-bit C library (Debian package libc6-dev-i386)"
left_out_m32 clang "there is no 32-bit C library (Debian package libc6-dev-i386)"
left_out_m32 g++ "there is no 32-bit C++ library (Debian package lib32stdc++-12-dev)"
left_out_m32 clang++ "there is no 32-bit C++ library, or it prefers a cross compiler's (gcc-i686-linux-gnu) that has none"

total=$(wc -l <jobs)
echo "compiling $total times"
run_job() {
    IFS='|' read -r row column command <<<"$1"
    if $command >"out.$$" 2>&1; then
        echo "$row|$column|ok" >>"result.$$"
    else
        echo "$row|$column|FAIL" >>"result.$$"
        printf '%s\n%s\n' "$command" "$(grep -m 3 -E 'error|fatal' "out.$$" || head -n 3 "out.$$")" >>failures
    fi
}
export -f run_job
: >failures
tr '\n' '\0' <jobs | xargs -0 -n 1 -P "$(nproc)" bash -c 'run_job "$1"' run_job
cat result.* >results
[ "$(wc -l <results)" -eq "$total" ]

cell() { # row, as a pattern
    awk -F'|' -v row="^$1\$" -v column="$2" \
        '$1 ~ row && $2 == column { n++; bad += $3 != "ok" } END { print !n ? "-" : bad ? bad " of " n " FAIL" : "ok" }' results
}

printf '%-20s' ''
printf ' %-14s' "${columns[@]}"
echo
while IFS= read -r row; do
    printf '%-20s' "$row"
    for column in "${columns[@]}"; do
        printf ' %-14s' "$(cell "${row//+/[+]}" "$column")"
    done
    echo
done <rows
echo '-: musl alone, without the kernel'"'"'s headers, has none that could come before or after; C has no extern "C"'

# The same in short, a line for each compiler.
{
    printf '| compiler | language |'
    printf ' %s |' "${columns[@]//_/ }"
    printf '\n| --- | --- |'
    printf ' --- |%.0s' "${columns[@]}"
    echo
    cut -d ' ' -f 1 rows | uniq | while IFS= read -r compiler; do
        mapfile -t versions < <(awk -v compiler="$compiler" '$1 == compiler { print $2 }' rows)
        printf '| %s | %s |' "$compiler" "${versions[*]}"
        for column in "${columns[@]}"; do
            printf ' %s |' "$(cell "${compiler//+/[+]} .*" "$column")"
        done
        echo
    done
} >table

status=0
[ ! -s failures ] || { head -n 40 failures; status=1; }

# Linked from two units, and run.
linked=0
link_and_run() { # description, compiler and flags...
    local description=$1 ret=0
    shift
    if ! "$@" $warnings -DWITH_MAIN -DORDER=alone -I. "-I$include" "$here/program.c" "$here/second_unit.c" -x none \
        "$libdir/liburing.a" -o program >out 2>&1; then
        echo "FAIL: $description does not link"
        head -n 5 out
        status=1
        return
    fi
    ./program || ret=$?
    case $ret in
    0) linked=$((linked + 1)) ;;
    77) echo "SKIP: io_uring is refused here, so $description was only linked" ;;
    *)
        echo "FAIL: $description returned $ret"
        status=1
        ;;
    esac
}
for level in "-O0" "-O3 -flto"; do
    have gcc && link_and_run "gcc $level" gcc $level
    have g++ && link_and_run "g++ $level" g++ -x c++ $level
    lld=
    [ "$level" = -O0 ] || lld=-fuse-ld=lld
    if [ -n "$lld" ] && ! have ld.lld; then
        echo "SKIP: there is no lld, which clang links with at $level"
    elif have clang; then
        link_and_run "clang $level" clang $level $lld
        link_and_run "clang++ $level" clang++ -x c++ $level $lld
    fi
    ! have musl-gcc || link_and_run "musl $level" musl-gcc -static $level
done

# A module, and a program that imports it.
modules=0
module() { # compiler, its options, those for the module, the file it gives, those for the importer
    local compiler=$1 options=$2 compile=$3 file=$4 import=$5 ret=0
    mkdir "module-$compiler"
    cd "module-$compiler"
    if ! echo 'export module m;' | $compiler $options $compile - -o probe 2>/dev/null; then
        echo "SKIP: this $compiler has no modules"
    elif ! { $compiler $options $warnings "-I$include" $compile "$here/module.cpp" -o "$file" &&
        $compiler $options $warnings $import "$file" "$here/import.cpp" "$libdir/liburing.a" -o program; } >out 2>&1; then
        echo "FAIL: the module with $compiler"
        head -n 5 out
        status=1
    else
        ./program || ret=$?
        case $ret in
        0) modules=$((modules + 1)) ;;
        77) echo "SKIP: io_uring is refused here, so the program with $compiler's module was only linked" ;;
        *)
            echo "FAIL: the program with $compiler's module returned $ret"
            status=1
            ;;
        esac
    fi
    cd ..
}
! have g++ || module g++ "-std=c++20 -fmodules-ts" "-c -x c++" uring.o ""
! have clang++ || module clang++ -std=c++20 "--precompile -x c++-module" uring.pcm -fmodule-file=uring.pcm

# The table of the documentation.
if [ -n "$document" ] && [ -n "$complete" ]; then
    sed -n '/^| compiler | language |/,/^$/p' "$document" | sed '/^$/d' | diff - table >out || {
        echo "FAIL: the table in $(basename "$document") is not this one:"
        cat table
        status=1
    }
fi

# Each branch must be compiled in some mode.
cut -d '|' -f 3 jobs | sort -u | "${PYTHON:-python3}" "$here/branches.py" "$include" || status=1

failed=$(grep -c '|FAIL$' results || true)
echo "$((total - failed)) of $total compilations, $linked programs of two units ran, $modules with a module"
exit $status
