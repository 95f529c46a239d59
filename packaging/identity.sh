#!/usr/bin/env bash
# Put a distributor's name, address and home page into the recipes, in place of those that lead nowhere.
#
# usage: identity.sh 'NAME <ADDRESS>' URL [DIRECTORY]     (DIRECTORY: the recipes, this one by default)
set -euo pipefail
export LC_ALL=C

[ $# -ge 2 ] || { sed -n '4s/^# //p' "$0" >&2; exit 2; }
who=$1 url=${2%/}
cd "${3:-$(dirname "$0")}"

quoted() { printf '%s' "$1" | sed 's/[&|\\]/\\&/g'; }
mapfile -t recipes < <(grep -rlF liburing-rs.invalid debian rpm alpine)
sed -i -e "s|liburing-rs maintainers <maintainers@liburing-rs\.invalid>|$(quoted "$who")|g" \
    -e "s|https://liburing-rs\.invalid|$(quoted "$url")|g" "${recipes[@]}"
echo "changed: ${recipes[*]}"
