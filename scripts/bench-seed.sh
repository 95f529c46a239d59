#!/usr/bin/env bash
# Random reads through the interface of January 2019, which the preload library serves, beside the same loop through
# today's: in turns, in one run.
#
# usage: bench-seed.sh PREFIX BUILD
# environment: CC; BENCH_ROUNDS (21) turns for each, BENCH_SECONDS (0.2) a turn, BENCH_MIB (256) of the file
set -euo pipefail
export LC_ALL=C

prefix=$1 build=$2
: "${CC:=gcc}" "${BENCH_ROUNDS:=21}" "${BENCH_SECONDS:=0.2}" "${BENCH_MIB:=256}"
mkdir -p "$build"
trap 'rm -f "$build/data" "$build"/*.rates' EXIT

"$CC" -O2 -Wall -Wextra benches/seed.c -o "$build/seed"
head -c "${BENCH_MIB}M" /dev/urandom >"$build/data"
sync "$build/data"
cat "$build/data" >/dev/null

measure() { # interface, option...
    local interface=$1
    shift
    if [ "$interface" = 2019 ]; then
        LD_PRELOAD=$prefix/lib/liburing-0.1-preload.so "$build/seed" 2019 "$build/data" -s "$BENCH_SECONDS" "$@"
    else
        "$build/seed" today "$build/data" -s "$BENCH_SECONDS" "$@"
    fi
}

median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
spread() { sort -n "$1" | awk '{ v[NR] = $1 } END { printf "%.0f to %.0f", v[1], v[NR] }'; }

echo "random 4 KiB reads a second, median of $BENCH_ROUNDS turns (all turns); $(uname -sr), $(nproc) processors"
printf '%-44s %26s %26s  %s\n' '' '2019, preloaded' "today's" '2019 / today'
row() { # what, option...
    local what=$1 round interface
    shift
    rm -f "$build"/*.rates
    for ((round = 0; round < BENCH_ROUNDS; round++)); do
        [ -t 2 ] && printf '\r%s, turn %d of %d ' "$what" $((round + 1)) "$BENCH_ROUNDS" >&2
        # Who goes first changes, so that neither has the better place.
        for interface in $([ $((round % 2)) = 0 ] && echo 2019 today || echo today 2019); do
            measure "$interface" "$@" >>"$build/$interface.rates"
            paste -d ' ' "$build/2019.rates" "$build/today.rates" 2>/dev/null >"$build/pairs.rates" || true
        done
    done
    [ -t 2 ] && printf '\r%60s\r' '' >&2
    awk '{ print $1 / $2 }' "$build/pairs.rates" >"$build/ratio.rates"
    printf '%-44s %8.0f %17s %8.0f %17s  %.3f\n' "$what" \
        "$(median "$build/2019.rates")" "($(spread "$build/2019.rates"))" \
        "$(median "$build/today.rates")" "($(spread "$build/today.rates"))" "$(median "$build/ratio.rates")"
}

row 'buffered, depth 32, batches of 8'
row 'O_DIRECT, depth 32, batches of 8' -d
row 'buffered, registered buffers' -f
row 'O_DIRECT, registered buffers' -d -f
row 'buffered, one at a time' -n 1 -b 1
row 'O_DIRECT, one at a time' -d -n 1 -b 1
