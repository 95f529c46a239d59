#!/usr/bin/env bash
# Build the libraries with the options that change their code, and look whether they do what configure --help says.
#
# usage: check-options.sh
# environment: MAKE CC CARGO
set -euo pipefail
export LC_ALL=C
unset MAKEFLAGS MFLAGS MAKELEVEL DESTDIR O RUSTFLAGS

: "${MAKE:=make}" "${CC:=gcc}"
root=$(cd "$(dirname "$0")/.." && pwd)
version=$("$MAKE" -s -C "$root" print-VERSION)
work=$(mktemp -d "${TMPDIR:-/var/tmp}/liburing-options.XXXXXX")
trap 'rm -rf "$work"' EXIT
steps=0

die() {
    echo "FAIL: $*"
    exit 1
}
passed() {
    steps=$((steps + 1))
    echo "ok: $*"
}

# Configures and builds in a directory of its own, and runs check-elf-installed there.
build() { # name, configure options, make argument...
    local name=$1 options=$2
    shift 2
    mkdir "$work/$name"
    # shellcheck disable=SC2086 # options are words
    (cd "$work/$name" && "$root/configure" --disable-2019 $options) >"$work/log" || die "configure $options"
    # What only such a build compiles is compiled without a warning.
    RUSTFLAGS="${RUSTFLAGS:-} -Dwarnings" "$MAKE" -s -C "$work/$name" "$@" library check-elf-installed >"$work/$name.log" 2>&1 ||
        { tail -n 20 "$work/$name.log"; die "make $options $*"; }
}

# What the shared libraries and each member of the archives say, each only once.
properties() { # build
    readelf -nW "$work/$1"/build/liburing{,-ffi}.so.$version "$work/$1"/build/liburing{,-ffi}.a 2>/dev/null |
        sed -n 's/.*Properties: //p' | sort -u
}
noted() { # build: are there as many notes as files
    local files notes
    files=$(($(ar t "$work/$1/build/liburing.a" | wc -l) + $(ar t "$work/$1/build/liburing-ffi.a" | wc -l) + 2))
    notes=$(readelf -nW "$work/$1"/build/liburing{,-ffi}.so.$version "$work/$1"/build/liburing{,-ffi}.a | grep -c 'Properties: ')
    [ "$files" = "$notes" ] || die "$1: $notes notes in $files libraries and members"
}
stripped() { # build, library
    "${2:-}strip" -o "$work/stripped" "$work/$1/build/liburing.so.$version"
    echo "$(stat -c %s "$work/stripped") bytes stripped, $(size "$work/$1/build/liburing.so.$version" | awk 'NR == 2 { print $1 }') of text"
}

code() { # build
    objdump -d --no-show-raw-insn "$work/$1/build/liburing.so.$version" | sed -E 's/<[^>]*>//; /file format/d'
}

# Exported functions whose first instruction is no landing pad.
without_pad() { # objdump, library
    "$1" -d --no-show-raw-insn "$2" | awk -v exported="$(nm -D --defined-only --without-symbol-versions "$2" | awk '{ printf "%s ", $3 }')" '
        BEGIN { n = split(exported, names, " "); for (i = 1; i <= n; i++) wanted["<" names[i] ">:"] = 1 }
        NF == 2 && $2 in wanted { name = $2; getline; if ($2 !~ /^(endbr64|bti|paciasp)$/) print name }'
}

# A program that holds every member.
link_all() { # build, compiler, option...
    local directory=$work/$1/build
    printf 'void _start(void) {}\n' >"$work/start.c"
    "$2" "${@:3}" -nostdlib -nostartfiles -static -o "$work/whole" "$work/start.c" \
        -Wl,--whole-archive "$directory/liburing.a" -Wl,--no-whole-archive 2>&1
}

plain() {
    [ "$(properties plain)" = "x86 feature: SHSTK" ] || die "the plain libraries say '$(properties plain)'"
    noted plain
    [[ $(link_all plain "$CC" -fcf-protection=full -Wl,-z,cet-report=error) == *'missing IBT'* ]] ||
        die "the linker takes the plain archive for one with landing pads"
    passed "plain: a note that shadow stacks work, $(stripped plain)"
}

cfi() {
    build cfi --enable-cfi
    [ "$(properties cfi)" = "x86 feature: IBT, SHSTK" ] || die "with --enable-cfi the libraries say '$(properties cfi)'"
    noted cfi
    local library
    for library in liburing liburing-ffi; do
        [ -z "$(without_pad objdump "$work/cfi/build/$library.so.$version")" ] || die "functions without a landing pad in $library"
    done
    [ -n "$(without_pad objdump "$work/plain/build/liburing.so.$version")" ] || die "the plain library has landing pads, too"
    local complaint
    complaint=$(link_all cfi "$CC" -fcf-protection=full -Wl,-z,cet-report=error) || die "-z cet-report=error: $complaint"
    [ "$(readelf -nW "$work/whole" | sed -n 's/.*Properties: //p' | cut -d , -f 1-2)" = "x86 feature: IBT, SHSTK" ] ||
        die "a static program loses its notes"
    passed "--enable-cfi: landing pads in every function and the notes, -z cet-report=error is silent, $(stripped cfi)"
}

arm_cfi() {
    local target=aarch64-unknown-linux-gnu tools=aarch64-linux-gnu- complaint
    if ! command -v ${tools}gcc >/dev/null || [ ! -d "$(rustc --print sysroot)/lib/rustlib/$target" ]; then
        echo "SKIP: --enable-cfi for 64-bit ARM: there is no cross compiler for $target"
        return
    fi
    build arm "--enable-cfi --cc=${tools}gcc" CROSS_COMPILE=$tools CARGO_BUILD_TARGET=$target
    # GCS is a bit that binutils of 2023 have no name for.
    [[ $(properties arm) =~ ^'AArch64 feature: BTI, PAC, '(GCS|'<unknown: 4>')$ ]] || die "for ARM the libraries say '$(properties arm)'"
    noted arm
    [ -z "$(without_pad ${tools}objdump "$work/arm/build/liburing.so.$version")" ] || die "functions without a landing pad for ARM"
    # A jump through another register would need a pad of its own.
    ! ${tools}objdump -d "$work/arm/build/liburing.so.$version" | awk '$3 == "br" && $4 !~ /^x1[67]$/' | grep . || die "jumps by a table"
    complaint=$(link_all arm ${tools}gcc -mbranch-protection=standard -Wl,-z,force-bti) || die "-z force-bti: $complaint"
    [ -z "$complaint" ] || die "-z force-bti: $complaint"
    passed "--enable-cfi for 64-bit ARM: BTI, PAC and GCS, $(stripped arm $tools)"
}

separate_code() {
    build separate --enable-separate-code
    local plain separate
    # Type ... Flg: constants lie in a segment that is read alone.
    plain=$(readelf -Wl "$work/plain/build/liburing.so.$version" | awk '$1 == "LOAD" { print $7 $8 }' | tr '\n' ' ')
    separate=$(readelf -Wl "$work/separate/build/liburing.so.$version" | awk '$1 == "LOAD" { print $7 $8 }' | sed 's/0x.*//' | tr '\n' ' ')
    [[ $separate == "R RE R RW "* ]] || die "--enable-separate-code: segments $separate"
    [[ $plain != *"R RE"* ]] || die "the plain library has separate segments: $plain"
    passed "--enable-separate-code: constants are not executable, $(stripped separate)"
}

use_libc() {
    build libc '--use-libc --enable-cfi --enable-stack-protector'
    local library=$work/libc/build counted=$work/counted.so name
    grep -q 'NEEDED.*libc\.so' <<<"$(readelf -d "$library/liburing.so.2")" || die "--use-libc: libc is not needed"
    grep -q '__stack_chk_fail' <<<"$(nm -D "$library/liburing.so.2")" || die "--enable-stack-protector: no canary"
    cat >"$work/counted.c" <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>

static int calls;

long syscall(long number, long a, long b, long c, long d, long e, long f)
{
    long (*next)(long, ...) = dlsym(RTLD_NEXT, "syscall");

    calls++;
    return next(number, a, b, c, d, e, f);
}

__attribute__((destructor)) static void tell(void)
{
    fprintf(stderr, "%d calls seen\n", calls);
}
C
    "$CC" -O2 -fno-builtin -w -shared -fPIC "$work/counted.c" -o "$counted"
    head -c 3000001 /dev/urandom >"$work/data"
    for name in plain libc; do
        "$CC" -O2 "$root/examples/uring-cp.c" -I"$root/include" -o "$work/cp-$name" -L"$work/$name/build" -luring
        rm -f "$work/copy"
        LD_LIBRARY_PATH=$work/$name/build LD_PRELOAD=$counted "$work/cp-$name" -s "$work/data" "$work/copy" >"$work/log" 2>&1 ||
            { cat "$work/log"; die "a copy, $name"; }
        cmp "$work/data" "$work/copy" || die "a copy, $name, differs"
        declare "seen_$name=$(sed -n 's/ calls seen//p' "$work/log")"
    done
    # shellcheck disable=SC2154 # declared above
    [ "$seen_plain" = 0 ] || die "the plain library calls syscall()"
    # shellcheck disable=SC2154 # declared above
    [ "$seen_libc" -gt 3 ] || die "a program's own syscall() sees $seen_libc calls"
    "$CC" -O2 -static "$root/examples/uring-cp.c" -I"$root/include" -o "$work/cp-static" "$library/liburing.a"
    rm "$work/copy"
    "$work/cp-static" -s "$work/data" "$work/copy" >/dev/null || die "a static copy through libc"
    cmp "$work/data" "$work/copy" || die "a static copy through libc differs"
    passed "--use-libc --enable-stack-protector: a program's own syscall() sees $seen_libc calls, $(stripped libc)"

    mkdir "$work/refused"
    if (cd "$work/refused" && "$root/configure" --enable-stack-protector) >"$work/log" 2>&1; then
        die "configure takes --enable-stack-protector without --use-libc"
    fi
    grep -q 'needs --use-libc' "$work/log" || die "configure does not say what --enable-stack-protector needs"
}

# Recipes for Rust programs switch on checks that end in a panic.
checked_arithmetic() {
    RUSTFLAGS='-Coverflow-checks=yes -C debug-assertions' CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS=true build checked ''
    grep -q '^RUSTFLAGS: overflow checks .* stay off' "$work/checked.log" || die "nothing is said about -Coverflow-checks"
    # rustc's flags are part of the hashes in local names.
    [ "$(code plain)" = "$(code checked)" ] || die "-Coverflow-checks changes the library"
    passed "RUSTFLAGS with overflow checks and debug assertions: overridden, and said"
}

# --disable-seed is the former name of --disable-2019.
former_name() {
    mkdir "$work/former"
    (cd "$work/former" && "$root/configure" --disable-seed) >"$work/log" || die "configure --disable-seed"
    grep -qx 'ENABLE_2019 := 0' "$work/former/config.mk" || die "--disable-seed leaves the interface of 2019 in"
    passed "--disable-seed: as --disable-2019"
}

# What is prepared for the next release appears with its version, under its node.
next_release() {
    mkdir "$work/next"
    "$root/build-aux/source-files.sh" -c "$work/next"
    "$MAKE" -s -C "$work/next" set-version VERSION=2.16.0 >"$work/log" || { cat "$work/log"; die "make set-version"; }
    "$MAKE" -s -C "$work/next" headers stage >"$work/log" 2>&1 || { tail -n 20 "$work/log"; die "release 2.16 does not build"; }
    cat >"$work/zones.c" <<'C'
#include <liburing.h>

int main(void)
{
    struct io_uring_sqe sqe = {0}, own = {0};

    io_uring_prep_cmd_zone_reset_all(&sqe, 3);
    io_uring_prep_uring_cmd(&own, 0x1201, 3);
    return __builtin_memcmp(&sqe, &own, sizeof(sqe)) != 0;
}
C
    "$CC" -Wall -Werror "$work/zones.c" -I"$work/next/include" -o "$work/zones" "$work/next/build/liburing-ffi.a"
    "$work/zones" || die "io_uring_prep_cmd_zone_reset_all() fills in another request"
    ! "$CC" -Werror=implicit-function-declaration -fsyntax-only "$work/zones.c" -I"$root/include" 2>/dev/null ||
        [ "$version" != 2.15 ] || die "the function is there in release 2.15 already"
    [ "$(nm -D "$work/next/build/liburing-ffi.so.2.16" | grep -c ' io_uring_prep_cmd_zone_reset_all@@LIBURING_2\.16$')" = 1 ] ||
        die "liburing-ffi of 2.16 lacks io_uring_prep_cmd_zone_reset_all@@LIBURING_2.16"
    passed "make set-version VERSION=2.16.0: io_uring_prep_cmd_zone_reset_all is there, and not before"
}

former_name
next_release
build plain ''
if [ "$(uname -m)" = x86_64 ]; then
    plain
    cfi
else
    echo "SKIP: --enable-cfi is looked at on x86-64"
fi
arm_cfi
separate_code
use_libc
checked_arithmetic
echo "options: $steps steps passed"
