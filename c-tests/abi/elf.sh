#!/usr/bin/env bash
# Check the libraries as the dynamic linker and a distributor's checker do. Name every violation.
#
# usage: elf.sh shared LIBRARY SONAME
#        elf.sh static ARCHIVE SHARED_LIBRARY...    (those whose functions it offers)
# environment: READELF NM STRIP OBJCOPY ALLOWED_UNDEFINED (libc's functions, where the architecture's
#              system calls go through it); ALLOWED_WEAK (malloc free, and musl's __libc_malloc_impl);
#              ALLOWED_TLS (bytes, 0); ARCHIVE_ONLY (functions that only the archive has)
set -euo pipefail
export LC_ALL=C

kind=$1 file=$2
ALLOWED_WEAK=${ALLOWED_WEAK:-malloc free __libc_malloc_impl}
: "${READELF:=readelf}" "${NM:=nm}" "${STRIP:=strip}" "${ALLOWED_UNDEFINED:=}" "${ALLOWED_TLS:=0}" "${ARCHIVE_ONLY:=}"
name=$(basename "$file")
violations=0

violation() {
    echo "$name: $*"
    violations=$((violations + 1))
}

# The only undefined symbols may be weak references to a few functions of libc.
allowed_undefined() { # binding name
    [ "$1" != WEAK ] || [[ " $ALLOWED_WEAK " != *" $2 "* ]] || return 0
    [[ " $ALLOWED_UNDEFINED " == *" $2 "* ]]
}

no_runtime_symbols() {
    local found
    found=$("$NM" "$file" 2>/dev/null | grep -oE 'rust_eh_personality|_Unwind_[A-Za-z]+|liburing_panic_reachable|__rust_[a-z_]+' |
        sort -u || true)
    [ -z "$found" ] || violation "holds symbols of a panic or an unwinder:" $found
}

# On x86-64 the compiler clears and copies in place, in registers. A call instead is slower than the measured path.
no_memory_calls() {
    local found
    grep -q 'Machine:.*X86-64' <<<"$("$READELF" -h "$file")" || return 0
    found=$("$NM" "$file" 2>/dev/null | grep -oE ' mem(set|cpy|move)$' || true)
    [ -z "$found" ] || violation "calls its own" $found
}

# No path of the build directory, so two builds are equal.
no_build_path() {
    local paths
    paths=$(grep -aoE "($(pwd)|${CARGO_HOME:-$HOME/.cargo})/[[:graph:]]*" "$file" | sort -u | head -n 3 || true)
    [ -z "$paths" ] || violation "holds paths of the build:" $paths
}

check_shared() { # soname
    local dynamic segments local_storage sections symbols binding symbol shape index
    dynamic=$("$READELF" -Wd "$file")
    segments=$("$READELF" -Wl "$file")
    sections=$("$READELF" -WS "$file")

    grep -q "SONAME.*\[$1\]" <<<"$dynamic" || violation "soname is not $1"
    [ -n "$ALLOWED_UNDEFINED" ] || ! grep -q NEEDED <<<"$dynamic" || violation "needs other libraries: $(grep NEEDED <<<"$dynamic")"
    grep -q 'BIND_NOW' <<<"$dynamic" || violation "BIND_NOW is missing"
    ! grep -q TEXTREL <<<"$dynamic" || violation "has text relocations"
    ! grep -qE 'RPATH|RUNPATH' <<<"$dynamic" || violation "has a run path"
    ! grep -qE '\((INIT|FINI|INIT_ARRAY|FINI_ARRAY)\)' <<<"$dynamic" || violation "runs code when it is loaded"
    # GNU ld has no RELRO for MIPS.
    grep -q GNU_RELRO <<<"$segments" || grep -q 'Machine: *MIPS' <<<"$("$READELF" -h "$file")" || violation "RELRO is missing"
    grep -q GNU_STACK <<<"$segments" || violation "GNU_STACK is missing"
    ! grep -qE 'GNU_STACK.*RWE' <<<"$segments" || violation "asks for an executable stack"
    ! grep -qE 'LOAD.*RWE' <<<"$segments" || violation "has a segment to write and execute"
    # Type Offset VirtAddr PhysAddr FileSiz MemSiz
    local_storage=$(awk '$1 == "TLS" { print $6 }' <<<"$segments")
    ((${local_storage:-0} <= ALLOWED_TLS)) || violation "has thread-local storage"
    # ARM has another kind of tables, which name functions of the unwinder.
    grep -q ' \.eh_frame ' <<<"$sections" || grep -q 'Machine: *ARM$' <<<"$("$READELF" -h "$file")" || violation ".eh_frame is missing"
    ! grep -q '\.gcc_except_table' <<<"$sections" || violation "has exception tables"

    # Number Value Size Type Bind Visibility Index Name
    symbols=0
    while read -r shape binding index symbol; do
        case $index in
        UND) allowed_undefined "$binding" "${symbol%%@*}" || violation "leaves $symbol undefined ($binding)" ;;
        ABS) ;;
        *)
            symbols=$((symbols + 1))
            [[ $symbol == *@@LIBURING_* ]] || violation "$symbol has no version"
            [ "$binding $shape" = "GLOBAL FUNC" ] || violation "$symbol is $binding $shape, not a global function"
            ;;
        esac
    done < <("$READELF" -W --dyn-syms "$file" | sed 's/\[<localentry>[^]]*\]//' | awk '$1 ~ /^[0-9]+:$/ && NF >= 8 && $4 != "SECTION" { print $4, $5, $7, $8 }')
    [ "$symbols" -gt 0 ] || violation "exports nothing"

    no_runtime_symbols
    no_memory_calls
    no_build_path

    local stripped bytes
    stripped=$(mktemp)
    "$STRIP" -o "$stripped" "$file"
    bytes=$(stat -c %s "$stripped")
    rm -f "$stripped"
    echo "$name: $symbols functions, $bytes bytes stripped, $(size_of "$file") bytes of text," \
        "$("$READELF" -Wr "$file" | grep -c '^[0-9a-f]\{8,\}' || true) relocations"
}

size_of() { size "$1" | awk 'NR > 1 { text += $1 } END { print text }'; }

check_static() { # shared library...
    local binding symbol library expected found sections local_storage
    while read -r binding symbol; do
        case $binding in
        w | v) binding=WEAK ;;
        *) binding=GLOBAL ;;
        esac
        allowed_undefined "$binding" "$symbol" || violation "leaves $symbol undefined ($binding)"
    done < <("$NM" -u "$file" | awk 'NF == 2')

    expected=$({
        for library in "$@"; do
            "$NM" -D --defined-only --without-symbol-versions "$library" | awk '$2 ~ /[TD]/ { print $3 }'
        done
        for symbol in $ARCHIVE_ONLY; do echo "$symbol"; done
    } | sort -u)
    found=$("$NM" -g --defined-only "$file" | awk 'NF == 3 { print $3 }' | sort)
    [ "$expected" = "$found" ] ||
        violation "does not define exactly the functions of the shared library and ARCHIVE_ONLY:" \
            "$(diff <(echo "$expected") <(echo "$found") | grep '^[<>]' | tr '\n' ' ')"
    [ -z "$(uniq -d <<<"$found")" ] || violation "defines twice: $(uniq -d <<<"$found")"

    sections=$("$READELF" -WS "$file" | sed -E 's/^ *\[ *[0-9]+\]//')
    ! grep -qE '\.(init_array|ctors)' <<<"$sections" || violation "has constructors"
    # Name Type Address Offset Size
    local_storage=$(awk '$1 ~ /^\.t(data|bss)/ { sizes = sizes "+0x" $5 } END { print 0 sizes }' <<<"$sections")
    ((local_storage <= ALLOWED_TLS)) || violation "has thread-local storage"
    [ "$("$READELF" -WS "$file" | grep -c 'note\.GNU-stack')" -eq "$(ar t "$file" | wc -l)" ] ||
        violation "a member lacks the mark of a non-executable stack"
    no_runtime_symbols
    no_build_path
    echo "$name: $(wc -l <<<"$found") functions in $(ar t "$file" | wc -l) members, $(size_of "$file") bytes of text"
}

case $kind in
shared) check_shared "$3" ;;
static) check_static "${@:3}" ;;
*) exit 2 ;;
esac
[ "$violations" -eq 0 ]
