# shellcheck shell=bash disable=SC2154,SC2034
# Part of check.sh: decode, errno, bench, the JSON form, pages, installation, an empty container.

said=$("$uring" decode <"$here/tests/data/strace-6.1")
says IORING_SETUP_NO_SQARRAY
expect 0 "$uring" decode setup 0x3000
says SETUP_DEFER_TASKRUN
expect 0 "$uring" decode "$(printf '1610%0124x' 0)"
says IOSQE_ASYNC
expect 2 "$uring" decode 12zz
expect 0 "$uring" errno -- -125 read
says "The request was cancelled"
expect 2 "$uring" errno EWHAT
ok "decode and errno"

for command in doctor "probe" "probe --need OP_NOP" limits stat "errno ECANCELED" "decode setup 0x3" \
    "decode $(printf '%0128x' 0)" "bench nop"; do
    # shellcheck disable=SC2086
    "$uring" --json $command >"$work/answer" || [ $? = 1 ] || die "$command"
    "$PYTHON" "$here/schema.py" "$here/schema.json" <"$work/answer" || die "$command: not as the schema has it"
done
if [ -s "$work/kinds" ]; then
    "$PYTHON" "$here/schema.py" "$here/schema.json" <"$work/kinds"
    "$uring" --json trace -o "$work/answer" -- "$work/requests" kinds >/dev/null
    "$PYTHON" "$here/schema.py" "$here/schema.json" <"$work/answer" || die "trace: not as the schema has it"
fi
ok "JSON is as schema.json has it"

# Without colour, in a pipe that closes early, without a terminal's size.
case $("$uring" doctor; "$uring" probe; TERM=dumb "$uring" doctor) in *$'\e'*) die "colours in a pipe" ;; esac
case $("$uring" --color=always doctor) in *$'\e'*) ;; *) die "--color=always has no colour" ;; esac
"$uring" probe 2>"$work/err" | head -n 1 >/dev/null
[ ! -s "$work/err" ] || die "a pipe that closes is an error: $(cat "$work/err")"
ok "output in a pipe"

if [ "$(id -u)" = 0 ]; then
    mkdir "$work/empty"
    cp "$URING" "$work/empty/uring"
    expect 0 chroot "$work/empty" /uring doctor
    expect 0 chroot "$work/empty" /uring probe
    ok "it runs where there is nothing else: $(stat -c %s "$URING") bytes"
fi

"$EXAMPLES/pages" "$work/man1" "$work/completions"
diff -r "$work/completions" "$here/completions" || die "make uring-pages"
for page in "$work"/man1/*; do
    diff "$page" "$root/man/man1/${page##*/}" || die "make uring-pages"
done
# What bash offers after "uring do" and "uring limits --en".
completed() {
    # shellcheck disable=SC2016
    bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _uring uring "${*: -1}" "${*: -2:1}"; echo "${COMPREPLY[@]}"' \
        - "$here/completions/uring.bash" "$@"
}
[ "$(completed uring doc)" = doctor ] || die "bash completes doc to $(completed uring doc)"
[ "$(completed uring limits --en)" = --entries ] || die "bash completes --en to $(completed uring limits --en)"
ok "$(find "$work/man1" -type f | wc -l) manual pages and three completions are up to date"

cd "$root"
unset MAKEFLAGS MFLAGS MAKELEVEL
"$MAKE" -s --no-print-directory install-uring DESTDIR="$work/dest" prefix=/usr mandir=/usr/share/man
for file in bin/uring share/man/man1/uring-doctor.1 share/bash-completion/completions/uring \
    share/zsh/site-functions/_uring share/fish/vendor_completions.d/uring.fish; do
    [ -s "$work/dest/usr/$file" ] || die "install-uring brings no $file"
done
"$MAKE" -s --no-print-directory uninstall-uring DESTDIR="$work/dest" prefix=/usr mandir=/usr/share/man
[ -z "$(find "$work/dest" -type f)" ] || die "uninstall-uring leaves $(find "$work/dest" -type f)"
ok "installed and removed"
