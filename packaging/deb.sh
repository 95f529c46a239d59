#!/usr/bin/env bash
# Build the Debian packages from the source archive.
#
# usage: deb.sh OUTPUT_DIR [ARCHITECTURE]    Debian's name of the architecture to build for
# environment: CARGO RUSTUP_HOME CARGO_HOME
#
# Exit status 77: the tools for it are not here.
set -euo pipefail
export LC_ALL=C
unset MAKEFLAGS MFLAGS MAKELEVEL DESTDIR O

root=$(cd "$(dirname "$0")/.." && pwd)
for tool in dpkg-buildpackage dh; do
    command -v "$tool" >/dev/null || { echo "SKIP: there is no $tool (Debian packages dpkg-dev, debhelper)"; exit 77; }
done
# A cross compiler may have come without what dpkg knows of it: -d below.
host=()
[ -z "${2:-}" ] || host=(--host-arch "$2")
mkdir -p "$1"
out=$(realpath "$1")
work=$(mktemp -d "$out/.deb.XXXXXX")
trap 'rm -rf "$work"' EXIT

archive=$("$root/build-aux/dist.sh" "$work")
name=$(basename "$archive" .tar.xz)
mv "$archive" "$work/liburing-rs_${name#liburing-rs-}.orig.tar.xz"
tar --extract --directory "$work" --file "$work"/*.orig.tar.xz
cp -r "$root/packaging/debian" "$work/$name/debian"

# debhelper gives the build another HOME. Rust may have come from rustup, which packages know nothing of: -d.
export RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup} CARGO_HOME=${CARGO_HOME:-$HOME/.cargo}
(cd "$work/$name" && dpkg-buildpackage --no-sign --build=full -d "${host[@]}") >"$out/deb.log" 2>&1 || {
    tail -n 30 "$out/deb.log"
    exit 1
}
rm -f "$out"/*.deb "$out"/*.dsc "$out"/*.changes "$out"/*.buildinfo "$out"/*.debian.tar.xz "$out"/*.orig.tar.xz
mv "$work"/*.deb "$work"/*.dsc "$work"/*.changes "$work"/*.buildinfo "$work"/*.tar.xz "$out"
ls "$out"/*.deb
