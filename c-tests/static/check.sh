#!/usr/bin/env bash
# Statically linked programs that use little of libc, with each libc that is here.
#
# usage: check.sh PREFIX WORK
# environment: CROSS_COMPILE (prefix of the compiler; musl's is for this machine alone)
set -euo pipefail

prefix=$1 work=$2
mkdir -p "$work"
failed=0
compilers=("${CROSS_COMPILE:-}gcc")
[ -n "${CROSS_COMPILE:-}" ] || compilers+=(musl-gcc)
for compiler in "${compilers[@]}"; do
    if ! command -v "$compiler" >/dev/null; then
        echo "SKIP: there is no $compiler"
        continue
    fi
    include=()
    # musl comes without the kernel's headers.
    [ "$compiler" != musl-gcc ] || include=(-idirafter /usr/include -idirafter "/usr/include/$(gcc -print-multiarch)")
    "$compiler" -static -O2 -Wall -Wextra -Werror "${include[@]}" -I "$prefix/include" c-tests/static/free_probe.c \
        "$prefix/lib/liburing.a" -o "$work/free_probe-$compiler"
    status=0
    "$work/free_probe-$compiler" || status=$?
    case $status in
    0) echo "free_probe, $compiler -static: passed" ;;
    77) echo "SKIP: free_probe, $compiler: the kernel has no probes" ;;
    *) echo "free_probe, $compiler -static: exit status $status"; failed=1 ;;
    esac
done
exit "$failed"
