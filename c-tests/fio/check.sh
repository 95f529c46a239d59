#!/usr/bin/env bash
# fio with verification, in two ways:
#   unmodified  fio's own io_uring engine and t/io_uring, which make raw system calls, compiled with our kernel header
#   engine      Debian's fio with the engine of this folder on our library
# Data that one of them wrote is also read with plain system calls. So a fault in writing cannot hide behind one in
# reading.
#
# usage: check.sh TREE        folder for fio's build
# environment: LIBURING_PREFIX  where the library under test is installed (default: build/stage/usr of the project)
#              CONSUMERS_TMP    folder for scratch files (default: /var/tmp), best on a disk with O_DIRECT
# exit status: 0 passed (the lines with SKIP say what was left out), 77 skipped, 1 failed
export consumer=fio
prefix=$(realpath -m "${LIBURING_PREFIX:-$(cd "$(dirname "$0")/../.." && pwd)/build/stage/usr}")
export LIBURING_LIBDIR=$prefix/lib
# shellcheck source=../c-tests/consumers/lib.sh
. "$(dirname "$0")/../consumers/lib.sh"

tree=$(realpath -m "${1:?usage: check.sh TREE}")
build=$project/c-tests/fio/build.sh
engine=$work/engine.so
size=32m
passed=0

# fio leaves files in the folder where it runs.
cd "$work"
need fio fio
need_common
"$build" unmodified "$tree" "$prefix"
"$build" engine "$tree" "$prefix" "$engine"

direct=1
dd if="$engine" of=/dev/null bs=4096 count=1 iflag=direct 2>/dev/null || direct=0
[ "$direct" = 1 ] || say "note: no O_DIRECT in $work, every job is buffered"

# The directory of the jobs.
target=(--filename="$work/data")

# fio_job LABEL FIO ENGINE OPTION...: the result is fio's exit status; its output stays in $work/out.
fio_job() {
    local label=$1 program=$2 ioengine=$3
    shift 3
    LD_LIBRARY_PATH=$our_libdir timeout 60 "$program" --name="$label" --ioengine="$ioengine" "${target[@]}" \
        --size="$size" --bs=4k --iodepth=32 --direct="$direct" --randrepeat=1 "$@" >"$work/out" 2>&1
}

why() { grep -E 'fio:|err=|verify|IO error' "$work/out" | grep -v 'err= 0' | head -n 3; }

must_pass() {
    local label=$1
    fio_job "$@" || fail "$label (fio ${*:4}): $(why)"
    passed=$((passed + 1))
}

verify="--verify=crc32c --verify_fatal=1"

# The same for both: FIO and ENGINE are the two words before.
verified_jobs() {
    local who=$1 fio=$2 io=$3
    say "$who: read, write, randrw, sync in all shapes, with crc32c"
    # shellcheck disable=SC2086 # $verify is two options
    {
        must_pass "$who-write" "$fio" "$io" --rw=write $verify --fixedbufs --registerfiles
        must_pass "$who-read" "$fio" "$io" --rw=read $verify
        must_pass "$who-read-vectored" "$fio" "$io" --rw=read $verify --nonvectored=0
        must_pass "$who-reread" fio psync --rw=read $verify
        must_pass "$who-randwrite" "$fio" "$io" --rw=randwrite $verify --nonvectored=0 --direct=0 --fsync=16
        must_pass "$who-randrw" "$fio" "$io" --rw=randrw $verify --fdatasync=32 \
            --iodepth_batch=8 --iodepth_batch_complete_min=4 --iodepth_batch_complete_max=16
        must_pass "$who-batch-0" "$fio" "$io" --rw=randrw $verify --iodepth_batch_complete_min=0 --bsrange=4k-64k --direct=0
        must_pass "$who-sqpoll" "$fio" "$io" --rw=randrw $verify --sqthread_poll --registerfiles
        must_pass "$who-sqpoll-fixed" "$fio" "$io" --rw=randwrite $verify --sqthread_poll --registerfiles --fixedbufs
        must_pass "$who-workers" "$fio" "$io" --rw=randrw $verify --force_async=3 --direct=0 --sync_file_range=write:16
        must_pass "$who-depth-1" "$fio" "$io" --rw=randwrite $verify --iodepth=1 --size=4m
        target=(--directory="$work")
        must_pass "$who-many-files" "$fio" "$io" --rw=randrw $verify --size=8m --numjobs=2 --nrfiles=4 --openfiles=4 --registerfiles
        must_pass "$who-threads" "$fio" "$io" --rw=randwrite $verify --size=8m --numjobs=2 --thread
        target=(--filename="$work/data")
    }
}

# The engine under test must notice a changed byte.
damage_is_noticed() {
    local who=$1 fio=$2 io=$3
    # shellcheck disable=SC2086
    must_pass "$who-write" "$fio" "$io" --rw=write $verify
    printf '\377\0\377' | dd of="$work/data" bs=1 seek=$((5 * 1024 * 1024 + 100)) conv=notrunc status=none
    sync "$work/data"
    # shellcheck disable=SC2086
    if fio_job "$who-damaged" "$fio" "$io" --rw=read $verify --verify_only; then
        fail "$who: damaged data passed verification, so the other jobs prove nothing"
    fi
    grep -q 'verify' "$work/out" || fail "$who: damaged data ended the job in another way: $(why)"
    passed=$((passed + 1))
}

# Polled completions: only if the device has queues for them. fio's own engine tells whether it does.
polled() {
    local how="--rw=randread --hipri --size=4m"
    if [ "$direct" = 0 ]; then
        echo "SKIP: fio: hipri needs O_DIRECT"
        return
    fi
    # shellcheck disable=SC2086
    if ! fio_job polled-probe fio io_uring $how && grep -q 'Operation not supported' "$work/out"; then
        # Then the engine must say the same and not hang.
        if fio_job polled "fio" "external:$engine" $how || ! grep -q 'Operation not supported' "$work/out"; then
            fail "hipri is not supported by the device, but the engine does not say so: $(why)"
        fi
        echo "SKIP: fio: hipri: the disk below $work has no polling queues"
        return
    fi
    # shellcheck disable=SC2086
    must_pass engine-hipri fio "external:$engine" $how $verify
}

loop=
detach() { [ -z "$loop" ] || losetup -d "$loop"; }
exit_hooks+=(detach)

# Only block devices take trims. On a loop device over a file they punch holes.
trims() {
    if [ "$(id -u)" -ne 0 ] || ! command -v losetup >/dev/null; then
        echo "SKIP: fio: trim needs root and losetup"
        return
    fi
    truncate -s "$size" "$work/disk"
    if ! loop=$(losetup -f --show "$work/disk" 2>/dev/null); then
        loop=
        echo "SKIP: fio: trim: this machine has no free loop device"
        return
    fi
    local who=$1 fio=$2 io=$3
    target=(--filename="$loop")
    # shellcheck disable=SC2086
    {
        must_pass "$who-fill" "$fio" "$io" --rw=write $verify
        must_pass "$who-trim" "$fio" "$io" --rw=trim --bs=64k --size=16m
        # The first half reads as zeroes now, the second as before.
        must_pass "$who-rest" "$fio" "$io" --rw=read $verify --offset=16m --size=16m
    }
    cmp -n $((16 * 1024 * 1024)) "$loop" /dev/zero || fail "$who: trimmed blocks do not read as zero"
    must_pass "$who-randtrimwrite" "$fio" "$io" --rw=randtrimwrite --bs=16k
    target=(--filename="$work/data")
    losetup -d "$loop"
    loop=
    rm "$work/disk"
}

# t/io_uring only reads, and prints a message for each short read.
bare_program() {
    local options iops
    for options in "-B1 -F1" "-B0 -F0" "-B1 -F1 -R0 -X1" "-N1" "-O0 -B0"; do
        # shellcheck disable=SC2086
        timeout 30 "$tree/t/io_uring" -p0 -r2 -d32 -s8 -c8 $options "$work/data" >"$work/out" 2>&1 ||
            fail "t/io_uring $options: $(tail -n 2 "$work/out")"
        ! grep -Eiq 'unexpected|error|fail' "$work/out" || fail "t/io_uring $options: $(grep -Ei 'unexpected|error|fail' "$work/out" | head -n 2)"
        iops=$(sed -n 's/^Maximum IOPS=//p' "$work/out")
        [ "${iops:-0}" != 0 ] || fail "t/io_uring $options: it reports no I/O"
        say "t/io_uring $options: at most $iops IOPS"
        passed=$((passed + 1))
    done
}

# The engine's calls lead to our library, and the library's to the kernel.
proof() {
    traced ours fio --name=proof --ioengine="external:$engine" --filename="$work/data" --size=4m --bs=4k --iodepth=8 \
        --rw=randrw --verify=crc32c >"$work/out" 2>&1 || fail "fio under strace: $(why)"
    judge_traces ours 1500
}

verified_jobs unmodified "$tree/fio" io_uring
damage_is_noticed unmodified "$tree/fio" io_uring
bare_program
verified_jobs engine fio "external:$engine"
damage_is_noticed engine fio "external:$engine"
must_pass engine-ring-fd fio "external:$engine" --rw=randrw --verify=crc32c --registerring --registerfiles --fixedbufs
polled
trims engine fio "external:$engine"
proof
say "PASS: $passed jobs of fio $(fio --version), $size each"
