#!/usr/bin/env bash
# Run other people's programs on the check library. They must do the same as on Debian's, and get no report.
#
# usage: consumers.sh [NAME...]    names of scripts in c-tests/consumers, without .sh; all of them by default
# environment: LIBURING_LIBDIR     the folder of the check library
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
reports=$(mktemp -d)
trap 'rm -rf "$reports"' EXIT
# Servers write there as users of their own.
chmod 777 "$reports"
(umask 0 && : >"$reports/log")

# run WORDS NAME...: with these words in LIBURING_CHECK. In proxy mode each ring must have a proxy: that it has none is a line.
run() {
    local words=$1 status=0 requests
    shift
    : >"$reports/log"
    CONSUMERS_SIDES='debian preloaded' LIBURING_CHECK=${words}summary,log=$reports/log "$here/../../../c-tests/consumers/run.sh" "$@" || status=$?
    [ "$status" = 0 ] || exit "$status"
    requests=$(sed -nE 's/^liburing-check: ring -?[0-9]+: ([0-9]+) requests.*/\1/p' "$reports/log" | awk '{ n += $1 } END { print n + 0 }')
    [ "$requests" -gt 1000 ] || { echo "check-check-consumers: FAIL: only $requests requests were looked at" >&2 && exit 1; }
    if grep -Ev '^liburing-check: ring -?[0-9]+: ' "$reports/log"; then
        echo "check-check-consumers: FAIL: reports" >&2
        exit 1
    fi
    echo "${words:+${words%,}: }$requests requests were looked at, no report"
}

run "" "$@"
# Rings in memory of the program's own, as PostgreSQL's, are only watched. pgagroal is not tried in proxy mode.
names=()
for name in "${@:-qemu mariadb samba plocate bfs mpd}"; do
    case $name in
    postgres | pgagroal) ;;
    *) names+=("$name") ;;
    esac
done
# shellcheck disable=SC2068 # names are words
[ ${#names[@]} = 0 ] || run proxy, ${names[@]}
