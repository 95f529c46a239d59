# A root file system of Debian's, in which packages are installed and removed; nothing of the machine's own is changed.
# Sourced by the checks of the packages.
#
# The image is Debian's minimal system with programs that use liburing2, one of them of a second architecture. It is
# made once and kept in ~/.cache/liburing-rs. Exit status 77: it can't be made or entered here.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
suite=bookworm
cache=${XDG_CACHE_HOME:-$HOME/.cache}/liburing-rs/chroot
arch=$(dpkg --print-architecture)
# The architecture of the second user, where the processor runs it.
second=
[ "$arch" != amd64 ] || second=i386
image=$cache/$suite-$arch-${second:-alone}-1.tar

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
    enter "$chroot" sh -c "${second:+dpkg --add-architecture $second && }"'apt-get update -q &&
        apt-get install -y -q --no-install-recommends qemu-utils liburing-dev gcc libc6-dev pkg-config '"${second:+plocate:$second}" \
        >"$work/log" 2>&1 || skip "Debian's packages: $(tail -n 1 "$work/log")"
    mkdir -p "$cache"
    tar --create --numeric-owner --file "$image.new" --directory "$chroot" .
    mv "$image.new" "$image"
    rm -rf "$chroot"
}

# A fresh one, with our packages in /packages.
fresh() { # directory of packages
    [ -e "$image" ] || make_image
    rm -rf "$chroot"
    mkdir "$chroot"
    tar --extract --numeric-owner --file "$image" --directory "$chroot"
    mkdir "$chroot/packages" "$chroot/job"
    find "$1" -maxdepth 1 -name '*.deb' ! -name '*-dbgsym_*' -exec cp {} "$chroot/packages" \;
}

# Without a network.
inside() {
    unshare --net true 2>/dev/null || { enter "$chroot" "$@"; return; }
    unshare --net bash -c "$(declare -f enter); enter \"\$@\"" inside "$chroot" "$@"
}
quietly() { # what, command...
    local what=$1
    shift
    inside "$@" >"$work/log" 2>&1 || { tail -n 15 "$work/log"; die "$what"; }
}

# What apt would remove, in the last log.
removed() { sed -n '/^The following packages will be REMOVED/,/^The following NEW/p' "$work/log" | sed -n 's/^  *//p' | tr -s ' \n' ' '; }

consistent() { # when
    quietly "apt-get check $1" apt-get check
    inside apt-get -s -f install >"$work/log" 2>&1 || die "apt-get -f install $1"
    grep -q '^0 upgraded, 0 newly installed, 0 to remove' "$work/log" || die "apt-get -f install would change something $1"
    [ -z "$(inside dpkg --audit)" ] || die "dpkg --audit $1: $(inside dpkg --audit)"
}

# The file that the dynamic linker takes for a library's name.
loaded() { # soname, program...
    inside env LD_DEBUG=files "${@:2}" 2>&1 >/dev/null | sed -n "s|.*calling init: \(.*/$1\)\$|\1|p" | head -n 1
}
