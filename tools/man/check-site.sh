#!/usr/bin/env bash
# Make the manual's site, follow every link of it, and look at it in a browser if there is one.
#
# usage: check-site.sh DIRECTORY     where `make site` puts it
set -euo pipefail

command -v mandoc >/dev/null || { echo "SKIP: mandoc is missing: make deps"; exit 77; }
"${MAKE:-make}" -s --no-print-directory site

"${PYTHON:-python3}" "$(dirname "$0")/check_site.py" "$1"

for browser in chromium chromium-browser google-chrome; do
    command -v "$browser" >/dev/null || continue
    for page in index.html io_uring_multishot.7.html; do
        shot=$(realpath "$1")/${page%.html}.png
        rm -f "$shot"
        # It asks the network for nothing: these are files.
        "$browser" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
            --disable-component-update --disable-sync --hide-scrollbars --window-size=1000,1400 \
            --screenshot="$shot" "file://$(realpath "$1")/$page" >/dev/null 2>&1 || true
        [ -s "$shot" ] || { echo "$browser makes no picture of $page"; exit 1; }
    done
    echo "pictures by $browser are beside the pages"
    exit 0
done
echo "SKIP: no Chromium, so the site was not looked at in a browser"
