#!/usr/bin/env bash
# Put the fallback's libraries, its wrapper command and its pkg-config file where they belong, or take them away again.
#
# usage: install.sh install|uninstall
# environment: DESTDIR prefix includedir libdir libdevdir VERSION BUILD INSTALL STRIP
set -euo pipefail

action=$1
here=$(cd "$(dirname "$0")" && pwd)
folder=$libdir/liburing-fallback
library=$folder/liburing.so.${VERSION%%.*}

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

fill() { # template file
    [ "$action" = install ] || return 0
    local text
    text=$(<"$here/$1")
    text=${text//@LIBRARY@/"$library"}
    text=${text//@LIBRARY_FFI@/"$folder/liburing-ffi.so.${VERSION%%.*}"}
    text=${text//@prefix@/"$prefix"}
    text=${text//@libdir@/"$libdevdir"}
    text=${text//@includedir@/"$includedir"}
    text=${text//@VERSION@/"$VERSION"}
    printf '%s\n' "$text" >"$2"
}

fill liburing-fallback.in "$BUILD/fallback/liburing-fallback"
fill liburing-fallback.pc.in "$BUILD/fallback/liburing-fallback.pc"
for name in liburing liburing-ffi; do
    name=$name.so.${VERSION%%.*}
    put 755 "$BUILD/fallback/$name" "$folder/$name" --strip --strip-program="${STRIP:-strip}"
done
put 644 "$BUILD/fallback/liburing-fallback.a" "$libdevdir/liburing-fallback.a"
put 644 "$BUILD/fallback/liburing-fallback.pc" "$libdevdir/pkgconfig/liburing-fallback.pc"
put 755 "$BUILD/fallback/liburing-fallback" "$prefix/bin/liburing-fallback"
if [ "$action" = uninstall ]; then
    rmdir --ignore-fail-on-non-empty "$DESTDIR$folder" 2>/dev/null || true
fi
