#!/usr/bin/env bash
# Builds the programs of c-tests/fio/check.sh and c-tests/fio/compare.sh. Both need the source of the installed version
# of fio: an engine uses fio's structures, so it must be compiled against the headers of the version that loads it.
#
# usage: build.sh unmodified TREE PREFIX    fio and t/io_uring of Debian's source package in the folder TREE, with the
#                                           liburing/io_uring.h below PREFIX in the place of the copy that fio brings
#                                           along; no other file of fio is touched
#        build.sh engine TREE PREFIX OUT    c-tests/fio/engine.c as OUT, on the headers of TREE and the liburing below PREFIX
# environment: CC
# exit status: 77 when the source is not available here
set -euo pipefail
export LC_ALL=C
unset MAKEFLAGS MFLAGS MAKELEVEL CFLAGS CPPFLAGS LDFLAGS

root=$(cd "$(dirname "$0")/../.." && pwd)

skip() {
    echo "SKIP: fio: $*"
    exit 77
}

# Links to the source, so that the build's products and the other header stay out of it.
link_tree() {
    local tree=$1 version suite source
    command -v fio >/dev/null || skip "fio is not installed"
    version=$(dpkg-query -f '${source:Version}' -W fio 2>/dev/null) || skip "the installed fio is not Debian's"
    # shellcheck source=/dev/null
    suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-sid}")
    source=$(UPSTREAM_SUITE=$suite "$root/build-aux/fetch-upstream.sh" source fio "=$version") || exit
    if [ "$(cat "$tree/.source" 2>/dev/null)" != "$source" ]; then
        rm -rf "$tree"
        mkdir -p "$tree"
        cp -rs "$source/." "$tree"
        (cd "$tree" && ./configure --disable-native --cc="${CC:-cc}") >"$tree/.configure.log" 2>&1 ||
            { tail -n 5 "$tree/.configure.log" && exit 1; }
        echo "$source" >"$tree/.source"
    fi
}

unmodified() {
    local tree=$1 prefix=$2 header=$1/os/linux/io_uring.h ours='#include <liburing/io_uring.h>' file
    link_tree "$tree"
    if [ "$(cat "$header")" != "$ours" ]; then
        rm "$header"
        echo "$ours" >"$header"
    fi
    # make does not notice a change of the include path.
    if [ "$(cat "$tree/.prefix" 2>/dev/null)" != "$prefix" ]; then
        rm -f "$tree/engines/io_uring.o" "$tree/t/io_uring.o"
        echo "$prefix" >"$tree/.prefix"
    fi
    nice make -C "$tree" -j"$(nproc)" EXTFLAGS="-I'$prefix/include'" fio t/io_uring >"$tree/.make.log" 2>&1 ||
        { tail -n 20 "$tree/.make.log" && exit 1; }
    for file in engines/io_uring t/io_uring; do
        cmp "$tree/$file.c" "$(cat "$tree/.source")/$file.c"
        grep -qxF "$prefix/include/liburing/io_uring.h" <<<"$(tr ' ' '\n' <"$tree/$file.d")" ||
            { echo "$file.c was not compiled with $prefix/include/liburing/io_uring.h" && exit 1; }
    done
}

engine() {
    local tree=$1 prefix=$2 out=$3
    [ -e "$tree/config-host.h" ] || link_tree "$tree"
    "${CC:-cc}" -std=gnu99 -O2 -g -Wall -Wextra -Werror=implicit-function-declaration -fPIC -shared -D_GNU_SOURCE \
        -include "$tree/config-host.h" -isystem "$tree" -I"$prefix/include" "$root/c-tests/fio/engine.c" \
        -L"$prefix/lib" -luring -o "$out"
}

case ${1:-} in
unmodified) unmodified "$2" "$(realpath "$3")" ;;
engine) engine "$2" "$3" "$4" ;;
*)
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0" >&2
    exit 2
    ;;
esac
