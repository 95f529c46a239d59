#!/usr/bin/env bash
# Compile the examples against the installation without a warning, and run each, also where it must fail.
#
# usage: examples.sh PREFIX
# environment: CC (gcc and clang are tried as well, each once)
set -euo pipefail

prefix=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LD_LIBRARY_PATH=$prefix/lib

die() {
    echo "examples: $*" >&2
    exit 1
}

compilers=$(printf '%s\n' "${CC:-gcc}" gcc clang | awk '!seen[$0]++')
compiled_by=()
while IFS= read -r compiler; do
    if ! command -v "$compiler" >/dev/null; then
        echo "SKIP: the examples were not compiled by $compiler, which is not here"
        continue
    fi
    compiled_by+=("$compiler")
    for source in examples/*.c; do
        "$compiler" -std=gnu11 -O2 -Wall -Wextra -Wpedantic -Wshadow -Werror -I "$prefix/include" "$source" \
            -o "$work/$(basename "$source" .c)" -L "$prefix/lib" -luring || die "$compiler: $source"
    done
done <<<"$compilers"
[ ${#compiled_by[@]} -gt 0 ] || exit 77

runs=0
first() { # expected, file
    [ "$("$work/first" "$2" 2>&1 || true)" = "$1" ] || die "first $2: $("$work/first" "$2" 2>&1 || true)"
    runs=$((runs + 1))
}
echo 'one line' >"$work/line"
first 'one line' "$work/line"
first '' /dev/null
first 'cannot open the file' "$work/missing"
first 'Is a directory' "$work"

cp_program=$work/uring-cp
for size in 0 1 131072 10000019; do
    head -c "$size" /dev/urandom >"$work/source"
    for options in '' -l '-q 1 -b 4095' '-l -q 3 -b 1m' '-q 4096 -b 512' '-l -q 512 -b 4k'; do
        rm -f "$work/copy"
        # shellcheck disable=SC2086 # options are words
        "$cp_program" -s $options "$work/source" "$work/copy" >/dev/null || die "uring-cp $options, $size bytes"
        cmp "$work/source" "$work/copy" || die "uring-cp $options, $size bytes: the copy differs"
        runs=$((runs + 1))
    done
done

refused() { # message, argument...
    local message=$1 status=0
    shift
    "$cp_program" "$@" >"$work/out" 2>&1 || status=$?
    [ "$status" -ne 0 ] || die "uring-cp $* succeeds"
    grep -q "$message" "$work/out" || die "uring-cp $*: $(cat "$work/out")"
    runs=$((runs + 1))
}
refused 'No such file' -s "$work/missing" "$work/copy"
refused 'same file' -s "$work/source" "$work/source"
refused 'No space left' -s "$work/source" /dev/full
refused 'No space left' -s -l "$work/source" /dev/full
refused 'not a regular file' -s /dev/null "$work/copy"
refused 'usage' -q 0 "$work/source" "$work/copy"
refused 'usage' -b 12x "$work/source" "$work/copy"

# The programs that Debian's test of its package is made of.
for size in 0 1 4096 100007; do
    head -c "$size" /dev/urandom >"$work/source"
    read=$((size < 16384 ? size : 16384))
    found=$("$work/io_uring-test" "$work/source") || die "io_uring-test, $size bytes"
    [ "${found##*bytes=}" = "$read" ] || die "io_uring-test, $size bytes: $found"
    for program in io_uring-cp link-cp ucontext-cp; do
        rm -f "$work/copy"
        "$work/$program" "$work/source" "$work/copy" >"$work/out" || die "$program, $size bytes: $(tail -n 1 "$work/out")"
        cmp "$work/source" "$work/copy" || die "$program, $size bytes: the copy differs"
        ! "$work/$program" "$work/source" /dev/full >"$work/out" 2>&1 || [ "$size" = 0 ] || die "$program takes a full device"
        runs=$((runs + 2))
    done
done
head -c 20011 /dev/urandom >"$work/other"
"$work/ucontext-cp" "$work/source" "$work/copy" "$work/other" "$work/copy2" >"$work/out" || die "ucontext-cp, two files"
cmp "$work/source" "$work/copy" || die "ucontext-cp, two files: the first copy differs"
cmp "$work/other" "$work/copy2" || die "ucontext-cp, two files: the second copy differs"
for program in io_uring-test io_uring-cp link-cp ucontext-cp; do
    ! "$work/$program" >"$work/out" 2>&1 || die "$program succeeds without an argument"
    ! "$work/$program" "$work/missing" "$work/copy" >"$work/out" 2>&1 || die "$program reads a file that is not there"
done

echo "examples: $(ls examples/*.c | wc -l) compiled by ${compiled_by[*]}, $runs runs as expected"
