#!/usr/bin/env bash
# Install the Debian packages beside Debian's own and in place of them, with unmodified programs of two architectures,
# and go back.
#
# usage: check-deb.sh PACKAGE_DIR
set -euo pipefail
export LC_ALL=C

packages=$(realpath "$1")
# shellcheck source=packaging/chroot.sh
. "$(dirname "$0")/chroot.sh"

snapshot() { # files and packages
    inside sh -c 'find / -xdev \( -path /proc -o -path /var/cache -o -path /var/log -o -path /var/lib/dpkg \
        -o -path /var/lib/apt -o -path /var/lib/plocate -o -path /job -o -path /packages \) -prune -o ! -type d -printf "%p %y %m %s %l\n" |
        grep -v "^/etc/ld.so.cache " | sort
        dpkg-query -W -f "\${db:Status-Abbrev} \${Package} \${Version}\n" | sort'
}

triplet=$(dpkg-architecture -qDEB_HOST_MULTIARCH)
own=/usr/lib/$triplet/liburing-rs/liburing.so.2
public=/usr/lib/$triplet/liburing.so.2

# qemu writes, reads back, verifies and copies an image, each through io_uring, which it must not do without.
qemu_job() { # whose library, its path
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
J
    local found
    if ! inside sh /job/run >"$work/qemu.log" 2>&1; then
        ! grep -qiE 'io_uring.*(not permitted|not implemented)' "$work/qemu.log" || skip "io_uring is refused here"
        tail -n 15 "$work/qemu.log"
        die "qemu on $1 library"
    fi
    ! grep -q 'Pattern verification failed' "$work/qemu.log" || die "qemu on $1 library read something else than it wrote"
    [ "$(grep -c 'Images are identical' "$work/qemu.log")" = 1 ] || die "qemu on $1 library: the copy differs"
    found=$(loaded liburing.so.2 qemu-img --version)
    [ "${found/#\/lib/\/usr\/lib}" = "$2" ] || die "qemu-img loads '$found' instead of $2"
}

# The program of the second architecture keeps Debian's library, and works.
second_user() { # when
    local found
    [ -n "$second" ] || return 0
    quietly "updatedb $1" updatedb
    inside plocate /usr/bin/qemu-img >"$work/log" 2>&1 || { cat "$work/log"; die "plocate:$second $1 finds nothing"; }
    # A copy is not setgid, so the dynamic linker tells what it does.
    cp "$chroot/usr/bin/plocate" "$chroot/job/plocate"
    chmod 755 "$chroot/job/plocate"
    found=$(loaded liburing.so.2 /job/plocate /usr/bin/qemu-img)
    [[ $found == */i386-linux-gnu/liburing.so.2 ]] || die "plocate:$second $1 loads '$found'"
}

# A package built with ours asks for liburing2, in the version that had the youngest function it uses.
dependency() { # a call
    mkdir -p "$work/built/debian"
    echo "Source: built" >"$work/built/debian/control"
    printf '#include <liburing.h>\nint main(void) { struct io_uring ring; (void) ring; return (int) %s; }\n' "$1" >"$work/built/main.c"
    gcc -w "-I$work/extracted/usr/include" "$work/built/main.c" -o "$work/built/main" "$work/extracted$own" ||
        die "a program does not build with the packages"
    (cd "$work/built" && dpkg-shlibdeps -O --ignore-missing-info "-S$work/extracted" "-l$work/extracted$(dirname "$own")" main 2>/dev/null) |
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

fresh "$packages"
mkdir -p "$chroot/packages/replace"
mv "$chroot"/packages/liburing2-rs-replace_*.deb "$chroot/packages/replace"
qemu_job "Debian's" "$public"
second_user "at first"
snapshot >"$work/before"

# The library that serves io_uring from user space, by itself: on Debian's programs, and away again.
refused() { # command...: what qemu-img says with io_uring refused to it
    inside /job/refuse -e ENOSYS "$@" qemu-img bench -f raw -t none -i io_uring -c 4000 -d 32 -s 4096 /job/disk.raw >"$work/log" 2>&1
}
alone() {
    local package
    package=$(basename "$(echo "$chroot"/packages/liburing-rs-fallback_*.deb)")
    [ -e "$chroot/packages/$package" ] || { echo "SKIP: there is no liburing-rs-fallback for $arch"; return; }
    cp "$root/flavours/fallback/tests/refuse.c" "$chroot/job"
    quietly "refuse.c" gcc -D_GNU_SOURCE -O2 /job/refuse.c -o /job/refuse
    quietly "liburing-rs-fallback does not install alone" apt-get install -y -q --no-install-recommends "/packages/$package"
    [ -z "$(removed)" ] || die "installing liburing-rs-fallback removes $(removed)"
    consistent "with liburing-rs-fallback alone"
    qemu_job "Debian's, which the package leaves alone," "$public"
    refused || true
    grep -qi 'unable to use.*io_uring' "$work/log" || die "io_uring is not refused: $(cat "$work/log")"
    refused liburing-fallback --verbose || die "qemu through liburing-fallback: $(cat "$work/log")"
    grep -q 'serving io_uring from user space' "$work/log" || die "qemu is not served: $(cat "$work/log")"
    ! grep -qi 'unable to use.*io_uring' "$work/log" || die "qemu does without io_uring: $(cat "$work/log")"
    echo "liburing-rs-fallback alone: qemu with io_uring refused: $(grep 'Run completed' "$work/log")"
    quietly "liburing-rs-fallback can not be removed" apt-get purge -y -q liburing-rs-fallback
    rm "$chroot/job/refuse" "$chroot/job/refuse.c"
    snapshot >"$work/after"
    diff "$work/before" "$work/after" || die "liburing-rs-fallback leaves something"
}
alone

# Beside Debian's library.
quietly "the packages do not install" sh -c 'apt-get install -y -q --no-install-recommends /packages/*.deb'
[ "$(removed)" = "liburing-dev " ] || die "installing removes '$(removed)'"
consistent "after the installation"
[ -z "$(inside dpkg --verify)" ] || die "dpkg --verify: $(inside dpkg --verify)"
inside apt-get -s dist-upgrade >"$work/log"
! grep -qE '^(Inst|Remv) liburing' "$work/log" || die "an upgrade would replace the packages"
qemu_job "our" "$own"
second_user "beside our library"
version=$(inside dpkg-query -W -f '${Version}' liburing2-rs)

# There and back by the alternatives.
name=liburing-$triplet.conf
quietly "the alternative of liburing2" sh -c "update-alternatives --set $name $(dirname "$own")/liburing2.conf && ldconfig"
qemu_job "the chosen" "$public"
# While that is chosen, liburing2 goes: so does the choice.
quietly "liburing2 can not be removed" apt-get purge -y -q "liburing2:$arch"
[ "$(removed)" = "liburing2* " ] || die "removing liburing2 removes '$(removed)'"
consistent "without liburing2"
qemu_job "the only" "$own"
! grep -q 'liburing2.conf' <<<"$(inside update-alternatives --query "$name")" || die "liburing2 is gone and can still be chosen"
quietly "liburing2 does not come back" apt-get install -y -q --no-install-recommends liburing2
grep -q 'liburing2.conf' <<<"$(inside update-alternatives --query "$name")" || die "liburing2 is back and can not be chosen"
qemu_job "our" "$own"

# The tests that come with the source, started in it.
cp -r "$root/packaging/debian/tests" "$chroot/job/tests"
mkdir "$chroot/job/source"
"$root/build-aux/source-files.sh" -c "$chroot/job/source" flavours
while read -r test; do
    status=0
    inside sh -c "mkdir -p /job/$test && cd /job/source && AUTOPKGTEST_TMP=/job/$test /job/tests/$test" >"$work/log" 2>&1 || status=$?
    case $status in
    0) echo "debian/tests/$test: $(tail -n 1 "$work/log")" ;;
    77) echo "SKIP: debian/tests/$test: $(tail -n 1 "$work/log")" ;;
    *)
        tail -n 15 "$work/log"
        die "debian/tests/$test"
        ;;
    esac
done < <(sed -n '/^Tests:/{n;s/[ ,]//gp}' "$root/packaging/debian/tests/control")

quietly "a package of ours can not be removed" sh -c 'dpkg-query -W -f "\${Package}\n" "liburing*-rs*" | xargs -r apt-get purge -y -q'
[[ " $(removed)" != *qemu* ]] || die "removing ours removes $(removed)"
quietly "liburing-dev does not come back" apt-get install -y -q --no-install-recommends liburing-dev
consistent "after going back"
snapshot >"$work/after"
diff "$work/before" "$work/after" || die "files or packages differ from those before"
qemu_job "Debian's, which is back," "$public"

# In its place.
quietly "the replacing package does not install" sh -c 'apt-get install -y -q --no-install-recommends /packages/liburing2-rs_*.deb /packages/replace/*.deb'
[ "$(removed)" = "liburing-dev liburing2 " ] || die "replacing removes '$(removed)'"
consistent "after replacing"
inside apt-get -s dist-upgrade >"$work/log"
! grep -qE '^(Inst|Remv) liburing' "$work/log" || die "an upgrade would replace the packages that replace"
qemu_job "our" "$own"
rm "$chroot/etc/ld.so.cache"
qemu_job "the linked" "$public"
quietly ldconfig ldconfig
second_user "where ours has replaced liburing2"
quietly "Debian's packages do not come back" apt-get install -y -q --no-install-recommends liburing2 liburing-dev
[[ " $(removed)" == *" liburing2-rs-replace "* ]] || die "liburing2 comes back beside liburing2-rs-replace"
quietly "a package of ours can not be removed" sh -c 'dpkg-query -W -f "\${Package}\n" "liburing*-rs*" | xargs -r apt-get purge -y -q'
snapshot >"$work/after"
diff "$work/before" "$work/after" || die "files or packages differ from those before replacing"
qemu_job "Debian's, which is back," "$public"

echo "liburing2-rs $version beside liburing2 and in place of it in Debian $suite, and back; qemu worked on both${second:+, plocate:$second stayed on liburing2}"
