"""The parts of the C tests' runner that are used here. Python cannot import from its folder by name."""

import importlib.util
import pathlib


def load():
    path = pathlib.Path(__file__).resolve().parent.parent / "run.py"
    spec = importlib.util.spec_from_file_location("c_tests_run", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_run = load()
HugePages, Result = _run.HugePages, _run.Result
