#!/usr/bin/env bash
# Put a flavour's libraries, its pkg-config file and its command with its manual page, if it has one, where they belong,
# or take them away.
#
# usage: install.sh install|uninstall NAME
# environment: DESTDIR prefix includedir libdir libdevdir mandir VERSION BUILT (the folder of what is built) INSTALL
#              STRIP (empty: debug information stays, for a packager to split off)
set -euo pipefail

action=$1 name=liburing-$2
source=$(cd "$(dirname "$0")" && pwd)/$2
folder=$libdir/$name major=${VERSION%%.*}
. "$source/../../build-aux/pc-path.sh"

put() { # mode source destination [install option...]
    local mode=$1 source=$2 destination=$3
    shift 3
    if [ "$action" = uninstall ]; then
        rm -f "$DESTDIR$destination"
        return
    fi
    echo "  INSTALL  $DESTDIR$destination"
    ${INSTALL:-install} -D -m "$mode" "$@" "$source" "$DESTDIR$destination"
}

fill() { # file: written from its template
    [ "$action" = install ] || return 0
    local text
    text=$(<"$source/$1.in")
    text=${text//@LIBRARY@/"$folder/liburing.so.$major"}
    text=${text//@LIBRARY_FFI@/"$folder/liburing-ffi.so.$major"}
    text=${text//@prefix@/"$(pc_path "$prefix")"}
    text=${text//@libdir@/"$(pc_path "$libdevdir")"}
    text=${text//@includedir@/"$(pc_path "$includedir")"}
    text=${text//@VERSION@/"$VERSION"}
    printf '%s\n' "$text" >"$BUILT/$1"
}

strip=()
[ -z "${STRIP-strip}" ] || strip=(--strip --strip-program="${STRIP-strip}")
for library in liburing liburing-ffi; do
    put 755 "$BUILT/$library.so.$major" "$folder/$library.so.$major" "${strip[@]}"
done
put 644 "$BUILT/$name.a" "$libdevdir/$name.a"
fill "$name.pc"
put 644 "$BUILT/$name.pc" "$libdevdir/pkgconfig/$name.pc"
if [ -e "$source/$name.in" ]; then
    fill "$name"
    put 755 "$BUILT/$name" "$prefix/bin/$name"
    put 644 "$source/$name.1" "$mandir/man1/$name.1"
fi
if [ "$action" = uninstall ]; then
    rmdir --ignore-fail-on-non-empty "$DESTDIR$folder" 2>/dev/null || true
fi
