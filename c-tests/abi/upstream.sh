#!/usr/bin/env bash
# Compare an installation with upstream's: the functions in the archives, and the names that <liburing.h> takes from
# programs.
#
# usage: upstream.sh INCLUDE_DIR LIBRARY_DIR
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
include=$1 libdir=$2
upstream=$("$here/../../build-aux/fetch-upstream.sh" build 2>&1) || {
    echo "$upstream" | tail -n 1
    exit 77
}
upstream=${upstream##*$'\n'}
status=0

# Upstream's archives also hold three helpers of its own, __uring_*, which no header declares.
functions() { # archive
    nm -g --defined-only "$1" | awk 'NF == 3 && $3 !~ /^__uring_/ { print $3 }' | sort
}

for archive in liburing.a liburing-ffi.a; do
    theirs=$(functions "$upstream/lib/$archive")
    missing=$(comm -23 <(echo "$theirs") <(functions "$libdir/$archive"))
    extra=$(comm -13 <(echo "$theirs") <(functions "$libdir/$archive"))
    if [ -n "$missing$extra" ]; then
        printf '%s: %s\n' "$archive: missing" "${missing//$'\n'/ }" "$archive: extra" "${extra//$'\n'/ }"
        status=1
    fi
    echo "$archive: $(wc -l <<<"$theirs") functions in upstream's"
done

"${PYTHON:-python3}" "$here/names.py" "$include" "$upstream/include" || status=1
exit $status
