#!/usr/bin/env bash
# rustc, called by Cargo for a flavour (RUSTC_WRAPPER). core/ lies outside of a flavour's workspace, so what Cargo derives to
# tell symbols of core and of the flavour from others' depends on the directory of the tree. Here it is always the same: two
# builds give the same bytes wherever they are made.
#
# usage: rustc-flavour.sh RUSTC ARGUMENT...
set -euo pipefail

arguments=("$@")
if [[ " $* " == *" --crate-name uring_"* ]]; then
    for place in "${!arguments[@]}"; do
        [[ ${arguments[place]} != metadata=* ]] || arguments[place]=metadata=liburing
    done
fi
exec "${arguments[@]}"
