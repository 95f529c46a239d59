#!/usr/bin/env bash
# mariadbd with native AIO on io_uring: bulk insert, kill -9 in the middle of commits, crash recovery, CHECK TABLE;
# every acknowledged row is there, and no row of an open transaction. Private data folder, a unix socket only, an
# account without privileges.
. "$(dirname "$0")/lib.sh"

need mariadbd mariadb-server-core
need mariadb mariadb-client-core
need_common
links_liburing "$(command -v mariadbd)"

bulk_rows=60000
commits_before_crash=400
seconds_to_start=60
server=
account=$(id -un)
[ "$(id -u)" -ne 0 ] || account=nobody
chmod 0711 "$work"

kill_server() {
    [ -z "$server" ] || kill -9 "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=
}
exit_hooks+=(kill_server)

# client SIDE ARGUMENT...: a connection; prints bare columns.
client() {
    local side=$1
    shift
    mariadb --no-defaults --socket="$work/$side/sock" --user=root --batch --skip-column-names "$@"
}

query() { client "$1" --database=shop -e "$2"; }

log_has() {
    grep -q "$2" "$work/$1/error.log" || fail "$1: the error log does not say: $2"
}

# start SIDE: the buffer pool is far smaller than the data, so pages are written and read back all the time.
start() {
    local side=$1 deadline=$((SECONDS + seconds_to_start))
    : >"$work/$side/error.log"
    chown "$account" "$work/$side/error.log"
    select_lib "$side"
    env "${lib_env[@]}" mariadbd --no-defaults --user="$account" --datadir="$work/$side/data" --socket="$work/$side/sock" \
        --pid-file="$work/$side/pid" --log-error="$work/$side/error.log" --skip-networking \
        --innodb-use-native-aio=1 --innodb-flush-method="$flush_method" --innodb-buffer-pool-size=16M \
        --innodb-buffer-pool-load-at-startup=0 --innodb-flush-log-at-trx-commit=1 --innodb-max-dirty-pages-pct=10 \
        >/dev/null 2>&1 &
    server=$!
    until client "$side" -e 'SELECT 1' >/dev/null 2>&1; do
        kill -0 "$server" 2>/dev/null || fail "$side: mariadbd ended: $(grep -E 'ERROR|Warning' "$work/$side/error.log" | tail -n 3)"
        [ "$SECONDS" -lt "$deadline" ] || fail "$side: mariadbd does not answer after $seconds_to_start s"
        sleep 0.1
    done
    log_has "$side" 'Using \(io_uring\|liburing\)'
    [ "$(client "$side" -e 'SELECT @@innodb_use_native_aio')" = 1 ] || fail "$side: InnoDB turned native AIO off"
}

# stop SIDE: a clean shutdown.
stop() {
    query "$1" SHUTDOWN
    wait "$server" || fail "$1: mariadbd ended with $? at shutdown"
    server=
}

check_tables() {
    local side=$1 table verdict
    for table in bulk ledger; do
        verdict=$(query "$side" "CHECK TABLE $table EXTENDED" | cut -f 3-)
        [ "$verdict" = "status	OK" ] || fail "$side: CHECK TABLE $table: $verdict"
    done
}

create() {
    local side=$1
    mkdir "$work/$side"
    chown "$account" "$work/$side"
    mariadb-install-db --no-defaults --user="$account" --datadir="$work/$side/data" --auth-root-authentication-method=normal \
        --skip-test-db --skip-name-resolve >"$work/install.log" 2>&1 ||
        fail "mariadb-install-db: $(tail -n 3 "$work/install.log")"
    start "$side"
    client "$side" -e 'CREATE DATABASE shop'
    query "$side" 'CREATE TABLE bulk (id INT PRIMARY KEY, word CHAR(32) NOT NULL, filler VARCHAR(600) NOT NULL, KEY (word)) ENGINE=InnoDB;
        CREATE TABLE ledger (id INT PRIMARY KEY, word CHAR(32) NOT NULL) ENGINE=InnoDB'
}

bulk_insert() {
    local side=$1
    query "$side" "INSERT INTO bulk SELECT seq, MD5(seq), REPEAT(MD5(seq + 1), 18) FROM seq_1_to_$bulk_rows;
        UPDATE bulk SET filler = REPEAT(MD5(id + 2), 17) WHERE id % 3 = 0;
        DELETE FROM bulk WHERE id % 10 = 0"
}

# crash SIDE: kills the server while one client commits row after row and another has a large transaction open.
# Sets acknowledged.
crash() {
    local side=$1 deadline writer opener
    client "$side" --database=shop --unbuffered -e "START TRANSACTION;
        INSERT INTO bulk SELECT seq + 1000000, MD5(seq), 'open' FROM seq_1_to_5000;
        SELECT 'inserted'; SELECT SLEEP(600)" >"$work/$side/opener" 2>&1 &
    opener=$!
    # The client prints a number only after the server acknowledged its commit.
    python3 -u -c '
import itertools
for n in itertools.count(1):
    print(f"INSERT INTO ledger VALUES ({n}, MD5({n})); SELECT {n};")' 2>/dev/null |
        client "$side" --database=shop --unbuffered >"$work/$side/acknowledged" 2>/dev/null &
    writer=$!
    deadline=$((SECONDS + seconds_to_start))
    until [ "$(wc -l <"$work/$side/acknowledged")" -ge "$commits_before_crash" ] && [ -s "$work/$side/opener" ]; do
        [ "$SECONDS" -lt "$deadline" ] || fail "$side: only $(wc -l <"$work/$side/acknowledged") commits in $seconds_to_start s"
        sleep 0.05
    done
    judge_process "$side" "$server"
    kill_server
    wait "$writer" "$opener" 2>/dev/null || true
    acknowledged=$(tail -n 1 "$work/$side/acknowledged")
}

# Prints the values that must be equal on both sides, and equal to those before the crash.
bulk_sums() { query "$1" 'SELECT COUNT(*), SUM(CRC32(word)), SUM(CRC32(filler)) FROM bulk'; }

job() {
    local side=$1 before after counts
    create "$side"
    bulk_insert "$side"
    before=$(bulk_sums "$side")
    crash "$side"

    start "$side"
    log_has "$side" 'Starting crash recovery'
    check_tables "$side"
    after=$(bulk_sums "$side")
    [ "$before" = "$after" ] || fail "$side: bulk was ($before) before the crash and is ($after)"
    counts=$(query "$side" 'SELECT COUNT(*), MAX(id), SUM(word <> MD5(id)) FROM ledger')
    read -r rows last wrong <<<"$counts"
    [ "$wrong" = 0 ] || fail "$side: $wrong rows of the ledger hold something else"
    [ "$rows" = "$last" ] || fail "$side: the ledger has $rows rows but ends with $last"
    [ "$last" -ge "$acknowledged" ] || fail "$side: commit $acknowledged was acknowledged, recovery brought back only $last"

    stop "$side"
    innochecksum "$work/$side/data/shop/bulk.ibd" || fail "$side: innochecksum finds damaged pages"
    judge_bindings "$side"
    echo "$after" >"$work/$side.sums"
    report "$side" "$bound_symbols functions bound to $(expected_lib "$side"); $ring_completions requests completed in the ring before the kill; $acknowledged commits acknowledged, $last recovered, CHECK TABLE OK"
}

flush_method=O_DIRECT
dd if="$0" of=/dev/null bs=4096 count=1 iflag=direct 2>/dev/null || flush_method=fsync
each_side job
same_on_sides "rows and checksums" sums
say "PASS: recovered, each side holds $(cut -f 1 "$work/${sides[0]}.sums") rows with the same checksums"
