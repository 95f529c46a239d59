#!/usr/bin/env bash
# Install the headers, libraries, pkg-config and CMake files and manual pages, or remove them.
#
# usage: install.sh install|uninstall
# environment: DESTDIR prefix includedir libdir libdevdir mandir datadir VERSION ENABLE_SHARED ENABLE_2019 BUILD INSTALL
set -euo pipefail

action=$1
root=$(cd "$(dirname "$0")/.." && pwd)
major=${VERSION%%.*}
. "$root/build-aux/pc-path.sh"

put() { # mode source destination
    if [ "$action" = uninstall ]; then
        rm -f "$DESTDIR$3"
        return
    fi
    echo "  INSTALL  $DESTDIR$3"
    ${INSTALL:-install} -D -m "$1" "$2" "$DESTDIR$3"
}

link() { # target link
    if [ "$action" = uninstall ]; then
        rm -f "$DESTDIR$2"
        return
    fi
    echo "  LINK     $DESTDIR$2 -> $1"
    ln -sf "$1" "$DESTDIR$2"
}

pc() { # name description
    local file=$BUILD/$1.pc
    if [ "$action" = install ]; then
        local template
        template=$(<"$root/pkgconfig/$1.pc.in")
        template=${template//@prefix@/"$(pc_path "$prefix")"}
        template=${template//@libdir@/"$(pc_path "$libdevdir")"}
        template=${template//@rundir@/"$(pc_path "$libdir")"}
        template=${template//@includedir@/"$(pc_path "$includedir")"}
        template=${template//@VERSION@/"$VERSION"}
        printf '%s\n' "$template" >"$file"
    fi
    put 644 "$file" "$libdevdir/pkgconfig/$1.pc"
}

# The CMake files find the package relative to themselves, so an installation can be moved as a whole.
cmake_file() { # name
    local file=$BUILD/$1 here=$libdevdir/cmake/liburing
    if [ "$action" = install ]; then
        local template
        template=$(<"$root/pkgconfig/$1.in")
        template=${template//@INCLUDEDIR@/"$(relative "$includedir" "$here")"}
        template=${template//@LIBDIR@/"$(relative "$libdevdir" "$here")"}
        template=${template//@VERSION@/"$VERSION"}
        template=${template//@VERSION_MAJOR@/"$major"}
        template=${template//@POINTER_BYTES@/"$pointer_bytes"}
        printf '%s\n' "$template" >"$file"
    fi
    put 644 "$file" "$here/$1"
}

relative() { realpath --canonicalize-missing --no-symlinks --relative-to="$2" "$1" | sed 's/[\\"$;]/\\&/g'; }

# The library is built for one word size; the headers serve all.
pointer_bytes=8
case $(${READELF:-readelf} -h "$BUILD/liburing.a" 2>/dev/null) in
*ELF32*) pointer_bytes=4 ;;
esac

while IFS= read -r header; do
    put 644 "$root/include/$header" "$includedir/$header"
done < <(cd "$root/include" && find . -name '*.h' | sed 's|^\./||' | LC_ALL=C sort)

# If development and run-time directories differ, the development one needs a link to the library.
runtime=
[ "$libdir" = "$libdevdir" ] || runtime=$libdir/

for lib in liburing liburing-ffi; do
    put 644 "$BUILD/$lib.a" "$libdevdir/$lib.a"
    if [ "${ENABLE_SHARED:-1}" = 1 ]; then
        put 755 "$BUILD/$lib.so.$VERSION" "$libdir/$lib.so.$VERSION"
        link "$lib.so.$VERSION" "$libdir/$lib.so.$major"
        link "$runtime$lib.so.$VERSION" "$libdevdir/$lib.so"
    fi
    pc "$lib"
done
cmake_file liburing-config.cmake
cmake_file liburing-config-version.cmake

# The interface of 2019, in separate directories: its development files have the names of today's. Programs of liburing
# 0.1 to 0.7 also ask for liburing.so.1, but need another library. A program of 2019 finds it by its run path.
if [ "${ENABLE_2019:-0}" = 1 ]; then
    # Each shape of the library includes io_uring.h from its own directory.
    for shape in '' split/; do
        put 644 "$root/io_uring-2019/include/${shape}liburing.h" "$includedir/liburing-0.1/${shape}liburing.h"
        put 644 "$root/io_uring-2019/include/io_uring.h" "$includedir/liburing-0.1/${shape}io_uring.h"
    done
    put 644 "$BUILD/2019/liburing.a" "$libdevdir/liburing-0.1/liburing.a"
    if [ "${ENABLE_SHARED:-1}" = 1 ]; then
        put 755 "$BUILD/2019/liburing.so.1" "$libdir/liburing-0.1/liburing.so.1"
        link "${runtime:+${runtime}liburing-0.1/}liburing.so.1" "$libdevdir/liburing-0.1/liburing.so"
        put 755 "$BUILD/2019/liburing-0.1-preload.so" "$libdir/liburing-0.1/liburing-0.1-preload.so"
    fi
    pc liburing-0.1
    pc liburing-0.1-split
fi

# Pages of the interface of 2019 have a separate section beside those of today.
pages=(-name '*.[237]')
[ "${ENABLE_2019:-0}" != 1 ] || pages+=(-o -name '*.[23]uring19')
while IFS= read -r page; do
    section=${page##*.}
    put 644 "$root/man/$page" "$mandir/man${section:0:1}/${page##*/}"
done < <(cd "$root/man" && find . -type f \( "${pages[@]}" \) | sed 's|^\./||' | LC_ALL=C sort)

# The library's own directories are removed with their last file.
if [ "$action" = uninstall ]; then
    for directory in "$includedir"/liburing/io_uring "$includedir"/liburing "$libdevdir"/cmake/liburing \
        "$includedir"/liburing-0.1/split "$includedir"/liburing-0.1 "$libdevdir"/liburing-0.1 "$libdir"/liburing-0.1; do
        [ ! -d "$DESTDIR$directory" ] || rmdir --ignore-fail-on-non-empty "$DESTDIR$directory"
    done
fi
