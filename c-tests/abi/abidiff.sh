#!/usr/bin/env bash
# Compare the binary interface with Debian's and upstream's libraries through abidiff (libabigail).
#
# usage: check-abidiff.sh BUILD_DIR DEBUG_BUILD_DIR INCLUDE_DIR
#   symbols     each of Debian's liburing2 that can be fetched: none of its symbols may be missing here
#   functions   upstream's library with debug information and ours: parameters and return type of every exported function.
#               Rust has other names for C's types; a difference beyond the names fails. The next part compares the types
#               that pointers lead to, as C sees them
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
    if [ $((status & 8)) -ne 0 ] || grep -qE 'summary: [1-9][0-9]* Removed' "$work/out"; then
        report "$1 against ours: an incompatible change" <"$work/out"
        failures=$((failures + 1))
    else
        echo "$1: none of its symbols is missing; $(grep -cE '^ *\[A\]|^  [a-z_]+@@' "$work/out" || true) symbols more"
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
debian=$(build-aux/fetch-upstream.sh deb liburing2) || status=$?
if [ "$status" -eq 0 ]; then
    for library in liburing liburing-ffi; do
        compare_symbols "Debian's $library in liburing2 $(cat "$debian/.liburing2")" \
            "$(echo "$debian"/usr/lib/*/"$library".so.2.*)" "$(echo "$build/$library".so.*.*)"
    done
fi

# --- functions
status=0
upstream=$(build-aux/fetch-upstream.sh build-debug) || status=$?
if [ "$status" -ne 0 ]; then
    [ "$compared" -gt 0 ] || exit 77
    echo "$compared libraries compared, upstream's not; $failures with incompatible changes"
    [ "$failures" -eq 0 ]
    exit
fi

cat >"$work/judge.py" <<'P'
"""Reads abidiff's report and compares the two signatures of each function in it, by the names that C and Rust use."""
import re, sys

RUST = {"int": "i32", "unsigned int": "u32", "long int": "i64", "unsigned long int": "u64", "short int": "i16",
        "unsigned short int": "u16", "unsigned char": "u8", "char": "i8", "long long int": "i64",
        "unsigned long long int": "u64", "void": "c_void", "_Bool": "bool",
        "__u8": "u8", "__u16": "u16", "__u32": "u32", "__u64": "u64", "__s32": "i32", "__s64": "i64",
        "uint8_t": "u8", "uint16_t": "u16", "uint32_t": "u32", "uint64_t": "u64", "int64_t": "i64",
        "size_t": "usize", "ssize_t": "isize", "off_t": "i64", "loff_t": "i64", "__off64_t": "i64", "mode_t": "u32",
        "socklen_t": "u32", "idtype_t": "u32", "id_t": "u32"}

def normal(name):
    """`const iovec*` and `liburing::abi::types::iovec*` are one type; a Rust pointer does not say const to a debugger."""
    name = re.sub(r"\b(const|struct|union|volatile|restrict)\b", "", name).strip()
    pointers = len(re.findall(r"\*|\[\]", name))
    base = re.sub(r"[*\s]*(\[\])?$", "", name).strip().split("::")[-1]
    return RUST.get(base, base) + "*" * pointers

def signature(text):
    result, name, parameters = re.match(r"(.*?[ *])([\w:]+)\((.*)\)", text).groups()
    return normal(result), [normal(p) for p in parameters.split(", ") if p]

same, refused, called = 0, [], set()
report = open(sys.argv[1]).read()
for summary in re.findall(r".*summary: .*", report):
    if re.search(r"[1-9]\d* Removed", summary):
        refused.append(summary)
for old, new in re.findall(r"'function (.*?)(?: \{.*?\})?' now becomes 'function (.*?)(?: \{.*?\})?'", report):
    before, after = signature(old), signature(new)
    # A unit return is void.
    if before == after or (before[0] == "c_void" and after[0] in ("()", "c_void") and before[1] == after[1]):
        same += 1
    else:
        refused.append(f"{old}\n        became {new}")
shown = len(re.findall(r"^ *\[C\] 'function", report, re.M))
differ = sum("became" in r for r in refused)
if shown != same + differ:
    refused.append(f"abidiff lists {shown} changed functions, but the signatures of {same + differ}")
print(f"    {same} functions differ in the names of types alone, {differ} in more")
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
    run_abidiff "$work/out" --harmless --redundant "$theirs" "$ours" >/dev/null
    echo "upstream's $library, function by function:"
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
