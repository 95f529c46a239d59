# shellcheck shell=bash disable=SC2154
# Part of check.sh: doctor where io_uring is refused or limited.

# Where all is well it says one line, and nothing with -q.
expect 0 "$uring" doctor
[ "$(wc -l <<<"$said")" = 1 ] || die "doctor finds fault here: $said"
expect 0 "$uring" doctor -q
[ -z "$said" ] || die "doctor -q says something: $said"
ok "doctor is silent where all is well"

refused() { # culprit, text of the summary, text of a cure, option of refuse...
    local culprit=$1 summary=$2 cure=$3
    shift 3
    expect 1 "$refuse" "$@" -- "$uring" doctor --json
    [ "$(json 'd["findings"][0]["culprit"]' <<<"$said")" = "$culprit" ] || die "refuse $*: $said"
    "$PYTHON" "$here/schema.py" "$here/schema.json" <<<"$said" || die "refuse $*: not as the schema has it"
    expect 1 "$refuse" "$@" -- "$uring" doctor
    says "$summary"
    case $(grep ' cure ' <<<"$said") in *"$cure"*) ;; *) die "refuse $*: no cure \"$cure\": $said" ;; esac
    ok "doctor: $(head -n 1 <<<"$said")"
}

if [ "$(id -u)" != 0 ]; then
    skip "doctor in refusals: that takes root, to run as other users"
else
    for errno in 1:EPERM 38:ENOSYS 95:EOPNOTSUPP 13:EACCES; do
        refused seccomp "the three calls of io_uring with ${errno#*:}" seccomp --errno "${errno%:*}"
    done
    for errno in 1:EPERM 38:ENOSYS 95:EOPNOTSUPP; do
        refused seccomp "refuses io_uring_setup with ${errno#*:}" seccomp --errno "${errno%:*}" --only setup
    done
    refused seccomp "io_uring_enter is refused (EPERM)" seccomp --errno 1 --only enter
    refused seccomp "ends programs that call io_uring (killed by SIGSYS)" seccomp --kill
    refused seccomp "ends programs that call io_uring (killed by SIGSYS)" seccomp --trap
    if [ "$counted" = True ]; then
        refused memlock "not even a ring of 8 entries" memlock --memlock 4096 --uid 54321
        refused memlock "no ring of 1024 entries" memlock --memlock 65536 --uid 54321
    fi
    refused nofile "RLIMIT_NOFILE is reached (EMFILE)" nofile --nofile 3
    refused nproc "requests that need one complete with -ECANCELED: RLIMIT_NPROC" nproc --nproc 1 --uid 54322
    # Limits that leave room are none.
    expect 0 "$refuse" --nproc 3 --uid 54323 -- "$uring" doctor
    expect 0 "$refuse" --memlock 1048576 --uid 54323 -- "$uring" doctor
    ok "doctor finds nothing in limits that leave room"

    # Each runtime has its own words for the cure.
    expect 1 env container=podman "$refuse" --errno 38 -- "$uring" doctor
    says "podman run --security-opt"
    expect 1 env KUBERNETES_SERVICE_HOST=10.0.0.1 "$refuse" --errno 1 -- "$uring" doctor
    says seccompProfile
    ok "doctor: cures for podman and Kubernetes"

    # What filters of another process do is read out of them.
    "$refuse" --errno 1 -- sleep 60 &
    other=$!
    until [ "$(cat "/proc/$other/comm")" = sleep ]; do sleep 0.01; done
    expect 1 "$uring" doctor --pid "$other"
    says "a seccomp filter refuses the three calls of io_uring with EPERM"
    kill "$other"
    wait "$other" || true
    expect 2 "$uring" doctor --pid "$other"
    ok "doctor --pid reads the filters of another process, and says when there is none"

    # A submission thread keeps the user that the process was.
    mkfifo "$work/end-credentials"
    "$work/rings" credentials 54328 <"$work/end-credentials" >"$work/credentials" &
    other=$!
    exec 8>"$work/end-credentials"
    for _ in $(seq 500); do
        [ ! -s "$work/credentials" ] || break
        sleep 0.02
    done
    expect 1 "$uring" doctor --pid "$other"
    says "warn  threads of a ring keep the credentials that the process has given up"
    says "has user 0, the process has user 54328"
    says "cure  make rings after setuid"
    exec 8>&-
    wait "$other"
    ok "doctor --pid finds a submission thread with credentials that were given up"

    expect 1 "$uring" doctor -- "$refuse" --errno 38 -- "$work/requests" kinds
    says "ENOSYS"
    expect 1 "$uring" doctor -- "$refuse" --kill --only setup -- "$work/requests" kinds
    says "SIGSYS"
    expect 0 "$uring" doctor -- "$work/requests" kinds
    says "2 rings were made"
    expect 2 "$uring" doctor -- /nonexistent
    ok "doctor -- CMD names what refused the program"
fi

# A control group without room: version 2 where it has the controller, else version 1.
for parent in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/pids; do
    case $parent in
    */pids) [ -e "$parent/cgroup.procs" ] || continue ;;
    *) grep -qw pids "$parent/cgroup.subtree_control" 2>/dev/null || continue ;;
    esac
    mkdir "$parent/uring-check.$$" 2>/dev/null || continue
    group=$parent/uring-check.$$
    break
done
if [ -z "${group:-}" ]; then
    skip "doctor in a control group without room: none can be made here"
else
    echo 1 >"$group/pids.max"
    expect 1 bash -c 'echo $$ >"$1/cgroup.procs" && exec "$2" doctor' - "$group" "$uring"
    says "the control group's pids.max"
    says "$group: pids.current 1 of pids.max 1"
    ok "doctor: $(head -n 1 <<<"$said")"
    rmdir "$group"
    group=
fi
