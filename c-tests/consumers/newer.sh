# Programs of Debian's development suite, with that suite's libc, on this machine: sourced after lib.sh, not run.
#
# Nothing is installed. The packages are unpacked below the cache, and the programs are started in a root directory made
# of mounts, which only this script's processes see.
# shellcheck shell=bash

# newer PACKAGE...: gets the packages and starts the script anew in namespaces of its own. Then sets `enter`, the words
# before a command of theirs, which has no privileges. /tmp, $work and the library under test have the same paths there.
newer() {
    [ "$(id -u)" -eq 0 ] || skip "only root can enter another root directory"
    if [ -z "${CONSUMERS_NEWER:-}" ]; then
        command -v unshare >/dev/null || skip "there is no unshare"
        unshare --mount --pid --fork true 2>/dev/null || skip "no namespaces can be made here"
        CONSUMERS_NEWER=$("$project/build-aux/fetch-upstream.sh" root "$@" 2>"$work/fetch.log") ||
            skip "$(sed -n 's/^SKIP: //p' "$work/fetch.log" | grep . || tail -n 1 "$work/fetch.log")"
        export CONSUMERS_NEWER
        rm -rf "$work"
        # With the script ends the namespace of its processes, and with that every server that is left.
        exec unshare --mount --pid --fork --kill-child --mount-proc bash "$0"
    fi

    local part
    newer_root=$(mktemp -d "${TMPDIR:-/tmp}/liburing-root.XXXXXX")
    exit_hooks+=(leave_newer)
    mount -t tmpfs -o mode=755 none "$newer_root"
    mkdir "$newer_root"/{dev,proc,etc,run}
    chmod 1777 "$newer_root/run"
    cp -r "$CONSUMERS_NEWER/etc/." "$newer_root/etc"
    cp /etc/passwd /etc/group "$newer_root/etc"
    for part in bin sbin lib lib64; do
        [ ! -e "$CONSUMERS_NEWER/$part" ] || ln -s "usr/$part" "$newer_root/$part"
    done
    mount --rbind /dev "$newer_root/dev"
    mount --rbind /proc "$newer_root/proc"
    show "$CONSUMERS_NEWER/usr" /usr ro
    show /tmp /tmp rw
    show "$our_libdir" "$our_libdir" ro
    [ -z "$refuse" ] || show "$(dirname "$refuse")" "$(dirname "$refuse")" ro
    show "$work" "$work" rw
    chown nobody "$work"
    # shellcheck disable=SC2034 # lib.sh and the scripts use it
    enter=(chroot "--userspec=$(id -u nobody):$(id -g nobody)" "$newer_root")
}

# show FROM TO MODE: FROM is also seen as TO in the other root.
show() {
    local to=$newer_root$2
    mkdir -p "$(dirname "$to")"
    if [ -d "$1" ]; then mkdir -p "$to"; else : >"$to"; fi
    mount --bind "$1" "$to"
    mount -o "remount,bind,$3" "$to"
}

# shellcheck disable=SC2317 # an exit hook
leave_newer() {
    umount -l -R "$newer_root"
    rmdir "$newer_root"
}
