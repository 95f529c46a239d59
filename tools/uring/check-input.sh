# shellcheck shell=bash disable=SC2154,SC2034
# Part of check.sh: output that cannot be written, missing rights, processes that end meanwhile.

# A full device is told, and nothing is lost in silence.
for command in --help --version "trace --help" doctor probe "probe --header" limits stat "errno EINTR" "decode setup 3" "bench nop" "--json doctor" "--json stat"; do
    status=0
    # shellcheck disable=SC2086
    "$uring" $command >/dev/full 2>"$work/err" || status=$?
    [ "$status" = 1 ] || die "$command to a full device ended with $status"
    grep -q "its device is full" "$work/err" || die "$command to a full device: $(cat "$work/err")"
done
ok "a full device is told"

# A reader that has seen enough is no fault.
for command in doctor probe "--json probe" stat "errno EINVAL" "bench nop"; do
    # shellcheck disable=SC2086
    { "$uring" $command 2>"$work/err" || true; } | true
    [ ! -s "$work/err" ] || die "$command and a pipe that closes: $(cat "$work/err")"
done
ok "a pipe that closes is no fault"

# One has ended, and its parent does not wait for it.
sh -c 'sleep 0.1 & echo $! >"$1"; exec sleep 60' - "$work/ended" &
parent=$!
state=
for _ in $(seq 500); do
    state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$(cat "$work/ended" 2>/dev/null)/status" 2>/dev/null) || true
    [ "$state" != Z ] || break
    sleep 0.02
done
[ "$state" = Z ] || die "there is no process that has ended: state $state"
for pid in "$(cat "$work/ended")" 999999999; do
    for command in "doctor --pid" stat; do
        # shellcheck disable=SC2086
        expect 2 "$uring" $command "$pid"
        says "there is no process $pid"
    done
done
kill "$parent"
{ wait "$parent" || true; } 2>/dev/null
ok "processes that have ended are named"

if [ "$(id -u)" = 0 ]; then
    plain=("$refuse" --uid 54327 -- "$uring")
    expect 0 "${plain[@]}" doctor
    expect 0 "${plain[@]}" probe
    expect 3 "${plain[@]}" stat 1
    says "run as root"
    expect 3 "${plain[@]}" trace -p 1
    says "root"
    "$refuse" --errno 1 -- sleep 60 &
    other=$!
    until [ "$(cat "/proc/$other/comm")" = sleep ]; do sleep 0.01; done
    expect 3 "${plain[@]}" doctor --pid "$other"
    says "run as root"
    kill "$other"
    { wait "$other" || true; } 2>/dev/null
    ok "a plain user is told what takes root"
fi

if ! "$uring" trace -q -- true 2>/dev/null; then
    skip "trace with bad files: there is no trace here"
    return 0
fi
# Wrong files are told before the program runs; one that fails later does not stop the program.
for option in -o --svg --perfetto; do
    expect 2 "$uring" trace "$option" /nonexistent/file -- touch "$work/has-run"
    [ ! -e "$work/has-run" ] || die "trace $option: the program ran"
    rm -f "$work/has-run"
    status=0
    "$uring" trace "$option" /dev/full -- sh -c '"$1" nop 20000 32 >/dev/null; sleep 0.3; touch "$2"' - "$work/requests" "$work/has-run" \
        >/dev/null 2>"$work/err" || status=$?
    [ "$status" = 1 ] || die "trace $option to a full device ended with $status"
    grep -q "its device is full" "$work/err" || die "trace $option to a full device: $(tail -n 1 "$work/err")"
    [ -e "$work/has-run" ] || die "trace $option to a full device ended before the program"
    rm -f "$work/has-run"
done
expect 2 "$uring" trace --op NO_SUCH -- true
ok "trace tells of files that it cannot write, and lets the program end"

# A trace of processes ends with the last of them.
sleep 0.2 &
first=$!
sleep 0.6 &
second=$!
expect 0 "$uring" trace -q -p "$first" -p "$second"
[ ! -e "/proc/$second" ] || [ "$(cut -d ' ' -f 3 "/proc/$second/stat")" = Z ] || die "trace -p ended with the first process"
wait "$first" "$second"
ok "trace -p ends when its processes do"
