#!/usr/bin/env bash
# plocate reads its index and queries files (statx) through io_uring; find gives the expected answers.
. "$(dirname "$0")/lib.sh"

need plocate plocate
need_common
links_liburing "$(command -v plocate)"

# The installed file is setgid, so the dynamic linker ignores LD_LIBRARY_PATH for it. A copy is not setgid.
program=$work/plocate
cp "$(readlink -f "$(command -v plocate)")" "$program"
chmod 0755 "$program"

tree=$work/tree
database=$work/files.db

# 40 folders of 500 files, in names that share many trigrams, so that a query reads many posting lists.
make_tree() {
    mkdir "$tree"
    python3 -c '
import os, sys
for d in range(40):
    folder = os.path.join(sys.argv[1], "shelf-%02d" % d)
    os.mkdir(folder)
    for f in range(500):
        n = d * 500 + f
        open(os.path.join(folder, "book-%05d-%x.%s" % (n, n * 2654435761 % 2**32, ("txt", "ring", "dat")[n % 3])), "w").close()
' "$tree"
    updatedb.plocate --output "$database" --database-root "$tree" --require-visibility no --prunepaths '' --prunefs '' \
        --prunenames '' --prune-bind-mounts no
    find "$tree" -name 'book-*' | sort >"$work/indexed"
    # Half of the files in the database are deleted before the query for existing files.
    find "$tree" -name '*[02468]-*' -delete
    find "$tree" -name 'book-*' | sort >"$work/present"
}

# query SIDE EXPECTED ARGUMENT...: the sorted answer is the expected list.
query() {
    local side=$1 expected=$2
    shift 2
    traced "$side" "$program" --database "$database" "$@" | sort >"$work/answer" || fail "$side: plocate $* failed"
    same "$side, plocate $*" "$expected" "$work/answer"
}

job() {
    local side=$1
    query "$side" "$work/indexed" book-
    query "$side" "$work/indexed.shelf" shelf-17 .ring
    query "$side" "$work/indexed.regex" --regex 'book-0[0-9]{3}7-.*dat$'
    query "$side" "$work/present" --existing book-
    if traced "$side" "$program" --database "$database" no-such-name >"$work/answer"; then
        fail "$side: plocate found a file that is not there"
    fi
    # Each file that --existing asks about is one request.
    judge_traces "$side" "$(wc -l <"$work/indexed")"
}

make_tree
grep 'shelf-17.*\.ring' "$work/indexed" >"$work/indexed.shelf"
grep -E 'book-0[0-9]{3}7-.*dat$' "$work/indexed" >"$work/indexed.regex"
say "$(wc -l <"$work/indexed") files indexed, $(wc -l <"$work/present") still there"
each_side job
say "PASS: every answer equals that of find"
