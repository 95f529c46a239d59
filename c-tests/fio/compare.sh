#!/usr/bin/env bash
# The same fio jobs on three engines, and their IOPS side by side: fio's built-in io_uring engine, the engine of this
# folder on upstream's liburing, and the same on ours.
#
# usage: compare.sh TREE         folder for fio's build (its headers are needed)
# environment: LIBURING_PREFIX     where the library under test is installed (default: build/stage/usr of the project)
#              UPSTREAM_PREFIX     an installed liburing to compare with (default: upstream's, fetched and built)
#              CONSUMERS_TMP       folder for scratch files (default: /var/tmp)
#              FIO_ROUNDS          runs of each job and engine, of which the median counts (default: 5)
#              FIO_SECONDS         length of a run (default: 2)
# exit status: 0 measured, 77 skipped, 1 failed. No figure makes it fail: machines differ too much.
export consumer=fio-compare
prefix=$(realpath -m "${LIBURING_PREFIX:-$(cd "$(dirname "$0")/../.." && pwd)/build/stage/usr}")
export LIBURING_LIBDIR=$prefix/lib
# shellcheck source=../c-tests/consumers/lib.sh
. "$(dirname "$0")/../consumers/lib.sh"

tree=$(realpath -m "${1:?usage: compare.sh TREE}")
rounds=${FIO_ROUNDS:-5}
seconds=${FIO_SECONDS:-2}
build=$project/c-tests/fio/build.sh

# fio leaves files in the folder where it runs.
cd "$work"
need fio fio
need_common
upstream=${UPSTREAM_PREFIX:-$("$project/build-aux/fetch-upstream.sh" build)} || exit
"$build" unmodified "$tree" "$prefix"
"$build" engine "$tree" "$upstream" "$work/upstream.so"
"$build" engine "$tree" "$prefix" "$work/ours.so"

# Each engine must get the library that it was built for.
for side in upstream ours; do
    [ "$side" = ours ] && library_path=$our_libdir || library_path=$upstream/lib
    found=$(LD_LIBRARY_PATH=$library_path ldd "$work/$side.so" | awk '$1 == "liburing.so.2" { print $3 }')
    [ "$(realpath "$found")" = "$(realpath "$library_path/liburing.so.2")" ] || fail "the engine $side runs on $found"
    say "$side is $(realpath "$found")"
done

measure() { # side options...
    local side=$1 engine=io_uring path=
    shift
    case $side in
    upstream) engine=external:$work/upstream.so path=$upstream/lib ;;
    ours) engine=external:$work/ours.so path=$our_libdir ;;
    esac
    LD_LIBRARY_PATH=$path fio --name=compare --ioengine="$engine" --filename="$work/data" --size=256m \
        --runtime="$seconds" --time_based --norandommap --randrepeat=1 --gtod_reduce=1 --output-format=json \
        --output="$work/out.json" "$@" >"$work/out" 2>&1 || fail "$side, fio $*: $(tail -n 2 "$work/out")"
}

fio --name=lay-out --filename="$work/data" --size=256m --rw=write --bs=1m --ioengine=psync >"$work/out" 2>&1 ||
    fail "no data file: $(tail -n 2 "$work/out")"
cat "$work/data" >/dev/null

# Reads from the page cache take no device time, so they show the engine's own cost best.
jobs=(
    "cached randread 4k, depth 32|--rw=randread --bs=4k --iodepth=32 --direct=0 --invalidate=0"
    "cached randread 512, depth 64, batch 16|--rw=randread --bs=512 --iodepth=64 --iodepth_batch=16 --iodepth_batch_complete_min=16 --iodepth_batch_complete_max=64 --direct=0 --invalidate=0"
    "cached, fixed buffers and files|--rw=randread --bs=512 --iodepth=64 --iodepth_batch=16 --fixedbufs --registerfiles --direct=0 --invalidate=0"
    "cached randread 4k, depth 1|--rw=randread --bs=4k --iodepth=1 --direct=0 --invalidate=0"
    "direct randread 4k, depth 32|--rw=randread --bs=4k --iodepth=32 --direct=1"
    "direct randwrite 4k, depth 32|--rw=randwrite --bs=4k --iodepth=32 --direct=1"
    "direct randread 4k, SQPOLL|--rw=randread --bs=4k --iodepth=32 --direct=1 --sqthread_poll --registerfiles"
)
dd if="$work/data" of=/dev/null bs=4096 count=1 iflag=direct 2>/dev/null || jobs=("${jobs[@]:0:4}")

steps=$((${#jobs[@]} * rounds * 3))
step=0
for round in $(seq "$rounds"); do
    for job in "${jobs[@]}"; do
        # The engines take turns, and each goes first in turn. So other load of the machine affects all of them alike.
        order=(builtin upstream ours builtin upstream)
        for side in "${order[@]:round % 3:3}"; do
            step=$((step + 1))
            [ ! -t 2 ] || printf '\r%d of %d: %-60s' "$step" "$steps" "${job%%|*}, $side, round $round" >&2
            # shellcheck disable=SC2086 # options
            measure "$side" ${job#*|}
            python3 -c '
import json, sys
job = json.load(open(sys.argv[1]))["jobs"][0]
ios = sum(job[way]["total_ios"] for way in ("read", "write"))
iops = sum(job[way]["iops"] for way in ("read", "write"))
user = job["usr_cpu"] / 100 * job["job_runtime"] * 1e6 / max(ios, 1)
print(sys.argv[2], sys.argv[3], iops, user, sep="|")' "$work/out.json" "${job%%|*}" "$side" >>"$work/figures"
        done
    done
done
[ ! -t 2 ] || printf '\r%80s\r' '' >&2

python3 - "$work/figures" "$rounds" "$seconds" <<'TABLE'
import statistics, sys
runs = {}
for line in open(sys.argv[1]):
    job, side, iops, user = line.rstrip("\n").split("|")
    runs.setdefault(job, {}).setdefault(side, []).append((float(iops), float(user)))
print(f"\nmedian of {sys.argv[2]} runs of {sys.argv[3]} s: IOPS, and nanoseconds of user time for each I/O;")
print("spread: the largest distance between runs of one engine; a smaller difference means nothing")
print(f"{'job':42}{'fio built-in':>18}{'upstream':>18}{'ours':>18}  ours/upstream  spread")
for job, sides in runs.items():
    cells, medians, spread = "", {}, 0
    for side in ("builtin", "upstream", "ours"):
        all_iops = [run[0] for run in sides[side]]
        iops = medians[side] = statistics.median(all_iops)
        user = statistics.median(run[1] for run in sides[side])
        cells += f"{iops:>12,.0f}{user:>6,.0f}"
        if side != "builtin":
            spread = max(spread, (max(all_iops) - min(all_iops)) / iops)
    print(f"{job:42}{cells}{medians['ours'] / medians['upstream']:>15.3f}{f'{spread:.0%}' if int(sys.argv[2]) > 1 else '-':>8}")
TABLE
