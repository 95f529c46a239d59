#!/usr/bin/env bash
# Give rustup the rustc of Debian 13, which is the oldest that is promised, and print the toolchain's name. Its packages
# are unpacked and not installed. It comes with Debian's core libraries for other architectures.
#
# usage: debian-rust.sh RUST_VERSION ARCHITECTURE...      (1.85 ppc64el s390x)
# Exit status 77: it is not available here; the reason is printed to standard error.
set -euo pipefail
cd "$(dirname "$0")/../.."

version=$1
shift
unavailable() {
    echo "SKIP: $*" >&2
    exit 77
}

[ "$(uname -m)" = x86_64 ] || unavailable "Debian's rustc is taken from its packages for amd64"
command -v rustup >/dev/null || unavailable "there is no rustup to choose Debian's rustc by"
export UPSTREAM_SUITE=trixie
tree=$(build-aux/fetch-upstream.sh deb rustc "libstd-rust-$version" libstd-rust-dev libllvm19 libc6 libgcc-s1 libstdc++6 zlib1g \
    libzstd1 libxml2 libffi8 libedit2 libtinfo6 libbsd0 libmd0 libicu76 liblzma5)
toolchain=$(dirname "$tree")/rust-trixie
mkdir -p "$toolchain/bin" "$toolchain/lib/rustlib"
take() { # tree: its core libraries
    local library
    for library in "$1"/usr/lib/rustlib/*-*/; do
        ln -sfn "$library" "$toolchain/lib/rustlib/"
    done
}
take "$tree"
for arch in "$@"; do
    # Not each release architecture is in each suite.
    ! library=$(UPSTREAM_ARCH=$arch build-aux/fetch-upstream.sh deb libstd-rust-dev) || take "$library"
done
# With its own C library: the machine's may be older.
cat >"$toolchain/bin/rustc" <<END
#!/bin/sh
exec '$tree/usr/lib64/ld-linux-x86-64.so.2' --library-path '$tree/usr/lib/x86_64-linux-gnu' '$tree/usr/bin/rustc' \\
    --sysroot '$toolchain' "\$@"
END
chmod +x "$toolchain/bin/rustc"
[[ $("$toolchain/bin/rustc" --version) == "rustc $version".* ]] || unavailable "Debian 13's rustc is not $version"
rustup toolchain link debian-13 "$toolchain" >&2
echo debian-13
