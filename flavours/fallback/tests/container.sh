#!/usr/bin/env bash
# A program that needs io_uring in a container whose engine refuses it: the image stays as it is, the library is mounted
# and preloaded, as docs/fallback.md says.
#
# usage: container.sh
# environment: CC FALLBACK_OUT PREFIX (headers and the plain library for the program)
#
# Exit status 77: no container can be made here; the reason is printed.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d /var/tmp/fallback-container.XXXXXX)
trap 'rm -rf "$work"' EXIT

skip() {
    echo "SKIP: container: $*"
    exit 77
}
fail() {
    echo "container: FAIL: $*" >&2
    exit 1
}

[ "$(id -u)" = 0 ] || skip "only root makes one here"
for command in podman runc; do
    command -v $command >/dev/null || skip "$command is missing"
done

# An image of the program, its liburing and a C library, with a shell to see into it.
image=$work/image
mkdir -p "$image"/{proc,dev,sys,tmp,etc,run,bin}
build() { "$CC" -std=gnu11 -D_GNU_SOURCE -O2 -pthread -I"$PREFIX/include" "$here/linked.c" -o "$image/bin/$1" -L"$PREFIX/lib" "-l$2"; }
build program uring
# As programs in other languages are: to the library whose functions have other versions.
build program-ffi uring-ffi
take() { # program or library...: what it needs goes to its place
    local file
    while read -r file; do
        install -D "$file" "$image$file"
    done < <(ldd "$@" | grep -oE '/[^ )]+' | grep -v ':$' | sort -u)
}
take /bin/true "$image/bin/program"
for library in liburing liburing-ffi; do
    install -D "$PREFIX/lib/$library.so.2" "$image/usr/lib/$library.so.2"
done
mkdir "$work/library"
cp "$FALLBACK_OUT/liburing.so.2" "$FALLBACK_OUT/liburing-ffi.so.2" "$work/library"
(cd "$image" && find . -type f -exec sha256sum {} + | sort) >"$work/before"

# Its own limits on descriptors and processes are higher than some machines allow.
run() { # option of podman run..., then what is run
    timeout -k 5 120 podman --runtime runc --cgroup-manager cgroupfs --storage-driver vfs --root "$work/podman" \
        --runroot "$work/podman-run" run --rm --network none --ulimit nofile=1024:1024 --ulimit nproc=1000:1000 \
        --env LD_LIBRARY_PATH=/usr/lib "$@" >"$work/said" 2>&1
}
run --security-opt seccomp=unconfined --rootfs "$image" /bin/program || skip "podman starts none: $(tail -n 1 "$work/said")"
if run --rootfs "$image" /bin/program; then
    skip "podman's profile allows io_uring here"
fi
grep -qE 'set-up: -(1|38),' "$work/said" || fail "without the library: $(cat "$work/said")"

preload=/opt/liburing-fallback/liburing.so.2:/opt/liburing-fallback/liburing-ffi.so.2
served=(--volume "$work/library:/opt/liburing-fallback:ro" --env "LD_PRELOAD=$preload")
for program in program program-ffi; do
    run "${served[@]}" --env LIBURING_FALLBACK_VERBOSE=1 --rootfs "$image" "/bin/$program" ||
        fail "$program, with the library: $(cat "$work/said")"
    grep -q 'serving io_uring from user space: the kernel refuses' "$work/said" || fail "$program is not served: $(cat "$work/said")"
done
run "${served[@]}" --user 1000 --read-only --cap-drop all --rootfs "$image" /bin/program ||
    fail "as a plain user, without capabilities, read-only: $(cat "$work/said")"
run "${served[@]}" --security-opt seccomp=unconfined --env LIBURING_FALLBACK_VERBOSE=1 --rootfs "$image" /bin/program ||
    fail "where io_uring is allowed: $(cat "$work/said")"
! grep -q 'serving io_uring' "$work/said" || fail "emulated although the container has io_uring"
(cd "$image" && find . -type f -exec sha256sum {} + | sort) >"$work/after"
diff "$work/before" "$work/after" | grep -vE '^[<>0-9acd,]+( .*(/etc/|/run/|/dev/).*)?$' && fail "the image has changed"
echo "container: an image that podman refuses io_uring runs with the library mounted and preloaded, and has not changed"
