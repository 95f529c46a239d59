#!/usr/bin/env bash
# mpd reads music through io_uring and records what it plays: sample for sample what the files hold.
. "$(dirname "$0")/lib.sh"

need mpd mpd
need mpc mpc
need_common
links_liburing "$(command -v mpd)"

export MPD_HOST=$work/socket
# mpd reads up to 128 KiB at a time.
least=150

# Noise: a sample that is lost, repeated or changed shows.
make_music() {
    mkdir "$work/music"
    python3 -c '
import os, sys, wave
for track in range(4):
    with wave.open("%s/track-%d.wav" % (sys.argv[1], track), "wb") as to:
        to.setnchannels(2)
        to.setsampwidth(2)
        to.setframerate(44100)
        to.writeframes(os.urandom(4 * 44100 * 30))
' "$work/music"
    samples "$work"/music/*.wav >"$work/expected"
}

# samples FILE...: what follows the header, which says how long it is.
samples() {
    python3 -c '
import sys
for name in sys.argv[1:]:
    data = open(name, "rb").read()
    sys.stdout.buffer.write(data[data.index(b"data") + 8:])
' "$@"
}

configure() {
    cat >"$work/mpd.conf" <<END
music_directory "$work/music"
db_file "$work/database"
pid_file "$work/mpd.pid"
bind_to_address "$MPD_HOST"
zeroconf_enabled "no"
auto_update "no"
audio_output {
    type "recorder"
    name "recorder"
    path "$work/played.wav"
    encoder "wave"
    format "44100:16:2"
}
END
}

mpd_pid=''
stop_mpd() {
    [ -z "$mpd_pid" ] || kill "$mpd_pid" 2>/dev/null || true
    mpd_pid=''
}
exit_hooks+=(stop_mpd)

job() {
    local side=$1 tracer
    rm -f "$work/database" "$MPD_HOST" "$work/played.wav"
    traced "$side" mpd --no-daemon --stderr "$work/mpd.conf" 2>"$work/mpd.log" &
    tracer=$!
    until mpc version >/dev/null 2>&1; do
        kill -0 "$tracer" 2>/dev/null || fail "$side: mpd ended: $(cat "$work/mpd.log")"
        sleep 0.1
    done
    mpd_pid=$(cat "$work/mpd.pid")
    mpc --wait update >/dev/null
    mpc ls | sort | mpc add
    mpc play >/dev/null
    while grep -q '^\[playing\]' <<<"$(mpc status)"; do
        sleep 0.1
    done
    judge_process "$side" "$mpd_pid"
    mpc clear >/dev/null
    stop_mpd
    wait "$tracer" || true
    samples "$work/played.wav" >"$work/played"
    same "$side, what was played" "$work/expected" "$work/played"
    judge_traces "$side" "$least"
}

make_music
configure
each_side job
say "PASS: $(stat -c %s "$work/expected") bytes of samples played as they are"
