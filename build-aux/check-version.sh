#!/usr/bin/env bash
# Cargo.toml has the version. Every other place that names it must name the same one, and the version maps end with its
# node. With a version, all places are given that one (make set-version).
#
# usage: check-version.sh [VERSION]
set -euo pipefail
export LC_ALL=C

old=$(sed -nE 's/^version = "(.*)"/\1/p' Cargo.toml)
full=${1:-$old}
version=${full%.*}
failures=0 places=0 setting=false
[ "$full" = "$old" ] || setting=true
[[ $full =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || { echo "$full is no version: MAJOR.MINOR of liburing, and a number of this project" >&2; exit 1; }

# says FILE WANTED PATTERN...: each match's part in parentheses is WANTED, and each pattern matches. In `of`, the name of the
# file that FILE is a part of. Writes WANTED there if the version is to be set.
says() {
    local file=$1 wanted=$2 pattern found
    shift 2
    if $setting && [ -f "$file" ]; then
        for pattern in "$@"; do
            WANTED=$wanted PATTERN=$pattern perl -pi -e 's/$ENV{PATTERN}/substr($&, 0, $-[1] - $-[0]) . $ENV{WANTED} . substr($&, $+[1] - $-[0])/e' "$file"
        done
    fi
    for pattern in "$@"; do
        mapfile -t found < <(sed -nE "s|.*$pattern.*|\\1|p" "$file")
        [ ${#found[@]} -gt 0 ] || found=("nothing")
        for found in "${found[@]}"; do
            places=$((places + 1))
            [ "$found" = "$wanted" ] && continue
            echo "${of:-$file} says $found instead of $wanted, where it has: $pattern"
            failures=$((failures + 1))
        done
    done
}

# What is prepared for a release stands behind its name, until the version maps have a node for it.
prepared() { # map
    [ "$1" = src/liburing-ffi.map ] || return 0
    grep -rhA 2 "^#\[cfg(release_${version/./_})\]" core/src/inline | sed -nE 's/^pub .*fn (\w+)\(.*/    \1;/p' | sort
}
if $setting; then
    says Cargo.toml "$full" '^version = "(.*)"'
    for map in src/liburing.map src/liburing-ffi.map; do
        last=$(sed -nE 's/^(LIBURING_.*) \{/\1/p' "$map" | tail -n 1)
        [ "$last" = "LIBURING_$version" ] && continue
        names=$(prepared "$map")
        printf 'LIBURING_%s {\n%s} %s;\n' "$version" "${names:+global:$'\n'$names$'\n'}" "$last" >>"$map"
    done
    by='liburing-rs maintainers <maintainers@liburing-rs.invalid>'
    sed -i "1i liburing-rs ($full-1) unstable; urgency=medium\n\n  * The interface of liburing $version.\n\n -- $by  $(date -R)\n" \
        packaging/debian/changelog
    sed -i "/^%changelog\$/a * $(date '+%a %b %d %Y') $by - $full-1\n- The interface of liburing $version\n" packaging/rpm/liburing-rs.spec
fi

says Cargo.toml "$version" '^description = "liburing ([0-9.]+):'
says flavours/fallback/Cargo.toml "$full" '^version = "(.*)"'
says flavours/check/Cargo.toml "$full" '^version = "(.*)"'
says core/src/abi/version.rs "${version%.*}" '_MAJOR: c_int = ([0-9]+);'
says core/src/abi/version.rs "${version#*.}" '_MINOR: c_int = ([0-9]+);'
for map in src/liburing.map src/liburing-ffi.map; do
    places=$((places + 1))
    node=$(sed -nE 's/^(LIBURING_.*) \{/\1/p' "$map" | tail -n 1)
    if [ "$node" != "LIBURING_$version" ]; then
        echo "$map ends with $node instead of LIBURING_$version"
        failures=$((failures + 1))
    fi
done

says tools/uring/Cargo.toml "$full" '^version = "(.*)"'
while read -r lock; do
    ! $setting || OLD=$old NEW=$full perl -0pi -e 's/(name = "[a-z0-9-]*uring[a-z0-9-]*"\nversion = ")\Q$ENV{OLD}\E"/$1$ENV{NEW}"/g' "$lock"
    of=$lock says <(grep -E -A 1 '^name = "liburing(-core)?"' "$lock") "$full" '^version = "(.*)"'
done < <(find . -name Cargo.lock -not -path './build/*' -not -path './target/*' -exec grep -lE '^name = "liburing(-core)?"' {} +)

says packaging/alpine/APKBUILD "$full" '^pkgver=(.*)'
says packaging/alpine/APKBUILD "$version" 'provides="liburing[a-z-]*=(.*)"'
says packaging/debian/control "$version" '^ liburing[a-z-]* \(= ([0-9.]+)\)' 'liburing up to ([0-9.]+) '
says packaging/debian/rules "$version" 'lib\.so\.([0-9]+\.[0-9]+) ' "liburing2 \\(>= ([0-9.]+)\\)"
of=packaging/debian/changelog says <(head -n 1 packaging/debian/changelog) "$full" '\((.*)-[0-9]+\)'
says packaging/rpm/liburing-rs.spec "$full" '^Version: +(.*)'
says packaging/rpm/liburing-rs.spec "$version" '^Provides: +liburing.* = ([0-9.]+)'
of=packaging/rpm/liburing-rs.spec says <(grep -m 1 '^\*' packaging/rpm/liburing-rs.spec) "$full" ' - (.*)-[0-9]+$'

says README.md "$version" '^liburing ([0-9.]+), the C library' 'find_package\(liburing ([0-9.]+)'
says examples/cmake/CMakeLists.txt "$version" 'find_package\(liburing ([0-9.]+)'
says examples/meson/meson.build "$version" "'liburing.*version: '>=([0-9.]+)'"
says tools/man/src/site.rs "$version" 'os=liburing ([0-9.]+)"'

[ $failures -eq 0 ] || exit 1
echo "$places places have version $version"
