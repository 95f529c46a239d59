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
printf '#!%s\n' "$uring" >"$work/script"
chmod 755 "$work/script"
expect 2 "$uring" run --fallback --library "$work/library" "$work/script"
says "its interpreter is linked statically"
printf '\177ELF\001\001' >"$work/short"
expect 2 "$uring" run --fallback --library "$work/library" "$work/short"
says "it is a 32-bit program"
if command -v musl-gcc >/dev/null; then
    echo 'int main(void) { return 0; }' >"$work/musl.c"
    musl-gcc "$work/musl.c" -o "$work/musl"
    expect 2 "$uring" run --fallback --library "$work/library" "$work/musl"
    says "it is linked to musl"
else
    skip "run: programs of musl: there is no musl-gcc"
fi
: >"$work/a library"
expect 2 "$uring" run --fallback --library "$work/a library" true
says "LD_PRELOAD ends a name at a space or colon"
if [ "$(id -u)" = 0 ]; then
    chmod 644 "$work/library"
    for program in setuid setgid; do
        cp "$(type -P true)" "$work/$program"
        # For its owner it is a program like any other.
        chmod "${program:3:1}+s" "$work/$program"
        expect 0 "$uring" run --disable "$work/$program"
        expect 2 setpriv --reuid=54326 --regid=54326 --clear-groups "$uring" run --fallback --library "$work/library" "$work/$program"
        says "it is $program"
        expect 3 setpriv --reuid=54326 --regid=54326 --clear-groups "$uring" run --disable "$work/$program"
        says "would lose that"
        # Where nothing can be gained, nothing is lost.
        expect 0 setpriv --reuid=54326 --regid=54326 --clear-groups --no-new-privs "$uring" run --disable "$work/$program"
    done
    cp "$(type -P true)" "$work/capable"
    if setcap cap_net_raw=ep "$work/capable" 2>/dev/null; then
        expect 2 setpriv --reuid=54326 --regid=54326 --clear-groups "$uring" run --fallback --library "$work/library" "$work/capable"
        says "it has file capabilities"
        expect 0 "$uring" run --disable "$work/capable"
    else
        skip "run: file capabilities: setcap is missing, or the file system has none"
    fi
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
# As programs in other languages are: to the library whose functions have other versions.
"$CC" -std=gnu11 -g -O1 -fno-omit-frame-pointer -Wall -Wextra -Werror -I"$CHECK_PREFIX/include" "$here/tests/programs/requests.c" \
    -o "$work/loads-ffi" -L"$CHECK_PREFIX/lib" -luring-ffi -Wl,-rpath,"$CHECK_PREFIX/lib"

counts=$("$work/loads" kinds)
for refusal in "--errno 1" "--errno 38" "--errno 95" "--errno 1 --only setup"; do
    for program in loads loads-ffi; do
        # shellcheck disable=SC2086
        expect 1 "$refuse" $refusal -- "$work/$program" nop 100 10
        # shellcheck disable=SC2086
        expect 0 "$refuse" $refusal -- "$installed" run --fallback "$work/$program" nop 100 10
        says "100 requests"
    done
done
ok "run --fallback: a program that is refused is served"

for program in loads loads-ffi; do
    expect 0 "$installed" run --check "$work/$program" kinds
    [ "$said" = "$counts" ] || die "run --check changes what $program says, or finds fault with it: $said"
    expect 0 "$installed" run --check "$work/$program" misuse
    says "liburing-check:"
    says "[chain]"
    expect 0 "$work/$program" misuse
    [ -z "$said" ] || die "the plain library complains: $said"
done
ok "run --check: $("$installed" run --check "$work/loads" misuse 2>&1 | head -n 1)"
expect 2 "$installed" run --check "$installed" doctor
says "linked statically"
