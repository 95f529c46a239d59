# Shared by the consumer scripts of this folder: sourced, not run.
#
# A consumer script defines its job as a shell function that takes the side as its first argument, runs its programs
# through `traced` (or `select_lib`), and judges the records. `each_side` runs it for every side of CONSUMERS_SIDES:
#
#   debian      the library that the program has by default
#   ours        the one in LIBURING_LIBDIR, by LD_LIBRARY_PATH
#   preloaded   the same by LD_PRELOAD, as a library needs that stands before functions of libc
#   refused     the same, and io_uring's system calls get EPERM: the fallback's
#   contained   the same, and all that a container's default profile refuses gets EPERM
#   allowed     preloaded, and the fallback must leave everything to the kernel
# shellcheck shell=bash

set -euo pipefail
export LC_ALL=C

consumer=${consumer:-$(basename "$0" .sh)}
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
our_libdir=${LIBURING_LIBDIR:-$project/build/stage/usr/lib}
# Not /tmp: it is often a tmpfs, and the jobs need a file system with O_DIRECT.
work=$(mktemp -d "${CONSUMERS_TMP:-/var/tmp}/liburing-$consumer.XXXXXX")
exit_hooks=()
# The runner collects these lines for its summary.
figures=${CONSUMERS_FIGURES:-$work/figures}
our_lib='' system_lib=''
read -r -a sides <<<"${CONSUMERS_SIDES:-debian ours}"
# CONSUMERS_REFUSE names the command that refuses system calls to another.
refuse=${CONSUMERS_REFUSE:-}
# What comes before a command that is to run where its package is; empty where it is installed.
enter=()

finish() {
    local status=$? hook
    for hook in "${exit_hooks[@]}"; do
        "$hook" || true
    done
    if [ "$status" -ne 0 ] && [ "$status" -ne 77 ] && [ -n "${CONSUMERS_KEEP:-}" ]; then
        echo "$consumer: files kept in $work" >&2
    else
        rm -rf "$work"
    fi
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() { printf '%s: %s\n' "$consumer" "$*"; }

fail() {
    printf '%s: FAIL: %s\n' "$consumer" "$*" >&2
    exit 1
}

# Test drivers commonly read 77 as "skipped".
skip() {
    printf 'SKIP: %s: %s\n' "$consumer" "$*"
    exit 77
}

# bring PACKAGE: installs it, or skips the script.
bring() {
    command -v apt-get >/dev/null || skip "package $1 is missing and there is no apt-get to install it"
    [ "$(id -u)" -eq 0 ] || skip "package $1 is missing, and only root may install it"
    say "installing $1"
    local install=(apt-get install -y -q --no-install-recommends "$1")
    export DEBIAN_FRONTEND=noninteractive
    if ! "${install[@]}" >"$work/apt.log" 2>&1; then
        apt-get update -q >>"$work/apt.log" 2>&1 || true
        "${install[@]}" >>"$work/apt.log" 2>&1 || skip "package $1 cannot be installed: $(tail -n 1 "$work/apt.log")"
    fi
}

# need COMMAND PACKAGE: installs the package if the command is missing.
need() {
    PATH=$PATH:/usr/sbin:/sbin
    command -v "$1" >/dev/null || bring "$2"
    command -v "$1" >/dev/null || fail "package $2 came without $1"
}

# Everything that each job needs.
need_common() {
    need strace strace
    need python3 python3-minimal
    [ -e "$our_libdir/liburing.so.2" ] || fail "no liburing.so.2 in $our_libdir: run make stage first"
    our_lib=$(realpath "$our_libdir/liburing.so.2")
    local refusal
    # 425 is io_uring_setup on every architecture that this library serves; 120 bytes are struct io_uring_params.
    refusal=$(python3 -c '
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(425, 1, ctypes.create_string_buffer(120)) < 0:
    print(os.strerror(ctypes.get_errno()))') || fail "the probe for io_uring did not run"
    [ -z "$refusal" ] || skip "this kernel refuses io_uring_setup: $refusal"
}

# links_liburing PROGRAM: stores the library that the program gets by default.
links_liburing() {
    system_lib=$("${enter[@]}" env -u LD_LIBRARY_PATH ldd "$1" | awk '$1 == "liburing.so.2" { print $3 }')
    [ -n "$system_lib" ] || skip "$1 is not linked to liburing.so.2 here"
    system_lib=$("${enter[@]}" realpath "$system_lib")
    [ "$system_lib" != "$our_lib" ] || fail "the system's liburing.so.2 is the one under test: nothing to compare with"
}

expected_lib() {
    [ "$1" = debian ] && echo "$system_lib" || echo "$our_lib"
}

# emulated SIDE: rings are served from user space there.
emulated() { [ "$1" = refused ] || [ "$1" = contained ]; }

# select_lib SIDE: sets lib_env, the words for env(1) that give a command that side's library and have the dynamic linker
# record in $work/SIDE.ld.PID what it binds.
select_lib() {
    lib_env=(-u LD_LIBRARY_PATH LD_DEBUG=bindings "LD_DEBUG_OUTPUT=$work/$1.ld")
    case $1 in
    debian) ;;
    ours) lib_env+=("LD_LIBRARY_PATH=$our_libdir") ;;
    preloaded | allowed) lib_env+=("LD_PRELOAD=$our_lib") ;;
    refused) lib_env+=("LD_PRELOAD=$our_lib" "$refuse" -e EPERM) ;;
    contained) lib_env+=("LD_PRELOAD=$our_lib" "$refuse" -p) ;;
    *) fail "no such side: $1" ;;
    esac
}

# traced SIDE COMMAND...: runs the command with that side's library; strace's record is added to $work/SIDE.strace.
traced() {
    local side=$1
    shift
    select_lib "$side"
    # env runs inside, so that strace itself keeps the system's library path.
    strace -f -qq -A -o "$work/$side.strace" -e trace=io_uring_setup,io_uring_enter,io_uring_register,prctl,memfd_create -e signal=none \
        "${enter[@]}" env "${lib_env[@]}" "$@"
}

# judge_process SIDE PID: the running process has that side's library mapped, no other, and a ring of its own that completed
# requests. Sets ring_completions.
judge_process() {
    local side=$1 pid=$2 process want mapped descriptor tail
    want=$(expected_lib "$side")
    mapped=$("${enter[@]}" cat "/proc/$pid/maps" | awk '$6 ~ /liburing\.so/ { print $6 }' | sort -u)
    [ "$mapped" = "$want" ] || fail "$side: process $pid maps ${mapped:-no liburing}, not $want"
    ring_completions=0
    if [ "$side" = allowed ]; then
        for process in "$pid" $(cat "/proc/$pid/task"/*/children); do
            # A child may have ended.
            if cat "/proc/$process/task"/*/comm 2>/dev/null | grep -Exq 'iou-(wrk|poll)'; then
                fail "$side: process $process has threads of the fallback"
            fi
        done
    fi
    if emulated "$side"; then
        grep -q 'memfd:\[io_uring\]' "/proc/$pid/maps" || fail "$side: process $pid has no emulated ring"
        ring_completions="uncounted emulated"
        return
    fi
    for descriptor in /proc/"$pid"/fd/*; do
        [ "$(readlink "$descriptor")" = 'anon_inode:[io_uring]' ] || continue
        # The kernel says less of a ring that is in use at this moment.
        for _ in $(seq 1000); do
            tail=$(awk '$1 == "CqTail:" { print $2 }' "/proc/$pid/fdinfo/${descriptor##*/}")
            [ -z "$tail" ] || break
            sleep 0.02
        done
        [ -n "$tail" ] || fail "$side: the kernel does not say how many requests the ring of process $pid completed"
        ring_completions=$((ring_completions + tail))
    done
    [ "$ring_completions" -gt 0 ] || fail "$side: process $pid completed no request through io_uring"
}

# judge_bindings SIDE: each io_uring function that was bound leads to that side's library. Sets bound_symbols.
judge_bindings() {
    local side=$1 want library
    want=$(expected_lib "$side")
    # Bindings by the library itself do not count.
    sed -n "/binding file [^ ]*liburing\.so[^ ]* /d; s/.* to \(.*\) \[0\]: normal symbol .\(_*io_uring_[a-z0-9_]*\)'.*/\1 \2/p" "$work/$side".ld.* |
        sort -u >"$work/$side.bound"
    [ -s "$work/$side.bound" ] || fail "$side: the dynamic linker bound no io_uring function"
    while read -r library; do
        [ "$("${enter[@]}" realpath "$library")" = "$want" ] || fail "$side: io_uring functions were bound to $library, not to $want"
    done < <(cut -d' ' -f1 "$work/$side.bound" | sort -u)
    bound_symbols=$(cut -d' ' -f2 "$work/$side.bound" | sort -u | wc -l)
}

# successful SIDE CALL: how often the system call succeeded.
successful() { grep -Ec "$2(\(| resumed).* = [0-9]" "$work/$1.strace" || true; }

# judge_traces SIDE MINIMUM: the traced commands used that side's library and gave the kernel at least MINIMUM requests.
judge_traces() {
    local side=$1 minimum=$2 rings enters requests
    judge_bindings "$side"
    rings=$(successful "$side" io_uring_setup)
    enters=$(successful "$side" io_uring_enter)
    requests=$(sed -nE 's/.*io_uring_enter(\(| resumed).* = ([0-9]+)$/\2/p' "$work/$side.strace" | awk '{ n += $1 } END { print n + 0 }')
    if emulated "$side"; then
        [ "$rings" -eq 0 ] || fail "$side: io_uring was not refused"
        grep -q 'io_uring_setup.* = -1 EPERM' "$work/$side.strace" || fail "$side: the kernel was not asked"
        grep -q 'memfd_create("\[io_uring\]"' "$work/$side.strace" || fail "$side: no ring was served from user space"
        report "$side" "$bound_symbols functions bound to $(expected_lib "$side"); refused, served from user space"
        return
    fi
    [ "$rings" -gt 0 ] || fail "$side: no io_uring was set up"
    if [ "$side" = allowed ] && grep -Eq 'PR_SET_NAME, "iou-(wrk|poll)"' "$work/$side.strace"; then
        fail "$side: the fallback made threads"
    fi
    [ "$requests" -ge "$minimum" ] || fail "$side: $requests requests went through io_uring, at least $minimum were due"
    report "$side" "$bound_symbols functions bound to $(expected_lib "$side"); $rings rings, $enters enters, $requests requests"
}

# report SIDE TEXT: a line for the reader and for the summary.
report() {
    printf '%-10s %-9s  %s\n' "$consumer" "$1" "$2" | tee -a "$figures"
}

# each_side JOB: Debian's library first, so a failure there is not blamed on ours.
each_side() {
    local job=$1 side started
    for side in "${sides[@]}"; do
        started=$(date +%s.%N)
        "$job" "$side"
        report "$side" "$(awk -v a="$started" -v b="$(date +%s.%N)" 'BEGIN { printf "%.1f s in all", b - a }')"
    done
}

# same WHAT FILE FILE: both files hold the same bytes.
same() {
    cmp -s "$2" "$3" || fail "$1: $2 and $3 differ"
}

# same_on_sides WHAT SUFFIX: the files $work/SIDE.SUFFIX of all sides hold the same bytes.
same_on_sides() {
    local side
    for side in "${sides[@]}"; do
        same "$1" "$work/${sides[0]}.$2" "$work/$side.$2"
    done
}
