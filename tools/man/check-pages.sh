#!/usr/bin/env bash
# Hold the committed pages: they are what the sources give, formatters and linters have nothing to say, and every name
# and cross reference leads to a page.
#
# usage: check-pages.sh
# environment: CARGO, B (the build directory)
set -euo pipefail
export LC_ALL=C

: "${CARGO:=cargo}" "${B:=build}"
manifest=tools/man/Cargo.toml
failures=0
wrong() {
    echo "$*"
    failures=$((failures + 1))
}

for command in mandoc groff lexgrog man; do
    command -v "$command" >/dev/null || { echo "SKIP: $command is missing: make deps"; exit 77; }
done
if ! "$CARGO" fetch --quiet --locked --manifest-path "$manifest"; then
    echo "SKIP: the crates that the generator needs can not be had"
    exit 77
fi
"$CARGO" fmt --check --manifest-path "$manifest"
"$CARGO" clippy --quiet --locked --all-targets --manifest-path "$manifest" --target-dir "$B/tools" -- -D warnings
"$CARGO" test --quiet --locked --manifest-path "$manifest" --target-dir "$B/tools"

rm -rf "$B/man"
"$CARGO" run --quiet --locked --manifest-path "$manifest" --target-dir "$B/tools" -- . "$B/man"
diff -ru --exclude=examples --exclude=man1 man "$B/man" || wrong "the pages are not what the sources give: make man"

# The pages of the flavours' commands are written by hand.
mapfile -t files < <(find man flavours \( -path 'man/man[237]*' -o -path 'flavours/*/*.1' \) -type f | sort)
mapfile -t pages < <(grep -L '^\.so ' "${files[@]}")

# Cross references are looked up below; mandoc would look into this system's pages.
lint=$(mandoc -Tlint "${pages[@]}" 2>/dev/null | grep -v 'referenced manual not found' || true)
[ -z "$lint" ] || wrong "$lint"

names=0
for page in "${pages[@]}"; do
    warnings=$(groff -ww -mdoc -Tutf8 -z "$page" 2>&1)
    [ -z "$warnings" ] || wrong "$warnings"
    read=$(lexgrog "$page") || wrong "lexgrog does not read $page"
    expected=$(sed -n '/^\.Sh NAME/,/^\.Nd/p' "$page" | grep -c '^\.Nm')
    [ "$(wc -l <<<"$read")" = "$expected" ] || wrong "lexgrog reads other names of $page: $read"
    names=$((names + expected))
done

for alias in "${files[@]}"; do
    read -r request target <"$alias" || true
    [ "$request" != .so ] || [ -e "man/$target" ] || wrong "$alias leads to $target, which does not exist"
done

# Pages of other packages: those of Debian's that describe the system's calls.
system=$(build-aux/fetch-upstream.sh deb manpages manpages-dev 2>/dev/null)/usr/share/man || system=
references=0
while read -r name section; do
    references=$((references + 1))
    case $name in
    *io_uring* | IO_URING_* | uring | uring-*) [ -e "man/man${section:0:1}/$name.$section" ] || wrong "no page $name($section)" ;;
    *)
        [ -n "$system" ] || continue
        [ -e "$system/man$section/$name.$section.gz" ] || wrong "no page $name($section) in Debian's packages"
        ;;
    esac
done < <(grep -hoE '(^\.|[^.]* )Xr [^ ]+ [0-9][a-z0-9]*' "${pages[@]}" | sed 's/.*Xr //' | sort -u)
[ -n "$system" ] || echo "SKIP: Debian's own pages can not be had, so references to them were not looked up"

debian=0
while read -r name; do
    case $name in '#'*) continue ;; esac
    debian=$((debian + 1))
    man -M man -w "${name##*.}" "${name%.*}" >/dev/null 2>&1 || wrong "man does not find $name"
done <tools/man/debian-names.txt

# The interface of 2019 has some of today's names: without a section they must lead to today's pages.
for page in man/man[23]/*uring19; do
    name=$(basename "${page%.*}")
    today=$(find man -name "$name.[237]" | head -n 1)
    [ -z "$today" ] || [ "$(man -M man -w "$name")" = "$(man -M man -w "${today##*.}" "$name")" ] ||
        wrong "man $name shows $(man -M man -w "$name")"
done

for section in ERRORS HISTORY EXAMPLES; do
    mapfile -t without < <(grep -L "^\.Sh $section" man/man[23]/* | xargs grep -L '^\.so ' || true)
    [ ${#without[@]} -eq 0 ] || wrong "without $section: ${without[*]}"
done

aliases=$((${#files[@]} - ${#pages[@]}))
echo "${#pages[@]} pages with $names names and $aliases aliases, $references references, all $debian names of Debian"
[ "$failures" -eq 0 ]
