"""The place of upstream's source package, and the versions of it and of the tool chain."""

import hashlib
import os
import pathlib
import re
import subprocess

PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent
FETCH = PROJECT / "build-aux" / "fetch-upstream.sh"
OLDEST = (2, 15)


class NotAvailable(Exception):
    """The suite is not available here. It was not run, so it did not pass."""


class Source:
    """Upstream's source, configured and with its library built. It is never written to."""

    def __init__(self, path):
        self.path = pathlib.Path(path).resolve()
        for name in ("test/Makefile", "config-host.h", "src/liburing.a"):
            if not (self.path / name).is_file():
                raise NotAvailable(f"{self.path}: no {name}; it must hold a built liburing")
        self.version = self._version()
        if tuple(map(int, self.version.split(".")[:2])) < OLDEST:
            raise NotAvailable(f"{self.path} is liburing {self.version}; {'.'.join(map(str, OLDEST))} or newer is needed")
        self.include = self.path / "src" / "include"
        self.static = self.path / "src" / "liburing.a"
        shared = sorted((self.path / "src").glob("liburing.so.2.*"))
        if not shared:
            raise NotAvailable(f"{self.path}/src: no liburing.so.2.*")
        self.shared = shared[0]

    def _version(self):
        spec = (self.path / "liburing.spec").read_text()
        found = re.search(r"^Version:\s*(\S+)", spec, re.MULTILINE)
        if not found:
            raise NotAvailable(f"{self.path}/liburing.spec names no version")
        return found.group(1)

    def headers(self):
        return sorted(p for p in self.include.rglob("*") if p.is_file())

    def files(self, *folders):
        """The package's own files in these folders, without what a build left behind."""
        for folder in folders:
            for path in sorted((self.path / folder).rglob("*")):
                if path.is_file() and not is_built(path.relative_to(self.path)):
                    yield path

    def digest(self):
        names = [self.path / name for name in ("config-host.h", "config-host.mak", "Makefile.quiet")]
        return digest_files(self.path, [*names, *self.files("src", "test", "examples")])


def locate(given):
    """The built source in the given folder, or else the one that the fetch script provides."""
    if given:
        return Source(given)
    run = subprocess.run([FETCH, "build"], stdout=subprocess.PIPE, text=True)
    lines = run.stdout.strip().splitlines()
    if run.returncode != 0 or not lines:
        raise NotAvailable(f"its source package could not be had ({FETCH.name} exited {run.returncode})")
    return Source(pathlib.Path(lines[-1]) / "source")


def cache_folder():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(base) / "liburing-rs" / "conformance"


def compiler_identity(cc, cxx):
    return "\n".join(
        subprocess.run([tool, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()[0]
        for tool in (cc, cxx)
    )


def is_built(path):
    # configure writes compat.h; every other product of a build has a suffix that tells it.
    built = {".o", ".t", ".ol", ".os", ".a", ".d", ".tt"}
    return path.suffix in built or ".so." in path.name or path.name == "compat.h" or "output" in path.parts


def digest_files(base, paths):
    total = hashlib.sha256()
    for path in paths:
        total.update(f"{path.relative_to(base)}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()
