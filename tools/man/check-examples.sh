#!/usr/bin/env bash
# Compile each example of the manual with gcc and clang against an installation, without a warning, and run it.
#
# usage: check-examples.sh PREFIX BUILD
# An example exits with 77 after a line "SKIP: reason" if this kernel is too old. It must not say so of a kernel that is
# new enough.
set -euo pipefail
export LC_ALL=C

prefix=$1
out=$2/man-examples
release=$(uname -r)
rm -rf "$out"
mkdir -p "$out"

# One example and compiler. What it says and how it ends are in files, for the sum below.
one() { # compiler source
    local name program include=$prefix/include archive=$prefix/lib/liburing.a
    name=$(basename "$2" .c)
    case $2 in
    */2019/*)
        name=2019-$name include=$prefix/include/liburing-0.1 archive=$prefix/lib/liburing-0.1/liburing.a
        if [ ! -e "$archive" ]; then
            echo "SKIP: the interface of 2019 is not installed" >"$out/$name.$1.log"
            echo 77 >"$out/$name.$1.result"
            return 0
        fi
        ;;
    esac
    program=$out/$name.$1
    if ! "$1" -Wall -Wextra -Werror -I"$include" "$2" -o "$program" "$archive" -pthread >"$program.log" 2>&1; then
        echo "failed to compile" >"$program.result"
        return 0
    fi
    local status=0
    (cd "$out" && timeout 60 "./$name.$1") >"$program.log" 2>&1 </dev/null || status=$?
    echo "$status" >"$program.result"
}
export -f one
export out prefix

compilers=()
for compiler in gcc clang; do
    if command -v "$compiler" >/dev/null; then
        compilers+=("$compiler")
    else
        echo "SKIP: $compiler is missing"
    fi
done
[ ${#compilers[@]} -gt 0 ] || exit 77
case $prefix in /*) ;; *) prefix=$PWD/$prefix ;; esac
case $out in /*) ;; *) out=$PWD/$out ;; esac

for source in man/examples/*.c man/examples/2019/*.c; do
    for compiler in "${compilers[@]}"; do
        printf '%s\n' "$compiler" "$source"
    done
done | xargs -P "$(nproc)" -n 2 bash -c 'one "$@"' one

passed=0 skipped=0 failures=0
for result in "$out"/*.result; do
    name=$(basename "$result" .result)
    case $(<"$result") in
    0) passed=$((passed + 1)) ;;
    77)
        skipped=$((skipped + 1))
        reason=$(sed -n 's/^SKIP: //p' "$out/$name.log")
        needs=$(sed -n 's/^needs Linux \([0-9.]*\)$/\1/p' <<<"$reason")
        older=$(printf '%s\n' "${needs:-$release-any}" "$release" | sort -V | head -n 1)
        if [ -z "$reason" ] || [ "$older" = "$needs" ]; then
            echo "$name skips on Linux $release: ${reason:-no reason given}"
            failures=$((failures + 1))
        else
            echo "  SKIP: example $name: $reason"
        fi
        ;;
    *)
        echo "$name: $(<"$result")"
        sed 's/^/    /' "$out/$name.log" | head -n 20
        failures=$((failures + 1))
        ;;
    esac
done
count=$(find man/examples -name '*.c' | wc -l)
echo "$count examples, compiled by ${compilers[*]}: $passed runs passed, $skipped skipped, $failures failed"
[ "$failures" -eq 0 ]
