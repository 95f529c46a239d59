#!/usr/bin/env bash
# Compare the C interface of an installation with the recorded one, in both directions.
#
# usage: check.sh INCLUDE_DIR LIBRARY_DIR [PART...]
#
# Parts: layouts constants functions symbols-liburing symbols-liburing-ffi; all of them by default. If a part cannot run
# here, it prints "SKIP: reason" and goes on.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
include=$1 libdir=$2
shift 2
[ $# -gt 0 ] || set -- layouts constants functions symbols-liburing symbols-liburing-ffi
python=${PYTHON:-python3}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The headers may define names beyond the interface, if these start with an underscore.
without_private() {
    case $1 in
    layouts) sed '/^struct _/d' ;;
    constants) sed '/^_/d' ;;
    functions) sed -E '/^inline [^(]*[ *]_\w+ \(/d' ;;
    *) cat ;;
    esac
}

status=0 compared=()
for part in "$@"; do
    case $part in
    symbols-*) set -- symbols "$libdir/${part#symbols-}.so" ;;
    *) set -- "$part" "$include" ;;
    esac
    if [ "$part" = layouts ] && ! "$python" -c 'import elftools' 2>/dev/null; then
        echo "SKIP: layouts need pyelftools (Debian package python3-pyelftools)"
        continue
    fi
    "$python" "$here/extract.py" "$@" >"$work/is"
    sort "$work/is" >"$work/is.sorted"
    sort "$here/$part.txt" >"$work/expected"
    comm -23 "$work/expected" "$work/is.sorted" | sed "s/^/$part: missing: /" >"$work/difference"
    comm -13 "$work/expected" "$work/is.sorted" | without_private "$part" | sed "s/^/$part: extra: /" >>"$work/difference"
    if [ -s "$work/difference" ]; then
        cat "$work/difference"
        status=1
    fi
    compared+=("$(wc -l <"$work/expected") $part")
done

[ ${#compared[@]} -gt 0 ] || exit 77
[ $status -eq 0 ] || exit 1
printf -v list '%s, ' "${compared[@]}"
echo "the same: ${list%, }"
