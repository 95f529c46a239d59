#!/usr/bin/env bash
# Make the source archive: the files of the source, and in vendor/ the crates that Cargo.lock names, if any.
#
# usage: dist.sh OUTPUT_DIR
# environment: CARGO; SOURCE_DATE_EPOCH (default: the last commit's time), the time that every file gets
#
# Prints the archive's path. The same source gives the same bytes.
set -euo pipefail
export LC_ALL=C
umask 022

cd "$(dirname "$0")/.."
root=$PWD
version=$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"/\1/p' Cargo.toml)
name=liburing-rs-$version
mkdir -p "$1"
out=$(realpath "$1")
work=$(mktemp -d "$out/.dist.XXXXXX")
trap 'rm -rf "$work"' EXIT

if [ "$(git rev-parse --show-toplevel 2>/dev/null)" = "$root" ]; then
    : "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct)}"
else
    : "${SOURCE_DATE_EPOCH:=$(stat -c %Y Cargo.toml)}"
fi
mkdir "$work/$name"
build-aux/source-files.sh -c "$work/$name"

if [ -d vendor ]; then
    cp -r vendor "$work/$name/vendor"
elif grep -q '^source = ' Cargo.lock; then
    ${CARGO:-cargo} vendor --quiet --locked "$work/$name/vendor" >/dev/null
    # lto-object.sh hands it to Cargo.
    cat >"$work/$name/vendor/config.toml" <<'C'
[source.crates-io]
replace-with = "vendored-sources"

[source.vendored-sources]
directory = "vendor"
C
fi

tar --create --sort=name --format=gnu --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
    --mode='u+rw,go=rX' --directory "$work" "$name" | xz -6 --threads=1 >"$work/archive"
mv "$work/archive" "$out/$name.tar.xz"
echo "$out/$name.tar.xz"
