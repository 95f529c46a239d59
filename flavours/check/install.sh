#!/usr/bin/env bash
# Put the check library and its pkg-config file where they belong, or take them away again.
#
# usage: install.sh install|uninstall
# environment: DESTDIR prefix includedir libdir libdevdir VERSION BUILD INSTALL STRIP
set -euo pipefail

action=$1
here=$(cd "$(dirname "$0")" && pwd)

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

if [ "$action" = install ]; then
    text=$(<"$here/liburing-check.pc.in")
    text=${text//@prefix@/"$prefix"}
    text=${text//@libdir@/"$libdevdir"}
    text=${text//@includedir@/"$includedir"}
    text=${text//@VERSION@/"$VERSION"}
    printf '%s\n' "$text" >"$BUILD/checker/liburing-check.pc"
fi
for name in liburing liburing-ffi; do
    put 755 "$BUILD/checker/$name.so.${VERSION%%.*}" "$libdir/liburing-check/$name.so.${VERSION%%.*}" \
        --strip --strip-program="${STRIP:-strip}"
done
put 644 "$BUILD/checker/liburing-check.a" "$libdevdir/liburing-check.a"
put 644 "$BUILD/checker/liburing-check.pc" "$libdevdir/pkgconfig/liburing-check.pc"
if [ "$action" = uninstall ]; then
    rmdir --ignore-fail-on-non-empty "$DESTDIR$libdir/liburing-check" 2>/dev/null || true
fi
