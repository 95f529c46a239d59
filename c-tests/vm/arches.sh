#!/usr/bin/env bash
# Build the C tests for other architectures, on this library and on upstream's, and run both in one emulated machine of
# each. A case that passes on upstream's library and fails on ours is a failure; with musl, any that fails.
#
# usage: arches.sh WORK ARCHITECTURE...       names of c-tests/cross/architectures.txt, or arm64-16k and
#                                             ppc64el-64k, with other pages, or arm64-musl
#                                             and arm64-musl-shared, with the shared library
# environment: MAKE, CARGO, PYTHON, TESTS (programs)
set -euo pipefail
export LC_ALL=C
unset MAKEFLAGS MFLAGS MAKELEVEL O
. c-tests/cross/toolchain.sh

work=$1
shift
: "${MAKE:=make}" "${PYTHON:=python3}"
mkdir -p "$work"
failed=() booted=()

for name in "$@"; do
    take_toolchain "${name%%-*}" || { echo "SKIP: $name: $reason"; continue; }
    # i386's newest kernels are 64-bit ones.
    suite=sid
    [ "$name" != i386 ] || suite=bookworm
    compiler=${prefix}gcc upstream='' link=() beside=()
    case $name in
    *-musl*)
        compiler=$(c-tests/cross/musl-compiler.sh "$prefix" "${name%-musl*}") || { echo "SKIP: $name: no musl"; continue; }
        ;;
    *)
        upstream=$(build-aux/fetch-upstream.sh build-cross "$prefix") || { echo "SKIP: $name: no upstream library"; continue; }
        ;;
    esac
    if [[ $name == *-shared ]]; then
        link=(VM_LINK='-Wl,--dynamic-linker=/work/bin/libc.so -Wl,-rpath,/work/bin' VM_LIBRARY="$work/$name/build/stage/usr/lib/liburing.so.2")
        beside=(--beside "$work/$name/build/stage/usr/lib/liburing.so.2" --beside "$("$compiler" -print-file-name=libc.so)")
    fi
    common=(O="$work/$name" CROSS_COMPILE="$prefix" CARGO_BUILD_TARGET="$target" CARGO="$rust_cargo" ENABLE_2019=0)
    mkdir -p "$work/$name"
    ours=() theirs=()
    for program in $TESTS; do
        ours+=("$work/$name/ours/programs/$program")
        theirs+=("$work/$name/theirs/programs/$program")
    done
    echo "$name: building"
    "$MAKE" -s "${common[@]}" stage
    "$MAKE" -s "${common[@]}" CC="$compiler" VM_OUT="$work/$name/ours" "${link[@]}" "${ours[@]}"
    reference=()
    if [ -n "$upstream" ]; then
        "$MAKE" -s "${common[@]}" VM_OUT="$work/$name/theirs" VM_PREFIX="$upstream" "${theirs[@]}"
        reference=(--reference-programs "$work/$name/theirs/programs")
    fi
    "${prefix}gcc" -O2 -Wall -Wextra -static c-tests/vm/init.c -o "$work/$name/init"
    status=0
    # shellcheck disable=SC2086 # TESTS is a list
    STRIP="${prefix}strip" "$PYTHON" -B c-tests/vm/vm.py --arch "${name%-musl*}" --suites "$suite" --init "$work/$name/init" \
        --programs "$work/$name/ours/programs" "${reference[@]}" "${beside[@]}" --output "$work/$name" $TESTS || status=$?
    case $status in
    0) booted+=("$name") ;;
    77) ;;
    *) failed+=("$name") ;;
    esac
done

[ ${#failed[@]} -eq 0 ] || { echo "failed: ${failed[*]}"; exit 1; }
[ ${#booted[@]} -gt 0 ] || exit 77
echo "architectures: ${booted[*]}: no case that passes on upstream's library, or any with musl, fails on ours"
