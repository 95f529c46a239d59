#!/usr/bin/env bash
# Run checks one after the other, go on after a failure, and sum up.
#
# usage: check.sh TARGET...
# environment: MAKE, LOGS (directory for one log a check), VERBOSE (1: show the output as it comes), CHECK_TIMEOUT (seconds
#              for one check)
set -euo pipefail
export LC_ALL=C

: "${MAKE:=make}" "${LOGS:=build/check}" "${VERBOSE:=}" "${CHECK_TIMEOUT:=1800}"
mkdir -p "$LOGS"

passed=0 number=0
failed=() skipped=() parts=()

# A check runs in a separate process group, so stopping it ends all its processes.
child=
stop() {
    [ -z "$child" ] || kill -TERM "$child" 2>/dev/null || true
    echo
    echo "stopped"
    exit 130
}
trap stop INT TERM

run() { # target log
    if [ "$VERBOSE" = 1 ]; then
        timeout -k 10 "$CHECK_TIMEOUT" "$MAKE" -s --no-print-directory "$1" </dev/null > >(tee "$2") 2>&1 &
    else
        timeout -k 10 "$CHECK_TIMEOUT" "$MAKE" -s --no-print-directory "$1" </dev/null >"$2" 2>&1 &
    fi
    child=$!
    local status=0
    wait "$child" || status=$?
    child=
    [ "$status" -ne 124 ] || echo "stopped after $CHECK_TIMEOUT s" >>"$2"
    return "$status"
}

for target in "$@"; do
    number=$((number + 1))
    log=$LOGS/$target.log
    printf '[%2d/%d] %-28s ' "$number" $# "$target"
    [ "$VERBOSE" = 1 ] && echo
    started=$SECONDS
    status=0
    run "$target" "$log" || status=$?
    took=$((SECONDS - started))

    reasons=$(sed -n 's/^ *SKIP: *//p' "$log")
    if [ "$status" -eq 0 ]; then
        passed=$((passed + 1))
        # The last non-empty line of a check is its summary.
        echo "ok, $took s: $(grep -v "^ *$" "$log" | tail -n 1 | cut -c 1-120)"
        while IFS= read -r reason; do
            [ -z "$reason" ] || parts+=("$target: $reason")
        done <<<"$reasons"
    elif grep -q "\*\*\* \[.*\] Error 77$" "$log"; then
        skipped+=("$target: ${reasons:-no reason given}")
        echo "SKIPPED: ${reasons:-no reason given}"
    else
        failed+=("$target")
        echo "FAILED after $took s"
        [ "$VERBOSE" = 1 ] || tail -n 40 "$log" | sed 's/^/        | /'
        echo "        whole output: $log"
    fi
done

echo
[ ${#parts[@]} -eq 0 ] || printf 'part skipped in %s\n' "${parts[@]}"
[ ${#skipped[@]} -eq 0 ] || printf 'skipped %s\n' "${skipped[@]}"
[ ${#failed[@]} -eq 0 ] || printf 'failed %s\n' "${failed[@]}"
echo "$passed passed, ${#failed[@]} failed, ${#skipped[@]} skipped"
[ ${#failed[@]} -eq 0 ]
