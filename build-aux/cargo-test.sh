#!/usr/bin/env bash
# Run a command that runs Rust tests, and sum up its results: passed tests, and ignored ones as skipped.
#
# usage: cargo-test.sh COMMAND...
set -euo pipefail

log=$(mktemp)
trap 'rm -f "$log"' EXIT
"$@" 2>&1 | tee "$log"

sum() { # word
    sed -n "s/^test result: ok\..* \([0-9]*\) $1;.*/\1/p" "$log" | awk '{ n += $1 } END { print n + 0 }'
}
passed=$(sum passed) ignored=$(sum ignored)
if [ "$passed" -eq 0 ]; then
    echo "no test ran"
    exit 1
fi
[ "$ignored" -eq 0 ] || echo "SKIP: $ignored tests are ignored: $(sed -n 's/^test \(.*\) \.\.\. ignored.*/\1/p' "$log" | tr '\n' ' ')"
echo "$passed tests passed, $ignored ignored"
