#!/usr/bin/env bash
# Run checks, go on after a failure, and sum up. Each of JOBS lanes takes the next check when it is free. A lane builds in a
# directory of its own, so that no two checks make the same file.
#
# usage: check.sh TARGET...
# environment: MAKE, O (where build/ and config.mk are), LOGS (directory for one log a check), JOBS (lanes; 1 with VERBOSE),
#              VERBOSE (1: show the output as it comes), CHECK_TIMEOUT (seconds for one check)
set -euo pipefail
export LC_ALL=C

: "${MAKE:=make}" "${O:=.}" "${LOGS:=$O/build/check}" "${JOBS:=1}" "${VERBOSE:=}" "${CHECK_TIMEOUT:=1800}"
[ "$VERBOSE" != 1 ] || JOBS=1
[ "$JOBS" -le $# ] || JOBS=$#
mkdir -p "$LOGS"
targets=("$@")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
touch "$work"/{passed,failed,skipped,parts,begun}

# Lanes and checks run in process groups of their own, so stopping one ends all its processes.
set -m
lanes=()
stop() {
    local pid file
    for pid in "${lanes[@]}"; do
        kill -TERM -- -"$pid" 2>/dev/null || true
    done
    for file in "$work"/child-*; do
        pkill -TERM -F "$file" 2>/dev/null || true
    done
    echo
    echo "stopped"
    exit 130
}
trap stop INT TERM

run() { # lane target log
    local lane=$1 target=$2 log=$3 status=0 command
    command=(timeout -k 10 "$CHECK_TIMEOUT" "$MAKE" -s --no-print-directory O="$(directory "$lane")" "$target")
    if [ "$VERBOSE" = 1 ]; then
        "${command[@]}" </dev/null > >(tee "$log") 2>&1 &
    else
        "${command[@]}" </dev/null >"$log" 2>&1 &
    fi
    echo $! >"$work/child-$lane"
    wait $! || status=$?
    rm -f "$work/child-$lane"
    [ "$status" -ne 124 ] || echo "stopped after $CHECK_TIMEOUT s" >>"$log"
    return "$status"
}

# Where a lane builds. The first one does where everything else is built.
directory() { # lane
    if [ "$1" = 1 ]; then
        echo "$O"
    else
        echo "$O/build/lane-$1"
    fi
}

check() { # lane number target
    local lane=$1 target=$3 log=$LOGS/$3.log started=$SECONDS status=0 took reasons said
    said=$(printf '[%2d/%d] %-28s' "$2" ${#targets[@]} "$target")
    echo "$said begins"
    run "$lane" "$target" "$log" || status=$?
    took=$((SECONDS - started))

    reasons=$(sed -n 's/^ *SKIP: *//p' "$log")
    if [ "$status" -eq 0 ]; then
        echo "$target" >>"$work/passed"
        # The last non-empty line of a check is its summary.
        echo "$said ok, $took s: $(grep -v "^ *$" "$log" | tail -n 1 | cut -c 1-120)"
        sed -n "s/^ *SKIP: */$target: /p" "$log" >>"$work/parts"
    elif grep -q "\*\*\* \[.*\] Error 77$" "$log"; then
        echo "$target: ${reasons:-no reason given}" >>"$work/skipped"
        echo "$said SKIPPED: ${reasons:-no reason given}"
    else
        echo "$target" >>"$work/failed"
        {
            echo "$said FAILED after $took s"
            [ "$VERBOSE" = 1 ] || tail -n 40 "$log" | sed 's/^/        | /'
            echo "        whole output: $log"
        } >"$work/said-$lane"
        cat "$work/said-$lane"
    fi
}

lane() { # lane
    local number
    if [ "$1" != 1 ]; then
        mkdir -p "$(directory "$1")"
        [ ! -e "$O/config.mk" ] || cp "$O/config.mk" "$(directory "$1")/"
    fi
    while true; do
        # One byte for each check that was begun.
        number=$(flock "$work/begun" bash -c "printf . >>'$work/begun'; wc -c <'$work/begun'")
        [ "$number" -le ${#targets[@]} ] || break
        check "$1" "$number" "${targets[number - 1]}"
    done
}

for ((nr = 1; nr <= JOBS; nr++)); do
    lane "$nr" &
    lanes+=($!)
done
for pid in "${lanes[@]}"; do
    wait "$pid" || true
done

count() { # file
    wc -l <"$work/$1"
}
echo
sed 's/^/part skipped in /' "$work/parts"
sed 's/^/skipped /' "$work/skipped"
sed 's/^/failed /' "$work/failed"
echo "$(count passed) passed, $(count failed) failed, $(count skipped) skipped"
[ $(($(count passed) + $(count skipped))) = ${#targets[@]} ]
