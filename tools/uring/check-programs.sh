#!/usr/bin/env bash
# stat and top of other people's programs, compared with the memory of their rings: qemu-img, which keeps many requests
# in flight, and mariadbd. Each is stopped while its memory is read.
#
# environment: URING PYTHON
# shellcheck disable=SC2034 # lib.sh uses it
consumer=uring
. "$(dirname "${BASH_SOURCE[0]}")/../../c-tests/consumers/lib.sh"

here=$project/tools/uring
process=
kill_process() {
    [ -z "$process" ] || kill -KILL "$process" 2>/dev/null || true
    { wait "$process" || true; } 2>/dev/null
    process=
}
exit_hooks+=(kill_process)

compare() { # name
    local said
    kill -STOP "$process"
    until [ "$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$process/status")" = T ]; do sleep 0.01; done
    said=$("$PYTHON" "$here/ring_memory.py" "$URING" "$process") || fail "$1: $said"
    kill -CONT "$process"
    echo "ok: stat and top equal the memory of $1: $said" | tr '\n' ';' | sed 's/;$/\n/'
}

need tmux tmux
need qemu-img qemu-utils
truncate -s 64M "$work/image"
qemu-img bench -c 100000000 -d 64 -i io_uring -t writeback -f raw "$work/image" >"$work/bench" 2>&1 &
process=$!
until [ "$("$URING" --json stat "$process" 2>/dev/null | "$PYTHON" -c 'import json, sys
print(any(ring["cq_tail"] > 1000 for ring in json.load(sys.stdin)["rings"]))' 2>/dev/null)" = True ]; do
    kill -0 "$process" 2>/dev/null || fail "qemu-img bench ended: $(cat "$work/bench")"
    sleep 0.05
done
# The kernel hides a ring that is in use: it must be there at each look all the same.
for _ in $(seq 50); do
    "$URING" stat "$process" >"$work/stat" || true
    grep -q qemu-img "$work/stat" || fail "a busy ring is not listed: $(cat "$work/stat")"
done
echo "ok: a busy ring is listed at each of 50 looks"
for _ in 1 2; do
    compare qemu-img
    sleep 0.1
done
kill_process

need mariadbd mariadb-server-core
need mariadb mariadb-client-core
account=$(id -un)
[ "$(id -u)" -ne 0 ] || account=nobody
chmod 0711 "$work"
mkdir "$work/db"
chown "$account" "$work/db"
mariadb-install-db --no-defaults --user="$account" --datadir="$work/db/data" --auth-root-authentication-method=normal \
    --skip-test-db --skip-name-resolve >"$work/install.log" 2>&1 || fail "mariadb-install-db: $(tail -n 3 "$work/install.log")"
mariadbd --no-defaults --user="$account" --datadir="$work/db/data" --socket="$work/db/sock" --pid-file="$work/db/pid" \
    --skip-networking --innodb-use-native-aio=1 --innodb-buffer-pool-size=16M >"$work/log" 2>&1 &
process=$!
client() { mariadb --no-defaults --socket="$work/db/sock" --user=root --batch --skip-column-names -e "$1"; }
deadline=$((SECONDS + 60))
until client 'SELECT 1' >/dev/null 2>&1; do
    kill -0 "$process" 2>/dev/null || fail "mariadbd ended: $(tail -n 3 "$work/log")"
    [ "$SECONDS" -lt "$deadline" ] || fail "mariadbd does not answer"
    sleep 0.1
done
grep -q 'Using \(io_uring\|liburing\)' "$work/log" || skip "mariadbd does not use io_uring here: $(grep -i uring "$work/log")"
client 'CREATE DATABASE shop; USE shop; CREATE TABLE bulk (id INT PRIMARY KEY, filler VARCHAR(600) NOT NULL) ENGINE=InnoDB;
    INSERT INTO bulk SELECT seq, REPEAT(MD5(seq), 18) FROM seq_1_to_20000'
compare mariadbd
client 'UPDATE shop.bulk SET filler = MD5(id)' &
changer=$!
compare mariadbd
wait "$changer"
