#!/usr/bin/env bash
# Debian 11's liburing1 and a program of its time run beside the library of 2019, whose soname is the same.
#
# usage: check-old-deb.sh PACKAGE_DIR
set -euo pipefail
export LC_ALL=C

packages=$(realpath "$1")
[ -e "$(echo "$packages"/liburing-0.1-rs_*.deb)" ] || { echo "SKIP: the interface of 2019 is built on x86-64 only"; exit 77; }
# shellcheck source=packaging/chroot.sh
. "$(dirname "$0")/chroot.sh"

old=$cache/bullseye
if [ ! -e "$old/.complete" ]; then
    mkdir -p "$old"
    mirror=$("$root/build-aux/fetch-upstream.sh" mirror) || skip "no Debian mirror is known"
    fetch() { # apt's command...
        "$1" -o Dir::Etc::sourcelist="$old/sources.list" -o Dir::Etc::sourceparts=/dev/null -o Dir::State::Lists="$old/lists" \
            -o Dir::Cache="$old/cache" -o APT::Sandbox::User=root -o Debug::NoLocking=true "${@:2}"
    }
    mkdir -p "$old/lists/partial" "$old/cache/archives/partial"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror bullseye main" >"$old/sources.list"
    fetch apt-get update >"$work/log" 2>&1 || skip "Debian 11's list of packages: $(tail -n 1 "$work/log")"
    (cd "$old" && fetch apt-get download liburing1 plocate) >"$work/log" 2>&1 || skip "Debian 11's packages: $(tail -n 1 "$work/log")"
    rm -rf "$old/lists" "$old/cache"
    touch "$old/.complete"
fi

fresh "$packages"
cp "$old"/*.deb "$chroot/job"
[ -z "$second" ] || quietly "plocate:$second" apt-get purge -y -q "plocate:$second"
quietly "Debian 11's packages" sh -c 'dpkg -i /job/liburing1_*.deb && dpkg -i /job/plocate_*.deb'
quietly "ours beside Debian 11's liburing1" sh -c 'apt-get install -y -q --no-install-recommends /packages/liburing-0.1-rs_*.deb /packages/liburing2-rs_*.deb /packages/liburing-rs-dev_*.deb'
[[ " $(removed)" != *liburing1* ]] || die "the interface of 2019 removes liburing1"
consistent "beside liburing1"

# A copy is not setgid, so the dynamic linker tells what it does, and reads LD_LIBRARY_PATH.
cp "$chroot/usr/bin/plocate" "$chroot/job/plocate"
chmod 755 "$chroot/job/plocate"
theirs=$(loaded liburing.so.1 /job/plocate --version)
ours=/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)/liburing-0.1
[[ $theirs == */liburing.so.1 && $theirs != *liburing-0.1* ]] || die "plocate of Debian 11 loads '$theirs'"
quietly updatedb updatedb
inside /job/plocate /usr/bin/qemu-img >"$work/log" 2>&1 || { cat "$work/log"; die "plocate of Debian 11 finds nothing"; }
# What would come of it if it were found: this is why it must not be.
! inside env LD_BIND_NOW=1 "LD_LIBRARY_PATH=$ours" /job/plocate /usr/bin/qemu-img >"$work/log" 2>&1 ||
    die "a program of liburing 0.7 runs on the library of 2019, so this check shows nothing"

# And a program of that week runs on ours, as pkg-config says it.
cp "$root/io_uring-2019/tests/first.c" "$chroot/job"
head -c 1000000 /dev/urandom >"$chroot/job/random"
for shape in '' -split; do
    quietly "a program of 2019$shape" sh -c "cd /job && gcc -O2 -D_GNU_SOURCE ${shape:+-DSPLIT} first.c -o first \$(pkg-config --cflags --libs liburing-0.1$shape)"
    quietly "a program of 2019$shape runs" /job/first /job/random
    [ "$(loaded liburing.so.1 /job/first /job/random)" = "$ours/liburing.so.1" ] || die "a program of 2019$shape does not load ours"
done
echo "liburing1 $(inside dpkg-query -W -f '${Version}' liburing1) and plocate $(inside dpkg-query -W -f '${Version}' plocate) of Debian 11 beside liburing-0.1-rs: each program on its own library"
