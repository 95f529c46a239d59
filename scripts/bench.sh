#!/usr/bin/env bash
# Nop throughput of this library and of upstream's, taken in turns in one run.
#
# usage: bench.sh PREFIX
# environment: CC; BENCH_ROUNDS (7) turns for each library, BENCH_SECONDS (0.5) a turn
set -euo pipefail
export LC_ALL=C

prefix=$1
: "${CC:=gcc}" "${BENCH_ROUNDS:=7}" "${BENCH_SECONDS:=0.5}"
upstream=$(scripts/fetch-upstream.sh build)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Each with its own headers and library, found at run time through the path in the program.
for side in ours upstream; do
    directory=$prefix
    [ "$side" = ours ] || directory=$upstream
    "$CC" -O2 -Wall -I "$directory/include" benches/nop.c -o "$work/$side" -L "$directory/lib" -luring \
        -Wl,-rpath,"$directory/lib"
done

median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
spread() { sort -n "$1" | awk '{ v[NR] = $1 } END { printf "%.0f to %.0f", v[1], v[NR] }'; }

echo "nop through a ring, ns an operation, median of $BENCH_ROUNDS turns (all turns); $(uname -sr), $(nproc) processors"
printf '%6s  %22s  %22s  %s\n' batch ours "upstream $(basename "$(dirname "$upstream")")" 'ours / upstream'
for batch in 1 8 32 128; do
    rm -f "$work"/*.times
    for ((round = 0; round < BENCH_ROUNDS; round++)); do
        [ -t 2 ] && printf '\rbatch %d, turn %d of %d ' "$batch" $((round + 1)) "$BENCH_ROUNDS" >&2
        for side in ours upstream; do
            "$work/$side" "$batch" "$BENCH_SECONDS" >>"$work/$side.times"
        done
    done
    [ -t 2 ] && printf '\r%40s\r' '' >&2
    ours=$(median "$work/ours.times") theirs=$(median "$work/upstream.times")
    printf '%6d  %9.1f %12s  %9.1f %12s  %.3f\n' "$batch" "$ours" "($(spread "$work/ours.times"))" \
        "$theirs" "($(spread "$work/upstream.times"))" "$(awk "BEGIN { print $ours / $theirs }")"
done
