#!/usr/bin/env bash
# Other people's programs with faults on demand: what one survives, and what is wrong in others.
#
# usage: faults.sh
# environment: CC CHECKER_OUT (where the library is) PREFIX (headers for programs) SEEDS (how many sequences of faults)
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
SEEDS=${SEEDS:-60}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "check-check: FAIL: $*" >&2
    exit 1
}

count() { sed -nE "s/.*liburing-check: faults:.* $1 ([0-9]+).*/\1/p" "$work/said"; }

image() { echo "driver=raw,file.driver=file,file.filename=$1,file.aio=io_uring"; }

# convert FAULTS: qemu-img copies an image.
convert() {
    rm -f "$work/to"
    qemu-img create -q -f raw "$work/to" "$(stat -c %s "$work/from")"
    LIBURING_CHECK=summary LIBURING_CHECK_INJECT=$1 LD_PRELOAD=$CHECKER_OUT/liburing.so.2 timeout 100 qemu-img convert -n -W -m 8 \
        --image-opts "$(image "$work/from")" --target-image-opts "$(image "$work/to")" >"$work/said" 2>&1
}

qemu() {
    command -v qemu-img >/dev/null || { echo "SKIP: faults: qemu-img is not installed" && return; }
    convert short@op=READV@nth=3 || fail "qemu-img, a short read: $(cat "$work/said")"
    cmp -s "$work/from" "$work/to" || fail "qemu-img, a short read: the copy differs"
    [ "$(count short)" = 1 ] || fail "qemu-img, a short read: no fault: $(cat "$work/said")"
    # It takes a write that transfers a part for a full disk.
    if convert short@op=WRITEV@nth=3; then
        fail "qemu-img survives a short write: docs/check.md says that it does not"
    fi
    [ "$(count short)" = 1 ] && grep -q 'No space left on device' "$work/said" || fail "qemu-img, a short write: $(cat "$work/said")"
    echo "qemu-img: a short write is a full disk to it"
}

# search FAULTS: plocate looks names up.
search() {
    LIBURING_CHECK=summary LIBURING_CHECK_INJECT=$1 LD_PRELOAD=$CHECKER_OUT/liburing.so.2 timeout 100 "$work/plocate" -d "$work/names" \
        -i perl >"$work/found" 2>"$work/said"
}

plocate() {
    local seed met=0 kinds=short=0.5,reorder=0.3,full-cq=0.5
    command -v plocate >/dev/null && command -v updatedb.plocate >/dev/null ||
        { echo "SKIP: faults: plocate is not installed" && return; }
    # A program with privileges of its own (its group) takes no library from the environment.
    cp "$(type -P plocate)" "$work/plocate"
    updatedb.plocate -l no -o "$work/names" -U /usr/share --prunefs '' --prunepaths ''
    "$work/plocate" -d "$work/names" -i perl >"$work/wanted"
    [ -s "$work/wanted" ] || fail "plocate finds nothing without faults"
    for ((seed = 1; seed <= (SEEDS + 5) / 6; seed++)); do
        search "$kinds,seed=$seed" || fail "plocate, $kinds,seed=$seed: $(cat "$work/said")"
        cmp -s "$work/wanted" "$work/found" || fail "plocate, $kinds,seed=$seed: it finds something else"
        met=$((met + $(count short)))
    done
    [ "$met" -gt 0 ] || fail "plocate met no faults"
    echo "plocate: survives $met short reads among others"
}

# example NAME FAULTS: upstream's example copies a file.
example() {
    local name=$1
    rm -f "$work/to"
    LIBURING_CHECK=summary LIBURING_CHECK_INJECT=$2 LD_LIBRARY_PATH=$CHECKER_OUT timeout 20 "$work/$name" "$work/from" "$work/to" \
        >"$work/said" 2>&1
}

# lost NAME FAULTS: it succeeds, and the copy is another.
lost() {
    example "$1" "$2" || fail "$1, $2: it notices: $(cat "$work/said")"
    [ "$(count short)" -gt 0 ] || fail "$1, $2: no fault: $(cat "$work/said")"
    if cmp -s "$work/from" "$work/to"; then
        fail "$1 survives $2: docs/check.md says that it does not"
    fi
}

upstream() {
    local source name
    source=$("$here/../../../build-aux/fetch-upstream.sh" build) || { echo "SKIP: faults: upstream's sources are not available" && return; }
    for name in io_uring-cp link-cp; do
        "$CC" -std=gnu11 -D_GNU_SOURCE -g -O2 -w -I"$PREFIX/include" "$(tail -n 1 <<<"$source")/source/examples/$name.c" -o "$work/$name" \
            -L"$CHECKER_OUT" -luring
        example "$name" eio=0 || fail "$name, no faults: $(cat "$work/said")"
        cmp -s "$work/from" "$work/to" || fail "$name, no faults: the copy differs"
    done
    # When all has been read it counts writes, and does not look how much they have written.
    lost io_uring-cp short@op=WRITEV
    # It looks at no result but errors.
    lost link-cp short@op=WRITEV@nth=2
    # Its last pair, queued anew, is never submitted; then it waits.
    if example link-cp ecanceled@op=WRITEV@nth=512; then
        fail "link-cp survives a cancelled write: docs/check.md says that it does not"
    fi
    grep -q '2 SQEs were taken and never submitted\|nothing can end it' "$work/said" || fail "link-cp, a cancelled write: $(cat "$work/said")"
    echo "upstream's examples: io_uring-cp and link-cp lose data where a write is short, link-cp hangs where one is cancelled"
}

head -c 16777216 /dev/urandom >"$work/from"
plocate
qemu
upstream
