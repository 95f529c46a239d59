#!/usr/bin/env bash
# pgagroal, a pool of connections in front of PostgreSQL, moves what client and server say through io_uring, by default, with
# a process and rings for each client. The same bytes arrive at both ends.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/newer.sh"
. "$(dirname "$0")/postgres-server.sh"

need_common
newer postgresql-18 pgagroal
program=/usr/bin/pgagroal
links_liburing "$program"

# shellcheck disable=SC2034 # start uses it
server_env=(-u LD_LIBRARY_PATH)
pool=
pool_port=

# free_port: one of four digits, as pgagroal 2.1 has no room for the five of a server's port.
free_port() {
    python3 -c '
import random, socket
while True:
    port = random.randrange(5500, 9900)
    try:
        socket.create_server(("127.0.0.1", port)).close()
        break
    except OSError:
        pass
print(port)'
}

# stop_pool SIDE: as its service is stopped. What a failed script leaves ends with its namespace.
stop_pool() {
    kill -TERM "$(cat "$work/$1/pool/pgagroal.$pool_port.pid")"
    wait "$pool" || fail "$1: pgagroal ended with $?"
}

# start_pool SIDE: with the engine and the pipeline that it takes by default.
start_pool() {
    local side=$1 deadline=$((SECONDS + seconds_to_start)) folder=$work/$1/pool
    pool_port=$(free_port)
    rm -rf "$folder"
    mkdir "$folder"
    printf '%s\n' '[pgagroal]' 'host = 127.0.0.1' "port = $pool_port" 'log_type = console' 'log_level = info' 'max_connections = 30' \
        'validation = off' 'hugepage = off' "unix_socket_dir = $folder" 'ev_backend = auto' '[primary]' 'host = 127.0.0.1' "port = $port" >"$folder/pgagroal.conf"
    echo 'host all all all all' >"$folder/pgagroal_hba.conf"
    chown -R nobody "$folder"
    : >"$folder/log"
    traced "$side" "$program" -c "$folder/pgagroal.conf" -a "$folder/pgagroal_hba.conf" >"$folder/log" 2>&1 &
    pool=$!
    until grep -q ' started on ' "$folder/log"; do
        kill -0 "$pool" 2>/dev/null || fail "$side: pgagroal ended: $(tail -n 3 "$folder/log")"
        [ "$SECONDS" -lt "$deadline" ] || fail "$side: pgagroal does not start: $(tail -n 3 "$folder/log")"
        sleep 0.1
    done
}

# session SIDE: 200 questions and answers, an error, a table that goes in and comes out.
session() {
    local side=$1 number
    {
        for number in $(seq 200); do
            echo "INSERT INTO ledger VALUES ($number, md5('$number')) RETURNING word;"
        done
        echo 'SELECT 1/0; COPY words FROM STDIN;'
        cat "$work/words"
        echo '\.'
        echo 'COPY (SELECT * FROM words ORDER BY id) TO STDOUT;'
    } >"$work/session"
    timeout 120 "${enter[@]}" "$pg_bin/psql" -X -q -A -t -h 127.0.0.1 -p "$pool_port" shop \
        <"$work/session" >"$work/$side/answers" 2>"$work/client.log" || fail "$side: psql: $(cat "$work/client.log")"
    grep -q 'division by zero' "$work/client.log" || fail "$side: an error does not come: $(cat "$work/client.log")"
    same "$side, answers" "$work/answers" "$work/$side/answers"
    [ "$(query "$side" "SELECT count(*) FROM ledger WHERE word = md5(id::text)")" = 200 ] || fail "$side: not all rows arrived"
}

job() {
    local side=$1
    port=$(free_port)
    export PGPORT=$port
    create "$side"
    start "$side" "listen_addresses=127.0.0.1" "port=$port" fsync=off
    client "$side" -d postgres -c 'CREATE DATABASE shop'
    query "$side" 'CREATE TABLE words (id int PRIMARY KEY, word text); CREATE TABLE ledger (id int PRIMARY KEY, word text)'
    start_pool "$side"
    # One connection alone: in the process of a second one pgagroal 2.1 closes the first one's number, which may be that of
    # its own ring, and goes round for ever. It does so on every library.
    session "$side"
    stop_pool "$side"
    stop "$side"
    judge_traces "$side" 500
}

python3 -c '
import hashlib
for n in range(1, 201):
    print(hashlib.md5(b"%d" % n).hexdigest())' >"$work/answers"
# 3 MiB in lines of all lengths to 4 KiB.
python3 -c '
import hashlib
for n in range(1500):
    print(n, (hashlib.sha256(b"%d" % n).hexdigest() * 64)[:n * 7 % 4096], sep="\t")' >"$work/words"
cat "$work/words" >>"$work/answers"
each_side job
say "PASS: a client of the pool gets and gives what it should"
