#!/usr/bin/env bash
# Print a Python that has a module: this machine's, or one in a virtual environment in the cache, made on demand.
# Exit status 77: it is not available here.
#
# usage: python-with.sh MODULE REQUIREMENT
set -euo pipefail

module=$1 requirement=$2
cache=${XDG_CACHE_HOME:-$HOME/.cache}/liburing-rs
environment=$cache/python/${requirement//[^A-Za-z0-9.]/-}
python=${PYTHON:-python3}

if [ ! -e "$environment/.complete" ]; then
    mkdir -p "$cache/python"
    if ! { "$python" -m venv "$environment" && "$environment/bin/pip" install --quiet "$requirement"; } \
        >"$environment.log" 2>&1; then
        if "$python" -c "import $module" 2>/dev/null; then
            echo "$python"
            exit
        fi
        echo "SKIP: Python's $module can't be had here, see $environment.log" >&2
        exit 77
    fi
    touch "$environment/.complete"
fi
echo "$environment/bin/python"
