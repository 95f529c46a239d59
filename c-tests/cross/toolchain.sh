# For scripts that build for another architecture: sourced, from the root of the source.

# Sets target, prefix and kind from architectures.txt, and rust_cargo, a cargo that has the core library. Fails with
# `reason` set if this machine lacks the compiler or the core library. The core library comes from rustup's target, or
# is built from its source by a nightly toolchain that has it, unless RUSTUP_TOOLCHAIN names another one.
take_toolchain() { # architecture
    local sysroot
    target='' prefix='' kind='' reason='' rust_cargo=${CARGO:-cargo}
    read -r target prefix kind < <(awk -v name="$1" '$1 == name { print $2, $3, $4 }' c-tests/cross/architectures.txt) ||
        { echo "$1 is not in c-tests/cross/architectures.txt" >&2; exit 2; }
    # Debian 12 has no compiler for LoongArch.
    if [ "$1" = loong64 ] && ! command -v "${prefix}gcc" >/dev/null; then
        local commands
        commands=$(c-tests/cross/newer-compiler.sh "$prefix" "$1") && export PATH="$commands:$PATH"
    fi
    if ! command -v "${prefix}gcc" >/dev/null || ! command -v "${prefix}ld.bfd" >/dev/null; then
        reason="there is no ${prefix}gcc"
        return 1
    fi
    sysroot=$(rustc --print sysroot)
    [ -d "$sysroot/lib/rustlib/$target/lib" ] && return
    rustup target add "$target" >/dev/null 2>&1 && return
    if [ -n "${RUSTUP_TOOLCHAIN:-}" ]; then
        reason="Rust $RUSTUP_TOOLCHAIN has no core library for $target here"
        return 1
    fi
    if [ ! -d "$(rustc +nightly --print sysroot 2>/dev/null)/lib/rustlib/src/rust/library/core" ]; then
        # shellcheck disable=SC2034 # for the caller
        reason="Rust has neither a core library for $target nor its source"
        return 1
    fi
    rust_cargo="$rust_cargo +nightly -Zbuild-std=core"
}
