#!/usr/bin/env bash
# Build from the source archive, or twice from the source, and compare bytes.
#
# usage: check-dist.sh archive        the archive holds the whole source, is itself reproducible, and builds without a
#                                     network and without cbindgen, also the libraries with crates; the licence of each
#                                     crate is named
#        check-dist.sh reproducible   two builds in different directories and environments, and headers installed with
#                                     different configurations, are the same
# environment: MAKE CARGO
set -euo pipefail
unset MAKEFLAGS MFLAGS MAKELEVEL DESTDIR O V B CARGO_TARGET_DIR

: "${MAKE:=make}" "${CARGO:=cargo}"
export CARGO
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/var/tmp}/liburing-dist.XXXXXX")
trap 'chmod -R u+rwX "$work"; rm -rf "$work"' EXIT

die() {
    echo "FAIL: $*"
    exit 1
}

unpack() { # directory
    mkdir -p "$1"
    tar --extract --strip-components=1 --directory "$1" --file "$archive"
}

archive=$("$root/build-aux/dist.sh" "$work/archive")
bytes=$(stat -c %s "$archive")

build() { # directory, make argument...
    local directory=$1
    shift
    "$MAKE" -s --no-print-directory -C "$directory" install DESTDIR="$directory/installed" prefix=/usr "$@" \
        >"$work/log" 2>&1 || { tail -n 20 "$work/log"; die "it does not build in $directory"; }
}

same_trees() { # what, directory, directory
    diff -r --no-dereference "$2" "$3" || die "$1"
    diff <(cd "$2" && find . -printf '%P %y %m %s %l\n' | grep -v ' d ' | sort) \
        <(cd "$3" && find . -printf '%P %y %m %s %l\n' | grep -v ' d ' | sort) || die "$1, in modes or links"
}

# The libraries that are built by default in packages.
flavours=(ENABLE_FALLBACK=1 ENABLE_CHECKER=1)

# Each crate has a paragraph of its own in debian/copyright, or a part of one, with the licence that its manifest gives.
crates_licences() {
    local copyright=packaging/debian/copyright crate manifest named
    for crate in vendor/*/; do
        crate=$(basename "$crate")
        manifest=$(sed -nE '/^\[package\]/,/^\[[^p]/s/^license = "(.*)"/\1/p' "vendor/$crate/Cargo.toml" |
            sed 's|/| OR |g; s/MIT/Expat/; s/ OR / or /g')
        named=$(awk -v RS= -v crate="vendor/$crate/*" '{ for (i = 1; i <= NF; i++) if ($i == crate) print }' "$copyright" |
            sed -n 's/^License: //p')
        [ "${named:-nothing}" = "$manifest" ] ||
            die "the crate $crate has the licence '$manifest', and $copyright names '$named'"
    done
}

archive_builds() {
    local again isolated=()
    again=$(TZ=Asia/Tokyo LC_ALL=C.UTF-8 "$root/build-aux/dist.sh" "$work/again")
    cmp "$archive" "$again" || die "the archive is not reproducible"
    unpack "$work/source"
    if git -C "$root" rev-parse --git-dir >/dev/null 2>&1; then
        diff <(cd "$root" && git ls-files | while IFS= read -r file; do [ ! -f "$file" ] || echo "$file"; done | sort) \
            <(cd "$work/source" && find . -path ./vendor -prune -o -type f -printf '%P\n' | sort) || die "the archive's files"
    fi
    # An unpacked archive makes the same archive.
    again=$("$work/source/build-aux/dist.sh" "$work/third")
    cmp "$archive" "$again" || die "an unpacked archive makes a different one"

    # No network, no crates that Cargo has downloaded before, no cbindgen.
    if unshare --net true 2>/dev/null; then isolated=(unshare --net); else echo "SKIP: no network namespace; only Cargo was told to stay offline"; fi
    ! command -v cbindgen >/dev/null || die "cbindgen is in PATH"
    mkdir "$work/empty"
    export RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
    (
        export CARGO_HOME=$work/empty CARGO_NET_OFFLINE=true
        "${isolated[@]}" "$MAKE" -s --no-print-directory -C "$work/source" "${flavours[@]}" \
            install DESTDIR="$work/installed" prefix=/usr
    ) >"$work/log" 2>&1 || { tail -n 20 "$work/log"; die "the archive does not build offline"; }
    [ -e "$work/installed/usr/lib/liburing.so.2" ] || die "nothing was installed"
    local file
    for file in bin/liburing-fallback lib/liburing-fallback.a lib/liburing-{fallback,check}/liburing{,-ffi}.so.2; do
        [ -e "$work/installed/usr/$file" ] || die "no $file was installed"
    done
    (cd "$work/source" && crates_licences)
    echo "$(basename "$archive"): $bytes bytes, $(find "$work/source" -type f | wc -l) files, $(find "$work/source/vendor" -mindepth 1 -maxdepth 1 -type d | wc -l) crates; builds offline without cbindgen"
}

reproducible() {
    unpack "$work/one"
    unpack "$work/another place/source"
    export RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup} CARGO_HOME=${CARGO_HOME:-$HOME/.cargo}
    (umask 022; TZ=UTC LC_ALL=C build "$work/one" ENABLE_FALLBACK=1)
    mkdir "$work/home"
    (umask 077; HOME=$work/home TZ=Pacific/Chatham LC_ALL=C.UTF-8 build "$work/another place/source" -j2 ENABLE_FALLBACK=1)
    same_trees "two builds differ" "$work/one/installed" "$work/another place/source/installed"
    cp -r "$work/one/installed" "$work/first"

    # Configurations differ in libraries and pkg-config files, never in a header.
    local number=0 options cc
    while read -r cc options; do
        command -v "$cc" >/dev/null || { echo "SKIP: there is no $cc to configure with"; continue; }
        number=$((number + 1))
        mkdir "$work/conf$number"
        (
            cd "$work/conf$number"
            # shellcheck disable=SC2086 # options are words
            "$work/one/configure" --cc="$cc" $options >/dev/null
            "$MAKE" -s --no-print-directory install DESTDIR="$PWD/installed" CFLAGS="-O0 -g" CPPFLAGS=-D_GNU_SOURCE
        ) >"$work/log" 2>&1 || { tail -n 20 "$work/log"; die "the configuration $cc $options"; }
        same_trees "headers differ with $cc $options" "$work/first/usr/include" \
            "$work/conf$number/installed$(sed -n 's/^includedir := //p' "$work/conf$number/config.mk")"
    done <<'C'
gcc --prefix=/usr --libdir=/usr/lib64 --libdevdir=/usr/lib64 --use-libc
clang --prefix=/opt/elsewhere --disable-shared --includedir=/opt/headers
musl-gcc --prefix=/usr/local
C
    echo "$(find "$work/first" ! -type d | wc -l) installed files are the same from two builds; headers the same from $number configurations"
}

case ${1:-} in
archive) archive_builds ;;
reproducible) reproducible ;;
*) exit 2 ;;
esac
