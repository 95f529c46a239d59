#!/usr/bin/env bash
# Weakly ordered memory: the ring logic under loom, and the header's inline functions under ThreadSanitizer. Each ordering
# is then made weaker in a copy, one at a time, and must be found missing.
#
# usage: check.sh BUILD_DIR
# environment: CARGO, CC
set -euo pipefail

build=$(realpath "$1")/ordering
: "${CARGO:=cargo}" "${CC:=gcc}"
mkdir -p "$build"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
build-aux/source-files.sh -c "$work" core include c-tests/ordering

# ThreadSanitizer does not find its place in memory where addresses are drawn from too wide a range.
fixed=(setarch -R)
"${fixed[@]}" true 2>/dev/null || fixed=()

model() { # source, scenarios...
    (cd "$1/c-tests/ordering/model" && "$CARGO" run --locked --quiet --target-dir "$build/${target:-model}" -- "${@:2}")
}

# shellcheck disable=SC2329 # called by name
header() { # source
    "$CC" -std=gnu11 -O1 -g -Wall -Wextra -fsanitize=thread -I"$1/include" "$1/c-tests/ordering/header.c" \
        -o "$build/header" -pthread || return 2
    TSAN_OPTIONS='halt_on_error=1 exitcode=66' "${fixed[@]}" "$build/header"
}

model .
if echo 'int main(void) { return 0; }' | "$CC" -fsanitize=thread -x c -o "$build/probe" - 2>/dev/null &&
    "${fixed[@]}" "$build/probe" 2>/dev/null; then
    header .
    sanitized=1
else
    echo "SKIP: header: $CC has no ThreadSanitizer that runs here"
    sanitized=
fi

planted=0
# tool, what its report says, scenarios or '', name, file, sed expression
plant() {
    local file=$work/$5 status=0
    cp "$file" "$work/original"
    sed -i "$6" "$file"
    if cmp -s "$file" "$work/original"; then
        echo "planted fault '$4': $5 has no such line any more"
        exit 1
    fi
    # shellcheck disable=SC2086 # $3 is a list
    target=planted "$1" "$work" $3 >"$work/log" 2>&1 || status=$?
    if [ "$status" = 0 ] || ! grep -q "$2" "$work/log"; then
        tail -n 20 "$work/log"
        echo "planted fault '$4' was not found"
        exit 1
    fi
    cp "$work/original" "$file"
    planted=$((planted + 1))
}

in_model() { # scenario, name, file, sed expression
    plant model 'Causality violation\|nobody wakes it\|succeeds without a CQE' "$@"
}

in_header() { # name, file, sed expression
    [ -z "$sanitized" ] || plant header 'data race' '' "$@"
}

queue=core/src/queue
in_model reap 'the CQ tail is read without order' $queue/complete.rs 's/cq_tail().load_acquire/cq_tail().load_relaxed/'
in_model reap 'the CQ head is stored without order' $queue/complete.rs 's/head.store_release/head.store_relaxed/'
in_model walk 'a walk reads the CQ tail without order' core/src/inline/peek.rs 's/cq_tail().load_acquire/cq_tail().load_relaxed/'
in_model submit 'the SQ head is read without order' core/src/ring/handle.rs 's/sq_head().load_acquire/sq_head().load_relaxed/'
in_model submit 'the SQ tail is stored without order' $queue/submit.rs 's/store_seq_cst/store_relaxed/'
in_model from-thread-to-thread 'as before, seen by a third thread' $queue/submit.rs 's/store_seq_cst/store_relaxed/'
in_model wake 'the SQ tail may be stored after the flags are read' $queue/submit.rs 's/store_seq_cst/store_release/'
in_model wake 'the SQ flags may be read before the tail is stored' $queue/submit.rs 's/load_seq_cst/load_relaxed/'
in_model wake-and-wait 'as before, in a call that waits' $queue/submit.rs 's/load_seq_cst/load_relaxed/'
in_model submit-and-wait 'a CQE that comes after the look ends the wait' $queue/wait.rs 's/let ready = if cqe.is_null()/let ready = if false/'
in_model buffers 'the tail of a buffer ring is stored without order' core/src/ring/order.rs \
    '/fn store_release_16/,/^}/s/Ordering::Release/Ordering::Relaxed/'

acquire='io_uring_smp_load_acquire(\(ring\|(ring)\)->\([a-z.]*\))/IO_URING_READ_ONCE(*\1->\2)/'
in_header 'the SQ head is read without order' include/liburing/queue.h "/define _io_uring_sq_head/s/$acquire"
in_header 'CQEs are counted without order' include/liburing/queue.h "/unsigned io_uring_cq_ready/,/^}/s/$acquire"
in_header 'a walk reads the CQ tail without order' include/liburing/queue.h "/io_uring_cqe_iter_init/,/^}/s/$acquire"
in_header 'the CQ tail is read without order' include/liburing/queue.h "/unsigned _io_uring_first_cqe/,/^}/s/$acquire"
release='io_uring_smp_store_release(\([^,]*\), \(.*\));/IO_URING_WRITE_ONCE(*\1, \2);/'
in_header 'CQEs are given back without order' include/liburing/queue.h "/void io_uring_cq_advance/,/^}/s/$release"
in_header 'a CQE is given back without order' include/liburing/queue.h "/void io_uring_cqe_seen/,/^}/s/$release"
in_header 'buffers are offered without order' include/liburing/buf_ring.h \
    "s/io_uring_smp_store_release(&br->tail, \(.*\));/IO_URING_WRITE_ONCE(br->tail, \1);/"
echo "$planted weaker orderings were planted, and each was found"
