#!/usr/bin/env bash
# Build a printed sequence, run it with two installations of the library, and show what it says differently.
#
# usage: replay.sh PROGRAM.c LIBDIR OTHER_LIBDIR
# environment: CC, FUZZ_FLAGS, FUZZ_PARTS
# Exit status: 0 if they say the same, 1 if not, 2 if that could not be found out.
set -euo pipefail

program=$1 libdir=$(realpath "$2") other=$(realpath "$3")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# shellcheck disable=SC2086 # flags and sources are words
"${CC:-gcc}" $FUZZ_FLAGS "$program" $FUZZ_PARTS c-tests/fuzz/replay.c \
    -o "$work/program" -L"$libdir" -luring-ffi -luring || exit 2
# A crash is a difference like others: what was said before it is compared.
LD_LIBRARY_PATH=$libdir "$work/program" >"$work/here" || echo "ended with status $?" >>"$work/here"
LD_LIBRARY_PATH=$other "$work/program" >"$work/other" || echo "ended with status $?" >>"$work/other"
diff --label "$2" --label "$3" -U 1 "$work/here" "$work/other"
