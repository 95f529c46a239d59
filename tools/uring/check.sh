#!/usr/bin/env bash
# Hold the command uring against what it says: doctor where io_uring is really refused or limited, stat against the memory
# of rings, trace against the counts of programs.
#
# usage: check.sh
# environment: URING EXAMPLES (folder of refuse and pages) CC PYTHON MAKE CHECK_PREFIX
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
cleanup() {
    [ -z "${group:-}" ] || rmdir "$group" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT
passed=0

# Users without privileges run these.
chmod 755 "$work"
cp "$URING" "$EXAMPLES/refuse" "$work"
# The parts below use these.
# shellcheck disable=SC2034
said=
export uring=$work/uring refuse=$work/refuse
for program in rings requests; do
    "$CC" -std=gnu11 -O2 -Wall -Wextra -Werror -I"$CHECK_PREFIX/include" "$here/tests/programs/$program.c" \
        -o "$work/$program" "$CHECK_PREFIX/lib/liburing.a"
done
"$CC" -O2 -I"$CHECK_PREFIX/include" "$root/examples/uring-cp.c" -o "$work/uring-cp" "$CHECK_PREFIX/lib/liburing.a"

die() {
    echo "check-uring: $*" >&2
    exit 1
}
ok() {
    passed=$((passed + 1))
    echo "ok: $*"
}
skip() { echo "SKIP: $*"; }
# Runs a command whose exit status must be this one; its output is in $said.
expect() {
    local wanted=$1 status=0
    shift
    said=$("$@" 2>&1) || status=$?
    [ "$status" = "$wanted" ] || die "$* ended with $status, not $wanted:
$said"
}
says() { case $said in *"$1"*) ;; *) die "no \"$1\" in: $said" ;; esac; }
# A number in JSON: json 'expression with d for the object'
json() { "$PYTHON" -c 'import json,sys; d=json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"; }

# Whether the memory of rings counts to RLIMIT_MEMLOCK: not from Linux 5.12 to 6.13.
counted=$("$uring" --json limits | json 'd["counts_rings"]')
[ "$counted" = True ] || skip "limits on locked memory: this kernel does not count rings"

. "$here/check-doctor.sh"
. "$here/check-sandboxes.sh"
. "$here/check-rings.sh"
programs=0
URING=$uring "$here/check-programs.sh" >"$work/programs" || programs=$?
cat "$work/programs"
case $programs in
0) passed=$((passed + $(grep -c '^ok:' "$work/programs"))) ;;
77) ;;
*) exit 1 ;;
esac
. "$here/check-trace.sh"
. "$here/check-input.sh"
. "$here/check-run.sh"
. "$here/check-text.sh"

echo "uring: $passed steps passed"
