# shellcheck shell=bash
# For scripts that write pkg-config files.

# In a pkg-config file, a space in a path needs a backslash before it.
pc_path() { printf '%s' "$1" | sed 's/[ \\"#]/\\&/g; s/\$/$$/g'; }
