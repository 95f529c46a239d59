#!/usr/bin/env bash
# Make the source archive: the files of the source, and in vendor/ the crates that the libraries are built from. The
# plain ones need none. The command uring and what only tests need are not there.
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

# Packages of Cargo's whose libraries are built with crates of others.
manifests=(flavours/fallback/Cargo.toml flavours/check/Cargo.toml)
# Linux on the architectures that they are for. A crate that none of them needs is there by its name alone: Cargo looks
# for every one that a Cargo.lock names.
targets=(x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu riscv64gc-unknown-linux-gnu)

needed() { # the names of the crates that are compiled
    local manifest
    for manifest in "${manifests[@]}"; do
        ${CARGO:-cargo} tree --quiet --locked --manifest-path "$manifest" "${targets[@]/#/--target=}" --edges normal,build \
            --prefix none --format '{p}'
    done | cut -d ' ' -f 1 | sort -u
}

hollow() { # the directory of a crate: leaves its manifest, and nothing to compile
    local sum
    sum=$(sed -nE 's/.*("package":"[0-9a-f]{64}").*/\1/p' "$1/.cargo-checksum.json")
    find "$1" -mindepth 1 ! -name Cargo.toml -delete
    mkdir "$1/src"
    echo '// Left empty: no Linux needs this crate.' >"$1/src/lib.rs"
    printf '{"files":{},%s}' "$sum" >"$1/.cargo-checksum.json"
}

vendor=$work/$name/vendor
if [ -d vendor ]; then
    cp -r vendor "$vendor"
else
    ${CARGO:-cargo} vendor --quiet --locked --manifest-path "${manifests[0]}" "${manifests[@]/#/--sync=}" "$vendor" >/dev/null
    crates=$(needed)
    for crate in "$vendor"/*; do
        grep -qxF "${crate##*/}" <<<"$crates" || hollow "$crate"
    done
    # The makefiles hand it to Cargo.
    cat >"$vendor/config.toml" <<'C'
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
