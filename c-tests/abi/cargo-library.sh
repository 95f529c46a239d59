#!/usr/bin/env bash
# Check the library that `cargo build` makes: it has the functions of the library of `make`, with the same versions, and
# a program that is linked to it runs.
#
# usage: cargo-library.sh WORK LIBRARY       (LIBRARY: the shared library of make)
# environment: CARGO CC NM READELF
set -euo pipefail
export LC_ALL=C
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS

work=$1 ours=$2
: "${CARGO:=cargo}" "${CC:=gcc}" "${NM:=nm}" "${READELF:=readelf}"

die() {
    echo "FAIL: $*"
    exit 1
}
# Only symbols with a version: rustc also exports the functions of the archive, and Rust's own memcpy.
versioned() { "$NM" -D --defined-only "$1" | awk '$2 == "T" && $3 ~ /@@/ { print $3 }' | sort; }

cat >"$work.c" <<'C'
#include <liburing.h>

int main(void)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;

    if (io_uring_queue_init(8, &ring, 0))
        return 1;
    io_uring_prep_nop(io_uring_get_sqe(&ring));
    if (io_uring_submit(&ring) != 1 || io_uring_wait_cqe(&ring, &cqe) || cqe->res)
        return 2;
    io_uring_queue_exit(&ring);
    return 0;
}
C

for profile in debug release; do
    options=()
    [ "$profile" = debug ] || options=(--release)
    # shellcheck disable=SC2086 # CARGO may hold options
    $CARGO build --quiet --locked --target-dir "$work" "${options[@]}" 2>"$work.log" || { cat "$work.log"; die "cargo build, $profile"; }
    library=$work/$profile/liburing.so
    if grep -q 'no symbol versions' "$work.log"; then
        echo "SKIP: $profile: there is no lld, so Cargo's library has no symbol versions"
        continue
    fi
    [ ! -s "$work.log" ] || { cat "$work.log"; die "cargo build is not silent"; }
    dynamic=$("$READELF" -Wd "$library")
    grep -qF "[$(basename "$(readlink "${ours%.so.*}.so")")]" <<<"$dynamic" || die "$profile: wrong soname: $dynamic"
    ! grep -q NEEDED <<<"$dynamic" || die "$profile: needs other libraries"
    grep -q BIND_NOW <<<"$dynamic" || die "$profile: BIND_NOW is missing"
    diff <(versioned "$ours") <(versioned "$library") || die "$profile: other functions or versions than $(basename "$ours")"
    # The name that a program looks for at run time.
    ln -sf liburing.so "$work/$profile/liburing.so.2"
    "$CC" -Iinclude "$work.c" -o "$work/$profile/program" -L"$work/$profile" -luring -Wl,-rpath,"$work/$profile"
    grep -q LIBURING_2.0 <<<"$("$READELF" -WV "$work/$profile/program")" || die "$profile: a program asks for no versions"
    "$work/$profile/program" || die "$profile: a program that is linked to it ends with $?"
    echo "cargo build, $profile: $(versioned "$library" | wc -l) functions with their versions"
done
