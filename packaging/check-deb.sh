#!/usr/bin/env bash
# Install the Debian packages over Debian's own in a root file system of their own, run an unmodified qemu-img on them,
# and go back to Debian's.
#
# usage: check-deb.sh PACKAGE_DIR
#
# The root file system is Debian's minimal one with qemu-utils. It is made once and kept in ~/.cache/liburing-rs; nothing
# of the machine's own is changed. Exit status 77: it can't be made or entered here.
set -euo pipefail
export LC_ALL=C

root=$(cd "$(dirname "$0")/.." && pwd)
packages=$(realpath "$1")
suite=bookworm
cache=${XDG_CACHE_HOME:-$HOME/.cache}/liburing-rs/chroot
image=$cache/$suite-$(dpkg --print-architecture)-qemu.tar

skip() {
    echo "SKIP: $*"
    exit 77
}
die() {
    echo "FAIL: $*"
    exit 1
}

[ "$(id -u)" = 0 ] || skip "only root can enter another root file system"
unshare --mount --pid --fork true 2>/dev/null || skip "no mount namespace can be made here"
work=$(mktemp -d "${TMPDIR:-/var/tmp}/liburing-deb.XXXXXX")
trap 'rm -rf "$work"' EXIT
chroot=$work/chroot

# A namespace of its own: the mounts go with the last process in it.
enter() { # directory, command...
    unshare --mount --pid --fork bash -c '
        mount -t proc proc "$1/proc"
        exec chroot "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive "${@:2}"
    ' enter "$@"
}

make_image() {
    command -v debootstrap >/dev/null || skip "there is no debootstrap"
    local mirror
    mirror=$("$root/build-aux/fetch-upstream.sh" mirror) || skip "no Debian mirror is known"
    echo "making a root file system of Debian $suite, once"
    debootstrap --variant=minbase "$suite" "$chroot" "$mirror" >"$work/log" 2>&1 ||
        skip "debootstrap: $(tail -n 1 "$work/log")"
    cp /etc/resolv.conf "$chroot/etc/"
    # Debian's packages stay in apt's cache: going back to them needs no network.
    enter "$chroot" sh -c 'apt-get update -q && apt-get install -y -q --no-install-recommends qemu-utils liburing-dev' \
        >"$work/log" 2>&1 || skip "Debian's packages: $(tail -n 1 "$work/log")"
    mkdir -p "$cache"
    tar --create --numeric-owner --file "$image.new" --directory "$chroot" .
    mv "$image.new" "$image"
    rm -rf "$chroot"
}

[ -e "$image" ] || make_image
mkdir "$chroot"
tar --extract --numeric-owner --file "$image" --directory "$chroot"
mkdir "$chroot/packages" "$chroot/job"
cp "$packages"/liburing2-rs_*.deb "$packages"/liburing-rs-dev_*.deb "$packages"/liburing-0.1-rs_*.deb "$chroot/packages" ||
    cp "$packages"/liburing2-rs_*.deb "$packages"/liburing-rs-dev_*.deb "$chroot/packages"

# From here on without a network.
inside() {
    unshare --net true 2>/dev/null || { enter "$chroot" "$@"; return; }
    unshare --net bash -c "$(declare -f enter); enter \"\$@\"" inside "$chroot" "$@"
}
quietly() { # what, command...
    local what=$1
    shift
    inside "$@" >"$work/log" 2>&1 || { tail -n 15 "$work/log"; die "$what"; }
}

snapshot() { # files and packages
    inside sh -c 'find / -xdev \( -path /proc -o -path /var/cache -o -path /var/log -o -path /var/lib/dpkg \
        -o -path /var/lib/apt -o -path /job -o -path /packages \) -prune -o ! -type d -printf "%p %y %m %s %l\n" |
        grep -v "^/etc/ld.so.cache " | sort
        dpkg-query -W -f "\${db:Status-Abbrev} \${Package} \${Version}\n" | sort'
}

owner() { inside sh -c 'dpkg-query -S "$(readlink -f /usr/lib/*/liburing.so.2)"' | cut -d : -f 1; }

consistent() { # when
    quietly "apt-get check $1" apt-get check
    inside apt-get -s -f install >"$work/log" 2>&1 || die "apt-get -f install $1"
    grep -q '^0 upgraded, 0 newly installed, 0 to remove' "$work/log" || die "apt-get -f install would change something $1"
    [ -z "$(inside dpkg --audit)" ] || die "dpkg --audit $1: $(inside dpkg --audit)"
}

# qemu writes, reads back, verifies and copies an image, each through io_uring, which it must not do without.
qemu_job() { # whose library
    cat >"$chroot/job/run" <<'J'
set -eu
cd /job
rm -f disk.raw disk.qcow2
qemu-img create -q -f raw disk.raw 64M
qemu-io -f raw -t none -i io_uring -c 'write -P 0x5a 0 8M' -c 'writev -P 0xa5 8M 4k 64k 4k' -c 'flush' \
    -c 'read -P 0x5a 0 8M' -c 'read -P 0xa5 8M 72k' -c 'aio_write -P 0x11 16M 1M' -c 'aio_flush' -c 'read -P 0x11 16M 1M' disk.raw
qemu-img bench -f raw -t none -i io_uring -c 4000 -d 32 -s 4096 disk.raw
qemu-img convert -f raw -O qcow2 disk.raw disk.qcow2
qemu-img compare -f raw -F qcow2 disk.raw disk.qcow2
LD_DEBUG=files LD_DEBUG_OUTPUT=/job/linked qemu-img --version >/dev/null
J
    rm -f "$chroot"/job/linked*
    if ! inside sh /job/run >"$work/qemu.log" 2>&1; then
        ! grep -qiE 'io_uring.*(not permitted|not implemented)' "$work/qemu.log" || skip "io_uring is refused here"
        tail -n 15 "$work/qemu.log"
        die "qemu on $1 library"
    fi
    ! grep -q 'Pattern verification failed' "$work/qemu.log" || die "qemu on $1 library read something else than it wrote"
    [ "$(grep -c 'Images are identical' "$work/qemu.log")" = 1 ] || die "qemu on $1 library: the copy differs"
    grep -q 'file=liburing.so.2.*generating link map' "$chroot"/job/linked* || die "qemu-img does not load liburing.so.2"
    [ "$(owner)" = "$2" ] || die "liburing.so.2 belongs to $(owner) instead of $2"
}

# A package built with ours asks for liburing2, in the version that had the youngest function it uses.
dependency() { # a call
    mkdir -p "$work/built/debian"
    echo "Source: built" >"$work/built/debian/control"
    printf '#include <liburing.h>\nint main(void) { struct io_uring ring; (void) ring; return (int) %s; }\n' "$1" >"$work/built/main.c"
    gcc -w "-I$work/extracted/usr/include" "$work/built/main.c" -o "$work/built/main" "$(echo "$work"/extracted/usr/lib/*/liburing.so.2)" ||
        die "a program does not build with the packages"
    (cd "$work/built" && dpkg-shlibdeps -O --ignore-missing-info "-S$work/extracted" main 2>/dev/null) |
        grep -oE 'liburing[^,]*' || true
}
if command -v gcc >/dev/null; then
    mkdir "$work/extracted"
    for package in liburing2-rs liburing-rs-dev; do
        dpkg-deb -x "$packages/$package"_*.deb "$work/extracted"
    done
    dpkg-deb -e "$packages"/liburing2-rs_*.deb "$work/extracted/DEBIAN"
    found=$(dependency 'io_uring_queue_init(1, &ring, 0)')
    [ "$found" = "liburing2 (>= 2.0)" ] || die "a program of liburing 2.0 would depend on '$found'"
    found=$(dependency 'io_uring_submit(&ring) + io_uring_resize_rings(&ring, 0)')
    [ "$found" = "liburing2 (>= 2.9)" ] || die "a program of liburing 2.9 would depend on '$found'"
fi

qemu_job "Debian's" liburing2
snapshot >"$work/before"

quietly "the packages do not install" sh -c 'apt-get install -y -q --no-install-recommends /packages/*.deb'
removed=$(sed -n '/^The following packages will be REMOVED/,/^The following NEW/p' "$work/log" | grep '^  ' | tr -s ' \n' ' ')
[ "$removed" = " liburing-dev liburing2 " ] || die "installing removes '$removed'"
consistent "after the installation"
[ -z "$(inside dpkg --verify)" ] || die "dpkg --verify: $(inside dpkg --verify)"
inside apt-get -s dist-upgrade >"$work/log"
! grep -qE '^(Inst|Remv) liburing' "$work/log" || die "an upgrade would replace the packages"
qemu_job "our" liburing2-rs
version=$(inside dpkg-query -W -f '${Version}' liburing2-rs)

quietly "Debian's packages do not come back" apt-get install -y -q --no-install-recommends liburing2 liburing-dev
consistent "after going back"
quietly "a package of ours can not be removed" sh -c 'dpkg-query -W -f "\${Package}\n" "liburing*-rs*" | xargs -r apt-get purge -y -q'
snapshot >"$work/after"
diff "$work/before" "$work/after" || die "files or packages differ from those before"
qemu_job "Debian's, which is back," liburing2

echo "liburing2-rs $version took liburing2's place in Debian $suite and gave it back; qemu-img and qemu-io worked on both"
