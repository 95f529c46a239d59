#!/usr/bin/env bash
# Install as users and packagers do, and check the result.
#
# usage: check-install.sh [packaging]
#   without an argument: what `make install` puts where, into DESTDIR and into a prefix with a space, and a program built
#                        and run against it
#   packaging:           configure and make with the options and flags of distributors' recipes, in a directory apart
# environment: MAKE CC PKG_CONFIG VERSION
set -euo pipefail
export LC_ALL=C
unset MAKEFLAGS MFLAGS MAKELEVEL DESTDIR O

: "${MAKE:=make}" "${CC:=gcc}" "${PKG_CONFIG:=pkg-config}" "${VERSION:?}"
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
major=${VERSION%%.*}
steps=0

die() {
    echo "check-install: $*" >&2
    exit 1
}
passed() {
    steps=$((steps + 1))
    echo "ok: $*"
}

make_in_root() { "$MAKE" -s --no-print-directory -C "$root" "$@"; }

same() { # what, expected, found
    [ "$2" = "$3" ] || die "$1: $(diff <(echo "$2") <(echo "$3") | grep '^[<>]')"
}

files_below() { (cd "$1" && find . ! -type d | sed 's|^\./||' | sort); }

headers() { (cd "$root/include" && find . -name '*.h' | sed 's|^\./||'); }

libraries() { # directory for run time, directory for development
    for lib in liburing liburing-ffi; do
        printf '%s\n' "$1/$lib.so.$VERSION" "$1/$lib.so.$major" "$2/$lib.so" "$2/$lib.a" "$2/pkgconfig/$lib.pc"
    done
    printf '%s\n' "$2/cmake/liburing/liburing-config.cmake" "$2/cmake/liburing/liburing-config-version.cmake"
}

# The interface of 2019, which is built only for x86-64.
interface_2019() { # headers, directory for run time, directory for development
    [ "$(make_in_root print-ENABLE_2019)" = 1 ] || return 0
    printf '%s\n' "$1"/liburing-0.1/{,split/}{liburing,io_uring}.h "$2"/liburing-0.1/{liburing.so.1,liburing-0.1-preload.so} \
        "$3"/liburing-0.1/liburing.{a,so} "$3"/pkgconfig/liburing-0.1{,-split}.pc
}

man_pages() { # directory
    local pages=(-name '*.[237]')
    [ "$(make_in_root print-ENABLE_2019)" != 1 ] || pages+=(-o -name '*.[23]uring19')
    (cd "$root/man" && find . -type f \( "${pages[@]}" \)) |
        awk -F/ -v dir="$1" '{ section = $NF; sub(/.*\./, "", section); print dir "/man" substr(section, 1, 1) "/" $NF }'
}

try_program() { # pkg-config directory, library directory, name, compiler option...
    local directory=$1 libraries=$2 program=$work/$3 flags
    shift 3
    eval "flags=($(PKG_CONFIG_PATH=$directory $PKG_CONFIG --cflags --libs liburing))"
    "$CC" "$@" -O2 -Wall -Wextra -Werror "$root/examples/uring-cp.c" -o "$program" "${flags[@]}"
    head -c 3000001 /dev/urandom >"$work/data"
    rm -f "$work/copied"
    LD_LIBRARY_PATH=$libraries "$program" -s -b 64k "$work/data" "$work/copied" >/dev/null
    cmp "$work/data" "$work/copied" || die "the program built in $directory copies wrongly"
}

installation() {
    local below found

    # As for a package.
    make_in_root install DESTDIR="$work/dest" prefix=/usr libdir=/usr/lib/here libdevdir=/usr/lib/here \
        mandir=/usr/share/man >/dev/null
    same "files below DESTDIR" \
        "$({ headers | sed 's|^|usr/include/|'; libraries usr/lib/here usr/lib/here; interface_2019 usr/include usr/lib/here usr/lib/here; man_pages usr/share/man; } | sort)" \
        "$(files_below "$work/dest")"
    for below in liburing liburing-ffi; do
        same "link $below.so" "$below.so.$VERSION" "$(readlink "$work/dest/usr/lib/here/$below.so")"
        same "link $below.so.$major" "$below.so.$VERSION" "$(readlink "$work/dest/usr/lib/here/$below.so.$major")"
        same "$below.pc" "$VERSION -L/usr/lib/here -l${below#lib}" \
            "$(export PKG_CONFIG_PATH=$work/dest/usr/lib/here/pkgconfig PKG_CONFIG_ALLOW_SYSTEM_LIBS=1
            echo "$($PKG_CONFIG --modversion $below) $($PKG_CONFIG --libs $below)" | sed 's/ *$//')"
        found=$(stat -c %a "$work/dest/usr/lib/here/$below.so.$VERSION" "$work/dest/usr/lib/here/$below.a" | tr '\n' ' ')
        same "modes of $below" "755 644 " "$found"
    done
    passed "DESTDIR holds $(files_below "$work/dest" | wc -l) files, links and pkg-config files as they should be"

    make_in_root uninstall DESTDIR="$work/dest" prefix=/usr libdir=/usr/lib/here libdevdir=/usr/lib/here \
        mandir=/usr/share/man
    same "files left by uninstall" "" "$(files_below "$work/dest")"
    found=$(find "$work/dest" -depth -type d -empty -path '*liburing*')
    same "directories left by uninstall" "" "$found"
    passed "uninstall removes them all"

    below="$work/a prefix"
    make_in_root install prefix="$below" includedir="$below/include" libdir="$below/lib" libdevdir="$below/lib" \
        mandir="$below/man" >/dev/null
    try_program "$below/lib/pkgconfig" "$below/lib" shared
    grep -q 'NEEDED.*liburing\.so\.2' <<<"$(readelf -d "$work/shared")" || die "the program is not linked to liburing.so.2"
    try_program "$below/lib/pkgconfig" /nonexistent static -static
    ! grep -q NEEDED <<<"$(readelf -d "$work/static")" || die "the static program needs libraries"
    passed "a prefix with a space: built through pkg-config, shared and static, both run"

    # Run-time libraries on the root file system, the rest below /usr.
    make_in_root install DESTDIR="$work/split" prefix=/usr includedir=/usr/include libdir=/lib libdevdir=/usr/lib >/dev/null
    same "link from libdevdir" "/lib/liburing.so.$VERSION" "$(readlink "$work/split/usr/lib/liburing.so")"
    [ -e "$work/split/lib/liburing.so.$major" ] || die "libdir has no liburing.so.$major"
    passed "libdir and libdevdir apart"

    below=$work/static-only
    make_in_root install ENABLE_SHARED=0 prefix="$below" includedir="$below/include" libdir="$below/lib" \
        libdevdir="$below/lib" mandir="$below/man" >/dev/null
    found=$(find "$below" -name '*.so*')
    same "shared libraries with ENABLE_SHARED=0" "" "$found"
    try_program "$below/lib/pkgconfig" /nonexistent only-static
    passed "ENABLE_SHARED=0 installs the archives alone, and a program links"
}

configured() { # expected, configure argument...
    local expected=$1 directory=$work/conf
    shift
    rm -rf "$directory"
    mkdir "$directory"
    (cd "$directory" && "$root/configure" "$@" >configure.log) || die "configure $*: $(cat "$directory/configure.log")"
    same "configure $*" "$expected" "$(for name in prefix includedir libdir libdevdir mandir datadir; do
        "$MAKE" -s --no-print-directory -C "$directory" "print-$name"
    done | tr '\n' ' ')"
}

packaging() {
    local triplet directory

    configured "/usr /usr/include /usr/lib /usr/lib /usr/man /usr/share "
    configured "/opt/x /opt/x/include /opt/x/lib /opt/x/lib /opt/x/man /opt/x/share " --prefix=/opt/x/
    configured "/opt/a b /opt/a b/include /opt/a b/lib /opt/a b/lib /opt/a b/man /opt/a b/share " --prefix '/opt/a b'
    # openSUSE, Fedora
    configured "/usr /usr/include /usr/lib64 /usr/lib64 /usr/share/man /usr/share " \
        --prefix=/usr --libdir=/usr/lib64 --libdevdir=/usr/lib64 --mandir=/usr/share/man --includedir=/usr/include
    # Alpine, Arch
    configured "/usr /usr/include /usr/lib /usr/lib /usr/share/man /usr/share " --prefix=/usr --mandir=/usr/share/man
    # Gentoo
    configured "/usr /usr/include /lib64 /usr/lib64 /usr/share/man /usr/share " --prefix=/usr --libdir=/lib64 \
        --libdevdir=/usr/lib64 --mandir=/usr/share/man --cc=gcc --cxx=g++ --use-libc
    # options that autoconf's users pass to every configure
    configured "/usr /usr/include /usr/lib /usr/lib /usr/share/man /usr/share " --build=x86_64-linux-gnu --prefix=/usr \
        --mandir=/usr/share/man --infodir=/usr/share/info --sysconfdir=/etc --localstatedir=/var \
        --disable-option-checking --disable-silent-rules --disable-maintainer-mode --disable-dependency-tracking
    ! (cd "$work/conf" && "$root/configure" --wth-typo=1 >/dev/null 2>&1) || die "configure accepts --wth-typo"
    grep -q -- '--libdevdir' <<<"$("$root/configure" --help)" || die "configure --help does not name --libdevdir"
    passed "configure takes the options of seven recipes and refuses a misspelt one"

    # Debian's recipe, with the flags that dpkg-buildflags gives it.
    triplet=$("$CC" -print-multiarch 2>/dev/null || true)
    directory=$work/debian
    mkdir "$directory"
    (cd "$directory" && "$root/configure" --prefix=/usr --includedir=/usr/include --datadir=/usr/share \
        --mandir=/usr/share/man --libdir="/usr/lib/$triplet" --libdevdir="/usr/lib/$triplet" --use-libc --cc="$CC") >/dev/null
    "$MAKE" -s -C "$directory" V=1 \
        CPPFLAGS="-Wdate-time -D_FORTIFY_SOURCE=2" \
        CFLAGS="-g -O2 -ffile-prefix-map=$root=. -fstack-protector-strong -Wformat -Werror=format-security" \
        LDFLAGS="-Wl,-z,relro -Wl,-z,now -Wl,--as-needed" >"$work/log" 2>&1 || { tail "$work/log"; die "Debian's recipe"; }
    "$MAKE" -s -C "$directory" install DESTDIR="$work/package" >/dev/null
    grep -q '\.debug_info' <<<"$(readelf -SW "$work/package/usr/lib/$triplet/liburing.so.$VERSION")" ||
        die "CFLAGS with -g leaves no debug information"
    "$MAKE" -s -C "$directory" check-elf-installed >"$work/log" 2>&1 || { tail "$work/log"; die "Debian's recipe: check-elf"; }
    passed "Debian's recipe, built in a separate directory, with debug information to split off"
}

case ${1:-} in
'') installation ;;
packaging) packaging ;;
*) exit 2 ;;
esac
echo "installation: $steps steps passed"
