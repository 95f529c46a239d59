#!/usr/bin/env bash
# The checks of the check library.
#
# usage: check.sh [PART...]     parts: rust pages helpers refusals misuse trails modes ffi asan tsan threads memcheck static installed faults programs cost cases (all by default)
# environment: CC PYTHON CHECKER_OUT (where the libraries are) MISUSES (the programs of this folder, built) C_TESTS (the built C tests) C_TEST_PROGRAMS (their names) PREFIX (headers for programs) SEEDS (how many sequences of faults, default 60)
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
library=$CHECKER_OUT/liburing.so.2
SEEDS=${SEEDS:-60}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "check-check: FAIL: $*" >&2
    exit 1
}

rust() {
    local features
    cargo fmt --manifest-path "$here/../Cargo.toml" --check
    for features in "" hooks; do
        cargo clippy --quiet --locked --manifest-path "$here/../Cargo.toml" --target-dir "$CHECKER_OUT/clippy" \
            --features "$features" -- -D warnings
    done
    echo "rust: no warning"
}

# Each page that a report may name is there.
pages() {
    local page missing=0 count=0 root=$here/../../..
    while read -r page; do
        count=$((count + 1))
        [ -e "$root/man/man${page: -2:1}/${page%(*}.${page: -2:1}" ] || { echo "there is no page $page" && missing=1; }
    done < <(
        grep -ohE 'io_uring[a-z_0-9]*\([0-9]\)' "$here/../src/rules.rs" "$here/../src/ops.rs"
        sed -nE 's/^ *IORING_OP_([A-Z0-9_]+) = .*/\1/p' "$root/core/src/abi/op.rs" | grep -vx -e LAST -e RECV_ZC | tr '[:upper:]' '[:lower:]' |
            sed 's/^async_cancel$/cancel/; s/.*/io_uring_prep_&(3)/'
    )
    [ "$missing" = 0 ] || fail "pages are missing"
    echo "pages: $count references lead to pages"
}

# The table of what helpers set is that of the headers.
helpers() {
    "$PYTHON" -B "$here/helpers.py" "$PREFIX/include" "$CC" >"$work/helpers.rs"
    diff -u "$here/../src/fields/helpers.rs" "$work/helpers.rs" || fail "helpers set other fields: write src/fields/helpers.rs anew"
    echo "helpers: the table of fields is that of the headers"
}

# The table of what the kernel refuses is what it refuses. Each opcode has its row: the library does not compile otherwise.
refusals() {
    local table=$here/../src/fields/kernel.rs kernel
    kernel=$(sed -nE 's/^pub const KERNEL: &str = "Linux (.*)";/\1/p' "$table")
    [[ $(uname -r) == "$kernel".* ]] || { echo "SKIP: refusals: the table is that of Linux $kernel, not of $(uname -r)" && return; }
    # On a busy machine a request may take too long.
    for _ in 1 2 3; do
        "$PYTHON" -B "$here/refusals.py" "$PREFIX" "$CC" >"$work/kernel.rs"
        if diff -u "$table" "$work/kernel.rs" >"$work/said"; then
            echo "refusals: the table is what Linux $kernel does with $(grep -c 'Some(Refuses' "$table") opcodes"
            return
        fi
    done
    fail "the kernel refuses something else: write src/fields/kernel.rs anew: $(cat "$work/said")"
}

misuse() {
    local program watched=()
    for program in $MISUSES; do
        [ "${program##*/}" = proxy ] || watched+=("$program")
    done
    "$PYTHON" "$here/misuse.py" --library "$library" "${watched[@]}" || fail "reports of misuse"
    # shellcheck disable=SC2086 # names are words
    "$PYTHON" "$here/misuse.py" --library "$library" --words proxy, $MISUSES || fail "reports of misuse in proxy mode"
}

# LIBURING_CHECK does what it says.
modes() {
    local program=$CHECKER_OUT/tests/queues status=0 text
    LD_PRELOAD=$library "$program" never_submitted 2>"$work/said"
    text=$(<"$work/said")
    [[ $text == *'liburing-check: 1 SQEs were taken and never submitted [unsubmitted]'* && $text == *'io_uring_submit(3)'* ]] ||
        fail "text: $text"
    [[ $text != *$'\e'* ]] || fail "colour although this is no terminal"
    LIBURING_CHECK=off=unsubmitted LD_PRELOAD=$library "$program" never_submitted 2>"$work/said"
    [ ! -s "$work/said" ] || fail "off=: $(cat "$work/said")"
    LIBURING_CHECK=log=$work/log LD_PRELOAD=$library "$program" never_submitted 2>"$work/said"
    if [ -s "$work/said" ] || ! grep -q 'never submitted' "$work/log"; then
        fail "log=: $(cat "$work/said")"
    fi
    (cd "$work" && LIBURING_CHECK=log=relative LD_PRELOAD=$library "$CHECKER_OUT/tests/queues" never_submitted_elsewhere)
    grep -q 'never submitted' "$work/relative" || fail "log=: a path that is not absolute"
    LIBURING_CHECK=json LD_PRELOAD=$library "$program" never_submitted 2>"$work/said"
    "$PYTHON" -c 'import json, sys; assert json.load(sys.stdin)["rule"] == "unsubmitted"' <"$work/said" || fail "json"
    LIBURING_CHECK=summary LD_PRELOAD=$library "$program" chain_in_one_submit 2>"$work/said"
    grep -q '2 requests, 2 completions; most at once: 2 of 4 SQEs, 2 of 8 CQEs, 2 in flight' "$work/said" ||
        fail "summary: $(cat "$work/said")"
    # Both have submitted one request to the ring, which the parent set up.
    LIBURING_CHECK=summary LD_PRELOAD=$library "$CHECKER_OUT/tests/sharing" child_alone 2>"$work/said"
    [ "$(grep -c ': 1 requests, ' "$work/said")" = 2 ] || fail "summary of a parent and its child: $(cat "$work/said")"
    # Five of six children are not looked at: a thread did not wait for their forks to end.
    LIBURING_CHECK=log=$work/forked LD_PRELOAD=$library "$CHECKER_OUT/tests/forks" lock_of_a_library
    [ "$(grep -c ': it is not looked at$' "$work/forked")" = 5 ] || fail "children of forks that a thread did not wait for: $(cat "$work/forked")"
    # The inner shell says that the program was aborted.
    LIBURING_CHECK=abort bash -c 'LD_PRELOAD=$1 "$2" never_submitted; exit $?' - "$library" "$program" 2>"$work/said" || status=$?
    [ "$status" = 134 ] || fail "abort: the program ends with $status"
    LIBURING_TRACE=$work/trace LD_PRELOAD=$library "$CHECKER_OUT/tests/memory" freed_after_completion
    grep -Eq '^[0-9.]+ ring [0-9]+ IORING_OP_READ user_data 0x41 fd [0-9]+ = 1 after [0-9]+\.[0-9]{3} us$' "$work/trace" ||
        fail "trace: $(cat "$work/trace")"
    LIBURING_TRACE=json LD_PRELOAD=$library "$CHECKER_OUT/tests/memory" freed_after_completion 2>"$work/trace"
    "$PYTHON" -c 'import json, sys; line = json.load(sys.stdin); assert line["res"] == 1 and line["ns"] > 0' <"$work/trace" ||
        fail "trace: $(cat "$work/trace")"
    LIBURING_CHECK=proxy LD_PRELOAD=$library "$CHECKER_OUT/tests/sharing" user_before_thread 2>"$work/said"
    [[ $(wc -l <"$work/said") = 1 && $(<"$work/said") == *'only watched, not proxied: IORING_SETUP_SQPOLL'* ]] ||
        fail "proxy: $(cat "$work/said")"
    LIBURING_CHECK=nonsense LD_PRELOAD=$library "$program" never_submitted 2>"$work/said"
    grep -q '"nonsense" is unknown' "$work/said" || fail "an unknown word: $(cat "$work/said")"
    LD_LIBRARY_PATH=$CHECKER_OUT "$program" never_submitted 2>"$work/said"
    grep -q 'never submitted' "$work/said" || fail "by name: another library was loaded"
    echo "modes: text, json, log, summary, abort, off and the trace do what they say"
}

# A report shows the calls that led to the request, and never others.
trails() {
    local mode way
    "$CC" -std=gnu11 -D_GNU_SOURCE -g -O2 -pthread -I"$PREFIX/include" "$here/trails/ways.c" -o "$work/ways" -L"$CHECKER_OUT" -luring
    while read -r way mode; do
        LIBURING_CHECK=json LD_LIBRARY_PATH=$CHECKER_OUT "$work/ways" "$mode" 2>"$work/said"
        "$PYTHON" -c '
import json, sys
calls = [call.split(" ")[0] for call in json.load(sys.stdin)["submitted"]]
wanted = ["submit"] if sys.argv[1] == "-" else ["submit", sys.argv[1], "main"]
sys.exit(calls[:3] != wanted)' "$way" <"$work/said" || fail "trails: $mode: $(cat "$work/said")"
    done <<'END'
this_way two ways
this_way many
- too deep
- too many
END
    echo "trails: a report shows the way of its request or none"
}

# The library with the inline functions as symbols: these are looked at as well.
ffi() {
    "$CC" -std=gnu11 -D_GNU_SOURCE -g -O2 -I"$PREFIX/include" "$here/ffi/unseen.c" -o "$work/unseen" -L"$CHECKER_OUT" -luring-ffi
    # The inner shell says that the alarm has ended it.
    LIBURING_CHECK=log=$work/said LD_LIBRARY_PATH=$CHECKER_OUT bash -c '"$1"; exit 0' - "$work/unseen" 2>/dev/null
    grep -q 'liburing-check: a wait for 1 completions.*nothing can end it' "$work/said" || fail "ffi: $(cat "$work/said")"
    grep -q 'main (.*unseen.c:' "$work/said" || fail "ffi: $(cat "$work/said")"
    echo "ffi: a program of liburing-ffi is looked at"
}

# In a program with AddressSanitizer, its notes of memory count, and it is told of memory that the kernel writes to.
asan() {
    local build=("$CC" -std=gnu11 -D_GNU_SOURCE -g -O1 -fsanitize=address -pthread "-I$PREFIX/include")
    local run=("$PYTHON" "$here/misuse.py" --tool asan --library "$library")
    "${build[@]}" "$here/asan/sanitized.c" -o "$work/sanitized" -L"$CHECKER_OUT" -luring 2>"$work/said" ||
        { echo "SKIP: asan: $(head -n 1 "$work/said")" && return; }
    "${run[@]}" "$work/sanitized" || fail "reports under AddressSanitizer"
    "${build[@]}" "$here/asan/proxied.c" -o "$work/proxied" -L"$CHECKER_OUT" -luring
    "${run[@]}" --words proxy, "$work/proxied" "$work/sanitized" || fail "reports under AddressSanitizer in proxy mode"
    # To ask for its cases it runs without the check library.
    "${build[@]}" "$here/proxy.c" -o "$work/proxy" -L"$CHECKER_OUT" -luring "-Wl,-rpath,$PREFIX/lib"
    "${run[@]}" --words proxy, "$work/proxy" --only sqes_left_alone read_then_seen answered_then_advanced spins \
        polled_by_descriptor handed_to_a_child || fail "right programs under AddressSanitizer in proxy mode"
}

# With ThreadSanitizer: what passes through a ring is ordered, nothing else is, and the library's own work is not looked at.
tsan() {
    local build=("$CC" -std=gnu11 -D_GNU_SOURCE -g -O1 -fsanitize=thread -pthread "-I$PREFIX/include") found name
    "${build[@]}" "$here/tsan/threads.c" -o "$work/threads" -L"$CHECKER_OUT" -luring 2>"$work/said" ||
        { echo "SKIP: tsan: $(head -n 1 "$work/said")" && return; }
    setarch -R true 2>"$work/said" || { echo "SKIP: tsan: $(head -n 1 "$work/said")" && return; }
    "${build[@]}" "$here/stress.c" -o "$work/stress" -L"$CHECKER_OUT" -luring
    "$PYTHON" "$here/misuse.py" --tool tsan --library "$library" --jobs 2 "$work/threads" || fail "reports under ThreadSanitizer"
    "$PYTHON" "$here/misuse.py" --tool tsan --words proxy, --library "$library" --jobs 2 "$work/threads" ||
        fail "reports under ThreadSanitizer in proxy mode"
    TSAN_OPTIONS=exitcode=66 LD_LIBRARY_PATH=$CHECKER_OUT setarch -R "$work/stress" all_at_once >"$work/said" 2>&1 ||
        fail "under ThreadSanitizer: $(head -n 60 "$work/said")"
    # On the plain library the sanitizer takes it for a race.
    for name in handed_over found_inline posted; do
        found=0
        TSAN_OPTIONS=exitcode=66 LD_LIBRARY_PATH=$PREFIX/lib setarch -R "$work/threads" "$name" >"$work/said" 2>&1 || found=$?
        [ "$found" = 66 ] || fail "tsan: $name ends with $found on the plain library: $(cat "$work/said")"
    done
    echo "tsan: what passes through a ring is a race without the check library alone"
}

# The library itself under ThreadSanitizer: a nightly Rust builds it and its standard library for that. The sanitizer's
# functions are not exported by these programs, so the library does not find them, and hides nothing of itself.
threads() {
    local triple out=$CHECKER_OUT/threads flags='-Zsanitizer=thread -Cforce-frame-pointers=yes -Cdebuginfo=1' sysroot runtime program name signal status count=0
    local build=("$CC" -std=gnu11 -D_GNU_SOURCE -g -O1 -fsanitize=thread -pthread "-I$PREFIX/include")
    triple=$(uname -m)-unknown-linux-gnu
    sysroot=$(rustc +nightly --print sysroot 2>/dev/null) && setarch -R true 2>/dev/null ||
        { echo "SKIP: threads: there is no nightly Rust" && return; }
    runtime=$(find "$sysroot/lib/rustlib/$triple/lib" -name 'librustc*_rt.tsan.a')
    [ -n "$runtime" ] && [ -e "$sysroot/lib/rustlib/src/rust/library/Cargo.lock" ] ||
        { echo "SKIP: threads: there is no source of Rust's library (rustup +nightly component add rust-src)" && return; }
    RUSTFLAGS=$flags cargo +nightly rustc --quiet --release --locked --manifest-path "$here/../Cargo.toml" --crate-type staticlib \
        --target "$triple" -Zbuild-std=std,panic_abort --target-dir "$out"
    "$CC" -r -nostdlib -fuse-ld=bfd -Wl,-u,checked_io_uring_submit -o "$out/all.o" "$out/$triple/release/liburing_check.a"
    nm "$out/all.o" | sed -nE 's/.* T checked_(.*)$/\1 plain_\1\nchecked_\1 \1/p' >"$out/names"
    objcopy --redefine-syms="$out/names" "$out/all.o"
    objcopy --wildcard --keep-global-symbol='io_uring_*' --keep-global-symbol='__io_uring_*' "$out/all.o" "$out/checker.o"
    for program in stress sharing; do
        "${build[@]}" -c "$here/$program.c" -o "$out/$program.o"
        "$CC" -pthread "$out/$program.o" "$out/checker.o" -Wl,--whole-archive "$runtime" -Wl,--no-whole-archive -lm -ldl -o "$out/$program"
        setarch -R "$out/$program" >"$work/listed" || fail "threads: $program does not say its cases"
        while read -r name signal; do
            status=0
            TSAN_OPTIONS=exitcode=66 setarch -R "$out/$program" "$name" >"$work/said" 2>&1 || status=$?
            # An alarm that is not the case's own has ended one that hangs.
            case $status in
            77) echo "SKIP: threads: $program $name: $(head -n 1 "$work/said")" ;;
            $((signal ? 128 + signal : 0))) count=$((count + 1)) ;;
            *) fail "threads: $program $name ends with $status: $(head -n 60 "$work/said")" ;;
            esac
        done < <(awk -F '\t' '$2 == "-" { print $1, $4 }' "$work/listed")
    done
    [ "$count" -gt 0 ] || fail "threads: no case ran"
    echo "threads: the library has no race of its own in $count cases"
}

# Under valgrind, memcheck knows what the kernel reads and writes.
memcheck() {
    valgrind --version >/dev/null 2>&1 || { echo "SKIP: memcheck: there is no valgrind" && return; }
    "$CC" -std=gnu11 -D_GNU_SOURCE -g -O1 -pthread -I"$PREFIX/include" "$here/memcheck/watched.c" -o "$work/watched" -L"$CHECKER_OUT" -luring
    "$PYTHON" "$here/misuse.py" --tool memcheck --library "$library" --jobs 2 "$work/watched" || fail "reports under memcheck"
}

# The archive: without hooks, and in a program that has no other liburing.
static() {
    local status=0
    "$CC" -std=gnu11 -D_GNU_SOURCE -g -O2 -pthread -I"$PREFIX/include" "$here/queues.c" -o "$work/queues" \
        "$CHECKER_OUT/liburing-check.a"
    "$work/queues" chain_over_two_submits 2>"$work/said"
    grep -q 'chain_over_two_submits.*queues.c:' "$work/said" || fail "linked statically: $(cat "$work/said")"
    "$work/queues" chain_in_one_submit 2>"$work/said"
    [ ! -s "$work/said" ] || fail "linked statically: $(cat "$work/said")"
    "$CC" -std=gnu11 -D_GNU_SOURCE -g -O2 -pthread -I"$PREFIX/include" "$here/memory.c" -o "$work/memory" "$CHECKER_OUT/liburing-check.a"
    "$work/memory" ring_memory_freed >"$work/said" 2>&1 || status=$?
    [ "$status" = 0 ] || [ "$status" = 77 ] || fail "linked statically: a ring in memory that is gone: $status"
    echo "static: a program linked to the archive is looked at"
}

# Faults on demand: a copy that heeds them is right with each seed, one that does not is found.
faults() {
    local seed options full=0 kinds=short=0.2,eintr=0.05,eagain=0.05,ebusy=0.05,partial=0.2,reorder=0.1,full-cq=0.5
    "$CC" -std=gnu11 -D_GNU_SOURCE -O2 -I"$PREFIX/include" "$here/../../../examples/uring-cp.c" -o "$work/uring-cp" -L"$CHECKER_OUT" -luring
    "$CC" -std=gnu11 -D_GNU_SOURCE -O2 -I"$PREFIX/include" "$here/naive/copy.c" -o "$work/naive" -L"$CHECKER_OUT" -luring
    head -c 3000001 /dev/urandom >"$work/from"
    for ((seed = 1; seed <= SEEDS; seed++)); do
        options=(-s -b 16k -q 16)
        # In linked pairs, a part that is not taken with its predecessor runs too early.
        if ((seed % 2)); then
            options+=(-l)
            kinds=${kinds/partial=0.2/partial=0}
        fi
        rm -f "$work/to"
        LIBURING_CHECK=summary LIBURING_CHECK_INJECT=$kinds,seed=$seed LD_LIBRARY_PATH=$CHECKER_OUT \
            "$work/uring-cp" "${options[@]}" "$work/from" "$work/to" >"$work/said" 2>&1 || fail "uring-cp ${options[*]}, $kinds,seed=$seed: $(cat "$work/said")"
        cmp -s "$work/from" "$work/to" || fail "uring-cp ${options[*]}, $kinds,seed=$seed: the copy differs"
        kinds=${kinds/partial=0,/partial=0.2,}
        if grep liburing-check "$work/said" | grep -Ev 'liburing-check: (ring [0-9]+|faults): '; then
            fail "uring-cp ${options[*]}, $kinds,seed=$seed: a report"
        fi
        full=$((full + $(sed -nE 's/.* full-cq ([0-9]+).*/\1/p' "$work/said")))
    done
    [ "$full" -gt 0 ] || fail "the CQ never overflowed"
    # Cancelled requests it does not repeat: then it must say so.
    LIBURING_CHECK_INJECT=ecanceled=0.5 LD_LIBRARY_PATH=$CHECKER_OUT "$work/uring-cp" -s "$work/from" "$work/to" >"$work/said" 2>&1 &&
        fail "uring-cp does not see that requests were cancelled"
    grep -q 'Operation canceled' "$work/said" || fail "uring-cp: $(cat "$work/said")"
    LD_LIBRARY_PATH=$CHECKER_OUT "$work/naive" "$work/from" "$work/to"
    cmp -s "$work/from" "$work/to" || fail "the naive copy differs without faults"
    LIBURING_CHECK_INJECT=short=1 LD_LIBRARY_PATH=$CHECKER_OUT "$work/naive" "$work/from" "$work/to"
    if cmp -s "$work/from" "$work/to"; then
        fail "short transfers do not show in a copy that does not heed them"
    fi
    # The same seed makes the same faults.
    for seed in 1 1 2; do
        LIBURING_CHECK=summary LIBURING_CHECK_INJECT=all=0.3,short=0,seed=$seed LD_LIBRARY_PATH=$CHECKER_OUT \
            "$work/naive" "$work/from" "$work/to" 2>&1 >/dev/null | grep faults: || true
    done >"$work/seeds"
    [ "$(sed -n 1p "$work/seeds")" = "$(sed -n 2p "$work/seeds")" ] || fail "a seed does not repeat: $(cat "$work/seeds")"
    [ "$(sed -n 1p "$work/seeds")" != "$(sed -n 3p "$work/seeds")" ] || fail "seeds do not differ: $(cat "$work/seeds")"
    fault_rules
    echo "faults: $SEEDS seeds, copies equal, the CQ overflowed $full times; a copy that ignores short transfers is found"
}

# injected PROGRAM FAULTS WORDS...: a copy by this program has these numbers of faults.
injected() {
    local program=$1 faults=$2 word
    shift 2
    LIBURING_CHECK=summary LIBURING_CHECK_INJECT=$faults LD_LIBRARY_PATH=$CHECKER_OUT timeout 100 "$work/$program" "$work/from" "$work/to" \
        >"$work/said" 2>&1 || true
    for word in "$@"; do
        grep -Eq "liburing-check: faults:.* $word(,|\$)" "$work/said" || fail "$faults: not $word: $(cat "$work/said")"
    done
}

# Faults with conditions meet what they name and nothing else.
fault_rules() {
    # The last one finds the end.
    local reads=$((3000001 / 65536 + 2))
    injected naive short@op=READ@nth=3 'short 1'
    injected naive short@op=READ@nth=3,short@op=WRITE@nth=5 'short 2'
    injected naive short@op=READ@every=4 "short $((reads / 4))"
    injected naive "eio@op=WRITE@path=$work/to@nth=2" 'eio 1'
    injected naive 'eio@op=WRITE@path=*/from,short@path=*/nothing' 'eio 0' 'short 0'
    injected naive 'short@path=*/f?om@op=READ' "short $reads"
    injected uring-cp eagain@op=SUBMIT@nth=1 'eagain 1'
    injected naive eio@fd=1000,eio@user_data=0xffff 'eio 0'
    injected uring-cp eintr@op=WAIT@nth=2 'eintr 1'
    cmp -s "$work/from" "$work/to" || fail "uring-cp: the copy differs after a wait was interrupted"
    injected naive eio@op=NOTHING
    grep -q '"eio@op=NOTHING" is unknown' "$work/said" || fail "an unknown opcode: $(cat "$work/said")"
}

# Other people's programs with faults on demand.
programs() {
    "$here/faults.sh"
}

# What is installed can be used, and taken away again.
installed() {
    local to=$work/installed left program mark
    local where=("DESTDIR=$to" prefix=/p libdir=/p/lib libdevdir=/p/lib includedir=/p/include)
    "${MAKE:-make}" -C "$here/../../.." -s --no-print-directory "${where[@]}" install-checker >/dev/null
    LD_PRELOAD=$to/p/lib/liburing-check/liburing.so.2 "$CHECKER_OUT/tests/queues" never_submitted 2>"$work/said"
    grep -q 'never submitted' "$work/said" || fail "installed: $(cat "$work/said")"
    # shellcheck disable=SC2046 # options are words
    "$CC" -std=gnu11 -D_GNU_SOURCE -g -pthread -I"$PREFIX/include" "$here/queues.c" -o "$work/linked" \
        $(PKG_CONFIG_SYSROOT_DIR=$to PKG_CONFIG_PATH=$to/p/lib/pkgconfig pkg-config --libs liburing-check)
    "$work/linked" never_submitted 2>"$work/said"
    grep -q 'never submitted' "$work/said" || fail "linked by pkg-config: $(cat "$work/said")"
    # What upstream has an option for: memory that is freed, and that a request uses, in a program with AddressSanitizer.
    mkdir "$work/configured"
    (cd "$work/configured" && CC=$CC "$here/../../../configure" --enable-sanitizer --prefix=/p >/dev/null)
    "${MAKE:-make}" -C "$here/../../.." -pq O="$work/configured" help >"$work/said" 2>/dev/null || true
    grep -q '^install:.* install-checker' "$work/said" ||
        fail "configure --enable-sanitizer does not have the check library installed"
    if echo 'int main(void) { return 0; }' | "$CC" -fsanitize=address -x c -o "$work/probe" - 2>"$work/said"; then
        # shellcheck disable=SC2046 # options are words
        "$CC" -std=gnu11 -D_GNU_SOURCE -g -O1 -fsanitize=address -pthread "$here/asan/sanitized.c" -o "$work/by-name" \
            $(PKG_CONFIG_PATH=$PREFIX/lib/pkgconfig pkg-config --cflags --libs liburing)
        # shellcheck disable=SC2046 # options are words
        "$CC" -std=gnu11 -D_GNU_SOURCE -g -O1 -fsanitize=address -pthread -I"$PREFIX/include" "$here/asan/sanitized.c" -o "$work/by-archive" \
            $(PKG_CONFIG_SYSROOT_DIR=$to PKG_CONFIG_PATH=$to/p/lib/pkgconfig pkg-config --libs liburing-check)
        for program in by-name by-archive; do
            for mark in 'freed_before poisoned' 'freed_meanwhile free' 'touched in-flight'; do
                ASAN_OPTIONS=detect_leaks=0:exitcode=0 LD_LIBRARY_PATH=$to/p/lib/liburing-check \
                    "$work/$program" "${mark% *}" >"$work/said" 2>&1 || true
                grep -q "liburing-check: .*\[${mark#* }\]" "$work/said" || fail "$program: ${mark% *}: $(head -n 40 "$work/said")"
            done
        done
    else
        echo "SKIP: installed, with AddressSanitizer: $(head -n 1 "$work/said")"
    fi
    "${MAKE:-make}" -C "$here/../../.." -s --no-print-directory "${where[@]}" uninstall-checker >/dev/null
    left=$(find "$to" -type f -o -type l)
    [ -z "$left" ] || fail "uninstalling leaves $left"
    echo "installed: preloaded, linked by pkg-config, found by AddressSanitizer, and taken away"
}

# What a look costs: the instructions of a cycle, against those on the plain library. Each row has its limit.
cost() {
    local steps=$here/../../../c-tests/cost above=0 row plain checked limit
    [ "$(uname -m)" = x86_64 ] || { echo "SKIP: cost: instructions are counted on x86-64 alone" && return; }
    "$CC" -std=gnu11 -D_GNU_SOURCE -O2 -I"$PREFIX/include" -I"$steps" "$here/cost/cycles.c" "$steps/steps.c" "$steps/steps-help.c" \
        -o "$work/cycles" -L"$CHECKER_OUT" -luring
    LD_BIND_NOW=1 LD_LIBRARY_PATH=$PREFIX/lib "$work/cycles" >"$work/plain"
    LD_BIND_NOW=1 LD_LIBRARY_PATH=$CHECKER_OUT "$work/cycles" >"$work/checked"
    printf '%-32s%10s%10s%8s\n' "cost: instructions of" plain checked limit
    while IFS=$'\t' read -r row plain _ checked; do
        case $row in
        "32 no-ops") limit=$((plain * 2)) ;;
        "32 no-ops in a ring of 256") limit=$((plain * 26 / 10)) ;;
        *) limit=$((plain * 35 / 10)) ;;
        esac
        printf '%-32s%10d%10d%8d\n' "$row" "$plain" "$checked" "$limit"
        if ((checked > limit)); then above=1; fi
    done < <(paste "$work/plain" "$work/checked")
    [ "$above" = 0 ] || fail "cost: a cycle takes more than its limit"
    [ "$(wc -l <"$work/checked")" = 3 ] || fail "cost: $(cat "$work/checked")"
}

cases() {
    # shellcheck disable=SC2086 # names are words
    "$PYTHON" "$here/c-reports.py" --dir "$C_TESTS" --list "$here/c-reports.txt" --library "$CHECKER_OUT" $C_TEST_PROGRAMS ||
        fail "the C tests"
    # shellcheck disable=SC2086 # names are words
    "$PYTHON" "$here/c-reports.py" --dir "$C_TESTS" --list "$here/c-reports.txt" --failing "$here/c-proxy.txt" --words proxy, \
        --library "$CHECKER_OUT" $C_TEST_PROGRAMS || fail "the C tests in proxy mode"
}

[ $# -gt 0 ] || set -- rust pages helpers refusals misuse trails modes ffi asan tsan threads memcheck static installed faults programs cost cases
for part in "$@"; do
    "$part"
done
