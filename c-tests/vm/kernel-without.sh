#!/usr/bin/env bash
# Build a kernel without io_uring, once, and print its path: user-mode Linux, the smallest that runs programs, from
# Debian's source. It boots as an ordinary process. Exit status 77: it is not to be had here; the reason is printed.
set -euo pipefail
cd "$(dirname "$0")/../.."

unavailable() {
    echo "SKIP: no kernel without io_uring: $*" >&2
    exit 77
}

[ "$(uname -m)" = x86_64 ] || unavailable "it is built for x86-64 alone"
for command in gcc flex bison bc; do
    command -v $command >/dev/null || unavailable "$command is missing"
done
package=$(UPSTREAM_SUITE=bookworm build-aux/fetch-upstream.sh deb linux-source-6.1) || exit 77
source=$package/usr/src/linux-source-6.1.tar.xz
settings=()
for name in 64BIT BLK_DEV_INITRD BINFMT_ELF PRINTK TTY STDERR_CONSOLE NULL_CHAN STATIC_LINK MULTIUSER PROC_FS PROC_SYSCTL \
    SYSFS DEVTMPFS SHMEM TMPFS FUTEX EPOLL POSIX_TIMERS IKCONFIG IKCONFIG_PROC; do
    settings+=(--enable "$name")
done
# Anew for another source or another choice.
kernel=${XDG_CACHE_HOME:-$HOME/.cache}/liburing-rs/kernel-without-$({ stat -c %s "$source" && cat "$0"; } | sha1sum | cut -c 1-12)
if [ ! -x "$kernel" ]; then
    echo "building a kernel without io_uring" >&2
    work=$(mktemp -d "$kernel.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    tar -xJf "$source" -C "$work" --strip-components=1
    build=(env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -C "$work" ARCH=um "-j$(nproc)")
    if ! {
        "${build[@]}" tinyconfig &&
            "$work/scripts/config" --file "$work/.config" --disable IO_URING "${settings[@]}" &&
            "${build[@]}" olddefconfig && "${build[@]}" linux
    } >"$work/log" 2>&1; then
        tail -n 5 "$work/log" >&2
        unavailable "it does not build"
    fi
    ! grep -q '^CONFIG_IO_URING=y' "$work/.config" || unavailable "its configuration insists on io_uring"
    strip -o "$kernel.new" "$work/linux"
    mv "$kernel.new" "$kernel"
fi
echo "$kernel"
