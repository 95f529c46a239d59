#!/usr/bin/env bash
# Build the Debian packages for other architectures, and look whether that is what is in them.
#
# usage: check-cross-deb.sh OUTPUT_DIR
# environment: CARGO
set -euo pipefail
export LC_ALL=C

out=$1
root=$(cd "$(dirname "$0")/.." && pwd)
built=()

die() {
    echo "FAIL: $*"
    exit 1
}

# Debian's name, the GNU one, Rust's, through what system calls go, and what readelf calls it
while IFS=: read -r arch gnu rust through machine; do
    [ "$arch" != "$(dpkg --print-architecture)" ] || continue
    if ! command -v "$gnu-gcc" >/dev/null; then
        echo "SKIP: $arch: there is no $gnu-gcc"
        continue
    fi
    if [ ! -d "$(rustc --print sysroot)/lib/rustlib/$rust" ] && ! rustup target add "$rust" >/dev/null 2>&1; then
        echo "SKIP: $arch: this Rust has no $rust"
        continue
    fi
    # Where system calls go through libc, the package's dependency on it is found by the libc of that architecture.
    if [ "$through" = libc ] && ! dpkg-query -W "libc6:$arch" >/dev/null 2>&1; then
        echo "SKIP: $arch: there is no libc6:$arch"
        continue
    fi
    "$root/packaging/deb.sh" "$out/$arch" "$arch" >/dev/null || die "the packages for $arch"
    for package in "$out/$arch"/*.deb; do
        [ "$(dpkg-deb -f "$package" Architecture)" = "$arch" ] || die "$(basename "$package") is not for $arch"
    done
    rm -rf "$out/$arch/unpacked"
    packages=(liburing2-rs liburing-rs-dev) wanted=4
    # Where the core makes its own system calls, the fallback and the check library are built as well.
    if [ "$through" = own ]; then
        packages+=(liburing-rs-fallback liburing-rs-check) wanted=10
    fi
    for package in "${packages[@]}"; do
        dpkg-deb -x "$out/$arch/$package"_*.deb "$out/$arch/unpacked"
    done
    found=$(find "$out/$arch/unpacked" -type f \( -name 'lib*.so.*' -o -name '*.a' \) -exec readelf -h {} + | sed -n 's/^ *Machine: *//p' | sort -u)
    [ "$found" = "$machine" ] || die "the libraries for $arch are for $found"
    libraries=$(find "$out/$arch/unpacked" -type f \( -name 'lib*.so.*' -o -name '*.a' \) | wc -l)
    [ "$libraries" = "$wanted" ] || die "$libraries libraries for $arch"
    built+=("$arch")
done <<'A'
amd64:x86_64-linux-gnu:x86_64-unknown-linux-gnu:own:Advanced Micro Devices X86-64
arm64:aarch64-linux-gnu:aarch64-unknown-linux-gnu:own:AArch64
riscv64:riscv64-linux-gnu:riscv64gc-unknown-linux-gnu:own:RISC-V
i386:i686-linux-gnu:i686-unknown-linux-gnu:libc:Intel 80386
armhf:arm-linux-gnueabihf:armv7-unknown-linux-gnueabihf:libc:ARM
ppc64el:powerpc64le-linux-gnu:powerpc64le-unknown-linux-gnu:libc:PowerPC64
s390x:s390x-linux-gnu:s390x-unknown-linux-gnu:libc:IBM S/390
A
[ ${#built[@]} -gt 0 ] || exit 77
echo "packages for ${built[*]} built here, with libraries of that architecture in them"
