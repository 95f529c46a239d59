#!/usr/bin/env bash
# Build a crate as a static library and extract the one object that holds the library's own code.
#
# usage: lto-object.sh OBJECT TARGET_DIR RUST_TARGET [cargo option...]
# environment: CARGO AR NM OBJCOPY LIB_RUSTFLAGS ALLOWED_UNDEFINED
#   CRATE (liburing) and LIBRARY (uring), its library's name; ALLOWED_WEAK (malloc free __libc_malloc_impl)
set -euo pipefail

object=$1 target_dir=$2 target=$3
: "${CRATE:=liburing}" "${LIBRARY:=uring}" "${ALLOWED_WEAK:=malloc free __libc_malloc_impl}"
shift 3

# Flags reach rustc unsplit, so a path with a space can be mapped.
encoded=
for flag in ${LIB_RUSTFLAGS:-} "--remap-path-prefix=$PWD=liburing"; do
    encoded+=${encoded:+$'\x1f'}$flag
done
unset RUSTFLAGS
# A source archive contains its crates.
[ ! -e vendor/config.toml ] || set -- "$@" --offline --config vendor/config.toml
CARGO_ENCODED_RUSTFLAGS=$encoded ${CARGO:-cargo} rustc --quiet --release --locked \
    --package "$CRATE" --crate-type staticlib --no-default-features --target "$target" --target-dir "$target_dir" "$@"

archive=$target_dir/$target/release/lib$LIBRARY.a
mapfile -t members < <(${AR:-ar} t "$archive" | grep "^$LIBRARY-.*\.o$")
if [ ${#members[@]} -ne 1 ]; then
    echo "lto-object: expected one object of the library in $archive, found ${#members[@]}" >&2
    exit 1
fi
${AR:-ar} p "$archive" "${members[0]}" >"$object.new"

# The core that comes with the compiler has ARM's unwinding tables, which name functions of the unwinder.
case $target in arm* | thumb*)
    ${OBJCOPY:-objcopy} --wildcard --remove-section='.ARM.ex*' --remove-section='.rel.ARM.ex*' \
        --strip-unneeded-symbol='__aeabi_unwind_cpp_pr*' "$object.new"
    ;;
esac

# All other objects in the archive are Rust's runtime support. The library must need none of it, and no other library.
undefined=$(${NM:-nm} -u "$object.new" | while read -r kind name; do
    case " $ALLOWED_WEAK " in *" $name "*) [ "$kind" = w ] && continue ;; esac
    case " ${ALLOWED_UNDEFINED:-} " in *" $name "*) continue ;; esac
    echo "$name"
done)
if [ -n "$undefined" ]; then
    echo "lto-object: the library must be self-contained, but needs:" $undefined >&2
    case $undefined in *liburing_panic_reachable*)
        echo "lto-object: liburing_panic_reachable means that some function can panic" >&2 ;;
    esac
    rm -f "$object.new"
    exit 1
fi

# Hidden symbols become local: in an archive, their names could clash with a program's. The same holds for the library's
# own memset, memcpy and memmove, if it has them.
${OBJCOPY:-objcopy} --localize-hidden --localize-symbol=memset --localize-symbol=memcpy --localize-symbol=memmove "$object.new" "$object"
rm "$object.new"
