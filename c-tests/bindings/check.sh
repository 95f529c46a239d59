#!/usr/bin/env bash
# Compare liburing-ffi.h with the recorded interface, and use it from Rust and Python, and liburing.h from Zig.
#
# usage: check.sh PREFIX TARGET_DIR
# environment: CARGO PYTHON CC
#   ZIG_VERSIONS  the last version that translates C with Clang's parser, and one with Zig's own parser
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
prefix=$(realpath "$1") target_dir=$2
header=$prefix/include/liburing-ffi.h library=$prefix/lib/liburing-ffi.so.2
work=$(mktemp -d "${TMPDIR:-/var/tmp}/liburing-bindings.XXXXXX")
trap 'rm -rf "$work"' EXIT
used=()

# Every exported function has its recorded prototype, and there is no other prototype. Names of integer types are
# ignored.
echo '#include <liburing-ffi.h>' >"$work/all.c"
"${CC:-gcc}" -D_GNU_SOURCE "-I$prefix/include" -aux-info "$work/aux" -c "$work/all.c" -o "$work/all.o"
canonical() { sed -E 's/short unsigned int/uint16_t/g' | sort; }
grep '/liburing-ffi\.h:' "$work/aux" | sed -E 's|^/\* .* \*/ extern ||; s| /\* .*||' | canonical >"$work/is"
mapfile -t exported < <(sed 's/ .*//' "$here/../abi/symbols-liburing-ffi.txt")
printf ' %s (\n' "${exported[@]}" | sed 's/^ /[ *]/; s/(/\\(/' >"$work/names"
sed -E 's/^(extern|inline) //' "$here/../abi/functions.txt" | grep -E -f "$work/names" | canonical >"$work/expected"
diff "$work/expected" "$work/is" || {
    echo "FAIL: prototypes in liburing-ffi.h (>) differ from the recorded ones (<)"
    exit 1
}
if sed 's|^ */\*.*||; s|^ *\*.*||' "$header" | grep -nE '\)[^;]*\{|\binline\b|^ *#define [^L]'; then
    echo "FAIL: liburing-ffi.h holds a body or a macro"
    exit 1
fi
echo "$(wc -l <"$work/is") prototypes, one for each exported function, and no body"

# The library has these functions.
{
    cat "$work/all.c"
    echo 'typedef void (*function)(void); const function all[] = {'
    printf '(function) %s,\n' "${exported[@]}"
    echo '}; int main(void) { return all[0] == 0; }'
} >"$work/link.c"
"${CC:-gcc}" -D_GNU_SOURCE -w "-I$prefix/include" "$work/link.c" -o "$work/link" "$library" "-Wl,-rpath,$prefix/lib"
"$work/link"

job() { # name, command...
    local name=$1 status=0
    shift
    "$@" "$work/file" || status=$?
    case $status in
    0) used+=("$name") ;;
    77) echo "SKIP: io_uring is refused here, so $name called only functions that need no ring" ;;
    *)
        echo "FAIL: $name ended with $status"
        exit 1
        ;;
    esac
}

if ! ls /usr/lib/llvm-*/lib/libclang*.so* /usr/lib/*/libclang*.so* >/dev/null 2>&1 && [ -z "${LIBCLANG_PATH:-}" ]; then
    echo "SKIP: bindgen needs libclang (Debian package libclang-dev)"
elif ! "${CARGO:-cargo}" fetch --quiet --locked --manifest-path "$here/rust/Cargo.toml"; then
    echo "SKIP: bindgen is not available"
else
    export LIBURING_PREFIX=$prefix
    "${CARGO:-cargo}" fmt --check --manifest-path "$here/rust/Cargo.toml"
    "${CARGO:-cargo}" clippy --quiet --locked --manifest-path "$here/rust/Cargo.toml" --target-dir "$target_dir" -- -D warnings
    "${CARGO:-cargo}" build --quiet --locked --manifest-path "$here/rust/Cargo.toml" --target-dir "$target_dir"
    job Rust "$target_dir/debug/liburing-bindings-test"
fi

if ! "${CARGO:-cargo}" fetch --quiet --locked --manifest-path "$here/cargo/Cargo.toml"; then
    echo "SKIP: the crate cc is not available"
else
    "${CARGO:-cargo}" fmt --check --manifest-path "$here/cargo/Cargo.toml"
    "${CARGO:-cargo}" run --quiet --locked --manifest-path "$here/cargo/Cargo.toml" --target-dir "$target_dir"
    used+=("a crate's C")
fi

if "${PYTHON:-python3}" -c 'import cffi' 2>/dev/null; then
    job Python "${PYTHON:-python3}" -B "$here/python.py" "$header" "$library"
else
    echo "SKIP: there is no cffi (Debian package python3-cffi)"
fi

# Zig translates <liburing.h>. A function that it cannot translate comes from liburing-ffi: from the shared one, which
# lacks a function of liburing and one inline function, or from the archive, which has them all.
zig() { # version, python
    local out=$target_dir/zig-$1 command=("$2" -m ziglang) target kind libraries
    target=$(uname -m)-linux-gnu
    mkdir -p "$out"
    # Newer versions compile their translator first, which takes a minute: once for each machine.
    export ZIG_GLOBAL_CACHE_DIR=${XDG_CACHE_HOME:-$HOME/.cache}/liburing-rs/zig ZIG_LOCAL_CACHE_DIR=$out/cache
    cp "$here/zig/main.zig" "$out"
    "${command[@]}" translate-c -lc -target "$target" "-I$prefix/include" "$here/zig/header.c" >"$out/liburing.zig"
    for kind in shared static; do
        "${PYTHON:-python3}" -B "$here/zig/every_function.py" "$prefix/include" "${CC:-gcc}" "$kind" \
            "$here"/../abi/symbols-liburing{,-ffi}.txt >"$out/every_function.zig"
        "${command[@]}" build-obj "$out/main.zig" -lc -target "$target" -O ReleaseSmall -fPIC "-femit-bin=$out/main.o"
        libraries=("$prefix/lib/liburing-ffi.a")
        [ "$kind" = static ] || libraries=("$library" "$prefix/lib/liburing.so.2" "-Wl,-rpath,$prefix/lib")
        "${CC:-gcc}" "$out/main.o" -o "$out/main" "${libraries[@]}"
        job "Zig $1 ($kind)" "$out/main"
    done
}
for version in ${ZIG_VERSIONS:-0.15.2 0.17.0}; do
    status=0
    python_with_zig=$("$here/../../build-aux/python-with.sh" ziglang "ziglang==$version") || status=$?
    case $status in
    0) zig "$version" "$python_with_zig" ;;
    77) ;; # it has said why
    *) exit 1 ;;
    esac
done

echo "liburing-ffi.h declares ${#exported[@]} functions; I/O from ${used[*]:-nothing}"
