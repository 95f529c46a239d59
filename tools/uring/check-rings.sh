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
if [ "$(id -u)" = 0 ] && [ "$counted" = True ]; then
    expect 1 "$refuse" --memlock 65536 --uid 54324 -- "$uring" limits --entries 4096
    says ENOMEM
fi
ok "limits"

# The rings' own memory against what is shown of them.
mkfifo "$work/end"
: >"$work/rings.out"
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
    # A server for each screen: one that ends takes a moment to go, and fails the next session until then.
    terminal() { # name, columns, rows, processes
        screen=uring-check-$$-$1
        # It must not hold the ends of pipes that processes here wait for.
        tmux -L "$screen" new-session -d -x "$2" -y "$3" "TERM=screen $uring top -i 0.1 $4" 8>&- 9>&-
    }
    shows() { # text...: waits until the screen has all of them, in this order
        local pattern=* text shown=
        for text in "$@"; do pattern+="$text*"; done
        for _ in $(seq 400); do
            shown=$(tmux -L "$screen" capture-pane -p)
            # shellcheck disable=SC2053
            [[ $shown != $pattern ]] || return 0
            sleep 0.05
        done
        tmux -L "$screen" kill-server
        die "top shows: $shown"
    }
    terminal wide 120 20 "$rings"
    shows "uring top: 3 rings" "has overflowed"
    tmux -L "$screen" send-keys Space
    shows "paused, q quit"
    tmux -L "$screen" send-keys Space q
    for _ in $(seq 400); do
        tmux -L "$screen" has-session 2>/dev/null || break
        sleep 0.05
    done
    ! tmux -L "$screen" has-session 2>/dev/null || die "top does not end at q"
    ok "top shows them in a terminal, and ends"
    terminal narrow 60 8 "$rings"
    shows "uring top: 3 rings" "has overflowed"
    tmux -L "$screen" kill-server
    mkfifo "$work/end-unreaped"
    "$work/rings" unreaped <"$work/end-unreaped" >/dev/null &
    unreaped=$!
    exec 8>"$work/end-unreaped"
    terminal unreaped 120 20 "$unreaped"
    shows "nobody reaps: 2 completions"
    # Its process ends: no ring is left, and no fault.
    exec 8>&-
    wait "$unreaped"
    shows "uring top: 0 rings"
    tmux -L "$screen" kill-server
    ok "top warns of completions that nobody takes, and goes on when the process ends"
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
