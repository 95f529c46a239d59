#!/usr/bin/env bash
# Build the libraries and the C tests for 32-bit x86 and run them on this machine's kernel, if it takes such programs.
#
# usage: run-here.sh WORK
# environment: MAKE, CARGO, TESTS (programs)
set -euo pipefail
export LC_ALL=C
unset MAKEFLAGS MFLAGS MAKELEVEL O
. c-tests/cross/toolchain.sh

work=$1
: "${MAKE:=make}"
mkdir -p "$work"

skip() {
    echo "SKIP: $*"
    exit 77
}

take_toolchain i386 || skip "$reason"
printf 'int main(void) { return 0; }\n' | "${prefix}gcc" -x c -static -o "$work/probe" - || skip "${prefix}gcc has no libc"
"$work/probe" 2>/dev/null || skip "this machine's kernel does not run 32-bit programs"
builds=gcc-a
if printf 'int main(void) { return 0; }\n' | "${prefix}gcc" -x c -o "$work/probe" - && "$work/probe" 2>/dev/null; then
    builds="gcc-so gcc-a"
else
    echo "SKIP: gcc-so: there is no loader for 32-bit programs here"
fi
"$MAKE" -s O="$work" CROSS_COMPILE="$prefix" CARGO_BUILD_TARGET="$target" CARGO="$rust_cargo" ENABLE_2019=0 \
    C_TEST_BUILDS="$builds" TESTS="${TESTS:-}" check-c
