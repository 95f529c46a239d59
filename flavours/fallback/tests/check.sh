#!/usr/bin/env bash
# The checks of the fallback, with io_uring refused to all programs but those that say otherwise.
#
# usage: check.sh [PART...]     parts: modes wrapper own cases instructions refusals ffi static crate memcheck races qemu container (all by default)
# environment: CC CARGO PYTHON FALLBACK_OUT (where the libraries are) C_TESTS (the built C tests) C_TEST_PROGRAMS (their names)
#              ARCHIVE_TESTS (those linked to the plain archive)
#              STATIC_PROGRAMS (those in FALLBACK_OUT/static) PREFIX (headers for programs)
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
library=$FALLBACK_OUT/liburing.so.2
refuse=$FALLBACK_OUT/refuse
# Of the C tests' cases so many pass.
LEAST=285
# A file system on a disk, which /tmp often is not.
work=$(mktemp -d /var/tmp/fallback-check.XXXXXX)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "check-fallback: FAIL: $*" >&2
    exit 1
}

status=0
"$refuse" -e EPERM true || status=$?
if [ "$status" = 77 ]; then
    echo "SKIP: no seccomp filters here"
    exit 77
fi
[ "$status" = 0 ] || fail "refuse ends with $status"

# What the environment asks for is done, and said once.
modes() {
    local error lines
    for error in EPERM ENOSYS EACCES EOPNOTSUPP; do
        "$refuse" -e "$error" env LIBURING_FALLBACK_VERBOSE=1 "LD_PRELOAD=$library" "$C_TESTS/nop" one_request >"$work/out" 2>&1 ||
            fail "auto, $error: $(cat "$work/out")"
        lines=$(grep -cxF "liburing-fallback: serving io_uring from user space: the kernel refuses io_uring_setup ($error)" "$work/out") || true
        [ "$lines" = 1 ] || fail "auto, $error: said $lines times"
    done
    "$refuse" -e EPERM env LIBURING_FALLBACK=never "LD_PRELOAD=$library" "$C_TESTS/nop" one_request >"$work/out" 2>&1 || true
    grep -q 'Operation not permitted' "$work/out" || fail "never: $(cat "$work/out")"
    if LD_PRELOAD=$library "$C_TESTS/nop" one_request >"$work/out" 2>&1; then
        LIBURING_FALLBACK_VERBOSE=1 LD_PRELOAD=$library "$C_TESTS/nop" >"$work/out" 2>&1 || fail "auto, allowed: $(cat "$work/out")"
        if grep -q 'serving io_uring' "$work/out"; then
            fail "auto: emulated although the kernel has io_uring"
        fi
    fi
    LIBURING_FALLBACK=always LIBURING_FALLBACK_VERBOSE=1 LD_LIBRARY_PATH=$FALLBACK_OUT "$C_TESTS/nop" one_request >"$work/out" 2>&1 ||
        fail "always, by name: $(cat "$work/out")"
    grep -q 'LIBURING_FALLBACK=always' "$work/out" || fail "by name: another library was loaded"
    unknown_values
    # kernel.io_uring_disabled lets calls without a ring pass, such as queries.
    c_cases "$refuse -e EPERM -c io_uring_setup env LD_PRELOAD=$library" nop raw register_misc >"$work/out" 2>&1 ||
        fail "auto, set-up alone refused: $(cat "$work/out")"
    echo "modes: auto, never and always do what they say"
}

# What is asked for in other words than those known is told of, once for each variable.
unknown_values() {
    local set told
    # usage: tells LINES ASSIGNMENT...: of a program that sets up two rings, and nothing of one that does not
    tells() {
        local want=$1
        shift
        env "$@" "LD_PRELOAD=$library" true >"$work/out" 2>&1
        [ ! -s "$work/out" ] || fail "$*, without a ring: $(cat "$work/out")"
        "$refuse" -e EPERM env "$@" "LD_PRELOAD=$library" "$C_TESTS/msg_ring" data >"$work/out" 2>&1 || fail "$*: $(cat "$work/out")"
        told=$(grep -c 'is unknown and counts as unset' "$work/out") || true
        [ "$told" = "$want" ] || fail "$*: $told lines tell of it, not $want: $(cat "$work/out")"
    }
    tells 1 LIBURING_FALLBACK=allways
    grep -qxF 'liburing-fallback: LIBURING_FALLBACK="allways" is unknown and counts as unset; known values: auto, always, never' "$work/out" ||
        fail "of an unknown value it says: $(cat "$work/out")"
    for set in _VERBOSE=yes _SIGSYS=on; do
        tells 1 "LIBURING_FALLBACK$set"
        grep -qF "LIBURING_FALLBACK${set%=*}=\"${set#*=}\" is unknown and counts as unset; known values: 0, 1" "$work/out" ||
            fail "of $set it says: $(cat "$work/out")"
    done
    tells 3 LIBURING_FALLBACK=AUTO LIBURING_FALLBACK_VERBOSE=2 LIBURING_FALLBACK_SIGSYS=2
    tells 0 LIBURING_FALLBACK= LIBURING_FALLBACK_VERBOSE= LIBURING_FALLBACK_SIGSYS=
    tells 0 LIBURING_FALLBACK=auto LIBURING_FALLBACK_VERBOSE=0 LIBURING_FALLBACK_SIGSYS=0
}

OWN=(probe offers arguments breaks buffers bundles busy cancels closes credentials edges ends exits files futexes idle kept leading multishots parts polls readiness sharing signals splices streams takes times turns vforks fifos wakes)
own() {
    local test
    for test in "${OWN[@]}"; do
        # A temporary folder on a disk: a file in memory is served in another way.
        (cd "$work" && TMPDIR=$work "$refuse" -e EPERM env "LD_PRELOAD=$library" "$FALLBACK_OUT/tests/$test") || fail "$test"
    done
}

# usage: c_cases WRAPPER PROGRAM...
c_cases() {
    "$PYTHON" "$here/c_cases.py" --dir "$C_TESTS" --list "$here/differs.txt" --jobs 3 --wrapper "$@"
}

# Each way to get the library with each error that says that the kernel refuses, and a container's default profile.
cases() {
    local ways=("$refuse -p env LD_PRELOAD=$library") error way
    for error in EPERM ENOSYS EOPNOTSUPP; do
        ways+=("$refuse -e $error env LD_PRELOAD=$library" "$refuse -e $error env LD_LIBRARY_PATH=$FALLBACK_OUT")
    done
    for way in "${ways[@]}"; do
        # shellcheck disable=SC2086 # names are words
        c_cases "$way" --least "$LEAST" $C_TEST_PROGRAMS || fail "the C tests differ from what is recorded: $way"
    done
    for error in EPERM ENOSYS EOPNOTSUPP; do
        # shellcheck disable=SC2086
        C_TESTS=$FALLBACK_OUT/static c_cases "$refuse -e $error" --kind static --least "$LEAST" $STATIC_PROGRAMS ||
            fail "the C tests differ from what is recorded: linked statically, $error"
    done
    echo "cases: preloaded, by name and linked statically, with EPERM, ENOSYS and EOPNOTSUPP, at least $LEAST pass each time"
}

# Programs that make system calls with instructions of their own: linked to the plain archive, and preloaded.
instructions() {
    local programs=$FALLBACK_OUT/instructions switch="env LIBURING_FALLBACK_SIGSYS=1 LD_PRELOAD=$library" way test
    for way in -p "-e EPERM" "-e ENOSYS"; do
        # shellcheck disable=SC2086 # names and commands are words
        C_TESTS=$ARCHIVE_TESTS c_cases "$refuse $way $switch" --kind instructions --least 300 $C_TEST_PROGRAMS ||
            fail "the C tests differ from what is recorded: by instructions, refused with $way"
        for test in serves signals; do
            # shellcheck disable=SC2086
            (cd "$work" && $refuse $way $switch "$programs/$test") || fail "by instructions, refused with $way: $test"
        done
    done
    for test in "${OWN[@]}"; do
        # shellcheck disable=SC2086
        (cd "$work" && TMPDIR=$work $refuse -e EPERM $switch "$programs/own/$test") || fail "by instructions: $test"
    done
    fio_verifies "$refuse -p $switch"
    # usage: ends STATUS WHAT COMMAND...
    ends() {
        local want=$1 what=$2 status=0
        shift 2
        "$@" >"$work/out" 2>&1 || status=$?
        [ "$status" = "$want" ] || fail "$what: status $status, not $want: $(cat "$work/out")"
    }
    local before
    before=$(awk '/^Seccomp_filters:/ { print $2 }' /proc/self/status)
    if [ -z "$before" ]; then
        echo "SKIP: instructions: who has a filter: this kernel does not say"
        return
    fi
    # shellcheck disable=SC2086
    {
        ends 43 "without the switch" "$refuse" -e EPERM env "LD_PRELOAD=$library" "$programs/signals" filters $((before + 1))
        ends 43 "never" "$refuse" -e EPERM $switch LIBURING_FALLBACK=never "$programs/signals" filters $((before + 1))
        ends 42 "refused" "$refuse" -e EPERM $switch "$programs/signals" filters $((before + 2))
        ends 42 "with liburing-ffi" "$refuse" -e EPERM $switch:"$FALLBACK_OUT/liburing-ffi.so.2" "$programs/signals" filters $((before + 2))
        ends 43 "no filter to be had" "$refuse" -e EPERM "$refuse" -e ENOSYS -c seccomp $switch "$programs/signals" filters $((before + 2))
        [ "$(grep -c '^liburing-fallback: LIBURING_FALLBACK_SIGSYS=1: no filter can be installed (ENOSYS)$' "$work/out")" = 1 ] ||
            fail "no filter to be had: said $(cat "$work/out")"
        if LD_PRELOAD=$library "$C_TESTS/nop" one_request >/dev/null 2>&1; then
            ends 44 "allowed" $switch "$programs/signals" filters "$before"
            ends 42 "allowed, always" $switch LIBURING_FALLBACK=always "$programs/signals" filters $((before + 1))
        else
            echo "SKIP: instructions where io_uring is allowed: it is not here"
        fi
    }
    echo "instructions: programs that have system calls of their own are served, and nobody else has a filter"
}

# fio enters its rings with an instruction. What it wrote it reads back and verifies, and so does another engine of its.
fio_verifies() {
    local job direct
    if ! fio --enghelp=io_uring >/dev/null 2>&1; then
        echo "SKIP: fio: there is none with the engine io_uring"
        return
    fi
    for direct in 0 1; do
        job=(--name=job "--filename=$work/fio" --size=16m --bs=4k --iodepth=32 "--direct=$direct" --rw=randwrite --verify=crc32c --verify_state_save=0)
        # shellcheck disable=SC2086 # a command is words
        $1 fio "${job[@]}" --ioengine=io_uring --output-format=json --output="$work/said" 2>"$work/out" ||
            fail "fio: $(cat "$work/out" "$work/said")"
        "$PYTHON" - "$work/said" <<'END' || fail "fio did not do its work: $(cat "$work/said")"
import json, sys
text = open(sys.argv[1], encoding="utf-8").read()
job = json.loads(text[text.index("{"):])["jobs"][0]
sys.exit(job["error"] != 0 or job["write"]["total_ios"] != 4096 or job["read"]["total_ios"] != 4096)
END
        fio "${job[@]}" --ioengine=psync --verify_only >"$work/out" 2>&1 || fail "fio, verified without rings: $(cat "$work/out")"
        rm "$work/fio"
    done
    echo "fio: writes and verifies 32 MiB on io_uring"
}

# A control group's limit on tasks, as a container has it.
one_task() {
    local group status=0
    for group in /sys/fs/cgroup/pids /sys/fs/cgroup; do
        group=$group/fallback-check.$$
        mkdir "$group" 2>/dev/null || continue
        if [ ! -w "$group/pids.max" ]; then
            rmdir "$group"
            continue
        fi
        echo 1 >"$group/pids.max"
        # shellcheck disable=SC2086 # a command is words
        (echo "$BASHPID" >"$group/cgroup.procs" && exec $1 "$FALLBACK_OUT/tests/linked") || status=$?
        rmdir "$group"
        [ "$status" = 0 ] || fail "more than one task refused: status $status"
        return
    done
    echo "SKIP: a limit on tasks: no control group can be made here"
}

# Refused beside io_uring, one at a time: what is offered works all the same.
refusals() {
    local served="$refuse -e EPERM env LD_PRELOAD=$library" call error
    # usage: programs WHAT COMMAND
    programs() {
        # shellcheck disable=SC2086 # a command is words
        c_cases "$2" rw_fixed pipes poll timeouts links sock_data >"$work/out" 2>&1 ||
            fail "C tests, $1 refused: $(cat "$work/out")"
    }
    own_tests() {
        local test
        for test in probe offers files; do
            # shellcheck disable=SC2086 # a command is words
            (cd "$work" && TMPDIR=$work $2 "$FALLBACK_OUT/tests/$test") >"$work/out" 2>&1 ||
                fail "$test, $1 refused: $(cat "$work/out")"
        done
    }
    for call in io_setup epoll_pwait2 preadv2 pwritev2 memfd_create; do
        for error in ENOSYS EPERM; do
            own_tests "$call, $error," "$refuse -e $error -c $call $served"
        done
        programs "$call" "$refuse -e ENOSYS -c $call $served"
    done
    own_tests threads "$refuse -t $served"
    programs threads "$refuse -t $served"
    (ulimit -n 64 && programs "more than 64 descriptors" "$served")
    one_task "$served"
    echo "refusals: all works with io_setup, epoll_pwait2, preadv2, pwritev2, memfd_create, threads or descriptors refused"
}

# For programs in other languages: every function a symbol. Its versions are others, so it is preloaded as well.
ffi() {
    local both=$library:$FALLBACK_OUT/liburing-ffi.so.2
    "$CC" -std=gnu11 -D_GNU_SOURCE -O2 -I"$PREFIX/include" "$here/ffi/symbols.c" -o "$work/symbols" \
        -L"$FALLBACK_OUT" -luring-ffi
    "$refuse" -p env "LD_LIBRARY_PATH=$FALLBACK_OUT" "$work/symbols" || fail "linked to liburing-ffi"
    "$refuse" -p env "LD_PRELOAD=$both" "LD_LIBRARY_PATH=$PREFIX/lib" "$work/symbols" || fail "liburing-ffi, preloaded"
    (cd "$work" && TMPDIR=$work "$refuse" -p env "LD_PRELOAD=$both" "$FALLBACK_OUT/tests/readiness") >"$work/out" ||
        fail "both preloaded: $(cat "$work/out")"
    echo "ffi: programs of liburing-ffi run, by name and preloaded"
}

# The archive: without hooks, and in a program that has no other liburing.
static() {
    "$CC" -std=gnu11 -D_GNU_SOURCE -O2 -pthread -I"$PREFIX/include" "$here/linked.c" -o "$work/linked" \
        "$FALLBACK_OUT/liburing-fallback.a"
    if "$refuse" -e ENOSYS env LIBURING_FALLBACK=never "$work/linked" 2>/dev/null; then
        fail "linked statically: runs although nothing serves it"
    fi
    "$refuse" -e ENOSYS "$work/linked" || fail "linked statically"
    echo "static: a program linked to the archive runs"
}

# A program that makes the system calls by number and maps the rings itself.
crate() {
    local copy=$FALLBACK_OUT/crate/release/copy-crate
    if ! ${CARGO:-cargo} build --quiet --release --locked --manifest-path "$here/crate/Cargo.toml" \
        --target-dir "$FALLBACK_OUT/crate" 2>"$work/said"; then
        echo "SKIP: the io-uring crate: its program does not build here: $(tail -n 1 "$work/said")"
        return
    fi
    head -c 30000001 /dev/urandom >"$work/from"
    if "$refuse" -p "$copy" "$work/from" "$work/to" 2>/dev/null; then
        fail "the io-uring crate: runs although nothing serves it"
    fi
    "$refuse" -p env "LD_PRELOAD=$library" "$copy" "$work/from" "$work/to" || fail "the io-uring crate"
    cmp "$work/from" "$work/to" || fail "the io-uring crate: the copy differs"
    echo "crate: a program on the io-uring crate copies a file, contents equal"
}

# Under Valgrind a program is served as well, and memcheck reports nothing of the library.
memcheck() {
    if ! command -v valgrind >/dev/null; then
        echo "SKIP: memcheck: there is no valgrind"
        return
    fi
    c_cases "$refuse -e EPERM env LD_PRELOAD=$library valgrind --quiet --error-exitcode=9" nop poll timeouts pipes sock_data \
        rw_fixed reg_buffers provided_buffers recv_multishot msg_ring waits threads >"$work/out" 2>&1 ||
        fail "under Valgrind: $(cat "$work/out")"
    echo "memcheck: programs run under Valgrind, which reports nothing"
}

# The archive and programs of several threads under ThreadSanitizer.
races() {
    local target=x86_64-unknown-linux-gnu built=$FALLBACK_OUT/races test sources=$here/../../../c-tests runtime
    if ! runtime=$(rustup +nightly which rustc 2>/dev/null) || ! command -v clang >/dev/null; then
        echo "SKIP: ThreadSanitizer: no nightly Rust or no clang here"
        return
    fi
    local rustlib=${runtime%/bin/rustc}/lib/rustlib
    runtime=$rustlib/$target/lib/librustc-nightly_rt.tsan.a
    if [ ! -e "$runtime" ] || [ ! -d "$rustlib/src/rust/library" ]; then
        echo "SKIP: ThreadSanitizer: the nightly Rust lacks its runtime or rust-src"
        return
    fi
    RUSTFLAGS=-Zsanitizer=thread ${CARGO:-cargo} +nightly build --quiet --release --locked -Zbuild-std=std,panic_abort \
        --target "$target" --target-dir "$built" --manifest-path "$here/../Cargo.toml" 2>"$work/said" ||
        fail "the archive does not build with ThreadSanitizer: $(tail -n 3 "$work/said")"
    # The library maps by bare calls: an address that is mapped anew has another ring's past there.
    echo 'race:uring_fallback::memory::Memory>::new' >"$work/suppressions"
    for test in "$here"/{futexes,leading,sharing,turns}.c "$sources"/{cancel,taskrun,threads}.c; do
        clang -std=gnu11 -O1 -g -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -fsanitize=thread -pthread -I"$sources" -I"$PREFIX/include" \
            -c "$test" -o "$work/raced.o"
        "$CC" -pthread "$work/raced.o" -Wl,--whole-archive "$runtime" -Wl,--no-whole-archive \
            "$built/$target/release/liburing_fallback.a" -o "$work/raced" -Wl,--export-dynamic -ldl -lrt -lm
        # What counts is the reports: in such a program a wait may end with -EINTR although there is no signal.
        (cd "$work" && LIBURING_FALLBACK=always TMPDIR=$work TSAN_OPTIONS="suppressions=$work/suppressions report_thread_leaks=0" \
            timeout 300 "$work/raced") >"$work/out" 2>&1 || true
        if ! grep -q '^ok' "$work/out" || grep -q 'WARNING: ThreadSanitizer' "$work/out"; then
            fail "$(basename "$test"), under ThreadSanitizer: $(cat "$work/out")"
        fi
    done
    echo "races: ThreadSanitizer reports none in programs of several threads"
}

image() { echo "driver=$2,cache.direct=$3,file.driver=file,file.filename=$1,file.aio=io_uring,file.cache.direct=$3"; }

qemu() {
    local direct sum served=("$refuse" -p env "LD_PRELOAD=$library" LIBURING_FALLBACK_VERBOSE=1)
    if ! command -v qemu-img >/dev/null; then
        echo "SKIP: qemu: there is no qemu-img"
        return
    fi
    head -c 20000000 /dev/urandom >"$work/source"
    truncate -s 32M "$work/source"
    sum=$(sha256sum <"$work/source")
    for direct in on off; do
        qemu-img create -q -f qcow2 "$work/middle" 32M
        qemu-img create -q -f raw "$work/back" 32M
        "${served[@]}" qemu-img convert -n -W -m 8 --image-opts "$(image "$work/source" raw "$direct")" \
            --target-image-opts "$(image "$work/middle" qcow2 "$direct")" 2>"$work/said"
        grep -q 'serving io_uring' "$work/said" || fail "qemu-img is not served: $(cat "$work/said")"
        qemu-img check -q "$work/middle"
        "${served[@]}" qemu-img convert -n -m 8 --image-opts "$(image "$work/middle" qcow2 "$direct")" \
            --target-image-opts "$(image "$work/back" raw "$direct")" 2>"$work/said"
        [ "$(sha256sum <"$work/back")" = "$sum" ] || fail "qemu-img, cache.direct=$direct: the image came back changed"
    done
    echo "qemu: images converted both ways, checksums equal"
}

wrapper() { "$here/wrapper.sh" || fail "the command liburing-fallback"; }

container() {
    local status=0
    "$here/container.sh" || status=$?
    [ "$status" = 0 ] || [ "$status" = 77 ] || fail "in a container"
}

[ $# -gt 0 ] || set -- modes wrapper own cases instructions refusals ffi static crate memcheck races qemu container
# In a process group of their own, which ends as a whole and without a word.
set -m
for part in "$@"; do
    "$part"
done </dev/null &
parts=$!
set +m
stop() { # status
    trap '' INT TERM
    kill -TERM -- "-$parts" 2>/dev/null || true
    wait "$parts" 2>/dev/null || true
    exit "$1"
}
trap 'stop 130' INT
trap 'stop 143' TERM
wait "$parts"
