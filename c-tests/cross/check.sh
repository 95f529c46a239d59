#!/usr/bin/env bash
# Build the libraries for the architectures of architectures.txt and check them as check-elf does. Compare the layouts
# of the headers' structures with those of upstream's headers, by the same compiler.
#
# usage: check.sh WORK [ARCHITECTURE...]
# environment: MAKE, CARGO; UPSTREAM_INCLUDE (upstream's installed headers, empty if they cannot be had; unset where
# layouts are not to be compared)
#
# An architecture without a compiler or core library here is skipped and named.
set -euo pipefail
export LC_ALL=C
unset MAKEFLAGS MFLAGS MAKELEVEL O
. c-tests/cross/toolchain.sh

work=$1
shift
mkdir -p "$work"
wanted=" $* "
layouts_wanted=${UPSTREAM_INCLUDE+1}
: "${MAKE:=make}" "${UPSTREAM_INCLUDE:=}"
here=c-tests/cross
facts=$(python3 "$here/layout_facts.py" c-tests/abi/layouts.txt)
compared=$(grep -c '^char fact_' <<<"$facts")

built=() tried=() failed=() skipped=()
skip() { # architecture reason
    echo "SKIP: $1: $2"
    skipped+=("$1")
}

# The name of every fact with its value, given as the size of a variable.
layouts() { # compiler include
    "$1gcc" -w -O0 -c -x c -I"$2" -o "$work/facts.o" - <<<"$facts" &&
        "$1nm" -S "$work/facts.o" | awk '$4 ~ /^fact_/ { print $4, $2 }' | sort
}

build() { # architecture
    local directory=$work/$1
    mkdir -p "$directory"
    "$MAKE" -s O="$directory" CROSS_COMPILE="$prefix" CARGO_BUILD_TARGET="$target" CARGO="$rust_cargo" ENABLE_2019=0 \
        check-elf-installed
}

while read -r name _; do
    case $name in '#'* | '') continue ;; esac
    [ "$wanted" = '  ' ] || [[ $wanted == *" $name "* ]] || continue
    take_toolchain "$name" || { skip "$name" "$reason"; continue; }
    status=0
    build "$name" >"$work/log" 2>&1 || status=$?
    if [ "$status" -ne 0 ]; then
        tail -n 12 "$work/log" | sed 's/^/    /'
        if [ "$kind" = tries ]; then
            echo "SKIP: $name: does not build, see above"
            tried+=("$name")
        else
            echo "FAIL: $name"
            failed+=("$name")
        fi
        continue
    fi
    note="check-elf ok"
    if [ -n "$UPSTREAM_INCLUDE" ]; then
        layouts "$prefix" include >"$work/ours"
        layouts "$prefix" "$UPSTREAM_INCLUDE" >"$work/theirs"
        if [ "$(wc -l <"$work/ours")" -ne "$compared" ] || ! diff "$work/ours" "$work/theirs"; then
            echo "FAIL: $name: layouts differ from upstream's"
            failed+=("$name")
            continue
        fi
        note+=", $compared layout facts equal upstream's"
    fi
    echo "$name: $(grep -o '^liburing.so.*functions' "$work/log"), $note"
    built+=("$name")
done <"$here/architectures.txt"

[ -z "$layouts_wanted" ] || [ -n "$UPSTREAM_INCLUDE" ] || echo "SKIP: layouts: upstream's headers cannot be had"
[ ${#failed[@]} -eq 0 ] || { echo "failed: ${failed[*]}"; exit 1; }
[ ${#built[@]} -gt 0 ] || exit 77
echo "${#built[@]} architectures built: ${built[*]}; not built: ${tried[*]:-none}; skipped: ${skipped[*]:-none}"
