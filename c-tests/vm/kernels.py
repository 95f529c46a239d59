"""The kernels to boot: Debian's, on amd64 its cloud kernels, downloaded and unpacked by build-aux/fetch-upstream.sh, not
installed; and one without io_uring."""

import lzma
import os
import pathlib
import re
import shutil
import subprocess

from architectures import ARCHITECTURES, MODULES

PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent
FETCH = PROJECT / "build-aux" / "fetch-upstream.sh"
# Stands among the names of suites for the kernel without io_uring.
WITHOUT = "without"


class NotAvailable(Exception):
    pass


class Kernel:
    has_io_uring = True

    def __init__(self, suite, architecture, image, modules, firmware):
        """`modules`: {path in the initramfs: content}, in the order in which they are to be loaded."""
        self.suite, self.architecture, self.image, self.modules = suite, architecture, image, modules
        self.firmware = firmware
        self.release = image.name.split("-", 1)[1]
        # 6.1.0-50-cloud-amd64, 6.12.95+deb12-cloud-amd64
        self.label = re.match(r"\d+\.\d+", self.release).group()
        self.version = tuple(map(int, self.label.split(".")))


class WithoutIoUring:
    """A small kernel, built without io_uring."""

    has_io_uring, modules, firmware, label = False, {}, None, "without io_uring"
    architecture = ARCHITECTURES["amd64"]

    def __init__(self):
        built = subprocess.run([PROJECT / "c-tests/vm/kernel-without.sh"], stdout=subprocess.PIPE, text=True, check=False)
        if built.returncode != 0:
            raise NotAvailable("it could not be built")
        self.image = pathlib.Path(built.stdout.strip())
        # vmlinuz-5.10-without-...
        self.release = "-".join(self.image.name.split("-")[1:3])
        self.version = tuple(map(int, self.release.split("-")[0].split(".")))


def fetch(suite, architecture, *arguments):
    foreign = "" if architecture.debian == "amd64" else architecture.debian
    environment = dict(os.environ, UPSTREAM_SUITE=suite, UPSTREAM_ARCH=foreign)
    run = subprocess.run([FETCH, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         text=True)
    if run.returncode != 0:
        said = run.stderr.strip().splitlines() or ["no reason given"]
        raise NotAvailable(f"{suite}: {said[-1]}")
    return run.stdout.split()


def packages(suite, architecture):
    """The kernel's packages. Newer releases of Debian have the image and the modules in separate packages."""
    kinds = "image|binary|modules" if architecture.modules else "image|binary"
    found, todo = [], [architecture.meta]
    while todo:
        wanted = [n for n in fetch(suite, architecture, "depends", todo.pop()) if re.match(rf"linux-({kinds})-\d", n)]
        todo += [n for n in wanted if n not in found]
        found += [n for n in wanted if n not in found]
    return found


def modules(folder, release):
    """The modules to load and those that they need, each after its dependencies."""
    base = next(path for path in (folder / "usr/lib/modules" / release, folder / "lib/modules" / release) if path.is_dir())
    files = {re.sub(r"\.ko.*$", "", path.name).replace("-", "_"): path for path in base.rglob("*.ko*")}
    found = {}

    def take(name):
        path = files.get(name)
        if path is None or f"modules/{name}.ko" in found:
            return
        content = path.read_bytes()
        if path.suffix == ".xz":
            content = lzma.decompress(content)
        needs = re.search(rb"\0depends=([^\0]*)\0", content)
        for needed in needs.group(1).decode().split(",") if needs else []:
            take(needed.replace("-", "_"))
        # ext4 asks for these when it mounts, not when it is loaded.
        if name == "ext4":
            for needed in ("crc32c_generic", "crc32c_cryptoapi", "libcrc32c"):
                take(needed)
        found[f"modules/{name}.ko"] = content

    for name in MODULES:
        take(name)
    return found


def kernel(suite, name="amd64"):
    architecture = ARCHITECTURES[name]
    folder = pathlib.Path(fetch(suite, architecture, "deb", *packages(suite, architecture))[-1])
    flavour = architecture.meta.removeprefix("linux-image-")
    pattern = flavour if architecture.modules else f"cloud-{name}"
    images = sorted([*folder.glob(f"boot/vmlinu[xz]-*-{pattern}"), *folder.glob(f"usr/lib/modules/*-{pattern}/vmlinu[xz]")])
    if not images:
        raise NotAvailable(f"{suite}: no kernel image in its package")
    image = images[-1]
    if image.parent.name != "boot":
        named = image.with_name(f"{image.name}-{image.parent.name}")
        if not named.exists():
            named.symlink_to(image.name)
        image = named
    release = image.name.split("-", 1)[1]
    return Kernel(suite, architecture, image, modules(folder, release) if architecture.modules else {},
                  firmware(suite, architecture))


def firmware(suite, architecture):
    if architecture.firmware is None:
        return None
    package, path = architecture.firmware
    return pathlib.Path(fetch(suite, architecture, "deb", package)[-1]) / path


def to_boot(suites):
    """The kernels of these suites, for the machine of amd64. Says which cannot be had."""
    emulator = ARCHITECTURES["amd64"].qemu
    if subprocess.run([PROJECT / "c-tests/vm/install-qemu.sh"], check=False).returncode or not shutil.which(emulator):
        print(f"SKIP: no kernel was booted: there is no {emulator} here")
        return
    for name in suites:
        try:
            yield WithoutIoUring() if name == WITHOUT else kernel(name)
        except NotAvailable as err:
            print(f"SKIP: the kernel {name} was not booted: {err}")
