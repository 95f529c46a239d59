#!/usr/bin/env bash
# Compare the binary interface with Debian's and upstream's libraries through abidiff (libabigail).
#
# usage: check-abidiff.sh BUILD_DIR DEBUG_BUILD_DIR INCLUDE_DIR
#   symbols     each of Debian's liburing2 that can be had: no symbol of it may be missing here
#   functions   upstream's library with debug information and ours: the parameters of every exported function. Rust has
#               other names for C's integers; a difference beyond that fails, and the accepted ones are counted and shown
#   headers     the type of every function that the headers offer, inline ones too, as a compiler sees it in upstream's
#               headers and in ours: no difference at all
set -euo pipefail
export LC_ALL=C

build=$1 debug=$2 include=$3
command -v abidiff >/dev/null || { echo "SKIP: abidiff is not here (Debian package abigail-tools)"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

report() { # title; reads abidiff's output
    echo "$1"
    sed 's/^/    /'
}

# Bit 4 (of value) says that something changed, bit 8 that the change is incompatible; 1 and 2 are errors of use.
run_abidiff() { # output file, argument...
    local output=$1 status=0
    shift
    abidiff "$@" >"$output" 2>&1 || status=$?
    if [ $((status & 3)) -ne 0 ]; then
        report "abidiff failed: $*" <"$output"
        exit 1
    fi
    echo "$status"
}

# --- symbols
compared=0
compare_symbols() { # which, library, ours
    local status
    status=$(run_abidiff "$work/out" "$2" "$3")
    if [ $((status & 8)) -ne 0 ] || ! grep -q '^Functions changes summary: 0 Removed' "$work/out" &&
        ! grep -q '^Function symbols changes summary: 0 Removed' "$work/out" && [ -s "$work/out" ]; then
        report "$1 against ours: an incompatible change" <"$work/out"
        failures=$((failures + 1))
    else
        echo "$1: nothing of it is missing; $(grep -cE '^ *\[A\]|^  [a-z_]+@@' "$work/out" || true) symbols more"
    fi
    compared=$((compared + 1))
}

for library in liburing liburing-ffi; do
    ours=$(echo "$build/$library".so.*.*)
    for theirs in /usr/lib/*/"$library".so.2.*; do
        [ -e "$theirs" ] || continue
        compare_symbols "this machine's $theirs" "$theirs" "$ours"
    done
done
status=0
debian=$(scripts/fetch-upstream.sh deb liburing2) || status=$?
if [ "$status" -eq 0 ]; then
    for library in liburing liburing-ffi; do
        compare_symbols "Debian's $library in liburing2 $(cat "$debian/.liburing2")" \
            "$(echo "$debian"/usr/lib/*/"$library".so.2.*)" "$(echo "$build/$library".so.*.*)"
    done
fi

# --- functions
status=0
upstream=$(scripts/fetch-upstream.sh build-debug) || status=$?
if [ "$status" -ne 0 ]; then
    [ "$compared" -gt 0 ] || exit 77
    echo "$compared libraries compared, upstream's not; $failures with incompatible changes"
    [ "$failures" -eq 0 ]
    exit
fi

cat >"$work/judge.py" <<'P'
import collections, re, sys

SAME = {"int": "i32", "unsigned int": "u32", "long int": "i64", "unsigned long int": "u64", "unsigned short int": "u16",
        "short int": "i16", "unsigned char": "u8", "char": "i8", "long long int": "i64",
        "unsigned long long int": "u64", "_Bool": "bool", "ssize_t": "isize", "size_t": "usize"}
FRAME = re.compile(r"^\s*($|\d+ functions? with some|\[C\] 'function |'function .* now becomes|return type changed:|"
                   r"parameter \d+ of type '.*' (changed|has sub-type changes)|in pointed to type|in unqualified|"
                   r"underlying type|type size hasn't changed|Functions changes summary: 0 Removed, \d+ Changed.*, 0 Added|"
                   r"Variables changes summary: 0 Removed, 0 Changed, 0 Added)")
names = re.compile(r"type name changed from '(.*)' to '(.*)'$")
entity = re.compile(r"entity changed from '(?:typedef|struct|union|const)? ?(.*)' to compatible type '(?:struct|union)? ?(?:\w+::)*(\w+)'")

accepted, refused = collections.Counter(), []
for line in open(sys.argv[1]):
    line = line.rstrip()
    if m := names.search(line):
        old, new = m.group(1), m.group(2)
        if SAME.get(old.rstrip("* "), old.rstrip("* ")) == new.split("::")[-1].rstrip("* "):
            accepted[f"{old} is called {new}"] += 1
            continue
    elif m := entity.search(line):
        if m.group(1) == m.group(2):
            accepted[f"{m.group(1)} is a struct without a typedef"] += 1
            continue
    elif FRAME.match(line):
        continue
    refused.append(line)
for what, count in accepted.most_common():
    print(f"    {count:4} times: {what}")
if refused:
    print("    differences beyond names:")
    print("\n".join("      " + line for line in refused))
    sys.exit(1)
P
for library in liburing liburing-ffi; do
    ours=$(echo "$debug/$library".so.*.*) theirs=$(echo "$upstream/lib/$library".so.*.*)
    if ! grep -q '\.debug_info' <<<"$(readelf -SW "$ours")"; then
        echo "$ours has no debug information"
        exit 1
    fi
    run_abidiff "$work/out" "$theirs" "$ours" >/dev/null
    echo "upstream's $library, function by function; what differs is the name of a type alone:"
    if ! python3 "$work/judge.py" "$work/out"; then
        failures=$((failures + 1))
    fi
    compared=$((compared + 1))
done

# --- headers
names=$(nm -D --defined-only --without-symbol-versions "$upstream"/lib/liburing.so.2 "$upstream"/lib/liburing-ffi.so.2 |
    awk '$2 == "T" { print $3 }' | sort -u)
{
    echo '#include <liburing.h>'
    echo '#include <liburing/io_uring/query.h>'
    echo '#include <liburing/io_uring/bpf_filter.h>'
    for name in $names; do
        echo "__typeof__(&$name) type_of_$name;"
    done
} >"$work/types.c"
for side in upstream ours; do
    directory=$include
    [ "$side" = ours ] || directory=$upstream/include
    gcc -std=gnu11 -g -O0 -w -D_GNU_SOURCE -fPIC -shared -nostdlib -isystem "$directory" "$work/types.c" \
        -o "$work/types-$side.so" || { echo "the headers in $directory do not offer every function"; exit 1; }
done
status=$(run_abidiff "$work/out" "$work/types-upstream.so" "$work/types-ours.so")
if [ "$status" -ne 0 ]; then
    report "the headers' types differ" <"$work/out"
    failures=$((failures + 1))
fi
compared=$((compared + 1))
echo "headers: the types of $(wc -w <<<"$names") functions, $([ "$status" -eq 0 ] && echo "no difference" || echo "see above")"

echo "$compared comparisons, $failures with incompatible changes"
[ "$failures" -eq 0 ]
