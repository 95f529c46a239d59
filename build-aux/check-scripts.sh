#!/usr/bin/env bash
# Check the shell and Python scripts of the source.
#
# usage: check-scripts.sh
set -euo pipefail

files=$(build-aux/source-files.sh)

mapfile -t shell < <(while IFS= read -r file; do
    if [ -f "$file" ] && [ -n "$(sed -nE '1{/^#!.*\b(ba)?sh\b/p;q}' "$file")" ]; then echo "$file"; fi
done <<<"$files" 2>/dev/null)
mapfile -t python < <(grep '\.py$' <<<"$files" || true)
mapfile -t makefiles < <(grep -E '(^|/)Makefile$|\.mk$' <<<"$files")

for file in "${shell[@]}"; do
    bash -n "$file"
done
# Parsed with every warning an error; then checked for undefined and unused names.
[ ${#python[@]} -eq 0 ] || "${PYTHON:-python3}" -W error - "${python[@]}" <<'P'
import sys
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        compile(file.read(), path, "exec")
P
if [ ${#python[@]} -gt 0 ]; then
    if command -v pyflakes3 >/dev/null; then
        pyflakes3 "${python[@]}"
    else
        echo "SKIP: pyflakes3 is not here; the Python scripts were only compiled"
    fi
fi

# grep -q exits at the first match. The program that writes to it may then die of SIGPIPE, and pipefail counts that as a
# failure.
if grep -nE '[^|]\| *grep( +-[^ ]+)* +(-[a-zA-Z]*q|--quiet|--silent)' "${shell[@]}" "${makefiles[@]}"; then
    echo "a pipe must not end in grep -q: give it the text with <<<" >&2
    exit 1
fi

if command -v shellcheck >/dev/null; then
    shellcheck -x -S warning "${shell[@]}"
else
    echo "SKIP: shellcheck is not here; the shell scripts were only parsed"
fi
echo "${#shell[@]} shell and ${#python[@]} Python scripts are fine"
