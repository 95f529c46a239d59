#!/usr/bin/env bash
# Install an emulator where this user may. If the machine has other qemu packages from Debian's backports, this one must
# come from there too. Backports are then read through a separate list and state beside the machine's.
#
# usage: install-qemu.sh [PROGRAM PACKAGE]     (qemu-system-x86_64 qemu-system-x86)
# Exit status 77: it is not available here; the reason is printed to standard error.
set -euo pipefail
cd "$(dirname "$0")/../.."

program=${1:-qemu-system-x86_64} package=${2:-qemu-system-x86}
command -v "$program" >/dev/null 2>&1 && exit

unavailable() {
    echo "SKIP: $*" >&2
    exit 77
}

command -v apt-get >/dev/null 2>&1 || unavailable "$program is missing, and there is no apt-get to install it"
[ "$(id -u)" = 0 ] || unavailable "$program is missing (Debian package $package)"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/liburing-rs/qemu
log=$cache/install.log
mkdir -p "$cache/parts" "$cache/lists/partial"
export DEBIAN_FRONTEND=noninteractive
# The installation must not remove any of the user's packages.
install=(install -y --no-install-recommends --no-remove)

echo "installing $package" >&2
{ apt-get update && apt-get "${install[@]}" "$package"; } >"$log" 2>&1 && exit

codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
[ -n "$codename" ] || unavailable "$package can't be installed: $(tail -n 1 "$log")"
mirror=$(build-aux/fetch-upstream.sh mirror)
rm -f "$cache"/parts/*
for part in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    [ ! -e "$part" ] || ln -s "$part" "$cache/parts/"
done
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb $([ ! -e "$keyring" ] || echo "[signed-by=$keyring] ")$mirror $codename-backports main" \
    >"$cache/parts/backports.list"
own=(-o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$cache/parts" -o Dir::State::Lists="$cache/lists"
    -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=)
{ apt-get "${own[@]}" update && apt-get "${own[@]}" "${install[@]}" -t "$codename-backports" "$package"; } \
    >>"$log" 2>&1 || unavailable "$package can't be installed: $(tail -n 1 "$log")"
