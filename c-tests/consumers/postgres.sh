#!/usr/bin/env bash
# PostgreSQL 18 with io_method=io_uring: each of its processes submits to a ring of its own in memory that they share, and
# waits for the others' rings as well. Scans beside each other, pgbench, kill -9 of a backend and of the whole server in
# the middle of commits, recovery; then amcheck and the checksums of all pages. Buffered reads first, O_DIRECT after the
# crash. A private server behind a unix socket.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/newer.sh"
. "$(dirname "$0")/postgres-server.sh"

need_common
newer postgresql-18 pgagroal
links_liburing "$pg_bin/postgres"

rows=60000
commits_before_crash=50
export LIBURING_FALLBACK_VERBOSE=1

bulk_insert() {
    query "$1" "CREATE EXTENSION amcheck;
        CREATE TABLE bulk (id int PRIMARY KEY, word text NOT NULL, filler text NOT NULL);
        CREATE TABLE ledger (id int PRIMARY KEY, word text NOT NULL);
        INSERT INTO bulk SELECT n, md5(n::text), repeat(md5((n + 1)::text), 10) FROM generate_series(1, $rows) n;
        CREATE INDEX ON bulk (word);
        UPDATE bulk SET filler = repeat(md5((id + 2)::text), 9) WHERE id % 7 = 0;
        DELETE FROM bulk WHERE id % 10 = 0;
        CHECKPOINT"
}

# serve SIDE SETTING...: starts the server on that side's library.
serve() {
    local side=$1
    shift
    select_lib "$side"
    # shellcheck disable=SC2034 # start uses it
    server_env=("${lib_env[@]}")
    start "$side" io_method=io_uring "$@"
    [ "$(client "$side" -d postgres -c 'SHOW io_method')" = io_uring ] || fail "$side: io_method is not io_uring"
}

# judge_server SIDE: the library serves the server's rings. Adds to ring_completions.
judge_server() {
    local side=$1 before=$ring_completions said=no reads
    reads=$(query "$side" 'SELECT sum(reads) FROM pg_stat_io')
    [ "$reads" -ge 1000 ] || fail "$side: PostgreSQL has read only $reads times"
    if grep -q 'liburing-fallback: serving io_uring from user space' "$work/$side/log"; then said=yes; fi
    if emulated "$side"; then
        [ "$said" = yes ] || fail "$side: the server's rings are not served from user space"
        ring_completions="uncounted emulated"
        return
    fi
    [ "$said" = no ] || fail "$side: the fallback serves rings"
    judge_process "$side" "$server"
    ring_completions=$((before + ring_completions))
}

# The values that must be equal on all sides, and before and after a crash.
sums="SELECT count(*), sum(hashtextextended(word, 0)), sum(hashtextextended(filler, 0)) FROM bulk"

# scan SIDE: four connections read the whole table at once, so that each meets pages that another is reading; one of them
# sorts it by an index. All of them see the same rows. What the page cache has of it is thrown away before.
scan() {
    local side=$1 number pids=() pid
    forget "$side"
    for number in 1 2 3; do
        query "$side" "$sums" >"$work/$side.scan.$number" &
        pids+=($!)
    done
    query "$side" "SET enable_seqscan = off; SET enable_indexscan = off; ${sums} WHERE word BETWEEN '' AND 'g'" >"$work/$side.scan.4" &
    pids+=($!)
    for pid in "${pids[@]}"; do wait "$pid" || fail "$side: a scan failed"; done
    for number in 2 3 4; do same "$side, scans beside each other" "$work/$side.scan.1" "$work/$side.scan.$number"; done
}

# write_ledger SIDE: commits row after row; prints a number only after its commit was acknowledged.
write_ledger() {
    python3 -u -c '
import itertools, sys
for n in itertools.count(int(sys.argv[1])):
    print(f"INSERT INTO ledger VALUES ({n}, md5({n}::text)) RETURNING id;")' "$2" 2>/dev/null |
        client "$1" -d shop >"$work/$1.acknowledged" 2>/dev/null &
    writer=$!
}

# crash SIDE backend|server: kill -9 while a client commits, another has a large transaction open, and others read the
# table. Sets acknowledged.
crash() {
    local side=$1 what=$2 deadline=$((SECONDS + seconds_to_start)) first opener reader
    first=$(($(query "$side" "SELECT coalesce(max(id), 0) FROM ledger") + 1))
    client "$side" -d shop -c 'BEGIN' -c "INSERT INTO bulk SELECT n, 'open', 'open' FROM generate_series(1000001, 1005000) n" \
        -c "SELECT 'inserted'" -c 'SELECT pg_sleep(600)' >"$work/$side.opener" 2>/dev/null &
    opener=$!
    yes "$sums;" | PGAPPNAME=reader client "$side" -d shop >/dev/null 2>&1 &
    reader=$!
    write_ledger "$side" "$first"
    until [ "$(wc -l <"$work/$side.acknowledged")" -ge "$commits_before_crash" ] && grep -q inserted "$work/$side.opener"; do
        [ "$SECONDS" -lt "$deadline" ] || fail "$side: only $(wc -l <"$work/$side.acknowledged") commits in $seconds_to_start s"
        sleep 0.05
    done
    judge_server "$side"
    if [ "$what" = backend ]; then
        kill -9 "$(query "$side" "SELECT pid FROM pg_stat_activity WHERE application_name = 'reader'")"
    else
        kill_server
    fi
    wait "$writer" "$opener" "$reader" 2>/dev/null || true
    acknowledged=$(tail -n 1 "$work/$side.acknowledged")
}

# recovered SIDE: everything that was acknowledged is there, and nothing of the open transaction.
recovered() {
    local side=$1 rows_found last wrong
    IFS='|' read -r rows_found last wrong < <(query "$side" "SELECT count(*), max(id), count(*) FILTER (WHERE word <> md5(id::text)) FROM ledger")
    [ "$wrong" = 0 ] || fail "$side: $wrong rows of the ledger hold something else"
    [ "$rows_found" = "$last" ] || fail "$side: the ledger has $rows_found rows but ends with $last"
    [ "$last" -ge "$acknowledged" ] || fail "$side: commit $acknowledged was acknowledged, recovery brought back only $last"
    query "$side" "$sums" >"$work/$side.after"
    same "$side, bulk after recovery" "$work/$side.sums" "$work/$side.after"
}

job() {
    local side=$1 direct=()
    ring_completions=0
    create "$side"
    serve "$side"
    client "$side" -d postgres -c 'CREATE DATABASE shop' -c 'CREATE DATABASE bench'
    bulk_insert "$side"
    query "$side" "$sums" >"$work/$side.sums"
    scan "$side"
    same "$side, scans" "$work/$side.sums" "$work/$side.scan.1"
    "${enter[@]}" "$pg_bin/pgbench" -h "$work/$side" -i -q -s 1 bench >"$work/pgbench.log" 2>&1 ||
        fail "$side: pgbench -i: $(tail -n 3 "$work/pgbench.log")"
    "${enter[@]}" "$pg_bin/pgbench" -h "$work/$side" -c 6 -j 2 -t 60 bench >"$work/pgbench.log" 2>&1 ||
        fail "$side: pgbench: $(tail -n 3 "$work/pgbench.log")"

    crash "$side" backend
    answers "$side"
    log_has "$side" 'was terminated by signal 9'
    log_has "$side" 'all server processes terminated; reinitializing'
    recovered "$side"

    crash "$side" server
    [ "$o_direct" = no ] || direct=(debug_io_direct=data)
    serve "$side" "${direct[@]}"
    log_has "$side" 'automatic recovery in progress'
    recovered "$side"
    scan "$side"
    "${enter[@]}" "$pg_bin/pg_amcheck" -h "$work/$side" --all --heapallindexed --parent-check --install-missing >"$work/amcheck.log" 2>&1 ||
        fail "$side: pg_amcheck: $(tail -n 3 "$work/amcheck.log")"
    judge_server "$side"
    stop "$side"
    "${enter[@]}" "$pg_bin/pg_checksums" --check -D "$work/$side/data" >"$work/checksums.log" 2>&1 ||
        fail "$side: pg_checksums: $(tail -n 3 "$work/checksums.log")"
    grep -q 'Bad checksums: *0$' "$work/checksums.log" || fail "$side: $(tr '\n' ';' <"$work/checksums.log")"
    judge_bindings "$side"
    report "$side" "$bound_symbols functions bound to $(expected_lib "$side"); $ring_completions requests completed in the rings; $acknowledged commits acknowledged before the second kill, all recovered"
}

o_direct=yes
dd if="$0" of=/dev/null bs=4096 count=1 iflag=direct 2>/dev/null || o_direct=no
each_side job
same_on_sides "rows and checksums" sums
say "PASS: recovered twice, each side holds the same $(cut -d '|' -f 1 "$work/${sides[0]}.sums") rows; amcheck and checksums find nothing"
