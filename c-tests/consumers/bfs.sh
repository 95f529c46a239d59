#!/usr/bin/env bash
# bfs opens folders and looks at files (openat, statx, close) through io_uring, with a ring in each of its threads. find
# gives the expected answers.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/newer.sh"

need_common
newer bfs
program=/usr/bin/bfs
links_liburing "$program"
tree=$work/tree

# 6,000 files in folders up to nine deep, with links of both kinds, empty folders, holes, and folders that may not be
# read.
make_tree() {
    mkdir "$tree"
    python3 -c '
import os, sys
os.chdir(sys.argv[1])
for n in range(6000):
    folder = "/".join("d%d" % (n >> shift & 7) for shift in range(n % 8))
    folder = "branch-%02d/%s" % (n % 31, folder)
    os.makedirs(folder, exist_ok=True)
    name = "%s/leaf-%05d.%s" % (folder, n, ("txt", "ring", "dat")[n % 3])
    with open(name, "w") as leaf:
        leaf.truncate(n * 7919 % 20000)
    os.utime(name, (n * 86400, n * 86400))
    os.chmod(name, (0o644, 0o600, 0o755, 0o444)[n // 3 % 4])
    if n % 40 == 0:
        os.mkdir("%s/empty-%d" % (folder, n))
        os.link(name, "%s/twin-%d" % (folder, n))
        os.symlink(os.path.basename(name), "%s/link-%d" % (folder, n))
        os.symlink("nowhere", "%s/broken-%d" % (folder, n))
    if n % 400 == 0:
        os.mkdir("%s/secret-%d" % (folder, n), 0o700)
' "$tree"
}

# question SIDE EXPRESSION...: bfs answers as find, line by line in any order, also about folders that it may not read.
question() {
    local side=$1 status=0 expected=0
    shift
    "${enter[@]}" find "$tree" "$@" >"$work/found" 2>"$work/found.errors" || expected=$?
    traced "$side" "$program" -j8 "$tree" "$@" >"$work/answer" 2>"$work/answer.errors" || status=$?
    [ "$status" = "$expected" ] || fail "$side: bfs $*: status $status, find: $expected: $(head -n 3 "$work/answer.errors")"
    sort -o "$work/found" "$work/found"
    sort -o "$work/answer" "$work/answer"
    same "$side: bfs $*" "$work/found" "$work/answer"
    [ "$(grep -c 'Permission denied' "$work/found.errors")" = "$(grep -c 'Permission denied' "$work/answer.errors")" ] ||
        fail "$side: bfs $*: not the folders that find may not read: $(diff "$work/found.errors" "$work/answer.errors")"
    answers=$((answers + $(wc -l <"$work/answer")))
}

job() {
    local side=$1
    answers=0
    question "$side"
    question "$side" -name '*-1*.ring'
    question "$side" -type f -size +12k
    question "$side" -printf '%p %y %s %m %n %l %T@\n'
    question "$side" -depth -type d -empty
    question "$side" -follow -links +1
    question "$side" -maxdepth 4 -newer "$tree/branch-00" -o -perm -111
    question "$side" -xtype l
    # Each folder and most files are looked at in each question.
    judge_traces "$side" 50000
    report "$side" "8 questions, $answers lines"
}

make_tree
each_side job
say "PASS: every answer equals that of find"
