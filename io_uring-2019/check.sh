#!/usr/bin/env bash
# The interface of January 2019 at work: headers, libraries, and programs of that week on today's kernel.
#
# usage: check.sh PREFIX BUILD
#   PREFIX: an installation; BUILD: a directory for programs and files
# environment: CC, DIR_2019 (where files are read and written, BUILD by default), POLLING_2019 (a preload library that
#              believes in polling queues)
set -euo pipefail
export LC_ALL=C

prefix=$(cd "$1" && pwd)
mkdir -p "$2"
build=$(cd "$2" && pwd)
: "${CC:=gcc}"
files=${DIR_2019:-$build}/files
mkdir -p "$files"
trap 'rm -rf "$files"' EXIT
export TMPDIR=$files

include=$prefix/include/liburing-0.1
library=$prefix/lib/liburing-0.1
preload=$library/liburing-0.1-preload.so
flags=(-std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -pthread)
steps=0 failures=0 skips=0

say() { echo "$*"; }
failed() {
    say "FAIL: $*"
    failures=$((failures + 1))
}
skipped() {
    say "SKIP: $*"
    skips=$((skips + 1))
}

# Cases that a passed step left out, each told once.
declare -A told
skipped_cases() { # program, log
    local reason='' line
    while IFS= read -r line; do
        case $line in
        *reason:*) reason=${line#*reason: } ;;
        'skip '*)
            [ -n "${told[$1 $line]:-}" ] || say "SKIP: $1: ${line#skip }: $reason"
            told[$1 $line]=1 reason=
            ;;
        esac
    done <"$2"
}

# A step passes, fails, or skips with 77. Its output is shown unless it passes; then the last line is.
step() { # what, command...
    local what=$1 status=0 log=$build/step.log
    shift
    steps=$((steps + 1))
    # In a process of its own, where the first command that fails ends the step.
    (
        set -e
        "$@"
    ) >"$log" 2>&1 &
    wait $! || status=$?
    case $status in
    0)
        say "ok: $what: $(tail -n 1 "$log" | cut -c 1-100)"
        skipped_cases "${what%%,*}" "$log"
        ;;
    77) skipped "$what: $(grep -m 1 'reason' "$log" || tail -n 1 "$log")" ;;
    *)
        sed 's/^/    /' "$log" | tail -n 60
        failed "$what"
        ;;
    esac
}

links() { # shared|static
    case $1 in
    shared) printf '%s\n' -L"$library" -luring -Wl,-rpath,"$library" ;;
    static) printf '%s\n' -static -L"$library" -luring ;;
    esac
}

# Builds tests/NAME.c as build/NAME-WAY.
compile() { # compiler, name, way, option...
    local compiler=$1 name=$2 way=$3 link=()
    shift 3
    case $way in
    raw) ;;
    *) mapfile -t link < <(links "${way%%-*}") && link+=(-DLINKED) ;;
    esac
    "$compiler" "${flags[@]}" -I"$include" "$@" "io_uring-2019/tests/$name.c" -o "$build/$name-$way" "${link[@]}"
}

# A program that makes its calls by number runs with the preload library, the others as they are.
run() { # name, way, argument...
    local name=$1 way=$2
    shift 2
    case $way in
    raw) LD_PRELOAD=${ALSO_PRELOAD:+$ALSO_PRELOAD:}$preload ${WRAPPER:-} "$build/$name-$way" "$@" ;;
    *) ${WRAPPER:-} "$build/$name-$way" "$@" ;;
    esac
}

head -c 20000000 /dev/urandom >"$files/random"

### Libraries and headers

elf() {
    # Eight bytes for the thread's number.
    ALLOWED_TLS=8 ALLOWED_WEAK=__errno_location c-tests/abi/elf.sh shared "$library/liburing.so.1" liburing.so.1
    ALLOWED_TLS=8 ALLOWED_WEAK=__errno_location c-tests/abi/elf.sh static "$library/liburing.a" "$library/liburing.so.1"
}

exports() { # library, map
    diff <(sed -nE 's/^ +([a-zA-Z_0-9]+);$/\1/p' "$2" | sort) \
        <(readelf -W --dyn-syms "$1" | awk '$7 != "UND" && $8 != "" && $4 == "FUNC" { sub(/@.*/, "", $8); print $8 }' | sort)
    echo "$(grep -cE '^ +[a-zA-Z_0-9]+;$' "$2") functions"
}

preload_elf() {
    local dynamic
    dynamic=$(readelf -Wd "$preload")
    grep -q BIND_NOW <<<"$dynamic"
    if grep -E 'NEEDED|TEXTREL' <<<"$dynamic"; then return 1; fi
    # No version of libc's functions in particular, and none that must be there.
    if readelf -WS "$preload" | grep gnu.version_d; then return 1; fi
    if readelf -W --dyn-syms "$preload" | awk '$7 == "UND" && $5 == "GLOBAL"' | grep .; then return 1; fi
    echo "needs nothing"
}

layouts() { # second compiler
    local compiler shape first
    for compiler in "$CC" ${1:-}; do
        "$compiler" "${flags[@]}" -I"$include" io_uring-2019/tests/layout.c -o "$build/layout"
        for shape in . split; do
            first=$([ $shape = . ] || echo -DSPLIT)
            "$compiler" "${flags[@]}" -pedantic -I"$include/$shape" -DLIBRARY $first io_uring-2019/tests/layout.c \
                -o "$build/layout" -L"$library" -luring -Wl,-rpath,"$library"
            "$build/layout"
            echo '#include <liburing.h>' | g++ -x c++ -std=c++11 -Wall -Wextra -Werror -I"$include/$shape" -fsyntax-only -
        done
    done
    echo "both shapes, every offset and constant"
}

# As README says it, for both shapes, with nothing that leads to the library but what pkg-config gives.
pkg_config() {
    local shape compile
    for shape in '' split; do
        compile=$(PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config --cflags --libs "liburing-0.1${shape:+-$shape}")
        eval "compile=($compile)"
        "$CC" -O2 -D_GNU_SOURCE ${shape:+-DSPLIT} io_uring-2019/tests/first.c -o "$build/first-pc" "${compile[@]}"
        grep 'NEEDED.*liburing\.so\.1' <<<"$(readelf -d "$build/first-pc")"
        env -u LD_LIBRARY_PATH "$build/first-pc" "$files/random"
    done
}

step "liburing.so.1 and its archive" elf
step "what liburing.so.1 exports" exports "$library/liburing.so.1" io_uring-2019/liburing-0.1.map
step "what the preload library exports" exports "$preload" io_uring-2019/preload.map
step "the preload library" preload_elf
step "headers" layouts "$(command -v clang || true)"
step "pkg-config" pkg_config

### Programs

first() { # way
    local shape link
    mapfile -t link < <(links "$1")
    for shape in '' SPLIT; do
        "$CC" "${flags[@]}" -I"$include${shape:+/split}" ${shape:+-D$shape} io_uring-2019/tests/first.c -o "$build/first$shape-$1" \
            "${link[@]}"
        run "first$shape" "$1" "$files/random"
    done
}

copy() { # way
    compile "$CC" copy "$1"
    run copy "$1" "$files/random" "$files/copy"
    cmp "$files/random" "$files/copy"
}

cases() { # name, way, compiler option...
    compile "$CC" "$@"
    run "$1" "$2"
}

reads() { # way
    local options
    compile "$CC" reads "$1"
    for options in -d8 -p -f -b -bf -pf -t -bt -pt -T -bT -fT -pT -pfT; do
        echo "reads $options"
        run reads "$1" -n 4000 -c 4 $options "$files/reads"
    done
    echo "14 modes"
}

engine() { # way
    local options
    compile "$CC" engine "$1"
    while read -r options; do
        echo "engine $options"
        # shellcheck disable=SC2086 # options are words
        run engine "$1" --rounds 3000 $options "$files/engine"
    done <<'END'

--direct
--hipri
--hipri --fixedbufs
--sqwq
--sqwq --fixedbufs
--sqthread
--sqthread --sqwq
--sqthread --sqthread-poll
--sqthread --sqthread-poll --fixedbufs --direct
--sqthread --sqthread-poll --hipri
--depth 1 --batch 1
--depth 256 --batch 64
END
    echo "13 modes"
}

for way in shared static; do
    step "the library's first program, both shapes, $way" first $way
    step "a copy through two rings, $way" copy $way
    step "the library's functions, $way" cases library $way
    step "the library's functions, first shape, $way" cases split $way -I"$include/split"
done
unloading() {
    "$CC" "${flags[@]}" -I"$include" io_uring-2019/tests/unload.c -o "$build/unload" -Wl,-rpath,"$library" -ldl
    "$build/unload"
}
step "the library is unloaded" unloading
for way in raw shared static; do
    step "requests, $way" cases requests $way
    step "set-up that fails, $way" cases setup_errors $way
    step "errors, $way" cases errors $way
    step "rings come and go, $way" cases life $way
    step "descriptors, $way" cases descriptors $way
    step "what is remembered about descriptors, $way" cases remembered $way
    step "many rings, $way" cases many $way
    step "one call at a time, $way" cases entry_lock $way
    step "handlers, $way" cases handlers $way
    step "a handler at each instruction, $way" cases steps $way
    step "a polling thread, $way" cases poller $way
    step "random reads, $way" reads $way
    step "an I/O engine, $way" engine $way
done

# Today's ring polls, and the files cannot be polled.
polling() {
    local preload
    preload=$(realpath "$POLLING_2019")
    "$build/requests-raw" direct >"$build/without.log" 2>&1 && return 1
    LD_PRELOAD=$preload "$build/requests-raw" direct
    LD_PRELOAD=$preload "$build/errors-raw" polled
    LD_PRELOAD=$preload "$build/life-raw" closing_leaves_nothing
    for options in -p -pf -pt -pT -pfT; do
        LD_PRELOAD=$preload "$build/reads-raw" -n 2000 -c 4 $options "$files/reads"
    done
    for options in --hipri '--hipri --fixedbufs' '--hipri --sqthread --sqthread-poll'; do
        # shellcheck disable=SC2086 # options are words
        LD_PRELOAD=$preload "$build/engine-raw" --rounds 1000 $options "$files/engine"
    done
}
[ -z "${POLLING_2019:-}" ] || step "polling rings on files that cannot be polled" polling

### Under tools

sanitized() { # name, way
    compile "$CC" "$1" "$2" -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all
    ALSO_PRELOAD=$([ "$2" = raw ] && "$CC" -print-file-name=libasan.so) run "$1" "$2"
}

watched() { # name, way, argument...
    compile "$CC" "$1" "$2" -g
    # In turns, or a thread that spins keeps the one that it waits for from running.
    WRAPPER="valgrind -q --error-exitcode=9 --trace-children=yes --fair-sched=yes" run "$@"
}

for name in requests setup_errors errors life descriptors entry_lock handlers poller; do
    step "$name, raw, address and undefined behaviour sanitizers" sanitized $name raw
    step "$name, shared, address and undefined behaviour sanitizers" sanitized $name shared
done
if command -v valgrind >/dev/null; then
    for way in raw shared; do
        step "requests, $way, valgrind" watched requests $way
        step "random reads by a polling thread, $way, valgrind" watched reads $way -n 1000 -c 1 -T "$files/reads"
        step "an I/O engine, $way, valgrind" watched engine $way --rounds 500 "$files/engine"
    done
else
    skipped "there is no valgrind"
fi

echo "$steps steps: $((steps - failures - skips)) passed, $failures failed, $skips skipped"
[ "$failures" -eq 0 ]
