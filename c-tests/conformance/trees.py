"""Build trees. Each holds a copy of upstream's layout around one library, so the suite's own makefiles build it.

tree/test and tree/examples hold links to upstream's files; tree/src/include and tree/src/liburing.* are the headers
and the library under test; the private headers of tree/src, which some tests include, are upstream's in every tree.
"""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import subprocess

from source import digest_files

SUITE = ("test", "examples")


class BuildError(Exception):
    pass


class Install:
    """An installed liburing below a prefix: headers, static and shared library."""

    def __init__(self, prefix):
        self.prefix = pathlib.Path(prefix).resolve()
        self.include = self.prefix / "include"
        if not (self.include / "liburing.h").is_file():
            raise BuildError(f"{self.prefix}: include/liburing.h is missing")
        self.static = self._find("liburing.a")
        self.shared = self._find("liburing.so.2")

    def _find(self, name):
        for folder in [self.prefix / "lib", *sorted((self.prefix / "lib").glob("*-linux-*")), self.prefix / "lib64"]:
            if (folder / name).exists():
                return (folder / name).resolve()
        raise BuildError(f"{self.prefix}: {name} is missing")

    def headers(self):
        # Only liburing's headers: the prefix may hold a whole system.
        yield self.include / "liburing.h"
        yield from sorted(p for p in (self.include / "liburing").rglob("*") if p.is_file())


class Tools:
    def __init__(self, cc, cxx, identity):
        self.cc, self.cxx, self.identity = cc, cxx, identity


class Tree:
    """One library with the suite around it. `kind` is "static" or "shared"."""

    def __init__(self, name, label, kind, root, source, tools, ldflags=""):
        self.name, self.label, self.kind, self.ldflags = name, label, kind, ldflags
        self.root, self.source, self.tools = pathlib.Path(root), source, tools
        self.errors = {}

    def create(self, install, shared=False):
        """Lays the tree out around an install's headers and library, unless a tree from the same inputs exists.

        The name of a tree that several runs share contains its inputs, so no run removes another one's tree."""
        headers = list(install.headers())
        library = install.static if self.kind == "static" else install.shared
        key = hashlib.sha256()
        for part in (
            self.kind,
            self.ldflags,
            self.source.digest(),
            digest_files(install.include, headers),
            hashlib.sha256(library.read_bytes()).hexdigest(),
            self.tools.identity,
        ):
            key.update(part.encode() + b"\0")
        if shared:
            self.root = self.root.with_name(f"{self.root.name}-{key.hexdigest()[:12]}")
        with self.locked():
            stamp = self.root / "inputs"
            if not stamp.is_file() or stamp.read_text() != key.hexdigest():
                self._lay_out(install, headers, library)
                stamp.write_text(key.hexdigest())

    @contextlib.contextmanager
    def locked(self):
        self.root.parent.mkdir(parents=True, exist_ok=True)
        with open(self.root.with_name(f"{self.root.name}.lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _lay_out(self, install, headers, library):
        shutil.rmtree(self.root, ignore_errors=True)
        src = self.root / "src"
        for header in headers:
            target = src / "include" / header.relative_to(install.include)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(header, target)
        self._place_library(src, library)
        public = self.source.path / "src" / "include"
        private = [p for p in self.source.files("src") if p.suffix == ".h" and public not in p.parents]
        for path in [*private, *self.source.files(*SUITE), self.source.path / "Makefile.quiet"]:
            link = self.root / path.relative_to(self.source.path)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path)
        for name in ("config-host.h", "config-host.mak"):
            shutil.copy(self.source.path / name, self.root / name)

    def _place_library(self, src, library):
        if self.kind == "static":
            shutil.copy(library, src / "liburing.a")
        else:
            shutil.copy(library, src / "liburing.so.2")
            (src / "liburing.so").symlink_to("liburing.so.2")
            # The examples' makefile wants a file of this name to exist; -luring prefers the shared library beside it.
            (src / "liburing.a").write_bytes(b"!<arch>\n")

    def make(self, folder, *args):
        # Flags of a make that runs this program must not reach the suite's.
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS", "CFLAGS", "CPPFLAGS"))}
        command = ["make", "-C", str(self.root / folder), "root=..", f"CC={self.tools.cc}", f"CXX={self.tools.cxx}"]
        if self.ldflags:
            command.append(f"LDFLAGS={self.ldflags}")
        return subprocess.Popen(
            command + list(args), env=clean, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace",
        )

    def tests(self):
        """The targets that the suite's makefile would build with this configuration."""
        out, _ = self.make("test", "-s", "--eval=names: ; @echo $(test_targets)", "names").communicate()
        return sorted(word for word in out.split() if word.endswith((".t", ".tt")))

    def examples(self):
        out, _ = self.make("examples", "-s", "--eval=names: ; @echo $(example_targets)", "names").communicate()
        return sorted(w for w in out.split() if (self.source.path / "examples" / f"{w}.c").is_file())

    def build(self, folder, targets, progress, jobs):
        """Builds all targets. Fills `errors` with the output of those that do not build."""
        with self.locked():
            self._build(folder, targets, progress, jobs)

    def _build(self, folder, targets, progress, jobs):
        run = self.make(folder, "-k", f"-j{jobs}", *targets)
        done = 0
        log = []
        for line in run.stdout:
            log.append(line)
            if re.match(r"\s+(CC|CXX) ", line):
                done += 1
                progress.step(done, len(targets))
        run.wait()
        (self.root / f"{folder}.log").write_text("".join(log))
        for target in targets:
            if not self.binary(folder, target).exists():
                out, _ = self.make(folder, target).communicate()
                self.errors[target] = out

    def binary(self, folder, target):
        return self.root / folder / target

    def command(self, command):
        """What to run for a command of the tree."""
        return command

    def environment(self, _name):
        """For a program of the tree, or a case of it: the shared library is found in the tree."""
        return dict(os.environ, LD_LIBRARY_PATH=str(self.root / "src"))

    def header_warnings(self, folder):
        """Warnings that name a header of the library under test, each once."""
        log = self.root / f"{folder}.log"
        text = log.read_text() if log.exists() else ""
        pattern = r"^.*/src/include/\S+:\d+:\d+: warning: .*$"
        return sorted(set(re.findall(pattern, text, re.MULTILINE)))

    def wrongly_bound(self, folder, targets):
        """Built targets that do not use this tree's library, or not in the tree's way (static or shared)."""
        built = [t for t in targets if self.binary(folder, t).exists()]
        wrong = []
        for target in built:
            out = subprocess.run(
                ["readelf", "-d", str(self.binary(folder, target))], stdout=subprocess.PIPE, text=True, check=True
            ).stdout
            needs = "[liburing.so.2]" in out
            if needs != (self.kind == "shared"):
                wrong.append(target)
        return wrong
