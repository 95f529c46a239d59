#!/usr/bin/env bash
# Build the libraries for other architectures: those with system calls of their own link completely, without libc; the
# others compile.
#
# usage: check-cross.sh WORK
# environment: MAKE, CARGO
set -euo pipefail

work=$1
native=(aarch64-unknown-linux-gnu riscv64gc-unknown-linux-gnu)
through_libc=(powerpc64le-unknown-linux-gnu s390x-unknown-linux-gnu)
built=0

have_target() {
    grep -qx "$1" <<<"$(rustup target list --installed 2>/dev/null)" || rustup target add "$1" >/dev/null 2>&1
}

for target in "${native[@]}"; do
    prefix=${target%%-*}
    prefix=${prefix/riscv64gc/riscv64}-linux-gnu-
    if ! have_target "$target"; then
        echo "SKIP: $target: rustup cannot add the target"
        continue
    fi
    if ! command -v "${prefix}gcc" >/dev/null || ! command -v "${prefix}ld.bfd" >/dev/null; then
        echo "SKIP: $target: there is no ${prefix}gcc"
        continue
    fi
    # A directory of its own: objects of two architectures must not meet.
    mkdir -p "$work/$target"
    "${MAKE:-make}" -s O="$work/$target" CROSS_COMPILE="$prefix" CARGO_BUILD_TARGET="$target" all
    symbols=$("${prefix}nm" -D --defined-only "$work/$target/build/liburing.so.2.15" | grep -c ' T ')
    [ "$symbols" -eq 83 ] || { echo "$target: $symbols functions in liburing.so.2.15 instead of 83" >&2; exit 1; }
    if grep -q NEEDED <<<"$("${prefix}readelf" -d "$work/$target/build/liburing.so.2.15")"; then
        echo "$target: liburing.so.2.15 needs another library" >&2
        exit 1
    fi
    echo "$target: 83 functions, no other library needed"
    built=$((built + 1))
done

for target in "${through_libc[@]}"; do
    if ! have_target "$target"; then
        echo "SKIP: $target: rustup cannot add the target"
        continue
    fi
    ${CARGO:-cargo} check --quiet --locked --package liburing --no-default-features --features ffi --target "$target" \
        --target-dir "$work/cargo"
    echo "$target: compiles"
    built=$((built + 1))
done

[ "$built" -gt 0 ] || exit 77
echo "other architectures: $built of $((${#native[@]} + ${#through_libc[@]})) built"
