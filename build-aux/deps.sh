#!/usr/bin/env bash
# Install what the checks need: through apt-get if this user is root, and through rustup if it is installed. Otherwise
# print what is missing; the checks that need it skip.
set -euo pipefail

# command, Debian package
needed="
gcc gcc
g++ g++
clang clang
readelf binutils
pkg-config pkg-config
python3 python3
abidiff abigail-tools
musl-gcc musl-tools
valgrind valgrind
strace strace
shellcheck shellcheck
pyflakes3 pyflakes3
ld.lld lld
cmake cmake
meson meson
ninja ninja-build
debootstrap debootstrap
dh debhelper
dpkg-shlibdeps dpkg-dev
lintian lintian
rpmspec rpm
rpmlint rpmlint
mandoc mandoc
groff groff
lexgrog man-db
chromium chromium
tmux tmux
qemu-img qemu-utils
fio fio
mke2fs e2fsprogs
qemu-x86_64 qemu-user
podman podman
runc runc
flex flex
bison bison
bc bc
"

# file, Debian package: the cross compilers and their C libraries. Debian 12 has none for LoongArch.
files=$(while read -r name _ prefix _; do
    case $name in '#'* | '' | loong64 | "$(dpkg --print-architecture 2>/dev/null)") continue ;; esac
    echo "/usr/bin/${prefix}gcc gcc-${prefix%-}"
    echo "/usr/${prefix%-}/lib/libc.so libc6-dev-$name-cross"
done <c-tests/cross/architectures.txt)
if [ "$(uname -m)" = x86_64 ]; then
    gcc_major=$(gcc -dumpversion 2>/dev/null | cut -d . -f 1 || true)
    files+="
/usr/lib32/libc.so libc6-dev-i386
/usr/bin/i686-linux-gnu-g++ g++-i686-linux-gnu
/usr/lib/gcc/x86_64-linux-gnu/${gcc_major:-12}/32/libstdc++.a lib32stdc++-${gcc_major:-12}-dev
"
fi

# Python module, Debian package
modules="
elftools python3-pyelftools
cffi python3-cffi
jsonschema python3-jsonschema
"

missing_commands=() missing_packages=()
python=${PYTHON:-python3}
while read -r command package; do
    [ -n "$command" ] || continue
    command -v "$command" >/dev/null 2>&1 && continue
    missing_commands+=("$command")
    missing_packages+=("$package")
done <<<"$needed"
while read -r file package; do
    [ -n "$file" ] || continue
    [ -e "$file" ] && continue
    missing_commands+=("$file")
    missing_packages+=("$package")
done <<<"$files"
while read -r module package; do
    [ -n "$module" ] || continue
    "$python" -c "import $module" 2>/dev/null && continue
    missing_commands+=("Python's $module")
    missing_packages+=("$package")
done <<<"$modules"
# The library by which bindgen reads headers.
if ! ls /usr/lib/llvm-*/lib/libclang*.so* >/dev/null 2>&1; then
    missing_commands+=(libclang)
    missing_packages+=(libclang-dev)
fi
if [ ${#missing_packages[@]} -gt 0 ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "installing ${missing_packages[*]}"
        log=$(mktemp)
        export DEBIAN_FRONTEND=noninteractive
        if ! { apt-get update && apt-get install -y --no-install-recommends "${missing_packages[@]}"; } >"$log" 2>&1; then
            tail -n 5 "$log"
            echo "could not install ${missing_packages[*]}; the checks that need them will skip or fail"
        fi
        rm -f "$log"
    else
        echo "missing: ${missing_commands[*]} (Debian packages: ${missing_packages[*]})"
    fi
fi

if command -v rustup >/dev/null 2>&1; then
    for component in rustfmt clippy; do
        cargo "${component/rust/}" --version >/dev/null 2>&1 || rustup component add "$component" ||
            echo "rustup could not add $component"
    done
    if grep -q '^nightly' <<<"$(rustup toolchain list)" && ! cargo +nightly miri --version >/dev/null 2>&1; then
        rustup +nightly component add miri rust-src || echo "rustup could not add miri; check-miri will skip"
    fi
    oldest=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    cargo "+$oldest" --version >/dev/null 2>&1 || rustup toolchain install "$oldest" --profile minimal --no-self-update ||
        echo "rustup could not add Rust $oldest; check-oldest-rust will skip"
fi
