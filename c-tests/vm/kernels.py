"""The kernels to boot: Debian's cloud kernels, downloaded and unpacked by build-aux/fetch-upstream.sh, not installed."""

import os
import pathlib
import re
import subprocess

PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent
FETCH = PROJECT / "build-aux" / "fetch-upstream.sh"
META = "linux-image-cloud-amd64"


class NotAvailable(Exception):
    pass


class Kernel:
    def __init__(self, suite, image):
        self.suite, self.image = suite, image
        self.release = image.name.split("-", 1)[1]
        # 6.1.0-50-cloud-amd64, 6.12.95+deb12-cloud-amd64
        self.label = re.match(r"\d+\.\d+", self.release).group()
        self.version = tuple(map(int, self.label.split(".")))


def fetch(suite, *arguments):
    environment = dict(os.environ, UPSTREAM_SUITE=suite)
    run = subprocess.run([FETCH, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         text=True)
    if run.returncode != 0:
        said = run.stderr.strip().splitlines() or ["no reason given"]
        raise NotAvailable(f"{suite}: {said[-1]}")
    return run.stdout.split()


def packages(suite):
    """The kernel's packages. Newer releases of Debian have the image in a package of its own."""
    found, todo = [], [META]
    while todo:
        wanted = [n for n in fetch(suite, "depends", todo.pop()) if re.match(r"linux-(image|binary)-\d", n)]
        todo += [n for n in wanted if n not in found]
        found += [n for n in wanted if n not in found]
    return found


def kernel(suite):
    folder = pathlib.Path(fetch(suite, "deb", *packages(suite))[-1])
    images = sorted(folder.glob("boot/vmlinuz-*-cloud-*")) + sorted(folder.glob("usr/lib/modules/*-cloud-*/vmlinuz"))
    if not images:
        raise NotAvailable(f"{suite}: no kernel image in its package")
    image = images[-1]
    if image.name == "vmlinuz":
        named = image.with_name(f"vmlinuz-{image.parent.name}")
        if not named.exists():
            named.symlink_to(image.name)
        image = named
    return Kernel(suite, image)
