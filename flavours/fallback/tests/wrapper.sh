#!/usr/bin/env bash
# The command liburing-fallback as it is installed: what it says of a program is what then happens to that program.
#
# usage: wrapper.sh
# environment: CC FALLBACK_OUT (the built libraries, and refuse) PREFIX (headers and the plain library for programs)
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/var/tmp}/fallback-wrapper.XXXXXX")
trap 'rm -rf "$work"' EXIT
# Users without privileges run these.
chmod 755 "$work"

fail() {
    echo "wrapper: FAIL: $*" >&2
    exit 1
}
skip() { echo "SKIP: wrapper: $*"; }

# Installed from copies, so that what is built stays as it is.
mkdir "$work/built"
cp "$FALLBACK_OUT"/liburing{,-ffi}.so.2 "$FALLBACK_OUT/liburing-fallback.a" "$FALLBACK_OUT/refuse" "$work/built"
put() { # prefix
    DESTDIR='' prefix=$1 includedir=$1/include libdir=$1/lib libdevdir=$1/lib mandir=$1/share/man VERSION=2.0 \
        BUILT=$work/built STRIP='' "$here/../../install.sh" install fallback >/dev/null
}
put "$work/prefix"
wrapper=$work/prefix/bin/liburing-fallback refuse=$work/built/refuse

# usage: ends STATUS COMMAND...; what it prints is in $said
ends() {
    local want=$1 status=0
    shift
    said=$("$@" 2>&1) || status=$?
    [ "$status" = "$want" ] || fail "$* ends with $status, not $want: $said"
}
says() { case $said in *"$1"*) ;; *) fail "no \"$1\" in: $said" ;; esac; }
silent() { case $said in *liburing-fallback:*) fail "it complains: $said" ;; esac; }

# The command line.
ends 2 "$wrapper" --bogus true
says 'liburing-fallback: unknown option --bogus'
says 'usage: liburing-fallback'
ends 2 "$wrapper"
ends 2 "$wrapper" --verbose --
ends 0 "$wrapper" --help
says '--help'
for mode in auto always never; do
    # shellcheck disable=SC2016 # the shell that is started reads them
    ends 0 "$wrapper" "--$mode" --sigsys --verbose -- sh -c \
        'echo $LIBURING_FALLBACK $LIBURING_FALLBACK_SIGSYS $LIBURING_FALLBACK_VERBOSE'
    [ "$said" = "$mode 1 1" ] || fail "--$mode gives: $said"
done
# shellcheck disable=SC2016
ends 0 env LD_PRELOAD=libm.so.6 "$wrapper" sh -c 'echo $LD_PRELOAD'
[ "$said" = "$work/prefix/lib/liburing-fallback/liburing.so.2:$work/prefix/lib/liburing-fallback/liburing-ffi.so.2:libm.so.6" ] ||
    fail "preloaded is $said"
ends 7 "$wrapper" sh -c 'exit 7'

# Programs that cannot be run. A file of that name in the working directory is no program.
cd "$work"
echo text >unreadable-text
chmod 644 unreadable-text
for missing in no-such-program ./no-such-program complain unreadable-text; do
    ends 127 "$wrapper" "$missing"
    says "liburing-fallback: $missing: there is no such"
    [ "$(wc -l <<<"$said")" = 1 ] || fail "more than one line: $said"
done
for wrong in ./unreadable-text ./built; do
    ends 126 "$wrapper" "$wrong"
    says "liburing-fallback: $wrong: it cannot be executed"
done
ends 126 env PATH="$work:$PATH" "$wrapper" unreadable-text
says 'cannot be executed'

# A program that is served prints "ring", else the error.
cat >ring.c <<'END'
#include <liburing.h>
#include <stdio.h>
#include <string.h>
int main(void)
{
    struct io_uring ring;
    int ret = io_uring_queue_init(4, &ring, 0);

    puts(ret ? strerror(-ret) : "ring");
    return ret != 0;
}
END
compile() { "$CC" -std=gnu11 -O2 "-I$PREFIX/include" ring.c -o "$@"; }
compile ring "-L$PREFIX/lib" -luring "-Wl,-rpath,$PREFIX/lib"
compile ring-ffi "-L$PREFIX/lib" -luring-ffi "-Wl,-rpath,$PREFIX/lib"
compile ring-static -static "$PREFIX/lib/liburing.a"

# usage: served NAME..., or unserved WORDS NAME...: with io_uring refused
served() {
    ends 0 "$refuse" -e EPERM "$wrapper" "$@"
    [ "$said" = ring ] || fail "$*: $said"
}
unserved() {
    local words=$1
    shift
    ends 1 "$refuse" -e EPERM "$wrapper" "$@"
    says "$words"
    says 'Operation not permitted'
}
served ./ring
served ./ring-ffi
PATH=$work:$PATH served ring
unserved 'linked statically, so it is not served' ./ring-static

# Scripts: what counts is the interpreter.
printf '#!%s\n' "$work/ring" >script
printf '#! %s x\n' "$work/ring-static" >script-static
printf './ring\n' >script-plain
chmod 755 script script-static script-plain
served ./script
served ./script-plain
unserved "$work/ring-static, which runs ./script-static, is linked statically" ./script-static

# 32-bit programs: the header is enough to see it, and such a file cannot be run.
printf '\177ELF\001\001\001' >short
chmod 755 short
ends 126 "$wrapper" ./short 2>/dev/null
says 'is a 32-bit program, so it is not served'

# musl's dynamic linker would end the program, whose symbols it does not find.
if command -v musl-gcc >/dev/null; then
    # shellcheck disable=SC2016
    printf '#include <stdio.h>\n#include <stdlib.h>\nint main(void) { puts(getenv("LD_PRELOAD") ? "preloaded" : "alone"); }\n' >musl.c
    musl-gcc musl.c -o musl
    printf '#!%s\n' "$work/musl" >script-musl
    chmod 755 script-musl
    for program in ./musl ./script-musl; do
        ends 0 "$wrapper" "$program"
        says 'linked to musl, so it is not served'
        says alone
    done
else
    skip "programs of musl: there is no musl-gcc"
fi

# Programs that gain privileges.
if [ "$(id -u)" != 0 ] || ! command -v setpriv >/dev/null; then
    skip "programs with privileges of their own: only root makes some, and setpriv gives them away"
else
    user=(setpriv --reuid=54327 --regid=54327 --clear-groups)
    cp ring setuid && chmod 4755 setuid
    cp ring setgid && chmod 2755 setgid
    cp ring theirs && chown 54328:54328 theirs && chmod 6755 theirs
    # Not with io_uring refused: who sets a filter may gain nothing any more.
    # usage: privileged WORDS COMMAND...: is not served, and WORDS say why; without words it is served, in silence
    privileged() {
        local words=$1
        shift
        said=$("$@" 2>&1) || true
        if [ -n "$words" ]; then
            says "may not be served: $words"
            case $said in *'serving io_uring'*) fail "it is served all the same: $*" ;; esac
        else
            says 'serving io_uring from user space'
            case $said in *'may not be served'*) fail "it is served all the same: $*" ;; esac
        fi
    }
    all=("$wrapper" --always --verbose)
    for program in setuid setgid; do
        # For root they are programs like any other.
        privileged '' "${all[@]}" "./$program"
        privileged "it is $program" "${user[@]}" "${all[@]}" "./$program"
        privileged '' "${user[@]}" --no-new-privs "${all[@]}" "./$program"
    done
    privileged 'it is setuid' "${all[@]}" ./theirs
    chmod 0711 ring-static
    ends 1 "${user[@]}" "$refuse" -e EPERM "$wrapper" ./ring-static
    [ "$said" = 'Operation not permitted' ] || fail "of a program that cannot be read: $said"
    if cp ring capable && setcap cap_net_raw=p capable 2>/dev/null; then
        privileged '' "${all[@]}" ./capable
        privileged 'it has file capabilities' "${user[@]}" "${all[@]}" ./capable
        # Without a tool that shows them nothing is said.
        mkdir bin
        for tool in sh id head tr grep cut cat; do ln -s "$(type -P $tool)" bin; done
        sed 's|:/usr/sbin:/sbin||' "$wrapper" >without
        chmod 755 without
        said=$("${user[@]}" env "PATH=$work/bin" "$work/without" --always --verbose ./capable 2>&1) || true
        silent
    else
        skip "file capabilities: setcap is missing, or the file system has none"
    fi
fi

# LD_PRELOAD cannot name a library with a space or a colon in its path. pkg-config files can.
for odd in 'a b' a:b; do
    put "$work/$odd"
    ends 1 "$work/$odd/bin/liburing-fallback" ./ring
    says "liburing-fallback: $work/$odd/lib/liburing-fallback/liburing.so.2 cannot be preloaded"
done
if command -v pkg-config >/dev/null; then
    flags=$(PKG_CONFIG_PATH="$work/a b/lib/pkgconfig" pkg-config --cflags --libs liburing-fallback)
    eval "set -- $flags"
    case " $* " in
    *" -I$work/a b/include "*"-L$work/a b/lib -luring-fallback "*) ;;
    *) fail "pkg-config says: $flags" ;;
    esac
    [ $# = 3 ] || fail "pkg-config gives $# words: $flags"
fi
rm "$work/prefix/lib/liburing-fallback/liburing-ffi.so.2"
ends 1 "$wrapper" ./ring
says 'liburing-ffi.so.2 is missing'
echo "wrapper: what it says of programs is true of them"
