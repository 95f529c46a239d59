"""Keeps the figures of a run as JSON, and draws them."""
import json
import os
import pathlib
import subprocess

PLOTS = pathlib.Path(__file__).with_name("plots.py")
PROJECT = PLOTS.parents[3]
NO_MATPLOTLIB = 77


def record(figures, out, name):
    """Write the figures to a file in the directory `out`, and the plots beside it. Return an exit status."""
    path = os.path.join(out, name)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(figures, file, indent=1)
        file.write("\n")
    python = subprocess.run([PROJECT / "build-aux/python-with.sh", "matplotlib", "matplotlib>=3.5,<4"], text=True,
                            stdout=subprocess.PIPE)
    if python.returncode:
        return 0 if python.returncode == NO_MATPLOTLIB else python.returncode
    return subprocess.run([python.stdout.strip(), PLOTS, path, out]).returncode
