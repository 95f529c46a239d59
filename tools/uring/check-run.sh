# shellcheck shell=bash disable=SC2154,SC2034
# Part of check.sh: run, with the flavours of the library installed beside the command.

: >"$work/library"
expect 1 "$uring" run --disable "$uring" doctor
says "ENOSYS"
expect 2 "$uring" run --check --library "$work/library" "$uring"
says "linked statically"
expect 2 "$uring" run --fallback --library /nonexistent true
expect 2 "$uring" run --fallback true
says "the fallback flavour of the library is not installed"
expect 2 "$uring" run --disable /nonexistent
expect 7 "$uring" run --disable sh -c 'exit 7'
cp "$(type -P true)" "$work/setuid"
chmod u+s "$work/setuid"
expect 2 "$uring" run --fallback --library "$work/library" "$work/setuid"
says "it is setuid"
if [ "$(id -u)" = 0 ]; then
    expect 3 "$refuse" --uid 54326 -- "$uring" run --disable "$work/setuid"
    says "would lose that"
fi
ok "run --disable reaches a static program; flavours say why they cannot"

# Programs that load the library, beside the flavours as they are installed.
flavours=$work/flavours
(
    cd "$root"
    unset MAKEFLAGS MFLAGS MAKELEVEL
    "$MAKE" -s --no-print-directory install-uring install-fallback install-checker DESTDIR="$flavours" prefix=/usr \
        libdir=/usr/lib mandir=/usr/share/man
) >"$work/out" 2>&1 || die "the flavours are not installed: $(cat "$work/out")"
installed=$flavours/usr/bin/uring
"$CC" -std=gnu11 -g -O1 -fno-omit-frame-pointer -Wall -Wextra -Werror -I"$CHECK_PREFIX/include" "$here/tests/programs/requests.c" \
    -o "$work/loads" -L"$CHECK_PREFIX/lib" -luring -Wl,-rpath,"$CHECK_PREFIX/lib"

counts=$("$work/loads" kinds)
for refusal in "--errno 1" "--errno 38" "--errno 95" "--errno 1 --only setup"; do
    # shellcheck disable=SC2086
    expect 1 "$refuse" $refusal -- "$work/loads" nop 100 10
    # shellcheck disable=SC2086
    expect 0 "$refuse" $refusal -- "$installed" run --fallback "$work/loads" nop 100 10
    says "100 requests"
done
ok "run --fallback: a program that is refused is served"

expect 0 "$installed" run --check "$work/loads" kinds
[ "$said" = "$counts" ] || die "run --check changes what a program says, or finds fault with it: $said"
expect 0 "$installed" run --check "$work/loads" misuse
says "liburing-check:"
says "[chain]"
expect 0 "$work/loads" misuse
[ -z "$said" ] || die "the plain library complains: $said"
ok "run --check: $("$installed" run --check "$work/loads" misuse 2>&1 | head -n 1)"
expect 2 "$installed" run --check "$installed" doctor
says "linked statically"
