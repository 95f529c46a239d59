#!/usr/bin/env bash
# Look through the RPM spec and the APKBUILD, and run what they do: rpmbuild makes packages, and the APKBUILD's functions
# build, check and install. Neither distribution is here, so nothing is installed.
#
# usage: check-recipes.sh
set -euo pipefail
export LC_ALL=C
unset MAKEFLAGS MFLAGS MAKELEVEL DESTDIR O

root=$(cd "$(dirname "$0")/.." && pwd)
spec=$root/packaging/rpm/liburing-rs.spec apkbuild=$root/packaging/alpine/APKBUILD
work=$(mktemp -d "${TMPDIR:-/var/tmp}/liburing-recipes.XXXXXX")
trap 'rm -rf "$work"' EXIT
done=()

die() {
    echo "FAIL: $*"
    exit 1
}
archive=$("$root/build-aux/dist.sh" "$work")
version=$(basename "$archive" .tar.xz)
version=${version#liburing-rs-}

rpm_spec() {
    rpmspec -P "$spec" >"$work/expanded" || die "rpmspec -P"
    grep -q "^Version: *$version$" "$work/expanded" || die "the spec is not for version $version"
    if command -v rpmlint >/dev/null; then
        # Debian's rpmlint has no configuration of a distribution: a build root is set by rpm itself, and the archive lies
        # beside the spec.
        rpmlint "$spec" >"$work/log" 2>&1 || { cat "$work/log"; die "rpmlint"; }
        if grep -E '^liburing.*: [WE]: ' "$work/log" | grep -vE 'no-buildroot-tag|invalid-url'; then die "rpmlint"; fi
        done+=(rpmlint)
    else
        echo "SKIP: there is no rpmlint"
    fi
    mkdir -p "$work/rpm/SOURCES"
    cp "$archive" "$work/rpm/SOURCES"
    # The compilers do not come from RPM packages here.
    rpmbuild -bb --nodeps --define "_dbpath $work/rpmdb" --define "_topdir $work/rpm" --define 'debug_package %{nil}' "$spec" >"$work/log" 2>&1 ||
        { tail -n 20 "$work/log"; die "rpmbuild"; }
    local package packages provides texts
    packages=$(find "$work/rpm/RPMS" -name '*.rpm' -printf '%f\n' | sed "s/-$version.*//" | sort | tr '\n' ' ')
    [ "$packages" = "liburing-rs liburing-rs-check liburing-rs-devel liburing-rs-doc liburing-rs-fallback liburing-rs-static " ] || die "rpmbuild makes $packages"
    for package in "$work"/rpm/RPMS/*/*.rpm; do
        rpm --define "_dbpath $work/rpmdb" -qp --provides "$package" >>"$work/provides"
    done
    # Each has the licences themselves, -devel those of the package that it needs.
    for package in liburing-rs liburing-rs-{static,doc,fallback,check}; do
        texts=$(rpm --define "_dbpath $work/rpmdb" -qpl "$work"/rpm/RPMS/*/"$package-$version"*.rpm |
            grep -c '/licenses/.*/LICENSE' || true)
        [ "$texts" = 3 ] || die "$package has $texts of the three texts of the licence"
    done
    holds() { # package, path
        rpm --define "_dbpath $work/rpmdb" -qpl "$work"/rpm/RPMS/*/"$1-$version"*.rpm >"$work/list"
        grep -q "$2" "$work/list" || die "$1 has no $2"
    }
    holds liburing-rs-static /liburing.a
    holds liburing-rs-static /liburing-fallback.a
    holds liburing-rs-fallback /liburing-fallback/liburing.so.2
    holds liburing-rs-fallback bin/liburing-fallback
    holds liburing-rs-check /liburing-check/liburing.so.2
    holds liburing-rs-doc examples/io_uring-cp.c
    holds liburing-rs-devel man3/io_uring_submit.3
    # The interface's version is the first two numbers of the project's.
    local interface=${version%.*}
    for provides in "liburing = $interface" "liburing-devel = $interface" "liburing.so.2(LIBURING_$interface)(64bit)" \
        "liburing-ffi.so.2(LIBURING_$interface)(64bit)"; do
        grep -qxF "$provides" "$work/provides" || die "the packages do not provide $provides"
    done
    # Who asks for the library gets the plain one.
    for package in fallback check; do
        ! rpm --define "_dbpath $work/rpmdb" -qp --provides "$work"/rpm/RPMS/*/"liburing-rs-$package-$version"*.rpm |
            grep -F 'liburing.so.2' || die "liburing-rs-$package provides liburing.so.2"
    done
    done+=(rpmbuild)
}

alpine() {
    sh -n "$apkbuild"
    if command -v shellcheck >/dev/null; then
        # Its variables are abuild's to read and to set.
        shellcheck -s sh -e SC2034,SC2154 "$apkbuild" || die "shellcheck"
        done+=(shellcheck)
    fi
    mkdir -p "$work/src" "$work/pkg"
    tar --extract --directory "$work/src" --file "$archive"
    # As abuild runs it: the functions one after the other, in the source.
    # shellcheck disable=SC2016 # for the inner shell
    srcdir=$work/src pkgdir=$work/pkg sh -eu -c '
        . "$1"
        [ "$pkgver" = "$2" ]
        for step in build check package; do
            cd "$builddir"
            "$step"
        done
        # What abuild brings along for subpackages.
        amove() {
            for path; do
                mkdir -p "$subpkgdir/$(dirname "$path")"
                mv "$pkgdir"/$path "$subpkgdir/$(dirname "$path")"
            done
        }
        default_dev() { amove usr/include usr/lib/pkgconfig "usr/lib/lib*.so"; }
        default_doc() { amove usr/share/doc usr/share/man; }
        for subpackage in $subpackages; do
            subpkgdir=$srcdir/$subpackage
            "${subpackage#"$pkgname-"}"
        done' sh "$apkbuild" "$version" >"$work/log" 2>&1 || { tail -n 20 "$work/log"; die "the APKBUILD"; }
    [ -e "$work/pkg/usr/lib/liburing.so.2" ] || die "the APKBUILD's package holds no library"
    local left
    left=$(find "$work/pkg" ! -type d ! -name 'lib*.so.*')
    [ -z "$left" ] || die "the APKBUILD leaves in the package: $left"
    for left in dev/usr/include/liburing.h dev/usr/lib/liburing.so dev/usr/lib/cmake/liburing static/usr/lib/liburing-ffi.a \
        doc/usr/share/man/man3/io_uring_submit.3 doc/usr/share/doc/liburing-rs/examples/io_uring-cp.c \
        doc/usr/share/licenses/liburing-rs/LICENSE-APACHE; do
        [ -e "$work/src/liburing-rs-$left" ] || [ -L "$work/src/liburing-rs-$left" ] || die "the APKBUILD's subpackages lack $left"
    done
    done+=("the APKBUILD's functions")
}

# A distributor's name gets into every place, and nothing that leads nowhere stays.
identity() {
    cp -r "$root/packaging" "$work/recipes"
    "$work/recipes/identity.sh" 'A & B <a@example.org>' https://example.org/b/ "$work/recipes" >/dev/null
    ! grep -rF .invalid "$work/recipes"/{debian,rpm,alpine} || die "identity.sh leaves addresses that lead nowhere"
    grep -qxF 'Maintainer: A & B <a@example.org>' "$work/recipes/debian/control" || die "identity.sh does not set the maintainer"
    done+=(identity.sh)
}

if command -v rpmspec >/dev/null && command -v rpmbuild >/dev/null; then
    if [ "$(uname -m)" = x86_64 ]; then rpm_spec; else echo "SKIP: the RPM packages are looked at on x86-64 only"; fi
else
    echo "SKIP: there is no rpmspec and rpmbuild (Debian package rpm)"
fi
alpine
identity

printf -v list '%s, ' "${done[@]}"
echo "the RPM spec and the APKBUILD went through: ${list%, }"
