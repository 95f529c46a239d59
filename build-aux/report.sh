#!/usr/bin/env bash
# The sizes and symbols of the libraries, for the release notes, as Markdown; beside upstream's if that is available.
#
# usage: report.sh BUILD VERSION [UPSTREAM_PREFIX]
# environment: READELF STRIP
set -euo pipefail
export LC_ALL=C

build=$1 version=$2 upstream=${3:-}
: "${READELF:=readelf}" "${STRIP:=strip}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

number() { sed -E ':a; s/^([0-9]+)([0-9]{3})/\1,\2/; ta' <<<"$1"; }

stripped() { # library
    "$STRIP" -o "$work/stripped" "$1"
    stat -c %s "$work/stripped"
}
text() { size "$1" | awk 'NR > 1 { text += $1 } END { print text }'; }
data() { size "$1" | awk 'NR > 1 { data += $2 + $3 } END { print data }'; }
relocations() { "$READELF" -Wr "$1" | grep -c '^[0-9a-f]\{12,\}' || true; }
needed() { "$READELF" -Wd "$1" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | tr '\n' ' '; }
# "symbol version" of each symbol that it defines.
symbols() {
    "$READELF" -W --dyn-syms "$1" | awk '$1 ~ /^[0-9]+:$/ && $4 == "FUNC" && $7 != "UND" { sub(/@+/, " ", $8); print $8 }' | sort
}

column() { # measure, library
    [ -e "$2" ] || { echo; return; }
    number "$("$1" "$2")"
}
row() { # title, measure
    printf '| %s |' "$1"
    for library in "${libraries[@]}"; do
        printf ' %s |' "$(column "$2" "$library")"
    done
    echo
}
count() { symbols "$1" | wc -l; }
needs() { local found; found=$(needed "$1"); echo "${found:-nothing}"; }

libraries=("$build/liburing.so.$version" "$build/liburing-ffi.so.$version")
titles=("liburing.so" "liburing-ffi.so")
if [ -n "$upstream" ]; then
    libraries+=("$upstream"/lib/liburing.so.2.?* "$upstream"/lib/liburing-ffi.so.2.?*)
    titles+=("upstream's liburing.so" "upstream's liburing-ffi.so")
fi

echo "## Sizes and symbols, $(uname -m)"
echo
printf '| |'
printf ' %s |' "${titles[@]}"
printf '\n| --- |'
printf ' ---: |%.0s' "${titles[@]}"
echo
row 'bytes, stripped' stripped
row 'bytes of text' text
row 'bytes of data' data
row relocations relocations
row 'exported functions' count
printf '| needs |'
for library in "${libraries[@]}"; do printf ' %s |' "$(needs "$library")"; done
echo
echo

for name in liburing liburing-ffi; do
    echo "### $name.so.$version, functions by version"
    echo
    symbols "$build/$name.so.$version" | awk '{ count[$2]++ } END { for (node in count) print node, count[node] }' |
        sort -V | sed -E 's/^(.*) (.*)$/* \1: \2/'
    echo
done

if [ -n "$upstream" ]; then
    for name in liburing liburing-ffi; do
        symbols "$build/$name.so.$version" >"$work/ours"
        symbols "$(echo "$upstream/lib/$name".so.2.?*)" >"$work/theirs"
        echo "$name: $(comm -12 "$work/ours" "$work/theirs" | wc -l) functions with the same version in both," \
            "$(comm -23 "$work/ours" "$work/theirs" | wc -l) only here, $(comm -13 "$work/ours" "$work/theirs" | wc -l) only upstream"
    done
fi
