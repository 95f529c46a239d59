#!/usr/bin/env bash
# Make a compiler for musl of another architecture: the cross compiler with Debian's musl, unpacked and not installed.
# Print its path.
#
# usage: musl-compiler.sh PREFIX DEBIAN_ARCHITECTURE      (aarch64-linux-gnu- arm64)
# Exit status 77: it is not available here; the reason is printed to standard error.
set -euo pipefail
cd "$(dirname "$0")/../.."

prefix=$1 arch=$2
tree=$(UPSTREAM_SUITE=bookworm UPSTREAM_ARCH=$arch build-aux/fetch-upstream.sh deb musl musl-dev)
musl=${prefix%-gnu-}-musl
compiler=$(dirname "$tree")/$musl-gcc
sed "s|/usr/|$tree/usr/|g" "$tree/usr/lib/$musl/musl-gcc.specs" >"$compiler.specs"
# The shared libc is in /lib. musl comes without the kernel's headers.
cat >"$compiler" <<EOF
#!/bin/sh
exec ${prefix}gcc "\$@" -specs '$compiler.specs' -B'$tree/lib/$musl/' -L'$tree/lib/$musl' -idirafter /usr/${prefix%-}/include
EOF
# libgcc's choice of atomics at run time calls glibc.
[ "$arch" != arm64 ] || sed -i 's/"\$@"/"$@" -mno-outline-atomics/' "$compiler"
chmod +x "$compiler"
echo "$compiler"
