#!/usr/bin/env bash
# Plant faults in a copy of the ring logic, one at a time: the random schedules must find each.
#
# usage: planted-logic.sh BUILD_DIR
# environment: CARGO
set -euo pipefail

build=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
build-aux/source-files.sh -c "$work" core c-tests/fuzz/ring-logic

run() { # argument of cargo test
    (cd "$work/c-tests/fuzz/ring-logic" &&
        "${CARGO:-cargo}" test --locked --quiet --target-dir "$build/fuzz/ring-logic-planted" "$1")
}

# name, file, sed expression
plant() {
    local file=$work/$2
    cp "$file" "$work/original"
    sed -i "$3" "$file"
    if cmp -s "$file" "$work/original"; then
        echo "planted fault '$1': $2 has no such line any more"
        exit 1
    fi
    run --no-run >"$work/log" 2>&1 || { tail -n 20 "$work/log"; exit 1; }
    if run schedule >"$work/log" 2>&1; then
        echo "planted fault '$1' was not found"
        exit 1
    fi
    grep -q 'minimal failing input' "$work/log" || { tail -n 20 "$work/log"; exit 1; }
    echo "planted fault '$1' found: $(sed -n 's/^Test failed: //p' "$work/log" | head -n 1)"
    cp "$work/original" "$file"
}

plant 'one SQE more than there are' core/src/queue/sqe.rs 's/>= sq.entries()/> sq.entries()/'
plant 'CQEs are given back one short' core/src/queue/complete.rs \
    's/head.load_relaxed().wrapping_add(nr)/head.load_relaxed().wrapping_add(nr.min(1))/'
plant 'SQEs stay behind in a resize' core/src/register/resize.rs '/^        move_sqes(/d'
echo "all planted faults were found"
