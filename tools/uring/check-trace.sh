# shellcheck shell=bash disable=SC2154
# Part of check.sh: trace against what programs count themselves.

traced() { # file for the summary, option of trace..., --, program...
    local file=$1
    shift
    "$uring" --json trace --summary -o "$file" "$@" >"$work/out" 2>"$work/err" || die "trace $*: $(cat "$work/err")"
}

if ! "$uring" trace -q -- true 2>"$work/err"; then
    skip "trace: $(cat "$work/err")"
    return 0
fi
expect 7 "$uring" trace -q -- sh -c 'exit 7'

head -c 3000001 /dev/urandom >"$work/data"
traced "$work/cp" -- "$work/uring-cp" -s -b 64k "$work/data" "$work/copied"
cmp "$work/data" "$work/copied"
# 46 blocks are read and written, and the copy is synced.
[ "$(json '{o["op"]: o["completions"] for o in d["ops"]}' <"$work/cp")" = "{'FSYNC': 1, 'READ': 46, 'WRITE': 46}" ] ||
    die "trace of uring-cp: $(cat "$work/cp")"
ok "trace counts the requests of uring-cp: 93"

count='"requests %d completions %d skipped %d overflows %d in_flight %d rings %d" % tuple(d[k] for k in ("requests", "completions", "skipped", "overflows", "in_flight", "rings"))'
for source in tracefs perf; do
    traced "$work/kinds" --source "$source" -- "$work/requests" kinds
    [ "$(json "$count" <"$work/kinds")" = "$("$work/requests" kinds)" ] || die "trace of all kinds by $source: $(cat "$work/kinds")"
    ok "trace by $source accounts for workers, chains, polls, refusals, overflows: $("$work/requests" kinds)"
done

if command -v qemu-img >/dev/null; then
    truncate -s 16M "$work/image"
    traced "$work/qemu" -- qemu-img bench -c 500 -d 8 -i io_uring -t none -f raw "$work/image"
    reads=$(json 'sum(o["completions"] for o in d["ops"] if o["op"].startswith("READ"))' <"$work/qemu")
    [ "$reads" = 500 ] || die "qemu-img reads 500 blocks, the trace has $reads: $(cat "$work/qemu")"
    ok "trace counts the 500 reads of qemu-img bench"
else
    skip "trace of qemu-img: it is not here"
fi

# A million requests: all are there, or it is said how many events are not.
traced "$work/million" -- "$work/requests" nop 1000000 32
found=$(json 'd["requests"]' <"$work/million") lost=$(json 'd["lost_events"]' <"$work/million")
if [ "$lost" = 0 ]; then
    [ "$found" = 1000000 ] || die "$found of 1000000 requests, and nothing is said to be lost"
else
    grep -q "$lost trace events were lost" "$work/err" || die "lost events are not told: $(cat "$work/err")"
fi
ok "a million requests: $found traced, $lost events lost and said so"
traced_ns=$(sed -n 's/.*requests, \(.*\) each/\1/p' "$work/out")
plain_ns=$("$work/requests" nop 1000000 32 | sed 's/.*requests, \(.*\) each/\1/')
echo "processor time of a request that does nothing: $plain_ns, traced $traced_ns"

# A buffer that is too small must lose, and say so.
expect 0 "$uring" trace --summary --buffer 64 -- "$work/requests" nop 300000 32
says "trace events were lost"
ok "lost events are counted and said"

instances() { find /sys/kernel/tracing/instances -mindepth 1 -maxdepth 1 -name 'uring-*' 2>/dev/null | wc -l; }

# A run that is killed leaves its instance to the next one, which removes it.
if mount -t tracefs none /sys/kernel/tracing 2>/dev/null; then mounted=1; fi
if [ -d /sys/kernel/tracing/instances ]; then
    [ "$(instances)" = 0 ] || die "runs leave $(instances) trace instances behind"
    "$uring" trace -q -- sleep 60 &
    killed=$!
    until [ -d "/sys/kernel/tracing/instances/uring-$killed" ] && [ -n "$(cat "/proc/$killed/task/$killed/children")" ]; do
        sleep 0.02
    done
    child=$(tr -d ' ' <"/proc/$killed/task/$killed/children")
    kill -KILL "$killed"
    { wait "$killed" || true; } 2>/dev/null
    kill -KILL "$child" 2>/dev/null || true
    [ -d "/sys/kernel/tracing/instances/uring-$killed" ] || die "the killed run left no instance, so that nothing is shown"
    "$uring" trace -q -- true
    [ ! -d "/sys/kernel/tracing/instances/uring-$killed" ] || die "the instance of a killed run stays"
    ok "the instance of a killed run is removed by the next"
    [ -z "${mounted:-}" ] || umount /sys/kernel/tracing
fi

expect 0 "$uring" trace --perfetto "$work/line.json" --svg "$work/picture.svg" -s -- "$work/requests" kinds
json 'len(d["traceEvents"])' <"$work/line.json" >/dev/null
"$PYTHON" -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$work/picture.svg"
expect 0 "$uring" trace --failed -- "$work/requests" kinds
says "= -EBADF"
expect 2 "$uring" trace -p 999999999
expect 127 "$uring" trace -- /nonexistent
if [ "$(id -u)" = 0 ]; then
    expect 3 "$refuse" --uid 54325 -- "$uring" trace -- true
    says "root"
fi
ok "trace: time line, picture, failures, and clear words where it cannot"
