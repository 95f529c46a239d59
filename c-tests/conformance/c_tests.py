"""The parts of the C tests' runner that are of use here. Its folder's name is none that Python could import."""

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
