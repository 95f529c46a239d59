#!/usr/bin/env bash
# Make commands of a cross compiler that this Debian lacks, from the packages of a newer one, and print their directory.
# The packages are unpacked and not installed. Each command sees the newer Debian's /usr in place of this machine's.
#
# usage: newer-compiler.sh PREFIX DEBIAN_ARCHITECTURE      (loongarch64-linux-gnu- loong64)
# Exit status 77: it is not available here; the reason is printed to standard error.
set -euo pipefail
cd "$(dirname "$0")/../.."

triplet=${1%-} arch=$2 major=14
unavailable() {
    echo "SKIP: $*" >&2
    exit 77
}

[ "$(uname -m)" = x86_64 ] || unavailable "there are packages of the compiler for amd64 only"
unshare -m true 2>/dev/null || unavailable "this user may not mount another /usr"
packages=(
    "gcc-$triplet" "gcc-$major-$triplet" "gcc-$major-$triplet-base" "cpp-$major-$triplet"
    "libgcc-$major-dev-$arch-cross" "libgcc-s1-$arch-cross" "libatomic1-$arch-cross"
    "libc6-dev-$arch-cross" "libc6-$arch-cross" "linux-libc-dev-$arch-cross"
    "binutils-$triplet" binutils-common libbinutils libsframe1 libjansson4
    libc6 libgcc-s1 libstdc++6 libgmp10 libmpc3 libmpfr6 libisl23 zlib1g libzstd1
)
tree=$(UPSTREAM_SUITE=trixie build-aux/fetch-upstream.sh deb "${packages[@]}")
commands=$(dirname "$tree")/commands-$triplet
mkdir -p "$commands"
for command in gcc ar as ld ld.bfd nm objcopy objdump ranlib readelf strip; do
    cat >"$commands/$triplet-$command" <<EOF
#!/bin/sh
exec unshare -m sh -c 'mount --bind "\$0/usr" /usr && exec "\$@"' '$tree' /usr/bin/$triplet-$command "\$@"
EOF
    chmod +x "$commands/$triplet-$command"
done
echo "$commands"
