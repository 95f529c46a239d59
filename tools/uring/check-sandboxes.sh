# shellcheck shell=bash disable=SC2154,SC2034
# Part of check.sh: doctor in systems that have no io_uring, less of it, or refuse it, for real. check-uring-vm has a kernel
# that was built without.

emulator=qemu-$(uname -m)
if command -v "$emulator" >/dev/null; then
    expect 77 "$emulator" "$uring" doctor
    says "does not pass io_uring on"
    says "cure  a build for the machine's own architecture"
    ok "doctor: $(head -n 1 <<<"$said")"
else
    skip "doctor in an emulated program: $emulator is not here"
fi
if [ "$(id -u)" = 0 ] && sandbox=$(UPSTREAM_SUITE=bookworm "$root/build-aux/fetch-upstream.sh" deb runsc); then
    # It rewinds a file that it writes to.
    in_gvisor() { # status, command...
        local wanted=$1 status=0
        shift
        timeout -k 5 60 "$sandbox/usr/bin/runsc" --root="$work/runsc" --platform=ptrace --network=none --ignore-cgroups do "$@" \
            </dev/null 2>&1 | cat >"$work/gvisor" || status=$?
        said=$(cat "$work/gvisor")
        [ "$status" = "$wanted" ] || die "in gVisor $* ended with $status, not $wanted: $said"
    }
    in_gvisor 1 "$uring" doctor
    says "this is gVisor"
    says "cure  \`uring probe\` shows what there is"
    [ "$(grep -c '^FAIL\|^warn' <<<"$said")" = 1 ] || die "doctor finds more in gVisor: $said"
    ok "doctor: $(head -n 1 <<<"$said")"
    in_gvisor 0 "$uring" probe -q --need OP_NOP,OP_READV
    in_gvisor 1 "$uring" probe --need OP_NOP,OP_SEND,REGISTER_BUFFERS
    says "OP_SEND is missing"
    says "REGISTER_BUFFERS is missing"
    in_gvisor 0 "$uring" limits --entries 64
    ok "probe and limits in gVisor"
else
    skip "doctor in gVisor: it is not to be had here"
fi

# A container as podman makes it by default, then with each cure that doctor names.
profile=/usr/share/containers/seccomp.json
container() { # status, option of podman run...: doctor in a container that has nothing else
    local wanted=$1
    shift
    # Its own limits on descriptors and processes are higher than some machines allow.
    expect "$wanted" timeout -k 5 60 podman --runtime runc --cgroup-manager cgroupfs --storage-driver vfs --root "$work/podman" \
        --runroot "$work/podman-run" run --rm --network none --ulimit nofile=1024:1024 --ulimit nproc=1000:1000 "$@" \
        --rootfs "$work/container" /uring doctor
}
if [ "$(id -u)" != 0 ] || ! command -v podman >/dev/null || ! command -v runc >/dev/null || [ ! -e "$profile" ]; then
    skip "doctor in containers: podman and runc are not here"
else
    mkdir -p "$work/container"/{proc,dev,sys,tmp,etc,run}
    cp "$URING" "$work/container/uring"
    if ! (container 0 --security-opt seccomp=unconfined) 2>"$work/err"; then
        skip "doctor in containers: podman starts none here: $(tail -n 1 "$work/err")"
    elif grep -q io_uring_setup "$profile"; then
        skip "doctor in containers: podman's profile allows io_uring here"
    else
        container 1
        says "a seccomp filter refuses the three calls of io_uring with ENOSYS, as the default profile of podman does"
        says "cure  podman run --security-opt seccomp=FILE"
        says "cure  or, without any filter: podman run --security-opt seccomp=unconfined"
        ok "doctor in podman: $(head -n 1 <<<"$said")"
        "$PYTHON" - "$profile" "$work/profile.json" <<'PROFILE'
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    profile = json.load(file)
names = ["io_uring_setup", "io_uring_enter", "io_uring_register"]
profile["syscalls"].append({"names": names, "action": "SCMP_ACT_ALLOW"})
with open(sys.argv[2], "w", encoding="utf-8") as file:
    json.dump(profile, file)
PROFILE
        container 0 --security-opt seccomp="$work/profile.json"
        container 1 --security-opt seccomp=unconfined --pids-limit 1
        says "the control group's pids.max"
        says "cure  podman run --pids-limit N"
        container 0 --security-opt seccomp=unconfined --pids-limit 100
        if [ "$counted" = True ]; then
            container 1 --security-opt seccomp=unconfined --user 1000 --ulimit memlock=4096:4096
            says "not even a ring of 8 entries fits the limit on locked memory"
            says "cure  podman run --ulimit memlock=8388608"
        fi
        container 0 --security-opt seccomp=unconfined --user 1000 --ulimit memlock=8388608
        ok "doctor in podman: filter, pids limit and memlock are named, and each cure helps"
    fi
fi
