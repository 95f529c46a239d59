#!/usr/bin/env bash
# Copy a large file through a C program that is built against the installation, then run an unmodified qemu-img on the
# library.
#
# usage: run.sh PREFIX      where the library is installed
# environment: CC PKG_CONFIG; RUN_SIZE_MIB (1024), RUN_DIR (build/run: the files go there, and are removed again)
set -euo pipefail
export LC_ALL=C

prefix=$(realpath "$1")
size_mib=${RUN_SIZE_MIB:-1024}
dir=${RUN_DIR:-build/run}
cc=${CC:-cc}
pkg_config=${PKG_CONFIG:-pkg-config}
root=$(cd "$(dirname "$0")/.." && pwd)

fail() {
    echo "make run FAILED: $*" >&2
    exit 1
}
# Progress overwrites itself on a terminal.
eol='\n' show=()
[ -t 2 ] && eol='\r'
[ -t 1 ] && show=(-p)
step() { printf '\n== %s\n' "$*"; }

mkdir -p "$dir"
dir=$(realpath "$dir")
work=$(mktemp -d "$dir/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The data, one copy at a time and an image of it.
free_mib=$(df -Pm "$work" | awk 'NR == 2 { print $4 }')
needed_mib=$((size_mib * 3 + 256))
[ "$free_mib" -ge "$needed_mib" ] || fail "$work has $free_mib MiB free, $needed_mib MiB are needed (RUN_SIZE_MIB sets the size)"

bring() { # command package
    command -v "$1" >/dev/null 2>&1 && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "installing $2"
        if { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$2"; } \
            >"$dir/install.log" 2>&1; then
            return
        fi
        fail "$2 can't be installed: $(tail -n 1 "$dir/install.log")"
    fi
    fail "$1 is missing: install the package $2"
}

step "build a file copy against $prefix"
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
version=$($pkg_config --modversion liburing) || fail "pkg-config does not find liburing in $PKG_CONFIG_PATH"
# Printed for a shell: words with a space in them come escaped.
eval "flags=($($pkg_config --cflags --libs liburing))"
echo "$cc -O2 -Wall -Wextra examples/uring-cp.c $($pkg_config --cflags --libs liburing)   (liburing $version)"
$cc -O2 -Wall -Wextra "$root/examples/uring-cp.c" -o "$work/uring-cp" "${flags[@]}" || fail "the example does not compile"

ours() { LD_LIBRARY_PATH=$prefix/lib "$@"; }

# The file that the dynamic linker loaded for a library.
bound_to() { # library log
    sed -n "s|.*calling init: \(.*/$1\)\$|\1|p" "$2" | head -n 1
}

check_bound() { # program log
    local library
    library=$(bound_to liburing.so.2 "$2")
    [ -n "$library" ] || fail "$1 did not load liburing.so.2"
    [ "$(realpath "$library")" = "$(realpath "$prefix/lib/liburing.so.2")" ] || fail "$1 loaded $library"
    echo "$1 runs on $(realpath "$library")"
}

LD_DEBUG=files LD_DEBUG_OUTPUT=$work/cp-files ours "$work/uring-cp" -h >/dev/null
check_bound uring-cp "$(echo "$work"/cp-files.*)"

step "write $size_mib MiB of test data"
# Random bytes reveal blocks in the wrong place, a repeated line a wrong offset inside a block, zeros an unwritten
# block. The odd tail ends inside a block.
written=0
while [ "$written" -lt "$size_mib" ]; do
    head -c 40M /dev/urandom
    { yes "the block that starts at $written MiB" || true; } 2>/dev/null | head -c 16M
    head -c 8M /dev/zero
    written=$((written + 64))
    printf "%d of %d MiB$eol" "$written" "$size_mib" >&2
done >"$work/source"
head -c 12345 /dev/urandom >>"$work/source"
sync "$work/source"
bytes=$(stat -c %s "$work/source")
sum=$(sha256sum <"$work/source")
echo "$bytes bytes, sha256 ${sum%% *}"

rate() { # nanoseconds
    awk -v bytes="$bytes" -v ns="$1" 'BEGIN { printf "%.0f MiB/s", bytes / 1048576 / (ns / 1e9) }'
}

check_copy() { # name
    [ "$(stat -c %s "$work/copy")" = "$bytes" ] && [ "$(sha256sum <"$work/copy")" = "$sum" ] ||
        fail "$1: the copy differs from the source"
    rm "$work/copy"
    sync "$work"
}

timed() { # name command...
    local name=$1 started
    shift
    echo "-- $name"
    started=$(date +%s%N)
    "$@" || fail "$name"
    results+=("$(printf '%-36s %s' "$name" "$(rate $(($(date +%s%N) - started)))")")
    check_copy "$name"
}

plain_cp() { cp "$work/source" "$work/copy" && sync "$work/copy"; }

step "copy it and compare checksums"
results=()
timed 'cp, then sync' plain_cp
timed 'uring-cp, 64 blocks of 128 KiB' ours "$work/uring-cp" "$work/source" "$work/copy"
timed 'uring-cp, linked pairs' ours "$work/uring-cp" -l "$work/source" "$work/copy"
timed 'uring-cp, 8 blocks of 1 MiB' ours "$work/uring-cp" -q 8 -b 1m "$work/source" "$work/copy"
timed 'cp, then sync, once more' plain_cp
echo
echo "every copy has the source's checksum; one run each, the data on disk at the end, from a warm cache:"
printf '  %s\n' "${results[@]}"

step "run an unmodified qemu-img on the library"
bring qemu-img qemu-utils
qemu=$(command -v qemu-img)
echo "$qemu $("$qemu" --version | head -n 1 | sed 's/.*version //')$(
    dpkg -S "$(realpath "$qemu")" 2>/dev/null | sed 's/\(.*\):.*/, from the package \1/')"
grep -q 'liburing\.so\.2' <<<"$(ldd "$qemu")" || fail "$qemu is not linked to liburing.so.2"
cd "$work"

LD_DEBUG=files,bindings LD_DEBUG_OUTPUT=$work/qemu-debug ours "$qemu" --version >/dev/null
check_bound qemu-img "$(echo "$work"/qemu-debug.*)"
functions=$(sed -n 's|.* to .*/liburing\.so\.2 \[0\]: normal symbol `\([^'"'"']*\)'"'"'.*|\1|p' "$work"/qemu-debug.* | sort -u)
[ -n "$functions" ] || fail "qemu-img bound no function of liburing"
echo "functions it binds: $(echo $functions)"

# While qemu-img runs, its maps name the library and its rings.
seen_ring=
watch() { # command...
    local pid maps status=0
    "$@" &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        maps=$(cat "/proc/$pid/maps" 2>/dev/null || true)
        if [ -z "$seen_ring" ] && grep -q 'anon_inode:\[io_uring\]' <<<"$maps"; then
            seen_ring=$(sed -nE '/liburing|io_uring/s/^([^ ]+ +){5}//p' <<<"$maps" | sort | uniq -c | sed 's/^ */  /')
        fi
        sleep 0.02
    done
    wait "$pid" || status=$?
    return "$status"
}

node() { echo "driver=$1,file.driver=file,file.filename=$2,file.aio=io_uring"; }

echo "-- qemu-img convert: raw to qcow2 and back, both sides with aio=io_uring"
"$qemu" create -q -f qcow2 image.qcow2 "$(((bytes + 511) / 512 * 512))"
LD_LIBRARY_PATH=$prefix/lib watch "$qemu" convert "${show[@]}" -n --image-opts --target-image-opts \
    "$(node raw source)" "$(node qcow2 image.qcow2)" || fail "qemu-img convert to qcow2"
[ -n "$seen_ring" ] || fail "qemu-img set up no ring"
echo "while it ran, /proc/PID/maps named:"
echo "$seen_ring"
grep -qF "$prefix/lib/liburing.so" <<<"$seen_ring" || fail "qemu-img ran on another liburing"
truncate -s "$(((bytes + 511) / 512 * 512))" copy
ours "$qemu" convert "${show[@]}" -n --image-opts --target-image-opts \
    "$(node qcow2 image.qcow2)" "$(node raw copy)" || fail "qemu-img convert to raw"
[ "$(head -c "$bytes" copy | sha256sum)" = "$sum" ] || fail "the image that qemu-img wrote differs from the source"
echo "the image has the source's checksum"
rm copy

echo "-- qemu-img bench: reads and writes with -i io_uring"
cache=none
ours "$qemu" bench -c 1 -i io_uring -t none -f qcow2 image.qcow2 >/dev/null 2>&1 || cache=writeback
bench() { ours "$qemu" bench -q -i io_uring -t "$cache" -f qcow2 -d 64 -s 4096 "$@" image.qcow2; }
bench -c 20000 | tail -n 1 || fail "qemu-img bench, reading"
bench -c 20000 -w --pattern=165 | tail -n 1 || fail "qemu-img bench, writing"
ours "$qemu" check -q image.qcow2 || fail "qemu-img check finds the image damaged"

echo
echo "make run: liburing $version built, installed and used: uring-cp and the unmodified qemu-img moved $size_mib MiB through it, checksums equal."
