"""What the runs of upstream's suite on a flavour of the library have in common: see flavours/*/tests/suite.py."""

import argparse
import os
import pathlib

import report
import run
import trees
from cases import Config, cases
from source import PROJECT, NotAvailable, compiler_identity, locate

NOT_RUN = run.NOT_RUN


class Install(trees.Install):
    """The headers of an installation with a flavour's library."""

    def __init__(self, prefix, library):
        super().__init__(prefix)
        self.shared = pathlib.Path(library).resolve()


class Suite:
    """Upstream's suite, and what a flavour runs it with. Raises NotAvailable or BuildError where it cannot be run."""

    def __init__(self, args):
        self.args = args
        args.output = args.output.resolve()
        self.source = locate(None)
        cc, cxx = os.environ.get("CC", "gcc"), os.environ.get("CXX", "g++")
        self.tools = trees.Tools(cc, cxx, compiler_identity(cc, cxx))

    def tree(self, kind, name, label, library=None):
        """A tree around the installed shared library, or around another one with the same headers."""
        install = Install(self.args.prefix, library) if library else trees.Install(self.args.prefix)
        tree = kind(name, label, "shared", self.args.output / "trees" / name, self.source, self.tools)
        tree.create(install)
        return tree

    def build(self, tree):
        """Builds the tests that were asked for, and returns their names."""
        names = tree.tests()
        if self.args.only:
            names = run.pick(names, self.args.only)
        tree.build("test", sorted({*names, "exec-target.t"}), report.Progress(f"building test, {tree.label}", every=100), 2)
        return names

    def run(self, forest, names):
        """An outcome for each case."""
        return run.run_all(self.args, forest, cases(names, Config()))


def arguments(doc, flavour, here):
    """A parser of what each flavour's run takes."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prefix", type=pathlib.Path, required=True, help="where the headers are installed")
    parser.add_argument("--library", type=pathlib.Path, required=True, help="the flavour's liburing.so.2")
    parser.add_argument("--list", type=pathlib.Path, default=here / "suite.txt", help="what is recorded")
    parser.add_argument("--output", type=pathlib.Path, default=PROJECT / "build" / flavour / "suite")
    parser.add_argument("--only", nargs="+", metavar="TEST", help="run only these tests")
    parser.add_argument("--limit", type=int, default=180, help="seconds for one test")
    parser.add_argument("--jobs", type=int, default=2, help="tests at a time")
    return parser


def main(judge, args):
    """Runs `judge(suite)`, which says whether all is as it is to be. Returns an exit status."""
    try:
        suite = Suite(args)
        return 0 if judge(suite) else 1
    except (NotAvailable, trees.BuildError) as err:
        print(f"SKIP: upstream's suite was not run: {err}", flush=True)
        return NOT_RUN
