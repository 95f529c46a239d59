#!/usr/bin/env bash
# Build the examples as users do: through CMake, Meson and pkg-config, shared and static, against an installation whose
# prefix has a space in it, and run them.
#
# usage: check.sh BUILD VERSION
# environment: CC PKG_CONFIG
set -euo pipefail
export LC_ALL=C
unset MAKEFLAGS MFLAGS MAKELEVEL DESTDIR PKG_CONFIG_PATH CMAKE_PREFIX_PATH LD_LIBRARY_PATH CFLAGS LDFLAGS

root=$(cd "$(dirname "$0")/../.." && pwd)
build=$(realpath "$1") version=$2
export CC=${CC:-gcc}
work=$(mktemp -d "${TMPDIR:-/var/tmp}/liburing-consuming.XXXXXX")
trap 'rm -rf "$work"' EXIT
prefix="$work/a prefix"
built=()

die() {
    echo "FAIL: $*"
    exit 1
}
quietly() { # what, command...
    local what=$1
    shift
    "$@" >"$work/log" 2>&1 || { tail -n 20 "$work/log"; die "$what"; }
}

install_below() { # prefix, 1 or 0 for shared libraries
    DESTDIR='' prefix=$1 includedir=$1/include libdir=$1/lib libdevdir=$1/lib mandir=$1/share/man datadir=$1/share \
        VERSION=$version ENABLE_SHARED=$2 BUILD=$build INSTALL=install "$root/build-aux/install.sh" install >/dev/null
}
install_below "$prefix" 1
install_below "$work/static only" 0
# A copy, in which the examples find each other: nothing is written into the source.
cp -r "$root/examples" "$work/examples"
head -c 300007 /dev/urandom >"$work/data"

needs() { # program, soname or nothing
    local found
    found=$(readelf -d "$1" | sed -n 's/.*NEEDED.*\[\(liburing.*\)\]/\1/p')
    [ "$found" = "$2" ] || die "$1 needs '$found' instead of '$2'"
}

# The four programs: each is linked to the right library, and works.
run() { # directory
    local variant soname
    for variant in uring uring_static uring_ffi uring_ffi_static; do
        case $variant in
        *_static) soname= ;;
        uring) soname=liburing.so.2 ;;
        *) soname=liburing-ffi.so.2 ;;
        esac
        case $variant in
        *_ffi*)
            needs "$1/cat-$variant" "$soname"
            LD_LIBRARY_PATH=$prefix/lib "$1/cat-$variant" "$work/data" >"$work/copy" || die "$1/cat-$variant"
            ;;
        *)
            needs "$1/cp-$variant" "$soname"
            rm -f "$work/copy"
            LD_LIBRARY_PATH=$prefix/lib "$1/cp-$variant" -s "$work/data" "$work/copy" >/dev/null || die "$1/cp-$variant"
            ;;
        esac
        cmp "$work/data" "$work/copy" || die "$1: the program with $variant copies wrongly"
    done
}

with_cmake() {
    local generator=() moved="$work/moved"
    ! command -v ninja >/dev/null || generator=(-G Ninja)
    configure() { # build directory, prefix, option...
        cmake "${generator[@]}" -S "$work/examples/cmake" -B "$1" "-DCMAKE_PREFIX_PATH=$2" "${@:3}"
    }
    quietly "cmake does not configure" configure "$work/cmake" "$prefix"
    quietly "cmake does not build" cmake --build "$work/cmake"
    run "$work/cmake"

    # An installation that has been moved.
    cp -a "$prefix" "$moved"
    quietly "cmake does not find a moved installation" configure "$work/cmake-moved" "$moved"
    grep -q "^liburing_DIR:PATH=$moved/" "$work/cmake-moved/CMakeCache.txt" || die "cmake found another liburing"
    quietly "cmake does not build with a moved installation" cmake --build "$work/cmake-moved"

    # Without shared libraries, every target is static.
    quietly "cmake does not configure without shared libraries" configure "$work/cmake-static" "$work/static only"
    quietly "cmake does not build without shared libraries" cmake --build "$work/cmake-static"
    needs "$work/cmake-static/cp-uring" ''

    # The names that package managers give the package, and variables instead of targets: with shared libraries and
    # without.
    mkdir "$work/names"
    printf '%s\n' 'cmake_minimum_required(VERSION 3.13)' 'project(names C)' 'find_package(liburing REQUIRED)' \
        "add_executable(by-target \"$work/examples/uring-cp.c\")" \
        'target_link_libraries(by-target PRIVATE liburing::liburing)' \
        "add_executable(by-variable \"$work/examples/uring-cp.c\")" \
        'target_include_directories(by-variable PRIVATE ${LIBURING_INCLUDE_DIRS})' \
        'target_link_libraries(by-variable PRIVATE ${LIBURING_LIBRARIES})' >"$work/names/CMakeLists.txt"
    local from program soname
    for from in "$prefix" "$work/static only"; do
        soname=
        [ "$from" != "$prefix" ] || soname=liburing.so.2
        rm -rf "$work/names/build"
        quietly "cmake does not configure by other names" cmake "${generator[@]}" -S "$work/names" -B "$work/names/build" \
            "-DCMAKE_PREFIX_PATH=$from"
        quietly "cmake does not build by other names" cmake --build "$work/names/build"
        for program in by-target by-variable; do
            needs "$work/names/build/$program" "$soname"
            rm -f "$work/copy"
            LD_LIBRARY_PATH=$prefix/lib "$work/names/build/$program" -s "$work/data" "$work/copy" >/dev/null ||
                die "$program"
            cmp "$work/data" "$work/copy" || die "the program linked $program copies wrongly"
        done
    done

    # Versions that match, and versions that do not.
    version_found() { # wanted
        mkdir -p "$work/version"
        printf '%s\n' 'cmake_minimum_required(VERSION 3.13)' 'project(v C)' "find_package(liburing $1 REQUIRED)" \
            >"$work/version/CMakeLists.txt"
        rm -rf "$work/version/build"
        cmake -S "$work/version" -B "$work/version/build" "-DCMAKE_PREFIX_PATH=$prefix" >"$work/log" 2>&1
    }
    local wanted
    for wanted in '' 2 2.0 "$version" "$version EXACT" "$version COMPONENTS uring uring_ffi_static"; do
        version_found "$wanted" || die "cmake refuses find_package(liburing $wanted)"
    done
    for wanted in 1.9 2.99 3 "2.14 EXACT" "$version COMPONENTS uring_none"; do
        ! version_found "$wanted" || die "cmake accepts find_package(liburing $wanted)"
    done
    built+=(CMake)
}

with_meson() {
    quietly "meson does not configure" meson setup "$work/meson" "$work/examples/meson" --werror \
        --pkg-config-path "$prefix/lib/pkgconfig"
    quietly "meson does not build" meson compile -C "$work/meson"
    run "$work/meson"
    built+=(Meson)
}

with_pkg_config() {
    mkdir "$work/pkg-config"
    quietly "pkg-config's example does not build" make -C "$work/examples/pkg-config" OUT="$work/pkg-config" \
        PKG_CONFIG="${PKG_CONFIG:-pkg-config}" PKG_CONFIG_PATH="$prefix/lib/pkgconfig" CC="$CC"
    run "$work/pkg-config"
    needs "$work/pkg-config/cp-uring_static" ''
    ! grep -q NEEDED <<<"$(readelf -d "$work/pkg-config/cp-uring_static")" || die "the static program needs libraries"
    built+=(pkg-config)
}

if command -v cmake >/dev/null; then with_cmake; else echo "SKIP: there is no cmake"; fi
if command -v meson >/dev/null && command -v ninja >/dev/null; then with_meson; else echo "SKIP: there is no meson"; fi
with_pkg_config

printf -v list '%s, ' "${built[@]}"
echo "built and run against a prefix with a space, shared and static: ${list%, }"
