#!/usr/bin/env bash
# Check make targets and links in the documents against the source.
#
# usage: check-docs.sh
set -euo pipefail
export LC_ALL=C

failures=0
wrong() {
    echo "$*"
    failures=$((failures + 1))
}

documents=$(build-aux/source-files.sh | grep '\.md$')
help=$("${MAKE:-make}" -s --no-print-directory help)
targets=$(sed -nE 's/^make ([a-z0-9-]+).*/\1/p' <<<"$help" | sort -u)

for target in $targets; do
    grep -qE "\`make ${target}[ \`]" CONTRIBUTING.md || wrong "CONTRIBUTING.md does not describe make $target"
done

# Every target of a rule, also one without a line in the help.
mapfile -t makefiles < <("${MAKE:-make}" -s --no-print-directory print-TOPICS | tr ' ' '\n')
known=$(cat Makefile "${makefiles[@]}" | sed -nE 's/^\.PHONY: *(.*)/\1/p; s/^([a-z][a-z0-9-]*):.*/\1/p' | tr ' ' '\n' | sort -u)
named=0
for document in $documents; do
    [ -f "$document" ] || continue
    while read -r target; do
        named=$((named + 1))
        grep -qxF "$target" <<<"$known" || wrong "$document names make $target, which does not exist"
    done < <(grep -oE '(`|^)make [a-z][a-z0-9-]*' "$document" | sed 's/.*make //' | sort -u)

    while read -r link; do
        case $link in
        *://* | '#'* | mailto:*) continue ;;
        esac
        [ -e "$(dirname "$document")/${link%%#*}" ] || wrong "$document links to $link, which does not exist"
    done < <(grep -oE '\]\([^)]+\)' "$document" | sed 's/^](//; s/)$//')
done

# The program that README shows is the example.
diff <(sed -n '/^```c$/,/^```$/{/^```/d;p}' README.md) examples/first.c >/dev/null || wrong "README.md does not show examples/first.c"

echo "$(wc -w <<<"$targets") make targets are described, $named mentions and all links hold"
[ "$failures" -eq 0 ]
