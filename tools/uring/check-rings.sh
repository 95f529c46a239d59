# shellcheck shell=bash disable=SC2154
# Part of check.sh: probe, limits, stat, top.

expect 0 "$uring" probe
says "Linux $(uname -r)"
expect 0 "$uring" probe -q --need OP_NOP,SETUP_CLAMP,IORING_FEAT_NODROP,iosqe_async,REGISTER_PROBE
expect 2 "$uring" probe --need OP_NO_SUCH_THING
expect 0 "$uring" probe --header
{ echo "$said"; echo 'int main(void) { return !HAVE_IORING_OP_NOP; }'; } >"$work/header.c"
"$CC" -Wall -Werror "$work/header.c" -o "$work/header" && "$work/header"
ok "probe: $("$uring" probe | tail -n 1)"

expect 0 "$uring" limits --entries 4096 --buffers 65536
expect 2 "$uring" limits --entries 0
if [ "$(id -u)" = 0 ]; then
    expect 1 "$refuse" --memlock 65536 --uid 54324 -- "$uring" limits --entries 4096
    says ENOMEM
fi
ok "limits"

# The rings' own memory against what is shown of them.
mkfifo "$work/end"
"$work/rings" <"$work/end" >"$work/rings.out" &
rings=$!
exec 9>"$work/end"
until [ "$(wc -l <"$work/rings.out")" = 3 ]; do sleep 0.01; done
expect 1 "$uring" stat --json "$rings"
while read -r name fd _ pending _ unseen; do
    row="[r for r in d['rings'] if r['fd'] == $fd][0]"
    found=$(json "'%d %d' % (${row}['pending'], ${row}['unseen'])" <<<"$said")
    [ "$found" = "$pending $unseen" ] || die "stat of the ring \"$name\": $found, its memory: $pending $unseen"
done <"$work/rings.out"
[ "$(json "max(r['overflow'] for r in d['rings'])" <<<"$said")" = 12 ] || die "stat counts other overflows: $said"
[ "$(json "sum(r['polls'].get('POLL_ADD', 0) for r in d['rings'])" <<<"$said")" = 3 ] || die "stat counts other polls"
[ "$(json "sum(r['sq_thread'] is not None for r in d['rings'])" <<<"$said")" = 1 ] || die "stat sees no submission thread"
expect 1 "$uring" stat "$rings"
says "its CQ has overflowed: 12 completions wait outside"
ok "stat equals the memory of three rings"

if command -v tmux >/dev/null; then
    tmux -L "uring-check-$$" new-session -d -x 120 -y 20 "TERM=screen $uring top -i 0.1 $rings"
    shown=
    for _ in $(seq 100); do
        shown=$(tmux -L "uring-check-$$" capture-pane -p)
        case $shown in *"has overflowed"*) break ;; esac
        sleep 0.05
    done
    tmux -L "uring-check-$$" send-keys q
    tmux -L "uring-check-$$" kill-server 2>/dev/null || true
    case $shown in *"uring top: 3 rings"*"has overflowed"*) ;; *) die "top shows: $shown" ;; esac
    ok "top shows them in a terminal"
else
    skip "top in a terminal: tmux is not here"
fi
exec 9>&-
wait "$rings"
expect 2 "$uring" stat "$rings"
says "there is no process $rings"
expect 2 "$uring" top
says "top needs a terminal"
ok "stat and top say what they lack"
