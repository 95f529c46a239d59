#!/usr/bin/env bash
# Build a small kernel without io_uring for the emulated machine, once, and print the path of its image. It is the oldest
# that Debian has the source of, and knows little that is newer than io_uring. Exit status 77: it is not to be had here;
# the reason is printed.
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
version=5.10
package=$(UPSTREAM_SUITE=bullseye build-aux/fetch-upstream.sh deb "linux-source-$version") || exit 77
source=$package/usr/src/linux-source-$version.tar.xz
settings=(
    # the machine
    64BIT SMP HYPERVISOR_GUEST X86_X2APIC ACPI PCI PCI_MSI BLOCK BLK_DEV_NVME BLK_DEV_INITRD TTY SERIAL_8250
    SERIAL_8250_CONSOLE UNIX98_PTYS PRINTK BUG HIGH_RES_TIMERS
    # what programs call
    BINFMT_ELF BINFMT_SCRIPT MULTIUSER BASE_FULL FUTEX FUTEX_PI EPOLL SIGNALFD TIMERFD EVENTFD AIO ADVISE_SYSCALLS MEMBARRIER
    RSEQ POSIX_TIMERS SYSVIPC CROSS_MEMORY_ATTACH FHANDLE KCMP NAMESPACES UTS_NS IPC_NS USER_NS PID_NS NET_NS BPF_SYSCALL
    SECCOMP SECCOMP_FILTER FILE_LOCKING INOTIFY_USER FANOTIFY NET UNIX INET PACKET NETDEVICES NET_CORE TUN
    # where they look
    PROC_FS PROC_SYSCTL SYSFS DEVTMPFS SHMEM TMPFS TMPFS_XATTR HUGETLBFS EXT4_FS IKCONFIG IKCONFIG_PROC
)
# Anew for another source or another choice.
kernel=${XDG_CACHE_HOME:-$HOME/.cache}/liburing-rs/vmlinuz-$version-without-$({ stat -c %s "$source" && cat "$0"; } | sha1sum | cut -c 1-12)
if [ ! -e "$kernel" ]; then
    echo "building a kernel without io_uring" >&2
    work=$(mktemp -d "$kernel.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    tar -xJf "$source" -C "$work" --strip-components=1
    build=(env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -C "$work" ARCH=x86_64 "-j$(nproc)")
    options=()
    for name in "${settings[@]}"; do
        options+=(--enable "$name")
    done
    if ! {
        "${build[@]}" tinyconfig &&
            "$work/scripts/config" --file "$work/.config" --disable IO_URING "${options[@]}" &&
            "${build[@]}" olddefconfig && "${build[@]}" bzImage
    } >"$work/log" 2>&1; then
        tail -n 5 "$work/log" >&2
        unavailable "it does not build"
    fi
    for name in "${settings[@]}"; do
        grep -q "^CONFIG_$name=y" "$work/.config" || unavailable "its configuration refuses $name"
    done
    ! grep -q '^CONFIG_IO_URING=y' "$work/.config" || unavailable "its configuration insists on io_uring"
    mv "$work/arch/x86/boot/bzImage" "$kernel"
fi
echo "$kernel"
