#!/usr/bin/env bash
# Print the names of the source's files, or copy them. A copy of the tree takes them from here, so that it cannot lack a folder.
#
# usage: source-files.sh [PATH...]        below PATH, one name a line
#        source-files.sh -c DIR [PATH...] copied to DIR, which exists
#
# In a clone these are the files that git knows, without those deleted. An unpacked archive has no git; there they are
# all files except what the build makes.
set -euo pipefail
export LC_ALL=C

into=
if [ "${1:-}" = -c ]; then
    into=$(realpath "$2")
    shift 2
fi
cd "$(dirname "$0")/.."

if [ "$(git rev-parse --show-toplevel 2>/dev/null)" = "$PWD" ]; then
    files=$(git ls-files -- "$@" | while IFS= read -r file; do [ ! -f "$file" ] || echo "$file"; done)
else
    files=$(find "${@:-.}" \( -path ./.git -o -path ./build -o -path ./target -o -path ./vendor -o -path ./config.mk \
        -o -name __pycache__ \) -prune -o -type f -print | sed 's|^\./||' | sort)
fi
if [ -n "$into" ]; then
    tar --create --files-from=- <<<"$files" | tar --extract --directory "$into"
else
    echo "$files"
fi
