#!/usr/bin/env bash
# Print a Python that has matplotlib: this machine's, or one in a virtual environment in the cache, made on demand.
# Exit status 77: it can't be had here.
set -euo pipefail

cache=${XDG_CACHE_HOME:-$HOME/.cache}/liburing-rs
environment=$cache/plot
python=${PYTHON:-python3}

if [ ! -e "$environment/.complete" ]; then
    mkdir -p "$cache"
    if ! { "$python" -m venv "$environment" && "$environment/bin/pip" install --quiet 'matplotlib>=3.5,<4'; } \
        >"$cache/plot.log" 2>&1; then
        if "$python" -c 'import matplotlib' 2>/dev/null; then
            echo "$python"
            exit
        fi
        echo "SKIP: the plots: matplotlib can't be had here, see $cache/plot.log" >&2
        exit 77
    fi
    touch "$environment/.complete"
fi
echo "$environment/bin/python"
