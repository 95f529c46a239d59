#!/usr/bin/env bash
# Debian's checker has nothing to say about the source package and the binary ones, but for what an override gives the
# reason for.
#
# usage: check-lintian.sh PACKAGE_DIR
set -euo pipefail
export LC_ALL=C

command -v lintian >/dev/null || { echo "SKIP: there is no lintian"; exit 77; }
# A lintian that is older than the policy which the packages follow says so.
said=$(lintian --allow-root --pedantic --display-info --display-experimental --tag-display-limit 0 \
    --suppress-tags newer-standards-version "$1"/*.changes) || true
if [ -n "$said" ]; then
    echo "$said"
    echo "FAIL: lintian"
    exit 1
fi
# And what dpkg's own tools found to say while they built.
! grep -E 'dpkg-[a-z]+: warning|dh_[a-z]+: warning' "$1/deb.log" | grep -v 'root privileges' || { echo "FAIL: warnings of the build"; exit 1; }
echo "lintian $(lintian --version | sed 's/.* v//') is silent on $(find "$1" -maxdepth 1 -name '*.deb' | wc -l) packages and their source"
