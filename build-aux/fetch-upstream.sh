#!/usr/bin/env bash
# Fetch the software that the library is compared with into a cache outside the source, and print its path.
#
# usage: fetch-upstream.sh source [PACKAGE [MINIMUM]]   a Debian source package, unpacked (default: liburing, as new as this);
#                                                       "=VERSION" instead of MINIMUM takes that one alone
#        fetch-upstream.sh build                        upstream's liburing, built with its own defaults: the prefix
#        fetch-upstream.sh build-cross PREFIX           the same by a cross compiler: PREFIXgcc
#        fetch-upstream.sh build-debug                  the same with debug information
#        fetch-upstream.sh deb PACKAGE...               binary packages, unpacked and not installed: the directory
#        fetch-upstream.sh root PACKAGE...              packages with all that they need, unpacked and not set up: a root directory
#        fetch-upstream.sh depends PACKAGE              the names of the packages that a binary package depends on
#        fetch-upstream.sh mirror                       the Debian mirror that this machine uses
#
# The packages come from Debian's development suite, through a separate sources list that names the machine's mirror;
# the system's lists do not change. UPSTREAM_SUITE names another suite, UPSTREAM_ARCH another architecture for binary
# packages. UPSTREAM_VERSION names an older liburing than this library's, for use while Debian lacks the newer one.
# Exit status 77: it is not available here; the reason is printed to standard error. Once cached, no network is needed.
set -euo pipefail

suite=${UPSTREAM_SUITE:-sid}
arch=${UPSTREAM_ARCH:-}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/liburing-rs
# The version whose interface this library has, or an older one that is available.
minimum_liburing=${UPSTREAM_VERSION:-$(env -u MAKEFLAGS -u MFLAGS make -s --no-print-directory -C "$(dirname "$0")/.." print-VERSION)}

unavailable() {
    echo "SKIP: $*" >&2
    exit 77
}

note() { echo "fetch-upstream: $*" >&2; }

mkdir -p "$cache"
# One at a time: several checks may call this script at once.
exec 9>"$cache/lock"
flock 9

need() { # command package
    command -v "$1" >/dev/null 2>&1 && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        note "installing $2"
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$2" >"$cache/install.log" 2>&1 && return
    fi
    unavailable "$1 is missing (Debian package $2)"
}

# apt with its state in the cache, so it needs no privileges.
own_apt() { # kind (deb or deb-src) command...
    local dir=$cache/apt/$1${arch:+-$arch}
    shift
    "$1" ${arch:+-o APT::Architecture="$arch" -o APT::Architectures="$arch"} -o Dir::Etc::sourcelist="$dir/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State::Lists="$dir/lists" -o Dir::Cache="$dir/cache" -o APT::Sandbox::User="$(id -un)" \
        -o APT::Get::List-Cleanup=false -o Debug::NoLocking=true "${@:2}"
}

debian_mirror() { # [apt option...]
    # shellcheck disable=SC2016 # apt expands these
    apt-get "$@" indextargets --format '$(ORIGIN) $(COMPONENT) $(SUITE) $(REPO_URI)' 'Created-By: Packages' |
        awk '$1 == "Debian" && $2 == "main" && $3 !~ /-/ { print $4; exit }'
}

# A machine without package lists (container images) does not know which mirror is Debian's: fetch the lists again.
mirror() {
    local found
    found=$(debian_mirror)
    if [ -z "$found" ]; then
        local lists=$cache/apt/system
        mkdir -p "$lists/lists/partial" "$lists/cache/archives/partial"
        local options=(-o Dir::State::Lists="$lists/lists" -o Dir::Cache="$lists/cache" -o APT::Sandbox::User="$(id -un)"
            -o Debug::NoLocking=true)
        apt-get "${options[@]}" update >"$cache/update.log" 2>&1 || true
        found=$(debian_mirror "${options[@]}")
    fi
    [ -n "$found" ] || unavailable "this machine's apt configuration names no Debian mirror"
    echo "$found"
}

update() { # kind
    need apt-get apt
    local dir=$cache/apt/$1${arch:+-$arch} uri keyring=/usr/share/keyrings/debian-archive-keyring.gpg signed=
    uri=$(mirror)
    [ ! -e "$keyring" ] || signed="[signed-by=$keyring] "
    mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
    echo "$1 $signed$uri $suite main" >"$dir/sources.list"
    note "reading Debian $suite's list of $([ "$1" = deb ] && echo packages || echo sources)"
    own_apt "$1" apt-get update >"$cache/update.log" 2>&1 ||
        unavailable "the list of Debian $suite can't be read: $(tail -n 1 "$cache/update.log")"
}

at_least() { dpkg --compare-versions "$1" ge "$2"; }

wanted() { # version, minimum or =version; epochs do not count for equality
    local exact=${2#=}
    if [ "$exact" = "$2" ]; then
        at_least "$1" "$2"
    else
        [ "${1#*:}" = "${exact#*:}" ]
    fi
}

# The newest unpacked tree of a package in the cache that is new enough.
cached_source() { # package minimum
    local tree version best='' best_version=
    for tree in "$cache/source/$1"/*/; do
        [ -e "$tree/.complete" ] || continue
        version=$(basename "$tree")
        wanted "$version" "$2" || continue
        if [ -z "$best" ] || at_least "$version" "$best_version"; then
            best=${tree%/} best_version=$version
        fi
    done
    echo "$best"
}

source_tree() { # package minimum
    local tree
    tree=$(cached_source "$1" "$2")
    if [ -z "$tree" ]; then
        need dpkg-source dpkg-dev
        update deb-src
        local candidate version='' work
        for candidate in $(own_apt deb-src apt-cache showsrc --only-source "$1" 2>/dev/null |
            sed -n 's/^Version: //p' | sort -V); do
            ! wanted "$candidate" "$2" || version=$candidate
        done
        [ -n "$version" ] || unavailable "Debian $suite has no source package $1 of version $2"
        work=$cache/work
        rm -rf "$work"
        mkdir -p "$work" "$cache/source/$1"
        note "fetching the source of $1 $version"
        (cd "$work" && own_apt deb-src apt-get source --only-source --download-only "$1=$version") \
            >"$cache/source.log" 2>&1 || unavailable "the source of $1 is not available: $(tail -n 1 "$cache/source.log")"
        dpkg-source -x "$work"/*.dsc "$work/tree" >"$cache/unpack.log" 2>&1 ||
            unavailable "the source of $1 can't be unpacked: $(tail -n 1 "$cache/unpack.log")"
        # Versions may hold an epoch, and a colon in a path breaks variables such as PATH.
        tree=$cache/source/$1/${version#*:}
        rm -rf "$tree"
        mv "$work/tree" "$tree"
        touch "$tree/.complete"
        rm -rf "$work"
    fi
    echo "$tree"
}

# Built from a copy, because its build writes into the source.
upstream_build() { # name cflags [toolchain prefix]
    local tree built log=$cache/$1.log
    tree=$(source_tree liburing "$minimum_liburing")
    built=$cache/build/$(basename "$tree")/$1
    if [ ! -e "$built/.complete" ]; then
        need "${3:-}gcc" gcc
        need make make
        note "building upstream's liburing ($1)"
        rm -rf "$built"
        mkdir -p "$built"
        cp -r "$tree" "$built/source"
        (
            cd "$built/source"
            unset MAKEFLAGS MFLAGS MAKELEVEL CFLAGS CPPFLAGS LDFLAGS CC CXX AR DESTDIR prefix libdir includedir mandir datadir libdevdir
            ./configure --prefix="$built" ${3:+--cc="${3}gcc" --cxx="${3}g++"}
            make -C src ${2:+CFLAGS="$2"} ${3:+AR="${3}ar" RANLIB="${3}ranlib"}
            make ${2:+CFLAGS="$2"} ${3:+AR="${3}ar" RANLIB="${3}ranlib"} install
        ) >"$log" 2>&1 </dev/null || unavailable "upstream's liburing does not build here: see $log"
        touch "$built/.complete"
    fi
    echo "$built"
}

unpack_debs() { # package...
    local dir=$cache/deb/$suite${arch:+-$arch} package missing=()
    for package in "$@"; do
        [ -e "$dir/.$package" ] || missing+=("$package")
    done
    if [ ${#missing[@]} -gt 0 ]; then
        need dpkg-deb dpkg
        update deb
        local work=$cache/work
        for package in "${missing[@]}"; do
            rm -rf "$work"
            mkdir -p "$work" "$dir"
            note "fetching the package $package"
            (cd "$work" && own_apt deb apt-get download "$package") >"$cache/download.log" 2>&1 ||
                unavailable "the package $package is not available: $(tail -n 1 "$cache/download.log")"
            dpkg-deb -x "$work"/*.deb "$dir"
            dpkg-deb -f "$work"/*.deb Version >"$dir/.$package"
        done
        rm -rf "$work"
    fi
    echo "$dir"
}

# Those that Debian takes for granted belong to it. All come from the suite of one moment.
unpack_root() { # package...
    local dir list work=$cache/work deb
    list=$(printf '+%s' "$@")
    dir=$cache/root/$suite${arch:+-$arch}/${list#+}
    if [ ! -e "$dir/.complete" ]; then
        need dpkg-deb dpkg
        update deb
        rm -rf "$work" "$dir"
        mkdir -p "$work/partial" "$dir"
        note "fetching $* and what they need"
        own_apt deb apt-get install -y --download-only --no-install-recommends -o Dir::State::Status=/dev/null \
            -o Dir::Cache::Archives="$work" '?essential' "$@" >"$cache/download.log" 2>&1 ||
            unavailable "$*: not available: $(tail -n 1 "$cache/download.log")"
        # Its links from /lib to /usr/lib come before the files.
        for deb in "$work"/base-files_*.deb "$work"/*.deb; do
            dpkg-deb -x "$deb" "$dir"
        done
        touch "$dir/.complete"
        rm -rf "$work"
    fi
    echo "$dir"
}

dependencies() { # package
    local list=$cache/deb/$suite${arch:+-$arch}/.$1.depends
    if [ ! -s "$list" ]; then
        mkdir -p "$(dirname "$list")"
        update deb
        own_apt deb apt-cache depends "$1" 2>/dev/null | sed -n 's/^ *Depends: //p' >"$list"
        [ -s "$list" ] || unavailable "Debian $suite has no package $1"
    fi
    cat "$list"
}

case ${1:-} in
source)
    package=${2:-liburing}
    minimum=${3:-0}
    [ "$package" != liburing ] || minimum=${3:-$minimum_liburing}
    source_tree "$package" "$minimum"
    ;;
build) upstream_build default '' ;;
build-cross) upstream_build "cross-${2%-}" '' "$2" ;;
build-debug) upstream_build debug '-O2 -g -Wall -fno-stack-protector' ;;
depends)
    [ $# = 2 ] || { echo "fetch-upstream: depends needs a package name" >&2; exit 2; }
    dependencies "$2"
    ;;
mirror) mirror ;;
root)
    [ $# -gt 1 ] || { echo "fetch-upstream: root needs a package name" >&2; exit 2; }
    unpack_root "${@:2}"
    ;;
deb)
    [ $# -gt 1 ] || { echo "fetch-upstream: deb needs a package name" >&2; exit 2; }
    unpack_debs "${@:2}"
    ;;
*)
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0" >&2
    exit 2
    ;;
esac
