#!/usr/bin/env bash
# smbd serves files through Samba's io_uring module, whose event loop polls the ring's descriptor: several clients put
# and get files at once, and every byte comes back. A private server on the loopback device, from unmodified packages.
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" -eq 0 ] || skip "smbd wants to be started by root"
need smbclient smbclient
module() { compgen -G '/usr/lib/*/samba/vfs/io_uring.so'; }
module >/dev/null || bring samba-vfs-modules
need_common
links_liburing "$(module)"

# Installing the package samba starts a public server, so the package is only unpacked.
(cd "$work" && apt-get download -o APT::Sandbox::User=root samba && dpkg-deb -x samba_*.deb package) >"$work/apt.log" 2>&1 ||
    skip "package samba cannot be fetched: $(tail -n 1 "$work/apt.log")"
smbd=$work/package/usr/sbin/smbd
if grep -q 'not found' <<<"$(ldd "$smbd")"; then
    skip "the available package samba does not match the installed libraries"
fi

clients=3
mib_each=24
server=
server_pid() { cat "$work/state/smbd.pid" 2>/dev/null; }
stop_server() {
    [ -z "$server" ] || kill "$(server_pid)" "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=
}
exit_hooks+=(stop_server)

configure() {
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    rm -rf "$work/state" "$work/share"
    mkdir "$work/state" "$work/share"
    cat >"$work/smb.conf" <<CONF
[global]
    server role = standalone server
    map to guest = Bad User
    guest account = root
    private dir = $work/state
    lock directory = $work/state
    state directory = $work/state
    cache directory = $work/state
    pid directory = $work/state
    ncalrpc dir = $work/state/ncalrpc
    load printers = no
    printcap name = /dev/null
    disable spoolss = yes
    interfaces = lo
    bind interfaces only = yes
    smb ports = $port
    smb2 max write = 65536
    smb2 max read = 131072
[share]
    path = $work/share
    guest ok = yes
    read only = no
    strict sync = yes
    vfs objects = io_uring
CONF
}

client() { smbclient -s "$work/smb.conf" -p "$port" //127.0.0.1/share -N -c "$1"; }

start() {
    local side=$1 deadline=$((SECONDS + 30))
    configure
    traced "$side" "$smbd" -F --debug-stdout -d1 -s "$work/smb.conf" >"$work/smbd.log" 2>&1 &
    server=$!
    until client ls >"$work/client.log" 2>&1; do
        kill -0 "$server" 2>/dev/null || fail "$side: smbd ended: $(tail -n 3 "$work/smbd.log")"
        [ "$SECONDS" -lt "$deadline" ] || fail "$side: smbd does not answer: $(tail -n 1 "$work/client.log")"
        sleep 0.1
    done
}

job() {
    local side=$1 number pids=() pid
    start "$side"
    for number in $(seq "$clients"); do
        client "put $work/source.$number $number; get $number $work/back.$number;
            rename $number kept.$number; get kept.$number $work/again.$number" >"$work/client.$number.log" 2>&1 &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do
        wait "$pid" || fail "$side: a client failed: $(tail -n 2 "$work"/client.*.log)"
    done
    stop_server
    for number in $(seq "$clients"); do
        same "$side, stored file" "$work/source.$number" "$work/share/kept.$number"
        same "$side, fetched file" "$work/source.$number" "$work/back.$number"
        same "$side, fetched file" "$work/source.$number" "$work/again.$number"
    done
    # Pieces of 64 KiB on the way in, and of 128 KiB twice on the way out.
    judge_traces "$side" $((clients * mib_each * 32))
}

for number in $(seq "$clients"); do
    head -c $((mib_each * 1024 * 1024 + number * 1000)) /dev/urandom >"$work/source.$number"
done
each_side job
say "PASS: $clients clients read back the data that they stored"
