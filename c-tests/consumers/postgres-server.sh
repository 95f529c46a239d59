# A private PostgreSQL server behind a unix socket: sourced after newer.sh by the scripts that need one, not run.
# shellcheck shell=bash

pg_bin=/usr/lib/postgresql/18/bin
seconds_to_start=90
server=
export PGUSER=postgres

# kill_server: SIGKILL to the first process alone. The others notice by themselves, and all of them must end.
kill_server() {
    [ -n "$server" ] || return 0
    local child children deadline=$((SECONDS + seconds_to_start))
    children=$(cat "/proc/$server/task/$server/children" 2>/dev/null || true)
    kill -9 "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=
    for child in $children; do
        while kill -0 "$child" 2>/dev/null; do
            [ "$SECONDS" -lt "$deadline" ] || fail "process $child outlives its server: $(tr '\0' ' ' <"/proc/$child/cmdline")"
            sleep 0.05
        done
    done
}
exit_hooks+=(kill_server)

# client SIDE ARGUMENT...: a connection; prints bare columns.
client() {
    local side=$1
    shift
    "${enter[@]}" "$pg_bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h "$work/$side" "$@"
}

query() { client "$1" -d shop -c "$2"; }

log_has() {
    grep -q "$2" "$work/$1/log" || fail "$1: the server's log does not say: $2"
}

# answers SIDE: waits until the server takes connections.
answers() {
    local side=$1 deadline=$((SECONDS + seconds_to_start))
    until client "$side" -d postgres -c 'SELECT 1' >/dev/null 2>&1; do
        kill -0 "$server" 2>/dev/null || fail "$side: PostgreSQL ended: $(tail -n 3 "$work/$side/log")"
        [ "$SECONDS" -lt "$deadline" ] || fail "$side: PostgreSQL does not answer after $seconds_to_start s"
        sleep 0.1
    done
}

# create SIDE: a new server's data. That of the first side is copied for the others.
create() {
    local side=$1
    if [ ! -e "$work/template" ]; then
        "${enter[@]}" "$pg_bin/initdb" -D "$work/template" -U postgres -A trust --data-checksums --locale=C -E UTF8 \
            --no-sync >"$work/initdb.log" 2>&1 || fail "initdb: $(tail -n 3 "$work/initdb.log")"
    fi
    mkdir "$work/$side"
    cp -a "$work/template" "$work/$side/data"
    chown nobody "$work/$side"
}

# start SIDE SETTING...: the buffers are far smaller than the data, so pages are read and written back all the time.
# `server_env` has the words for env(1).
start() {
    local side=$1 setting settings=()
    shift
    for setting in shared_buffers=4MB max_connections=24 listen_addresses= "unix_socket_directories=$work/$side" \
        effective_io_concurrency=32 io_combine_limit=32kB "$@"; do
        settings+=(-c "$setting")
    done
    : >"$work/$side/log"
    "${enter[@]}" env "${server_env[@]}" "$pg_bin/postgres" -D "$work/$side/data" "${settings[@]}" >"$work/$side/log" 2>&1 &
    server=$!
    answers "$side"
}

# stop SIDE: a clean shutdown.
stop() {
    kill -INT "$server"
    wait "$server" || fail "$1: PostgreSQL ended with $? at shutdown"
    server=
}

# forget SIDE: the page cache drops what it has of the tables.
forget() {
    query "$1" CHECKPOINT
    find "$work/$1/data/base" -type f -exec python3 -c '
import os, sys
for name in sys.argv[1:]:
    fd = os.open(name, os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)' {} +
}
