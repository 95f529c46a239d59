#!/usr/bin/env bash
# Runs the consumer scripts one after the other and sums up.
#
# usage: run.sh [NAME...]       names of scripts in this folder, without .sh; all of them by default
# environment: LIBURING_LIBDIR  folder of the liburing.so.2 to test (default: build/stage/usr/lib of the project)
#              CONSUMERS_SIDES  libraries and circumstances to try (lib.sh lists them; default: debian ours)
#              CONSUMERS_REFUSE command that refuses system calls to another, for the sides refused and contained
#              CONSUMERS_TMP    folder for scratch files (default: /var/tmp)
#              CONSUMERS_KEEP   when set, a failed script leaves its scratch files
# exit status: 0 passed, 77 all skipped, 1 a script failed
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
names=("$@")
[ $# -gt 0 ] || names=(qemu mariadb samba plocate bfs mpd postgres pgagroal)

CONSUMERS_FIGURES=$(mktemp)
export CONSUMERS_FIGURES
trap 'rm -f "$CONSUMERS_FIGURES"' EXIT

passed=() failed=() skipped=()
for name in "${names[@]}"; do
    status=0
    bash "$here/$name.sh" || status=$?
    case $status in
    0) passed+=("$name") ;;
    77) skipped+=("$name") ;;
    *) failed+=("$name") ;;
    esac
done

if [ -s "$CONSUMERS_FIGURES" ]; then
    echo
    cat "$CONSUMERS_FIGURES"
fi
echo "consumers: ${#passed[@]} passed${passed[0]:+ (${passed[*]})}, ${#failed[@]} failed${failed[0]:+ (${failed[*]})}, ${#skipped[@]} skipped${skipped[0]:+ (${skipped[*]})}"
[ ${#failed[@]} -eq 0 ] || exit 1
[ ${#passed[@]} -gt 0 ] || exit 77
