#!/usr/bin/env bash
# Builds the fallback for other architectures and runs the C tests and its own on it, under QEMU's user emulation. That
# knows no io_uring: each call gets ENOSYS. It passes all other system calls to this machine's kernel.
#
# usage: user.sh WORK [ARCHITECTURE...]      architectures: arm64 riscv64 (both by default)
# environment: MAKE, CARGO
set -euo pipefail
export LC_ALL=C
unset MAKEFLAGS MFLAGS MAKELEVEL O
. c-tests/cross/toolchain.sh

work=$1
shift
: "${MAKE:=make}"
[ $# -gt 0 ] || set -- arm64 riscv64
ran=0
for name in "$@"; do
    take_toolchain "$name" || { echo "SKIP: $name: $reason"; continue; }
    if [ "$rust_cargo" != "${CARGO:-cargo}" ]; then
        echo "SKIP: $name: Rust has no standard library for $target"
        continue
    fi
    emulator=qemu-${target%%-*}
    emulator=${emulator/riscv64gc/riscv64}
    if ! command -v "$emulator" >/dev/null; then
        echo "SKIP: $name: there is no $emulator"
        continue
    fi
    "$MAKE" -s O="$work/$name" CROSS_COMPILE="$prefix" CARGO_BUILD_TARGET="$target" CARGO="$rust_cargo" ENABLE_2019=0 \
        FALLBACK_ROUNDS='$(FALLBACK_FEWER)' UNDER="$emulator -L /usr/${prefix%-}" fallback-under
    echo "$name: the C tests and the fallback's own run under $emulator"
    ran=$((ran + 1))
done
[ "$ran" -gt 0 ] || exit 77
