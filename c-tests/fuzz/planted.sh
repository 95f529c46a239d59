#!/usr/bin/env bash
# Plant faults in a copy of the library, one at a time: the fuzzer must find each, make it short, and print a program
# that shows it.
#
# usage: planted.sh FUZZ_PROGRAM BUILD_DIR UPSTREAM_LIBDIR
# environment: MAKE, CC, FUZZ_FLAGS, FUZZ_PARTS
set -euo pipefail

fuzz=$(realpath "$1") build=$(realpath "$2") upstream=$3
# The most calls that may be needed to find a fault, and the most that its program may have.
calls=60000 longest=8
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/copy"
build-aux/source-files.sh -c "$work/copy"

# name, file, sed expression
plant() {
    local name=$1 file=$work/copy/$2 lines
    cp "$file" "$work/original"
    sed -i "$3" "$file"
    if cmp -s "$file" "$work/original"; then
        echo "planted fault '$name': $2 has no such line any more"
        exit 1
    fi
    "${MAKE:-make}" -s -C "$work/copy" --no-print-directory O=. B=build library >"$work/log" 2>&1 ||
        { tail -n 20 "$work/log"; exit 1; }
    local status=0
    "$fuzz" -n "$calls" -o "$work/differs.c" "$work/copy/build/liburing-ffi.so.2" "$work/copy/build/liburing.so.2" \
        "$upstream/liburing-ffi.so.2" "$upstream/liburing.so.2" >"$work/found" || status=$?
    if [ "$status" != 1 ]; then
        echo "planted fault '$name': not found in $calls calls"
        tail -n 3 "$work/found"
        exit 1
    fi
    lines=$(grep -cE '^    (CALL|DO|ITERATE)\(' "$work/differs.c")
    if [ "$lines" -gt "$longest" ]; then
        echo "planted fault '$name': a program of $lines calls is not short"
        cat "$work/differs.c"
        exit 1
    fi
    status=0
    c-tests/fuzz/replay.sh "$work/differs.c" "$work/copy/build" "$upstream" >"$work/shown" || status=$?
    if [ "$status" != 1 ]; then
        echo "planted fault '$name': the printed program does not show it"
        cat "$work/differs.c"
        exit 1
    fi
    echo "planted fault '$name' found and shown with $lines calls: $(sed -n 1p "$work/differs.c")"
    [ -z "${VERBOSE:-}" ] || cat "$work/differs.c"
    cp "$work/original" "$file"
}

[ -e "$build/liburing.so.2" ] || { echo "there is no library in $build"; exit 2; }
plant 'rings stay mapped' core/src/ring/exit.rs '/map::unmap::<K>/d'
plant 'another error when time is up' core/src/queue/wait.rs 's/then_some(Errno::ETIME)/then_some(Errno::EAGAIN)/'
plant 'registered rings are called by descriptor' core/src/ring/ring_fd.rs \
    's/                REG_RING | REG_REG_RING$/                REG_RING/'
echo "all planted faults were found"
